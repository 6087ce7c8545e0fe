"""The `nightshift` command.

Every command imports what it needs when it runs, so that `nightshift status` does not wait for a run engine.
Exit codes: 0 done, 1 breaches found by an audit, or an alert channel that took no test, 2 bad input,
3 needs operator, 4 aborted, 5 command refused.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from orchestrator.service.home import Home

DONE, BREACHES, BAD_INPUT, NEEDS_OPERATOR, ABORTED, REFUSED = 0, 1, 2, 3, 4, 5
EXIT_CODES = {"done": DONE, "stopped": DONE, "needs operator": NEEDS_OPERATOR, "aborted": ABORTED}
NIGHTS = Path("nights")

FILE = click.Path(path_type=Path)


def refuse(message: object, code: int = BAD_INPUT) -> NoReturn:
    """End with exit code `code` and `message` on standard error."""
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)


def finish(summary: dict[str, Any], home: Home, as_json: bool) -> NoReturn:
    """Print what became of a night, and end with its exit code."""
    from orchestrator.night import summary_lines

    click.echo(json.dumps(summary) if as_json else summary_lines(summary, home))
    sys.exit(EXIT_CODES[summary["end"]])


def checked(command: Callable[..., None]) -> Callable[..., None]:
    """Turn the errors that a person can mend into one message and exit code 2."""

    @wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        from orchestrator import rpc
        from orchestrator.campaign.lifecycle import LifecycleError
        from orchestrator.campaign.problems import SpecError
        from orchestrator.journal import JournalError
        from orchestrator.service.children import ChildError
        from orchestrator.service.home import HomeError

        try:
            command(*args, **kwargs)
        except rpc.RemoteError as error:
            if error.kind == "CommandRefused":
                refuse(error.message, REFUSED)
            refuse(error)
        except (SpecError, HomeError, JournalError, LifecycleError, ChildError, rpc.RpcError) as error:
            refuse(error)

    return wrapper


def home_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--home",
        type=FILE,
        envvar="NIGHTSHIFT_HOME",
        help="The campaign's folder [default: the newest below nights/].",
    )(command)


def the_home(path: Path | None) -> Home:
    from orchestrator.service.home import Home, newest

    return Home(path) if path else newest(NIGHTS)


def new_home(path: Path | None, campaign: str) -> Home:
    """A folder for a new campaign, by default one that has its name and the time."""
    from orchestrator.service.home import Home

    home = Home(path or NIGHTS / f"{campaign}-{time.strftime('%Y%m%d-%H%M%S')}")
    home.make()
    return home


def operator() -> str:
    """Who gives the command, for the journal."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nightshift-lab")
def main() -> None:
    """Nightshift runs a self-driving thin-film laboratory through the night."""


@main.command("dry-run")
@click.argument("campaign", type=FILE)
@click.option("--lab", type=FILE, help="The lab file [default: the one that the campaign names].")
@click.option("--truth", type=FILE, help="CSV of measured films that the simulated lab interpolates.")
@click.option("--seed", type=int, help="Instead of the campaign's own.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1200.0, show_default=True,
              help="Lab seconds per real second.")  # fmt: skip
@click.option("--home", type=FILE, help="A new folder for this night [default: below nights/].")
@click.option("--world", type=FILE, help="Where the simulated lab writes its own log (JSON lines).")
@click.option("--alerts", is_flag=True, help="Send its alerts too [default: they are only written into its home].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def dry_run(campaign: Path, lab: Path | None, truth: Path | None, seed: int | None, speed: float,
            home: Path | None, world: Path | None, alerts: bool, as_json: bool) -> None:  # fmt: skip
    """Rehearse CAMPAIGN on a simulated lab, over the instruments' real wire protocols."""
    from orchestrator.campaign.labspec import check_fit
    from orchestrator.display import show
    from orchestrator.night import load, rehearse

    spec, bench = load(campaign, lab, seed)
    check_fit(spec, bench)
    folder = new_home(home, spec.name)
    with show(quiet=as_json) as on_progress:
        summary = rehearse(spec, bench, folder, speed=speed, truth=truth, world=world, by=operator(),
                           alerts=alerts, on_progress=on_progress)  # fmt: skip
    finish(summary, folder, as_json)


@main.command()
@click.argument("campaign", type=FILE)
@click.option("--lab", type=FILE, help="The lab file [default: the one that the campaign names].")
@click.option("--home", type=FILE, help="A new folder for this night [default: below nights/].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def run(campaign: Path, lab: Path | None, home: Path | None, as_json: bool) -> None:
    """Run CAMPAIGN on the instruments at the lab file's addresses.

    If a daemon serves the home (`nightshift serve`), the campaign is handed to it; otherwise it runs here.
    """
    from orchestrator.campaign.labspec import check_fit
    from orchestrator.display import show
    from orchestrator.night import hand_over, load, run_for_real
    from orchestrator.service.alerts.commands import check_channels
    from orchestrator.service.home import Home

    spec, bench = load(campaign, lab, None)
    check_fit(spec, bench)
    check_channels(bench)
    if home and Home(home).served:
        click.echo(hand_over(spec, Home(home), by=operator()))
        return
    folder = new_home(home, spec.name)
    with show(quiet=as_json) as on_progress:
        summary = run_for_real(spec, bench, folder, by=operator(), on_progress=on_progress)
    finish(summary, folder, as_json)


@main.command()
@home_option
@click.option("--unattended", is_flag=True, help="Go on only if nobody is needed: for a start with the machine.")
@click.option("--abort", is_flag=True, help="Do not go on: settle what was under way, and end the campaign.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def recover(home: Path | None, unattended: bool, abort: bool, as_json: bool) -> None:
    """Go on with a campaign whose daemon died, or that needed you: wherever it was left, on the same instruments.

    The lab is made safe first, and what was under way is settled by evidence.  If the campaign asked for you, this
    is your word that it is done: what was broken works, and each sample it named is back in its own cassette slot.
    """
    from drivers.clock import RealClock
    from orchestrator.display import show
    from orchestrator.night import carry_on

    if unattended and abort:
        raise click.UsageError("--abort is an operator's word: it does not go with --unattended")
    folder = the_home(home)
    with show(quiet=as_json) as on_progress:
        summary = carry_on(folder, {}, RealClock(), None, by=operator(), on_progress=on_progress,
                           recovered=not (unattended or abort), abort=abort)  # fmt: skip
    finish(summary, folder, as_json)


@main.command()
@click.argument("campaign", type=FILE)
@click.option("--lab", type=FILE, help="The lab file [default: the one that the campaign names].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def check(campaign: Path, lab: Path | None, as_json: bool) -> None:
    """Check CAMPAIGN and its lab file, and that the one can be done in the other."""
    from orchestrator.campaign.labspec import check_fit
    from orchestrator.campaign.space import Space
    from orchestrator.night import load
    from orchestrator.service.alerts.commands import check_channels

    spec, bench = load(campaign, lab, None)
    check_fit(spec, bench)
    check_channels(bench)
    size = len(spec.pool) if spec.pool is not None else Space.of(spec).size()
    what = "candidates" if spec.searched() or spec.pool else "compositions"
    facts = {"campaign": spec.name, "lab": bench.name, what: size, "samples": spec.budget.samples}
    text = f"{spec.name} fits {bench.name}: {size} {what}, {spec.budget.samples} samples"
    click.echo(json.dumps(facts) if as_json else text)


@main.command()
@click.argument("lab", type=FILE)
@click.option("--truth", type=FILE, help="CSV of measured films that the simulated lab interpolates.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True,
              help="Lab seconds per real second.")  # fmt: skip
@click.option("--world", type=FILE, help="Where the simulated lab writes its own log (JSON lines).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def simulate(lab: Path, truth: Path | None, seed: int, speed: float, world: Path | None, as_json: bool) -> None:
    """Serve the instruments of LAB from a simulated lab, until interrupted."""
    from orchestrator.campaign.labspec import load_lab
    from orchestrator.night import serve_lab

    with serve_lab(load_lab(lab), seed=seed, speed=speed, truth=truth, world=world) as addresses:
        if as_json:
            click.echo(json.dumps({"addresses": addresses}))
        else:
            for device, address in addresses.items():
                click.echo(f"{device:16} {address}")
            click.echo("Serving until interrupted (Ctrl-C).")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            click.echo("", err=True)


@main.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def status(home: Path | None, as_json: bool) -> None:
    """How the night stands."""
    from orchestrator.service.status import progress_of

    progress = progress_of(the_home(home).need_journal())
    if as_json:
        click.echo(json.dumps(progress.as_dict()))
    else:
        from orchestrator.display import as_text

        click.echo(as_text(progress))


COMMANDS = """Prints the campaign's state after it; a command that is true already changes nothing.
Exit codes: 0 taken, 2 nobody to take it, 5 refused; a refusal says why, and who was first."""


def _command(name: str, what: str) -> None:
    @main.command(name, help=f"{what}\n\n{COMMANDS}")
    @home_option
    @click.option("--reason", default="", help="Why, for the journal.")
    @click.option("--by", default=None, help="Who, for the journal [default: the user logged in].")
    @click.option("--key", default="", help="The request's own name: said again with it, it is done once.")
    @click.option("--seen", type=int, help="The last entry you know of, as `status` tells it [default: the last].")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
    @checked
    def give(home: Path | None, reason: str, by: str | None, key: str, seen: int | None, as_json: bool) -> None:
        from orchestrator.campaign.commands import Request
        from orchestrator.campaign.lifecycle import Command
        from orchestrator.service.asking import give as ask

        told = ask(the_home(home), Request(Command(name), by or operator(), reason, key, seen))
        click.echo(json.dumps(told) if as_json else told["mode"])
        if told["note"] and not as_json:
            click.echo(told["note"], err=True)


_command("hold", "Hold at the next gate: shutters closed, nothing begun, until resumed.")
_command("resume", "Go on after a hold; refused if somebody has held since what you saw.")
_command("stop", "Finish and measure the films in flight, begin no more, and end. Lifts a hold.")
_command("abort", "End now: sources off, shutters closed. This is not the emergency stop.")


@main.command()
@click.argument("home", type=FILE)
@click.option("--world", type=FILE, help="The simulated lab's own log [default: world.jsonl in HOME, if it is there].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def audit(home: Path, world: Path | None, as_json: bool) -> None:
    """Prove from the files in HOME that the campaign there kept every invariant, or name each breach.

    Exit codes: 0 clean, 1 breaches, 2 nothing there that can be read.
    """
    from orchestrator.audit import Unreadable
    from orchestrator.audit import audit as examined

    try:
        report = examined(home, world)
    except Unreadable as error:
        refuse(error)
    click.echo(json.dumps(report.as_dict()) if as_json else report.as_text())
    sys.exit(DONE if report.clean else BREACHES)


@main.command()
@home_option
@click.option("--after", default=0, help="Only entries after this version.")
@checked
def journal(home: Path | None, after: int) -> None:
    """The journal's entries, as JSON lines."""
    from orchestrator.journal import SqliteJournal

    for recorded in SqliteJournal(the_home(home).need_journal()).read(after):
        click.echo(recorded.to_json())


@main.command()
@home_option
@click.option("--output", type=FILE, help="The HTML file to write [default: report.html in the home].")
@checked
def report(home: Path | None, output: Path | None) -> None:
    """Write the morning report from the journal."""
    from orchestrator.night import write_report_of

    click.echo(write_report_of(the_home(home), output))


@main.command()
@click.argument("lab", type=FILE)
@click.option("--home", type=FILE, required=True, help="A new folder for the campaign to come.")
@checked
def serve(lab: Path, home: Path) -> None:
    """Serve LAB without a display: wait for `nightshift run CAMPAIGN --home HOME`, and run that campaign."""
    from orchestrator.campaign.labspec import load_lab
    from orchestrator.night import serve as serve_home
    from orchestrator.service.alerts.commands import check_channels

    bench = load_lab(lab)
    check_channels(bench)
    summary = serve_home(bench, new_home(home, ""))
    sys.exit(EXIT_CODES[summary["end"]])


@main.command()
@home_option
@click.option("--patience", type=click.FloatRange(min=1), default=10.0, show_default=True,
              help="Seconds without a living daemon before somebody is alerted.")  # fmt: skip
@checked
def watch(home: Path | None, patience: float) -> None:
    """Alert the channels of the campaign in the home if its daemon dies or hangs, until the campaign has ended.

    Run it beside the daemon, from another shell or by systemd: a daemon that is dead cannot say so itself.  What a
    daemon that has ended could not tell is told too.
    """
    from orchestrator.service.alerts.commands import watch as watch_home

    try:
        click.echo(watch_home(the_home(home), patience_s=patience, say=click.echo))
    except KeyboardInterrupt:
        click.echo("", err=True)


@main.command("alert-test")
@home_option
@click.option("--lab", type=FILE, help="A lab file, whose channels are meant instead of those of a home.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def alert_test(home: Path | None, lab: Path | None, as_json: bool) -> None:
    """Send a test message to every alert channel, and say which took it; exit code 1 if one did not."""
    from orchestrator.campaign.labspec import load_lab
    from orchestrator.service.alerts.commands import try_channels

    source = lab or the_home(home).path
    channels = load_lab(lab).alerts.channels if lab else the_home(home).channels
    if not channels:
        refuse(f"{source}: names no alert channel; give them in the lab file, under [alerts]")
    answers = try_channels(channels, str(source))
    if as_json:
        click.echo(json.dumps({"channels": answers}))
    for channel, wrong in answers.items() if not as_json else ():
        click.echo(f"channel {channel}: {wrong or 'took it'}")
    sys.exit(BREACHES if any(answers.values()) else DONE)


if __name__ == "__main__":
    main()
