"""Nights in which things break in the simulated lab: neither is the first hiccup the end, nor are substrates burnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.audit import audit
from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.state import CampaignState, fold
from orchestrator.journal import SqliteJournal
from orchestrator.lab import SimulatedLab
from orchestrator.night import load, run_at
from orchestrator.report.facts import Night
from orchestrator.report.repeatability import repeatability
from orchestrator.report.troubles import troubles
from orchestrator.service.home import Home
from orchestrator.witness import read_world

from .conftest import ROOT, small_campaign

pytestmark = [pytest.mark.night, pytest.mark.timeout(180)]

SPEED = 600.0
CONNECTED_S = 6000.0
"""Lab seconds, ten real ones: by then every station has connected to its instruments."""

PICKED_UP_V = 5.0
"""Over any range of a lock-in."""


@dataclass(frozen=True)
class Broken:
    """A night in a lab in which something broke."""

    home: Path
    world: list[dict[str, Any]]
    state: CampaignState
    entries: list[e.Recorded]

    def seen(self, event: str) -> list[dict[str, Any]]:
        return [seen for seen in self.world if seen["event"] == event]

    @property
    def faults(self) -> Counter[str]:
        ends = (r.entry for r in self.entries if isinstance(r.entry, e.StepEnded))
        return Counter(end.fault for end in ends if end.fault)


@pytest.fixture
def night(tmp_path: Path) -> Callable[..., Broken]:
    def run(*faults: dict[str, Any], films: int = 3, lab_file: Path | None = None, **replace: str) -> Broken:
        spec, lab = load(small_campaign(tmp_path, films, **replace), lab_file, None)
        home, world = Home(tmp_path / "home"), tmp_path / "world.jsonl"
        log = tmp_path / "simulators.log"
        with SimulatedLab(lab, spec.seed, log, world=world, faults=faults) as simulated:
            addresses = simulated.addresses()
            clock = simulated.start_clock(SPEED)
            run_at(spec, lab, home, addresses, clock, clock.spec(), by="tester")
        entries = list(SqliteJournal(home.journal).read())
        return Broken(home.path, read_world(world), fold(entries), entries)

    return run


def clean(night: Broken, world: Path) -> None:
    report = audit(night.home, world)
    assert report.breaches == []
    assert night.seen("hazard") == []


def test_a_night_of_hiccups_ends_by_its_budget(night: Callable[..., Broken], tmp_path: Path) -> None:
    """A line drops for good, the gripper misses, the lock-in is overloaded, the crystal dies."""
    patient = 'measurement = { actions = ["remeasure", "remeasure", "remeasure", "remeasure", "skip"], wait_s = 900 }'
    seen = night(
        {"kind": "grips_nothing", "at": 0.0},
        {"kind": "disconnect", "device": "gun1", "at": CONNECTED_S},
        {"kind": "disconnect", "device": "lockin", "at": CONNECTED_S},
        {"kind": "pick_up", "size": PICKED_UP_V, "at": CONNECTED_S, "until": CONNECTED_S + 3000.0},
        {"kind": "crystal_fails", "at": CONNECTED_S},
        films=4,
        **{"robot = {": f"{patient}\nrobot = {{"},
    )
    assert seen.state.ended is not None
    assert seen.state.ended.end == "done", seen.state.ended.reason
    assert [observation.validity for observation in seen.state.observations] == ["valid"] * 4
    assert {"robot", "communication", "measurement"} <= set(seen.faults), seen.faults
    assert len(seen.seen("film_begun")) == 4
    remarks = [remark for s in seen.state.samples.values() if s.film for remark in s.film.remarks]
    assert any("rates of an earlier film used" in remark for remark in remarks)
    clean(seen, tmp_path / "world.jsonl")


def test_a_crystal_that_is_dead_from_the_start_wakes_a_person_before_any_film(
    night: Callable[..., Broken], tmp_path: Path
) -> None:
    seen = night({"kind": "crystal_fails", "at": 0.0})
    assert seen.state.ended is not None
    assert seen.state.ended.end == "needs operator"
    assert "change the crystal" in seen.state.ended.reason
    assert seen.faults == {"calibration": 2}
    assert seen.seen("film_begun") == []
    clean(seen, tmp_path / "world.jsonl")


def test_a_gripper_that_never_grips_touches_no_more_substrates_than_the_breaker_allows(
    night: Callable[..., Broken], tmp_path: Path
) -> None:
    seen = night({"kind": "grips_nothing", "at": 0.0, "times": 1000})
    assert seen.state.ended is not None
    assert seen.state.ended.end == "needs operator"
    assert "3 failed samples in a row" in seen.state.ended.reason
    assert [sample.phase for sample in seen.state.samples.values()] == [Phase.DISCARDED] * 3
    assert set(seen.faults) == {"robot"}
    assert seen.seen("picked") == []
    clean(seen, tmp_path / "world.jsonl")


def test_an_overload_that_stays_costs_as_many_films_as_the_breaker_allows(
    night: Callable[..., Broken], tmp_path: Path
) -> None:
    seen = night({"kind": "pick_up", "size": PICKED_UP_V}, films=8)
    assert seen.state.ended is not None
    assert seen.state.ended.end == "needs operator"
    assert seen.faults["measurement"] == 2 * 3
    assert len(seen.seen("film_begun")) <= 3 + 2  # what is under way when the breaker trips is finished
    assert all(observation.value is None for observation in seen.state.observations)
    clean(seen, tmp_path / "world.jsonl")


REFERENCE = """
[reference]
slot = 48
value = 2.2e-6
sigma = 2e-8
tolerance = 0.05
every_films = 2
every_hours = 24
"""


def test_a_coil_that_moves_in_the_night_takes_back_what_was_measured_since(
    night: Callable[..., Broken], tmp_path: Path
) -> None:
    """Every value is then 20 % too large, and each loop for itself looks right."""
    lab_file = tmp_path / "lab.toml"
    text = (ROOT / "campaigns/labs/vsm.toml").read_text()
    text = text.replace("slots = 48", f"slots = 48\nfilled = {list(range(1, 48))}")
    lab_file.write_text(text.replace("[alerts]", f"{REFERENCE}\n[alerts]"))
    seen = night({"kind": "scale", "size": 1.2, "at": CONNECTED_S}, films=6, lab_file=lab_file)
    verdicts = [r.entry.verdict for r in seen.entries if isinstance(r.entry, e.ReferenceMeasured)]
    assert verdicts[0] == "good"
    assert verdicts[-1] == "drifted"
    assert seen.state.ended is not None
    assert seen.state.ended.end == "needs operator"
    withdrawn = {r.entry.sample for r in seen.entries if isinstance(r.entry, e.ObservationWithdrawn)}
    assert withdrawn
    assert withdrawn.isdisjoint(observation.sample for observation in seen.state.observations)
    assert {seen.state.samples[number].phase for number in withdrawn} == {Phase.DEPOSITED}
    report = Night(seen.entries)
    assert {"magnetometer drifted", "observation withdrawn"} <= {trouble.what for trouble in troubles(report)}
    assert "out of tolerance" in repeatability(report)
    clean(seen, tmp_path / "world.jsonl")
