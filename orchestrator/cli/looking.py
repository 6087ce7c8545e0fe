"""Commands that only look, from the journal alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.common import FILE, checked, home_option, the_home

if TYPE_CHECKING:
    from orchestrator.service.home import Home


@click.command()
@home_option
@click.option("--watch", "keep", is_flag=True, help="Keep looking until the campaign has ended; Ctrl-C ends only this.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def status(home: Path | None, keep: bool, as_json: bool) -> None:
    """How the night stands: by its daemon's word, or by the journal if no daemon answers.

    With --watch, what has not been heard anew for 5 seconds is marked as such: no contact.
    """
    from orchestrator.service.contact import look

    if keep and as_json:
        raise click.UsageError("--watch is for people: it does not go with --json")
    if keep:
        _watch(the_home(home))
        return
    word = look(the_home(home))
    if as_json:
        told = word.progress.as_dict() if word.progress else {"mode": "idle"}
        click.echo(json.dumps({**told, "live": word.live, "note": word.note}))
        return
    if word.progress:
        from orchestrator.display import as_text

        click.echo(as_text(word.progress))
    if word.note:
        click.echo(word.note[:1].upper() + word.note[1:] + ".")


def _watch(home: Home) -> None:
    from orchestrator.display import screen
    from orchestrator.watching import watch

    try:
        with screen() as shown:
            watch(home, shown)
    except KeyboardInterrupt:
        click.echo("", err=True)


@click.command()
@home_option
@click.option("--after", default=0, help="Only entries after this version.")
@checked
def journal(home: Path | None, after: int) -> None:
    """The journal's entries, as JSON lines."""
    from orchestrator.journal import SqliteJournal

    for recorded in SqliteJournal(the_home(home).need_journal()).read(after):
        click.echo(recorded.to_json())


@click.command()
@home_option
@click.option("--output", type=FILE, help="The HTML file to write [default: report.html in the home].")
@checked
def report(home: Path | None, output: Path | None) -> None:
    """Write the morning report from the journal."""
    from orchestrator.morning import write_report_of

    click.echo(write_report_of(the_home(home), output))
