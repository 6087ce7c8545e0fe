"""A lab whose magnetometer reads a Hall resistance: the meter must fit what the signal means, and bear its current."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.campaign.labspec import parse_lab
from orchestrator.campaign.problems import SpecError

LAB = (Path(__file__).resolve().parents[2] / "campaigns" / "labs" / "hall.toml").read_text()


def problems(*changes: tuple[str, str]) -> str:
    text = LAB
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(SpecError) as caught:
        parse_lab(text)
    return "\n".join(caught.value.lines)


def test_the_lab_as_it_is() -> None:
    lab = parse_lab(LAB)
    assert (lab.magnetometry.quantity, lab.magnetometry.hall_current_a) == ("hall_resistance", 1e-3)
    assert lab.max_field_mt() == pytest.approx(60 * 52)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([('quantity = "hall_resistance"', 'quantity = "moment"')], "has no device of role signal"),
        ([('quantity = "hall_resistance"', 'quantity = "moment"')], "is of no use to a magnetometer of moment"),
        ([("hall_current_a = 1e-3", "")], "hall_current_a: is missing"),
        ([("hall_current_a = 1e-3", "hall_current_a = 1e-2")], "is outside the limits 0 to 0.005 A of delta"),
        ([("limits = { current = [0, 5e-3] }", "")], "limits.current: is missing"),
        ([('role = "hall_meter"', 'role = "signal"')], "drives a hall_meter, but the role here is signal"),
    ],
)
def test_what_does_not_fit_is_told(changes: list[tuple[str, str]], words: str) -> None:
    assert words in problems(*changes)


PPMS = ('driver = "lakeshore-643"', 'driver = "qd-multivu"')
SLEW = "settings = { max_slew_a_s = 2 }"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (SLEW, "field_per_ampere_mt: is missing -> give 60, as there"),
        ("settings = { max_slew_a_s = 2, field_per_ampere_mt = 100 }", "is not the station's field_per_ampere_mt = 60"),
    ],
)
def test_a_magnet_that_is_told_fields_makes_the_same_of_an_ampere_as_its_station(settings: str, words: str) -> None:
    told = problems(PPMS, (SLEW, settings))
    assert "settings.field_per_ampere_mt" in told
    assert words.partition(" -> ")[0].partition(": ")[2] in told or words in told


def test_a_ppms_in_place_of_the_supply() -> None:
    text = LAB.replace(*PPMS).replace(SLEW, "settings = { max_slew_a_s = 2, field_per_ampere_mt = 60 }")
    assert parse_lab(text).max_field_mt() == pytest.approx(60 * 52)


def test_a_lock_in_has_no_place_in_it() -> None:
    extra = (
        '[stations.magnetometry.devices.lockin]\nrole = "signal"\ndriver = "srs-sr860"\n'
        'address = "TCPIP0::192.168.0.99::1234::SOCKET"\n\n# --- the robot'
    )
    assert "has no place in a magnetometry station" in problems(("# --- the robot", extra))
