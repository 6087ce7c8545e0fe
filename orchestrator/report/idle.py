"""Where the time of each station went: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from orchestrator.campaign import entries as e
from orchestrator.report.facts import Night

Use = Literal["down", "held", "in vain", "working", "transfers", "idle"]
USES: tuple[Use, ...] = get_args(Use)
"""A moment that several would have belongs to the first."""

Span = tuple[float, float]


@dataclass(frozen=True)
class Shares:
    """Seconds of a station's night by what they were used for; together they are the whole night.

    down: its worker was lost.  held: by an operator or the policy.  in vain: steps that failed, were aborted or broken
    off.  working: its own steps.  transfers: to and from it, and the robot's own.  idle: nothing of these.
    """

    station: str
    seconds: dict[Use, float]

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def share(self, use: Use) -> float:
        return self.seconds[use] / self.total if self.total > 0 else 0.0


def shares(night: Night) -> list[Shares]:
    """Of every station, in the order of the rows of the timeline."""
    return [_of(night, station) for station in night.stations]


def down(night: Night, station: str) -> list[Span]:
    """From each loss of the station's worker until another was there, or to the end."""
    spans: list[Span] = []
    since: float | None = None
    for recorded in night.entries:
        match recorded.entry:
            case e.StationLost() as lost if lost.station == station:
                since = recorded.time if since is None else since
            case e.StationRestarted() | e.DaemonStarted() as back:
                if since is not None and (isinstance(back, e.DaemonStarted) or back.station == station):
                    spans.append((since, recorded.time))
                    since = None
    return [*spans, (since, night.end)] if since is not None else spans


def _of(night: Night, station: str) -> Shares:
    claimed = [bar for bar in night.bars if station in bar.intent.claims]
    spans: dict[Use, list[Span]] = {
        "down": down(night, station),
        "held": night.holds,
        "in vain": [(bar.start, bar.end) for bar in claimed if bar.end_word not in ("done", "open")],
        "working": [(bar.start, bar.end) for bar in claimed if bar.intent.station == station],
        "transfers": [(bar.start, bar.end) for bar in claimed],
    }
    if station in {bar.intent.station for bar in claimed if bar.intent.plan in ("transfer", "retire")}:
        spans["transfers"], spans["working"] = spans["working"], []
    return Shares(station, _swept(spans, night.start, night.end))


def _swept(spans: dict[Use, list[Span]], start: float, end: float) -> dict[Use, float]:
    """Each moment between `start` and `end` given to the first use that has it, or to none: idle."""
    cuts = sorted({start, end, *(cut for cut in _ends(spans.values()) if start < cut < end)})
    seconds: dict[Use, float] = dict.fromkeys(USES, 0.0)
    for a, b in pairwise(cuts):
        use: Use = next((use for use, taken in spans.items() if any(s <= a and b <= t for s, t in taken)), "idle")
        seconds[use] += b - a
    return seconds


def _ends(groups: Iterable[Sequence[Span]]) -> Iterable[float]:
    return (cut for group in groups for span in group for cut in span)
