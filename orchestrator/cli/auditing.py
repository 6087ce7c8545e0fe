"""The command that proves a campaign's invariants from its files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from orchestrator.cli.common import BREACHES, DONE, FILE, refuse


@click.command()
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
