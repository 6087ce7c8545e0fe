"""What every check against the world log begins with: that there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps

from orchestrator.audit.records import Event, Records, World
from orchestrator.audit.ruling import Breach, Ruling, Unchecked
from orchestrator.audit.world_clock import by_the_world

Examine = Callable[[Records, World], Iterator[Ruling]]


def witnessed(check: Examine) -> Callable[[Records], Iterator[Ruling]]:
    """`check`, where there is a world log to hold the journal against."""

    @wraps(check)
    def examine(records: Records) -> Iterator[Ruling]:
        if records.world is None:
            yield Unchecked("there is no world log")
        else:
            yield from check(by_the_world(records), records.world)

    return examine


def seen(message: str, event: Event, sample: int | None = None, *versions: int, step: str | None = None) -> Breach:
    return Breach(f"{message}: {event}", versions, sample, step, substrate=event.substrate)
