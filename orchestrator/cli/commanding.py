"""Commands to a running campaign."""

from __future__ import annotations

import json
from pathlib import Path

import click

from orchestrator.cli.common import checked, home_option, operator, the_home

COMMANDS = """Prints the campaign's state after it; a command that is true already changes nothing.
Exit codes: 0 taken, 2 nobody to take it, 5 refused; a refusal says why, and who was first."""


def _command(name: str, what: str) -> click.Command:
    @click.command(name, help=f"{what}\n\n{COMMANDS}")
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

    return give


hold = _command("hold", "Hold at the next gate: shutters closed, nothing begun, until resumed.")
resume = _command("resume", "Go on after a hold; refused if somebody has held since what you saw.")
stop = _command("stop", "Finish and measure the films in flight, begin no more, and end. Lifts a hold.")
abort = _command("abort", "End now: sources off, shutters closed. This is not the emergency stop.")
