"""Commands that run a campaign: rehearse it, run it, take it up again, wait for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from orchestrator.cli.common import (
    EXIT_CODES,
    FILE,
    NEEDS_OPERATOR,
    NIGHTS,
    REFUSED,
    checked,
    finish,
    home_option,
    lab_option,
    new_home,
    operator,
    refuse,
    the_home,
)
from orchestrator.cli.paging import console_options, opened, stay


@click.command("dry-run")
@click.argument("campaign", type=FILE)
@lab_option
@click.option("--truth", type=FILE, help="CSV of measured films that the simulated lab interpolates.")
@click.option("--seed", type=int, help="Instead of the campaign's own.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1200.0, show_default=True,
              help="Lab seconds per real second.")  # fmt: skip
@click.option("--home", type=FILE, help="A new folder for this night [default: below nights/].")
@click.option("--world", type=FILE, help="Where the simulated lab writes its own log (JSON lines).")
@click.option("--alerts", is_flag=True, help="Send its alerts too [default: they are only written into its home].")
@console_options(off=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def dry_run(campaign: Path, lab: Path | None, truth: Path | None, seed: int | None, speed: float,
            home: Path | None, world: Path | None, alerts: bool, as_json: bool, **page: Any) -> None:  # fmt: skip
    """Rehearse CAMPAIGN on a simulated lab, over the instruments' real wire protocols."""
    from orchestrator.campaign.labspec import check_fit
    from orchestrator.display import show
    from orchestrator.night import load, rehearse

    spec, bench = load(campaign, lab, seed)
    check_fit(spec, bench)
    folder = new_home(home, spec.name)
    with opened(folder, **page) as console, show(quiet=as_json) as on_progress:
        summary = rehearse(spec, bench, folder, speed=speed, truth=truth, world=world, by=operator(),
                           alerts=alerts, on_progress=on_progress, console=console)  # fmt: skip
    finish(summary, folder, as_json)


@click.command()
@click.argument("campaign", type=FILE)
@lab_option
@click.option("--home", type=FILE, help="A new folder for this night [default: below nights/].")
@click.option("--arm", is_flag=True, help="You have read its contract, and let it begin [default: you are asked].")
@click.option("--rehearsed", type=FILE, help="The home of its dry run, if that is not below nights/.")
@console_options()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def run(campaign: Path, lab: Path | None, home: Path | None, arm: bool, rehearsed: Path | None,
        as_json: bool, **page: Any) -> None:  # fmt: skip
    """Run CAMPAIGN on the instruments at the lab file's addresses.

    It begins only after a passed dry run of the same campaign, with no red line in its contract (`nightshift check`),
    and armed: by --arm, or by typing the campaign's name when asked.  Otherwise exit code 5, and nothing was done.

    If a daemon serves the home (`nightshift serve`), the campaign is handed to it; otherwise it runs here.
    """
    from orchestrator.campaign.labspec import check_fit
    from orchestrator.contract import draw_up
    from orchestrator.display import show
    from orchestrator.night import hand_over, load, run_for_real
    from orchestrator.service.alerts.commands import check_channels
    from orchestrator.service.contract.lines import as_text
    from orchestrator.service.home import Home

    spec, bench = load(campaign, lab, None)
    check_fit(spec, bench)
    check_channels(bench)
    place = Home(home) if home else None
    served = place is not None and place.served
    contract = draw_up(spec, bench, NIGHTS, home=place, rehearsed=rehearsed, expected=served)
    click.echo(as_text(contract.lines), err=True)
    if red := contract.red:
        refuse(f"not begun: {', '.join(line.subject for line in red)}; see what to do above", REFUSED)
    signed = contract.signed(operator(), armed_by(arm, spec.name))
    if place is not None and served:
        click.echo(hand_over(spec, place, by=operator(), contract=signed))
        return
    folder = new_home(home, spec.name)
    with opened(folder, **page) as console, show(quiet=as_json) as on_progress:
        summary = run_for_real(spec, bench, folder, by=operator(), contract=signed, on_progress=on_progress,
                               console=console)  # fmt: skip
    finish(summary, folder, as_json)


def armed_by(arm: bool, name: str) -> str:
    """How the operator says that the campaign `name` may begin on hardware; ends with exit code 5 if he does not."""
    if arm:
        return "--arm"
    if not sys.stdin.isatty():
        refuse("not begun: it is not armed; read its contract above, then give --arm", REFUSED)
    typed = click.prompt(f"This moves hardware. Type {name} to let it begin", default="", show_default=False, err=True)
    if typed.strip() != name:
        refuse("not begun: it is not armed; the name that was typed is another", REFUSED)
    return "typed"


@click.command()
@home_option
@click.option(
    "--unattended",
    is_flag=True,
    help="Go on only if the campaign says recovery.unattended = true and nobody is needed.",
)
@click.option("--abort", is_flag=True, help="Do not go on: settle what was under way, and end the campaign.")
@console_options()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def recover(home: Path | None, unattended: bool, abort: bool, as_json: bool, **page: Any) -> None:
    """Go on with a campaign whose daemon died, or that needed you: wherever it was left, on the same instruments.

    The lab is made safe first, and what was under way is settled by evidence.  If the campaign asked for you, this
    is your word that it is done: what was broken works, and each sample it named is back in its own cassette slot.
    """
    from drivers.clock import RealClock
    from orchestrator.contract import quickly
    from orchestrator.display import show
    from orchestrator.night import NotAllowed, carry_on

    if unattended and abort:
        raise click.UsageError("--abort is an operator's word: it does not go with --unattended")
    folder = the_home(home)
    try:
        with opened(folder, **page) as console, show(quiet=as_json) as on_progress:
            summary = carry_on(folder, {}, RealClock(), None, by=operator(), on_progress=on_progress, console=console,
                               recovered=not (unattended or abort), abort=abort, unattended=unattended,
                               sign=lambda spec, lab: quickly(spec, lab, folder).signed(operator(), ""))  # fmt: skip
    except NotAllowed as error:
        refuse(error, NEEDS_OPERATOR)
    finish(summary, folder, as_json)


@click.command()
@click.argument("lab", type=FILE)
@click.option("--home", type=FILE, required=True, help="A new folder for the campaign to come.")
@click.option("--unattended", is_flag=True, help="If a campaign has begun in it, go on as `recover --unattended` does.")
@console_options()
@checked
def serve(lab: Path, home: Path, unattended: bool, **page: Any) -> None:
    """Serve LAB without a display: wait for `nightshift run CAMPAIGN --home HOME`, and run that campaign.

    The operator's page stays when the campaign has ended, until Ctrl-C or SIGTERM, or `nightshift recover`.
    """
    from drivers.clock import RealClock
    from orchestrator.campaign.labspec import load_lab
    from orchestrator.night import NotAllowed, carry_on
    from orchestrator.night import serve as serve_home
    from orchestrator.service.alerts.commands import check_channels
    from orchestrator.service.home import Home

    if unattended and Home(home).begun:
        folder = Home(home)
        try:
            with opened(folder, stays=True, **page) as console:
                summary = carry_on(folder, {}, RealClock(), None, by=operator(), unattended=True, console=console)
                stay(console, folder, summary)
        except NotAllowed as error:
            refuse(error, NEEDS_OPERATOR)
    else:
        bench = load_lab(lab)
        check_channels(bench)
        folder = new_home(home, "")
        with opened(folder, stays=True, **page) as console:
            summary = serve_home(bench, folder, console)
            stay(console, folder, summary)
    sys.exit(EXIT_CODES[summary["end"]])
