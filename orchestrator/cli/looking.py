"""Commands that only look, from the journal alone."""

from __future__ import annotations

import json
from pathlib import Path

import click

from orchestrator.cli.common import FILE, checked, home_option, the_home


@click.command()
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
    from orchestrator.night import write_report_of

    click.echo(write_report_of(the_home(home), output))
