"""A daemon that is restarted on a machine whose clock is wrong breaks no invariant by that alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.audit import audit

from .doctor import Doctor, seen

STAMPS = {"deposition": ("steps.begun", "steps.ended", "marks.time"), "magnetometry": ("steps.begun", "steps.ended")}
STAMPS["robot"] = STAMPS["deposition"]


def set_clock(doctor: Doctor, off_s: float, *, held_back: bool = False) -> None:
    """Everything that the second daemon and its workers wrote is stamped `off_s` later.

    `held_back`: no entry is stamped earlier than the one before it.
    """
    version, time, _ = doctor.find("daemon_started", 1)
    least = doctor.entries()[version - 2][1] if held_back else 0.0
    with doctor.journal() as db:
        db.execute("UPDATE journal SET time = max(time + ?, ?) WHERE version >= ?", (off_s, least, version))
    for station, stamps in STAMPS.items():
        for table, column in (stamp.split(".") for stamp in stamps):
            later = f"UPDATE {table} SET {column} = {column} + ? * ({column} >= ?)"
            doctor.station(station, later, off_s, time)


@pytest.mark.parametrize("held_back", [True, False])
@pytest.mark.parametrize("night", ["plain", "troubled", "taken up"])
@pytest.mark.parametrize("off_s", [-86400.0, -90.0, -30.0, 30.0, 90.0, 86400.0])
def test_it_breaks_nothing(nights: dict[str, Path], tmp_path: Path, night: str, off_s: float, held_back: bool) -> None:
    doctor = Doctor(nights[night], tmp_path / "home")
    set_clock(doctor, off_s, held_back=held_back)
    assert audit(doctor.home).breaches == []


def test_a_clock_that_stood_still_is_noted_and_its_times_are_not_trusted(
    nights: dict[str, Path], tmp_path: Path
) -> None:
    doctor = Doctor(nights["plain"], tmp_path / "home")
    set_clock(doctor, -86400.0, held_back=True)
    report = audit(doctor.home)
    assert any("stood still" in note for note in report.notes)
    unchecked = {finding.check.name for finding in report.findings if finding.unchecked}
    assert {"marks-after-intent", "acts-within-steps"} <= unchecked


def test_what_needs_no_clock_is_found_all_the_same(nights: dict[str, Path], tmp_path: Path) -> None:
    doctor = Doctor(nights["taken up"], tmp_path / "home")
    set_clock(doctor, -86400.0, held_back=True)
    doctor.world(lambda events: [x for x in events if not (x["substrate"] == 3 and x.get("place") == "deposition")])
    doctor.world(lambda events: [*events, {**seen(events, "film_begun", 3), "t": events[-1]["t"] + 9}])
    assert {name for name, _ in audit(doctor.home).breaches} >= {"moves-agree", "begun-once"}


@pytest.mark.parametrize("off_s", [-7200.0, 7200.0])
def test_a_clock_that_is_far_off_is_noted(nights: dict[str, Path], tmp_path: Path, off_s: float) -> None:
    doctor = Doctor(nights["plain"], tmp_path / "home")
    set_clock(doctor, off_s)
    (note,) = audit(doctor.home).notes
    assert note.startswith("The clock of the daemon")
    assert abs(float(note.split(" is ")[1].split(" s ")[0]) - off_s) < 30


@pytest.mark.parametrize(("off_s", "early_s"), [(0.0, -3), (-7200.0, 45), (7200.0, 45)])
def test_an_act_outside_its_step_is_found_all_the_same(
    nights: dict[str, Path], tmp_path: Path, off_s: float, early_s: float
) -> None:
    """To the second where the clock is right; where it is off, to the seconds that it can be told to."""
    doctor = Doctor(nights["taken up"], tmp_path / "home")
    set_clock(doctor, off_s)
    doctor.world(lambda events: seen(events, "film_begun", 3).update(t=seen(events, "placed", 3)["t"] - early_s))
    assert "acts-within-steps" in {name for name, _ in audit(doctor.home).breaches}


@pytest.mark.parametrize("off_s", [-86400.0, 86400.0])
def test_the_first_daemon_s_clock_may_be_wrong_too(nights: dict[str, Path], tmp_path: Path, off_s: float) -> None:
    doctor = Doctor(nights["plain"], tmp_path / "home")
    doctor.world(lambda events: [{**event, "t": event["t"] - off_s} for event in events])
    report = audit(doctor.home)
    assert report.breaches == []
    assert len(report.notes) == 2


def test_a_clock_that_is_off_by_little_is_no_excuse(nights: dict[str, Path], tmp_path: Path) -> None:
    """Samples are picked up 3 s before their intents: the journal was late, not its clock wrong."""
    doctor = Doctor(nights["plain"], tmp_path / "home")
    doctor.world(lambda events: [{**event, "t": event["t"] - 25.0} for event in events])
    assert {"acts-within-steps", "moves-agree"} <= {name for name, _ in audit(doctor.home).breaches}
