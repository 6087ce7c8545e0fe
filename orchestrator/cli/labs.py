"""Commands about a lab and its instruments."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click

from orchestrator.cli.common import BREACHES, DONE, FILE, NIGHTS, checked, refuse


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


@click.command()
@click.argument("lab", type=FILE)
@click.option("--ask", is_flag=True, help="Connect to each, identify it, and compare it with LAB.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def devices(lab: Path, ask: bool, as_json: bool) -> None:
    """The devices of LAB, and with --ask whether they answer at their addresses and are what LAB says.

    Asking switches nothing on and moves nothing, but it takes the port: refused while a campaign runs on hardware
    below nights/.  Exit codes: 0 all well, 1 with --ask if one is not, 2 bad input.
    """
    from orchestrator.campaign.labspec import load_lab
    from orchestrator.display import as_lines
    from orchestrator.inspection import asked, device_table, listed

    spec = load_lab(lab)
    if ask and (busy := _at_work()):
        refuse(f"{busy}: a daemon is at work there, and a port has one master; ask again when it has ended")
    found = asked(spec) if ask else listed(spec)
    if as_json:
        click.echo(json.dumps({"lab": spec.name, "devices": [one.as_dict() for one in found]}))
    else:
        click.echo(as_lines(device_table(found)))
        for one in found:
            if one.trouble:
                click.echo(f"{one.device}: {one.trouble}; {one.advice}")
    sys.exit(DONE if all(one.good for one in found) else BREACHES)


def _at_work() -> Path | None:
    """A home below nights/ whose daemon runs a campaign on hardware; None if there is none."""
    from orchestrator.service.home import Home

    homes = (Home(lock.parent) for lock in sorted(NIGHTS.glob("*/daemon.lock")))
    return next((home.path for home in homes if home.daemon is not None and not home.rehearsed), None)
