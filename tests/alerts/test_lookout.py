"""What is seen by looking: interlocks, steps without progress, a disk, the digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from orchestrator.campaign.labspec import Alerts
from orchestrator.service.alerts.lookout import GIB, IDLE_S, REAL_S, Lookout, Told, digest
from orchestrator.service.status import Progress, StationStatus

NOON = datetime(2026, 11, 29, 12, 0)
T0 = 1.7e9
GROWING = StationStatus("deposit", 3, T0, expected_s=600.0, late_s=900.0)


def progress(**changes: Any) -> Progress:
    plain = Progress("c", "running", T0, T0, 24, 3, 2, 2, 0, 0, None, version=10)
    return replace(plain, **changes)


def look(lookout: Lookout, free: float | None = 100.0, now: datetime = NOON, **changes: Any) -> list[Told]:
    return lookout.look(progress(**changes), None if free is None else free * GIB, now, 0.0)


def later(lookout: Lookout, seconds: float, **changes: Any) -> list[Told]:
    """What is seen of the same night after lab `seconds`, and as much of real time as matters."""
    return lookout.look(progress(**{"now": T0 + seconds, **changes}), None, NOON, REAL_S)


def test_a_night_that_is_well_is_no_news() -> None:
    lookout = Lookout(Alerts())
    assert look(lookout) == []
    assert look(lookout, stations={"chamber": GROWING}, now=NOON) == []
    assert look(lookout, free=None) == []


def test_an_interlock_that_a_station_waits_on_is_told_and_taken_back() -> None:
    lookout = Lookout(Alerts())
    waiting = {"chamber": replace(GROWING, waiting_on="argon flow 12 % off")}
    (told,) = look(lookout, stations=waiting)
    assert told.severity == "warning"
    assert "paused the deposit of sample 3" in told.text
    assert "argon flow 12 % off" in told.text
    assert look(lookout, stations=waiting, version=11) == []
    (over,) = look(lookout, stations={"chamber": GROWING}, version=12)
    assert (over.severity, over.about) == ("info", told.about)
    (again,) = look(lookout, stations=waiting, version=13)
    assert again.name != told.name


def test_a_step_that_takes_three_times_its_90_percent_time_calls_somebody_once_for_all_its_stations() -> None:
    lookout = Lookout(Alerts())
    stations = {"chamber": GROWING, "robot": GROWING}
    assert look(lookout, stations=stations) == []
    assert later(lookout, 2700, stations=stations) == []
    assert lookout.look(progress(stations=stations, now=T0 + 2701), None, NOON, REAL_S / 2) == [], "a rehearsal"
    (told,) = later(lookout, 2701, stations=stations)
    assert told.severity == "critical"
    assert "45 min, where nine of ten take 15 min" in told.text
    (again,) = later(lookout, 2800, stations=stations)
    assert again.name == told.name, "by its name it is told once"


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "held"},
        {"mode": "aborting"},
        {"stations": {"chamber": replace(GROWING, held_s=5000.0)}},
        {"stations": {"chamber": replace(GROWING, late_s=None)}},
    ],
)
def test_what_is_held_or_unknown_is_not_stuck(changes: dict[str, Any]) -> None:
    lookout = Lookout(Alerts())
    seen = {"stations": {"chamber": GROWING}, **changes}
    assert look(lookout, **seen) == []
    assert later(lookout, 5000, **seen) == []


def test_a_night_in_which_nothing_begins_calls_somebody() -> None:
    lookout = Lookout(Alerts(), longest_wait_s=7200.0)
    assert look(lookout) == []
    assert later(lookout, 3 * 7200) == []
    assert later(lookout, 3 * 7200 + 1, needs="the robot") == [], "somebody has been called"
    (told,) = later(lookout, 3 * 7200 + 1)
    assert told.severity == "critical"
    assert later(lookout, 9 * IDLE_S, version=11) == []


def test_a_disk_that_fills_up_is_told_once_until_it_is_well_again() -> None:
    lookout = Lookout(Alerts())
    (low,) = look(lookout, free=0.9)
    assert low.severity == "warning"
    assert look(lookout, free=0.5) == []
    assert look(lookout, free=1.2) == [], "not well yet"
    (well,) = look(lookout, free=2.0)
    assert well.severity == "info"
    (worse,) = look(lookout, free=0.1)
    assert worse.severity == "critical"
    assert worse.name != low.name


def test_the_digest_comes_at_its_hours_by_a_name_that_makes_it_one() -> None:
    lookout = Lookout(Alerts(digest_at=("07:00", "12:00")))
    first, second = look(lookout), look(lookout, now=NOON.replace(minute=5))
    assert first == second
    assert first[0].name == "digest 2026-11-29 12:00"
    assert look(lookout, now=NOON.replace(hour=14)) == []
    assert look(lookout, end="done") == []


def test_a_digest_says_how_it_stands() -> None:
    best = {"value": 1893.4, "unit": "kA/m", "sample": 22}
    text = digest(progress(valid=20, failed=1, best=best, faults={"robot": 2}, predicted_finish=T0, needs="the robot"))
    for words in ("film 21 of 24", "best 1893 kA/m (sample 22)", "1 failed", "2 faults", "done about", "the robot"):
        assert words in text
