"""Virtual stations in lab and campaign files, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.campaign.labspec import LabSpec, check_fit, load_lab, parse_lab
from orchestrator.campaign.problems import SpecError
from orchestrator.campaign.spec import load_campaign, parse_campaign
from orchestrator.campaign.virtualspec import lanes

CAMPAIGNS = Path(__file__).parents[2] / "campaigns"
LAB_TEXT = (CAMPAIGNS / "labs/moke-theory.toml").read_text()
TEXT = (CAMPAIGNS / "fe-co-ni-theory.toml").read_text()
LAB = load_lab(CAMPAIGNS / "labs/moke-theory.toml")


def test_the_examples_fit_each_other() -> None:
    check_fit(load_campaign(CAMPAIGNS / "fe-co-ni-theory.toml"), LAB)


def test_a_lab_may_have_several_virtual_stations() -> None:
    more = '[stations.elk]\nkind = "virtual"\ncalculator = "elk"\nprocesses = 3\n'
    lab = parse_lab(LAB_TEXT + more)
    assert lab.lanes(["elk"]) == dict.fromkeys(lanes("elk", 3), "elk")
    assert lab.virtual["elk"].command == "elk-lapw"
    assert lab.virtual["theory"].command is None
    assert LabSpec.model_validate(lab.model_dump(mode="json")) == lab


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('calculator = "slater-pauling"', 'calculator = "vasp"', ["calculator", "slater-pauling", "elk", "akaikkr"]),
        ("processes = 2", "processes = 0", ["processes"]),
        ("typical_s = 0.01", "k_spacing_per_a = 0", ["k_spacing_per_a"]),
        ("typical_s = 0.01", "slots = 3", ["slots"]),
    ],
)
def test_what_is_wrong_in_a_lab_file_is_said_with_its_key(old: str, new: str, words: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        parse_lab(LAB_TEXT.replace(old, new))
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[virtual.theory]", "[virtual.theorie]", ["virtual.theorie", "theory"]),
        ('quantity = "kerr_rotation"', 'quantity = "coercivity"', ["quantity", "calculator", "kerr_rotation"]),
    ],
)
def test_a_campaign_that_the_lab_cannot_calculate_is_refused(old: str, new: str, words: list[str]) -> None:
    text = TEXT.replace(old, new).replace('unit = "mrad"', 'unit = "mT"' if "coercivity" in new else 'unit = "mrad"')
    with pytest.raises(SpecError) as caught:
        check_fit(parse_campaign(text), LAB)
    assert all(word in str(caught.value) for word in words)


def test_a_budget_of_no_calculations_is_refused() -> None:
    with pytest.raises(SpecError, match="calculations"):
        parse_campaign(TEXT.replace("calculations = 120", "calculations = 0"))
