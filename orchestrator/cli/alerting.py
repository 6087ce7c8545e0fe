"""Commands about alerts: acknowledge them, try them, and the watch over a daemon."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from orchestrator.cli.common import BREACHES, DONE, FILE, checked, home_option, operator, refuse, the_home


@click.command()
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


@click.command("alert-test")
@home_option
@click.option("--lab", type=FILE, help="A lab file, whose channels are meant instead of those of a home.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def alert_test(home: Path | None, lab: Path | None, as_json: bool) -> None:
    """Send a test message to every alert channel, and say which took it; exit code 1 if one did not."""
    from orchestrator.campaign.labspec import load_lab
    from orchestrator.service.alerts.commands import try_channels

    source = lab or the_home(home).path
    routes = load_lab(lab).alerts if lab else the_home(home).routes
    channels = (*routes.channels, *routes.escalation)
    if not channels:
        refuse(f"{source}: names no alert channel; give them in the lab file, under [alerts]")
    answers = try_channels(channels, str(source))
    if as_json:
        click.echo(json.dumps({"channels": answers}))
    for channel, wrong in answers.items() if not as_json else ():
        click.echo(f"channel {channel}: {wrong or 'took it'}")
    sys.exit(BREACHES if any(answers.values()) else DONE)


@click.command()
@home_option
@click.option("--reason", default="", help="What you do about it, for the journal.")
@click.option("--by", default=None, help="Who, for the journal [default: the user logged in].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def ack(home: Path | None, reason: str, by: str | None, as_json: bool) -> None:
    """Acknowledge what was alerted: you see to it, and nobody else is called.

    Any other command of yours does the same.  Works without a living daemon too.
    """
    from orchestrator.service.asking import acknowledge

    entry = acknowledge(the_home(home), by or operator(), reason)
    click.echo(json.dumps({"entry": entry}) if as_json else f"acknowledged with entry {entry}")
