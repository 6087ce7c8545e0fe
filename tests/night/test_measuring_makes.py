"""Nights whose magnetometer and robot are of other makes, and one with a Hall meter: only the lab file differs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.night.conftest import ROOT, nightshift, small_campaign

pytestmark = [pytest.mark.night, pytest.mark.timeout(240)]

SWAPS = {
    'driver = "kepco-bop"': 'driver = "danfysik-8500"',
    "settings = { max_slew_a_s = 2 }": "settings = { max_slew_a_s = 2, full_scale_a = 20 }",
    'driver = "lakeshore-475"': 'driver = "lakeshore-425"',
    'driver = "srs-sr830"': 'driver = "srs-sr860"',
    'driver = "mecademic-meca500"': 'driver = "zaber-gantry"\nsettings = { origin_x_mm = -300, origin_y_mm = -300 }',
}


def other_makes() -> str:
    text = (ROOT / "campaigns/labs/vsm.toml").read_text()
    for old, new in SWAPS.items():
        assert old in text
        text = text.replace(old, new)
    return re.sub(r"(pose = \[.*), 180, 0, -?\d+\]", r"\1, 180, 0, 0]", text)  # a gantry cannot turn


def night(campaign: Path, lab: Path, home: Path, speed: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Summary, and the world's log."""
    done = nightshift("dry-run", campaign, "--lab", lab, "--speed", speed, "--home", home, "--json", timeout=200)
    assert done.returncode == 0, done.stderr + done.stdout
    world = [json.loads(line) for line in (home / "world.jsonl").read_text().splitlines()]
    assert not [entry for entry in world if entry["event"] == "hazard"]
    return json.loads(done.stdout), world


def test_a_night_with_another_magnet_meters_and_robot(tmp_path: Path) -> None:
    lab = tmp_path / "lab.toml"
    lab.write_text(other_makes())
    summary, world = night(small_campaign(tmp_path, films=1), lab, tmp_path / "night", 400)
    assert summary["valid"] == 1
    assert [entry["event"] for entry in world].count("measured") == 1


def test_a_night_of_the_anomalous_hall_effect(tmp_path: Path) -> None:
    text = (ROOT / "campaigns/fe-co-ni-hall.toml").read_text()
    for old, new in {"samples = 12": "samples = 1", "initial_samples = 6": "initial_samples = 1"}.items():
        assert old in text
        text = text.replace(old, new)
    campaign = tmp_path / "campaign.toml"
    campaign.write_text(text)
    summary, world = night(campaign, ROOT / "campaigns/labs/hall.toml", tmp_path / "night", 600)
    assert summary["valid"] == 1
    (film,) = [entry for entry in world if entry["event"] == "film_finished"]
    true = film["true_properties"]["anomalous_hall_uohm_cm"]
    assert summary["best"]["value"] == pytest.approx(true, rel=0.3)
