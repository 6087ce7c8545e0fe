"""What is read from the journal for the page, apart from the sheet."""

from __future__ import annotations

from collections.abc import Callable, Collection

from orchestrator.campaign import entries as e
from orchestrator.console.shapes import Line, Loop
from orchestrator.console.words import line
from orchestrator.journal import Journal

CHUNK = 500

Wanted = Callable[[e.Recorded], bool]


def wanted(kinds: Collection[str], sample: int | None) -> Wanted:
    """Entries of one of `kinds` (none: any), about `sample` (None: any)."""
    return lambda r: (
        (not kinds or r.entry.kind in kinds) and (sample is None or getattr(r.entry, "sample", None) == sample)
    )


def after(journal: Journal, seq: int, last: int, limit: int, want: Wanted) -> tuple[list[Line], bool]:
    """The first `limit` wanted entries after `seq`, none after `last`; and whether there are more."""
    found: list[Line] = []
    while seq < last:
        for recorded in journal.read(seq, min(CHUNK, last - seq)):
            seq = recorded.version
            if want(recorded):
                if len(found) == limit:
                    return found, True
                found.append(line(recorded))
    return found, False


def before(journal: Journal, seq: int, limit: int, want: Wanted) -> tuple[list[Line], bool]:
    """The last `limit` wanted entries before `seq`, in order; and whether there are more."""
    found: list[Line] = []
    while seq > 1:
        begin = max(0, seq - 1 - CHUNK)
        for recorded in reversed(list(journal.read(begin, seq - 1 - begin))):
            if want(recorded):
                if len(found) == limit:
                    return found[::-1], True
                found.append(line(recorded))
        seq = begin + 1
    return found[::-1], False


def loop(journal: Journal, version: int) -> Loop:
    """The loop in entry `version`, which is an observation that has one."""
    recorded = next(journal.read(version - 1, 1))
    entry = recorded.entry
    assert isinstance(entry, e.ObservationMade)
    assert entry.loop is not None
    return Loop(
        sample=entry.sample,
        seq=recorded.version,
        time=recorded.time,
        value=entry.value,
        sigma=entry.sigma,
        unit=entry.unit,
        validity=entry.validity,
        loop=entry.loop,
    )
