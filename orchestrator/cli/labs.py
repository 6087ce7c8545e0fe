"""Commands about a lab and its instruments."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from orchestrator.cli.common import FILE, checked


@click.command()
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
