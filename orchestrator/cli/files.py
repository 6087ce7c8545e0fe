"""Commands about campaign and lab files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from orchestrator.cli.common import FILE, checked


@click.command()
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
