"""The command that writes files to begin with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from orchestrator.cli.common import FILE, checked, refuse

NAME = r"[a-z0-9][a-z0-9-]{0,63}"


@click.command()
@click.argument("folder", type=FILE, default=Path())
@click.option("--name", help="Of the campaign: small letters, digits and hyphens.")
@click.option("--elements", help="Symbols of the targets, such as Fe,Co,Ni.")
@click.option("--magnetometer", type=click.Choice(["vsm", "moke"]), help="Vibrating sample, or Kerr effect.")
@click.option("--quantity", help="What is optimised; must be one that the magnetometer measures.")
@click.option("--direction", type=click.Choice(["max", "min"]))
@click.option("--step", type=float, help="Compositions have whole multiples of this, at.%.")
@click.option("--samples", type=click.IntRange(min=1), help="Films to make.")
@click.option("--hours", type=float, help="Lab hours to spend.")
@click.option("--slots", type=click.IntRange(min=1), help="Substrates that the cassette holds.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given is as proposed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else; asks nothing.")
@checked
def init(folder: Path, yes: bool, as_json: bool, **given: Any) -> None:
    """Write a campaign file and a lab file into FOLDER (here by default), with every key explained.

    Asks for what is not given as an option.  What it writes passes `nightshift check`, and can be rehearsed at once.
    Never writes over a file.
    """
    from orchestrator.campaign.beginning import Answers, campaign_text, lab_text
    from orchestrator.campaign.labspec import check_fit, parse_lab
    from orchestrator.campaign.spec import parse_campaign

    answers = Answers(**_asked(given, ask=not (yes or as_json)))
    campaign, lab = folder / f"{answers.name}.toml", folder / f"{answers.name}-lab.toml"
    for path in (campaign, lab):
        if path.exists():
            refuse(f"{path}: is there already, and nothing is written over; choose another --name or folder")
    texts = {lab: lab_text(answers, str(lab)), campaign: campaign_text(answers, str(campaign), lab.name)}
    check_fit(parse_campaign(texts[campaign], str(campaign)), parse_lab(texts[lab], str(lab)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        refuse(f"{error.filename}: cannot be written ({error.strerror}); choose another folder")
    if as_json:
        click.echo(json.dumps({"campaign": str(campaign), "lab": str(lab)}))
        return
    click.echo(f"Written: {campaign} and {lab}. Next:")
    click.echo(f"  nightshift check {campaign}\n  nightshift dry-run {campaign}")


def _asked(given: dict[str, Any], *, ask: bool) -> dict[str, Any]:
    """The answers, by their names in `Answers`."""
    from orchestrator.campaign.beginning import quantities_of

    def answer(option: str, question: str, proposed: Any, **how: Any) -> Any:
        if given[option] is not None:
            return given[option]
        return click.prompt(question, default=proposed, **how) if ask else proposed

    name = answer("name", "Name of the campaign", "first-night")
    if not re.fullmatch(NAME, name):
        refuse(f"--name {name}: must be at most 64 small letters, digits and hyphens")
    elements = answer("elements", "Elements of the targets", "Fe,Co,Ni")
    magnetometer = answer("magnetometer", "Magnetometer", "vsm", type=click.Choice(["vsm", "moke"]))
    known = quantities_of(magnetometer)
    quantity = answer("quantity", "What is optimised", known[0], type=click.Choice(known))
    if quantity not in known:
        refuse(f"--quantity {quantity}: is not measured by a {magnetometer}; it measures {', '.join(known)}")
    return {
        "name": name,
        "elements": tuple(dict.fromkeys(filter(None, re.split(r"[\s,]+", elements)))),
        "magnetometer": magnetometer,
        "quantity": quantity,
        "direction": answer("direction", "Is more better, or less", "max", type=click.Choice(["max", "min"])),
        "step": answer("step", "Step of the compositions, at.%", 2.0),
        "samples": answer("samples", "Films to make", 24, type=click.IntRange(min=1)),
        "lab_hours": answer("hours", "Lab hours to spend", 12.0),
        "slots": answer("slots", "Substrates in the cassette", 48, type=click.IntRange(min=1)),
    }
