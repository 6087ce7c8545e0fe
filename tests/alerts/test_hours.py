"""Hours by the clock on the wall."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.service.alerts.hours import DIGEST_LATE_S, digest_due, quiet_s

DAY = datetime(2026, 11, 29)
times = st.times().map(lambda at: f"{at.hour:02}:{at.minute:02}")


@pytest.mark.parametrize(
    ("hours", "clock", "seconds"),
    [
        (None, "03:00", 0),
        ("22:00-07:00", "21:59", 0),
        ("22:00-07:00", "22:00", 9 * 3600),
        ("22:00-07:00", "03:00", 4 * 3600),
        ("22:00-07:00", "07:00", 0),
        ("12:00-13:30", "13:00", 1800),
        ("12:00-13:30", "14:00", 0),
    ],
)
def test_quiet_until(hours: str | None, clock: str, seconds: float) -> None:
    assert quiet_s(hours, datetime.fromisoformat(f"2026-11-29 {clock}")) == seconds


@given(times, times, st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
def test_quiet_hours_always_end_and_then_it_is_loud(begin: str, end: str, now: datetime) -> None:
    left = quiet_s(f"{begin}-{end}", now)
    assert 0.0 <= left <= 86400.0
    if left and begin != end:
        assert quiet_s(f"{begin}-{end}", now + timedelta(seconds=left)) == 0.0


def test_a_digest_is_due_for_an_hour_also_over_midnight() -> None:
    assert digest_due(["07:00", "19:00"], DAY.replace(hour=7, minute=20)) == DAY.replace(hour=7)
    assert digest_due(["07:00", "19:00"], DAY.replace(hour=19)) == DAY.replace(hour=19)
    assert digest_due(["07:00"], DAY.replace(hour=6, minute=59)) is None
    assert digest_due(["07:00"], DAY.replace(hour=7) + timedelta(seconds=DIGEST_LATE_S)) is None
    assert digest_due(["23:50"], DAY.replace(minute=10)) == DAY - timedelta(minutes=10)
    assert digest_due([], DAY) is None
