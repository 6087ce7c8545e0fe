"""Hours by this machine's clock: when it is quiet, and when a digest is due: pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

DIGEST_LATE_S = 3600.0
"""A digest that could not be made within this is left out: the next one will say more."""


def quiet_s(hours: str | None, now: datetime) -> float:
    """Seconds until the quiet `hours` (such as ``22:00-07:00``) that it is `now` are over; 0 outside of them.

    >>> quiet_s("22:00-07:00", datetime(2026, 11, 29, 6, 0))
    3600.0
    """
    if hours is None:
        return 0.0
    begin, end = (_clock(part) for part in hours.split("-"))
    at = now.time()
    inside = begin <= at < end if begin <= end else at >= begin or at < end
    if not inside:
        return 0.0
    over = datetime.combine(now.date(), end, now.tzinfo)
    if over <= now:
        over += timedelta(days=1)
    return (over - now).total_seconds()


def digest_due(times: Sequence[str], now: datetime) -> datetime | None:
    """The latest of `times` of day that has come within the last hour."""
    past = [
        at
        for day in (now.date(), now.date() - timedelta(days=1))
        for clock in times
        if (at := datetime.combine(day, _clock(clock), now.tzinfo)) <= now
    ]
    latest = max(past, default=None)
    return latest if latest is not None and (now - latest).total_seconds() < DIGEST_LATE_S else None


def _clock(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour), int(minute))
