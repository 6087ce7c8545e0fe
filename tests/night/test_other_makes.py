"""The same campaign in a lab whose instruments are of other makes: only the lab file differs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.campaign.labspec import load_lab
from tests.night.conftest import ROOT, nightshift, small_campaign

pytestmark = [pytest.mark.night, pytest.mark.timeout(180)]

OTHER_MAKES = ROOT / "campaigns/labs/other-makes.toml"


def test_a_night_with_instruments_of_other_makes(tmp_path: Path) -> None:
    home = tmp_path / "night"
    campaign = small_campaign(tmp_path, films=2)
    done = nightshift("dry-run", campaign, "--lab", OTHER_MAKES, "--speed", 400, "--home", home, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["valid"] == 2
    world = [json.loads(line) for line in (home / "world.jsonl").read_text().splitlines()]
    assert not [entry for entry in world if entry["event"] == "hazard"]


def test_its_chamber_shares_no_driver_but_the_monitor_with_the_first_lab() -> None:
    first, second = (
        {device.driver for device in load_lab(path).deposition.devices.values()}
        for path in (ROOT / "campaigns/labs/vsm.toml", OTHER_MAKES)
    )
    assert first & second == {"inficon-sqm160"}
