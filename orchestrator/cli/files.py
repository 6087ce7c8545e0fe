"""Commands about campaign and lab files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from orchestrator.cli.common import BREACHES, DONE, FILE, NIGHTS, checked, lab_option


@click.command()
@click.argument("campaign", type=FILE)
@lab_option
@click.option("--home", type=FILE, help="The folder that the night will be in [default: a new one below nights/].")
@click.option("--rehearsed", type=FILE, help="The home of its dry run, if that is not below nights/.")
@click.option("--offline", is_flag=True, help="Ask no instrument, and send no test alert.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def check(campaign: Path, lab: Path | None, home: Path | None, rehearsed: Path | None, offline: bool,
          as_json: bool) -> None:  # fmt: skip
    """Check CAMPAIGN and its lab file, that the one can be done in the other, and what an unattended night needs.

    The night contract has a line for each: green, amber (know it) or red (do not begin so), and what to do.  Every
    instrument is asked who it is, and every alert channel is sent a test.

    Exit codes: 0 no line is red, 1 one is, 2 bad input.
    """
    from orchestrator.campaign.labspec import check_fit
    from orchestrator.campaign.space import Space
    from orchestrator.contract import draw_up
    from orchestrator.night import load
    from orchestrator.service.alerts.commands import check_channels
    from orchestrator.service.contract.lines import as_text
    from orchestrator.service.home import Home

    spec, bench = load(campaign, lab, None)
    check_fit(spec, bench)
    check_channels(bench)
    size = len(spec.pool) if spec.pool is not None else Space.of(spec).size()
    what = "candidates" if spec.searched() or spec.pool else "compositions"
    facts = {"campaign": spec.name, "lab": bench.name, what: size, "samples": spec.budget.samples}
    contract = draw_up(spec, bench, NIGHTS, home=Home(home) if home else None, rehearsed=rehearsed, offline=offline)
    if as_json:
        click.echo(json.dumps({**facts, **contract.as_dict()}))
    else:
        click.echo(f"{spec.name} fits {bench.name}: {size} {what}, {spec.budget.samples} samples")
        click.echo(as_text(contract.lines))
    sys.exit(BREACHES if contract.red else DONE)
