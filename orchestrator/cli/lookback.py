"""The operator's page of a campaign that is only looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orchestrator.cli.common import FILE, checked, refuse, the_home
from orchestrator.cli.paging import console_options, opened_to_look, until_told

WHY = (
    "this page shows what the journal tells, and commands nothing: `nightshift status` says whether a daemon runs "
    "the campaign, `nightshift recover` goes on with it"
)


@click.command()
@click.argument("home", type=FILE, required=False, envvar="NIGHTSHIFT_HOME")
@console_options()
@checked
def console(home: Path | None, **page: Any) -> None:
    """Show HOME on the operator's page, until Ctrl-C: a campaign that is over, or that nobody runs.

    Nothing can be commanded there.  HOME is by default the newest below nights/.  If its daemon serves a page, that one
    is named instead.
    """
    from orchestrator.console.past import Lookback, followed, looking_at
    from orchestrator.console.source import Post
    from orchestrator.journal import SqliteJournal

    folder = the_home(home)
    if folder.daemon is not None and (url := folder.shown_at) is not None:
        click.echo(f"{folder.path}: its daemon serves the page: {url}")
        return
    if page["console"] == "none":
        refuse("--console none: serve it somewhere, or look with `nightshift status`")
    journal = SqliteJournal(folder.need_journal())
    past = Lookback.of(journal, WHY)
    post = Post.of(folder.alerts, folder.routes)
    source = looking_at(past, SqliteJournal(folder.journal), folder.rehearsed, post)
    with opened_to_look(**page) as served, followed(past, journal), served.attached(source), until_told() as over:
        over.wait()
    journal.close()
