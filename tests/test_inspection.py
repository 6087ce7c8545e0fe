"""Every device of a lab file asked who it is, over the real wire of the simulated lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.campaign.labspec import load_lab
from orchestrator.inspection import ADVICE, asked, at, device_table, listed
from orchestrator.night import serve_lab

LAB = Path(__file__).parents[1] / "campaigns/labs/vsm.toml"


@pytest.fixture(scope="module")
def lab():
    return load_lab(LAB)


@pytest.fixture(scope="module")
def addresses(lab):
    with serve_lab(lab, seed=1, speed=1.0, truth=None, world=None) as addresses:
        yield addresses


def test_what_the_file_says_is_listed_without_asking_anybody(lab):
    found = {one.device: one for one in listed(lab)}
    assert list(found) == [name for station in lab.stations.values() for name in station.devices]
    assert {one.state for one in found.values()} == {"listed"}
    assert found["arm"].address == "tcp://192.168.0.100:10000"
    assert found["gun1"].station == "deposition"


def test_all_answer_and_are_what_the_file_says(lab, addresses):
    found = asked(at(lab, addresses))
    assert {one.device: one.state for one in found} == dict.fromkeys(addresses, "identified"), found
    assert all(one.good and one.identity for one in found)
    said = {one.device: one.identity for one in found}
    assert "DCXS" in said["gun1"]
    assert "SR830" in said["lockin"]
    assert "Meca500" in said["arm"]
    assert {one.address for one in found} == set(addresses.values())
    again = asked(at(lab, addresses))  # each port was let go
    assert again == found


def test_what_is_wrong_is_told_by_class_and_with_what_to_do(lab, addresses):
    wrong = lab.model_copy(deep=True)
    argon = wrong.stations["deposition"].devices["argon"]
    wrong.stations["deposition"].devices["argon"] = argon.model_copy(update={"settings": {"gas": "N2", "unit": "A"}})
    elsewhere = addresses | {"gun3": "/dev/nowhere", "hall": addresses["gauge"], "gauge": addresses["hall"]}
    found = {one.device: one for one in asked(at(wrong, elsewhere))}
    states = {name: one.state for name, one in found.items()}
    assert states.pop("gun3") == "no port"
    assert states.pop("argon") == "another instrument"
    assert states.pop("hall") in ("garbled", "no reply", "another instrument")
    assert states.pop("gauge") in ("garbled", "no reply", "another instrument")
    assert set(states.values()) == {"identified"}
    assert "the lab file says N2" in found["argon"].trouble
    known = {advice for _, advice in ADVICE.values()}
    assert all(one.advice in known for one in found.values() if not one.good)


def test_the_table_shows_answers_only_if_anybody_was_asked(lab):
    assert "identity" not in [column.header for column in device_table(listed(lab)).columns]
