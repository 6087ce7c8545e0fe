"""Files to begin with: explained, and such that a campaign can be run from them."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.campaign.beginning import Answers, campaign_text, lab_text, quantities_of
from orchestrator.campaign.commented import toml
from orchestrator.campaign.labspec import LabSpec, check_fit, parse_lab
from orchestrator.campaign.spec import Campaign, parse_campaign
from orchestrator.campaign.table import tables
from orchestrator.campaign.virtualspec import VirtualSpec

CASES = [(kind, quantity) for kind in ("vsm", "moke") for quantity in quantities_of(kind)]


def answers(**changes) -> Answers:
    told = {
        "name": "mine", "elements": ("Fe", "Co", "Ni"), "magnetometer": "vsm",
        "quantity": "saturation_magnetisation", "direction": "max",
    }  # fmt: skip
    return Answers(**told | changes)


@pytest.mark.parametrize(("kind", "quantity"), CASES)
@pytest.mark.parametrize("elements", [("Fe", "Co"), ("Fe", "Co", "Ni", "Pt")])
def test_what_is_written_is_accepted(kind, quantity, elements):
    told = answers(magnetometer=kind, quantity=quantity, elements=elements, direction="min")
    campaign = parse_campaign(campaign_text(told, "mine.toml", "mine-lab.toml"))
    lab = parse_lab(lab_text(told, "mine-lab.toml"))
    check_fit(campaign, lab)
    assert campaign.objective.quantity == quantity
    assert tuple(lab.guns()) == tuple(campaign.elements) == elements


def test_every_key_is_explained_or_left_out_on_purpose():
    text = campaign_text(answers(), "mine.toml", "mine-lab.toml") + lab_text(answers(), "mine-lab.toml")
    said = " ".join(line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#"))
    unseen = {"recovery", "cost", "reference", "constraints", "limits", "objectives", "pool", "prior_data", "growing"}
    unseen |= {"virtual"}
    for model in (Campaign, LabSpec):
        for path, table in tables(model):
            if (
                table is VirtualSpec
                or unseen & {part.rstrip("[]") for part in path.split(".")}
                or path.startswith("film.")
            ):
                continue
            for name, info in table.model_fields.items():
                if name not in unseen:
                    assert " ".join((info.description or "").split()) in " ".join(said.split()), f"{path}: {name}"


def test_what_is_commented_out_has_the_value_that_is_shown():
    """Taking the hash from every line that shows a value changes nothing."""
    text = campaign_text(answers(), "mine.toml", "mine-lab.toml")
    lines = []
    for line in text.splitlines():
        name, sign, value = line.removeprefix("# ").partition(" = ")
        shown = line.startswith("# ") and sign and name.isidentifier() and "..." not in value
        lines.append(line.removeprefix("# ") if shown else line)
    assert lines != text.splitlines()
    assert parse_campaign("\n".join(lines)) == parse_campaign(text)


PLAIN = st.one_of(
    st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.text()
)


@given(st.dictionaries(st.text(min_size=1), st.one_of(PLAIN, st.lists(PLAIN, max_size=3)), max_size=4))
def test_any_value_is_read_back_as_it_was_written(value):
    assert tomllib.loads(f"x = {toml(value)}")["x"] == value
