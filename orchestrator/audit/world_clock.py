"""The journal in the world's time.

All clocks of a rehearsal agree, unless the machine's is wrong when a daemon is restarted.  The world's own clock
runs on, so where the world saw samples picked, placed and coated tells how far a later daemon's clock is off.  It
is believed to be right wherever that explains what the world saw.  Station logs have the daemon's clock, so what
they prove (marks after intents) needs no such correction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from orchestrator.audit.records import CLOCK_S, Event, Records, Step
from orchestrator.campaign import entries as e

NOTHING = (float("-inf"), float("inf"))
LEAST_OFF_S = 20.0
"""A clock that would be off by less is right, and what it does not explain is a breach."""


@lru_cache(maxsize=1)
def by_the_world(records: Records) -> Records:
    """`records`, with every entry's time as the world's clock showed it."""
    if not any((off := clocks_off(records)).values()):
        return replace(records, one_clock=True)
    facts = tuple(replace(fact, time=fact.time - _of(off, fact.version)) for fact in records.facts)
    return replace(records, facts=facts, one_clock=True)


def clocks_off(records: Records) -> dict[int, float]:
    """Version of the entry with which a daemon began to write -> seconds by which its clock is ahead of the world's.

    A daemon of which the world saw nothing has its predecessor's clock, and is taken to have lost no time if that
    shows less than it did.
    """
    off: dict[int, float] = {}
    bounds = _bounds(records)
    for before, fact in zip((None, *records.facts), records.facts, strict=False):
        if fact.version not in bounds:
            continue
        last = 0.0 if before is None else _of(off, before.version)
        low, high = bounds[fact.version]
        if (low, high) == NOTHING:
            off[fact.version] = last + (0.0 if before is None else min(0.0, fact.time - before.time))
        else:
            seems = (low + high) / 2 if abs(low + high) / 2 >= LEAST_OFF_S else 0.0
            off[fact.version] = next((x for x in (last, 0.0, seems) if low <= x <= high), 0.0)
    return off


def _bounds(records: Records) -> dict[int, tuple[float, float]]:
    """For every daemon: between what its clock is off, if the moves that the world saw are explained; where it saw
    none, the films.  Infinite where it saw nothing."""
    first = [fact.version for fact in records.facts[:1]]
    starts = first + [fact.version for fact in records.of(e.DaemonStarted)[1:]]
    bounds = dict.fromkeys(starts, NOTHING)
    for event_names in (("picked", "placed"), ("film_begun",)):
        unseen = {start for start in starts if bounds[start] == NOTHING}
        for step, event in _sightings(records, event_names):
            start = max((start for start in starts if start < step.intent.version), default=0)
            if start in unseen and step.since is not None and step.until is not None:
                low, high = bounds[start]
                low = max(low, step.since - event.t - CLOCK_S)
                bounds[start] = (low, min(high, step.until - event.t + CLOCK_S))
    return bounds


def _of(off: dict[int, float], version: int) -> float:
    """How far the clock was off by which the entry `version` was stamped."""
    return off.get(max((start for start in off if start <= version), default=0), 0.0)


def _sightings(records: Records, names: tuple[str, ...]) -> Iterator[tuple[Step, Event]]:
    """The world's events of `names` that a told result explains, in the order in which they came to each sample."""
    left = records.world.of(*names) if records.world else []
    for fact in records.facts:
        match fact.entry:
            case e.SampleMoved() as moved:
                acts = [("picked", moved.source), ("placed", moved.destination)]
                steps = records.steps_on(moved.sample, "transfer")
            case e.FilmDeposited() as film:
                acts, steps = [("film_begun", "")], records.steps_on(film.sample, "deposit")
            case _:
                continue
        slot = records.substrates.get(fact.entry.sample)
        for told in acts:
            event = next(
                (x for x in left if (x.event, x.fields.get("place", "")) == told and x.substrate == slot), None
            )
            if event is not None:
                left.remove(event)
                yield from ((step, event) for step in steps if step.covers(fact))
