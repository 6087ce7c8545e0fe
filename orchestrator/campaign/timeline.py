"""Who was at work when: the steps of a night as intervals of lab time, from the journal: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.campaign import entries as e


@dataclass(frozen=True)
class Interval:
    """A step from its intent to its outcome; lab times in seconds since the epoch."""

    step: e.StepIntended
    start: float
    end: float


def intervals(entries: Iterable[e.Recorded]) -> list[Interval]:
    """The steps that have ended, in the order in which they ended."""
    open_steps: dict[str, tuple[e.StepIntended, float]] = {}
    ended = []
    for recorded in entries:
        match recorded.entry:
            case e.StepIntended() as intent:
                open_steps[intent.step] = (intent, recorded.time)
            case e.StepEnded() as outcome if outcome.step in open_steps:
                intent, start = open_steps.pop(outcome.step)
                ended.append(Interval(intent, start, recorded.time))
    return ended


def utilisation(steps: list[Interval]) -> dict[str, float]:
    """Fraction of lab time that each station is claimed, between the start of its first own step and the end
    of its last.  A station is claimed by its own steps, and by the transfers to and from it."""
    shares = {}
    for station in sorted({interval.step.station for interval in steps}):
        own = [i for i in steps if i.step.station == station]
        start, end = min(i.start for i in own), max(i.end for i in own)
        claimed = sum(
            min(i.end, end) - max(i.start, start)
            for i in steps
            if station in i.step.claims and i.end > start and i.start < end
        )
        shares[station] = claimed / (end - start) if end > start else 0.0
    return shares
