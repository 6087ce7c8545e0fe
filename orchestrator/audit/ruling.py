"""What a check says of each fact that it looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.audit.records import Records


@dataclass(frozen=True)
class Fine:
    """The fact is as it should be."""


@dataclass(frozen=True)
class Breach:
    """The fact breaks the invariant; the message says how, the rest where."""

    message: str
    versions: tuple[int, ...] = ()
    sample: int | None = None
    step: str | None = None
    run: str | None = None
    substrate: int | None = None


@dataclass(frozen=True)
class Unchecked:
    """Nothing that was kept can tell; the message says why."""

    message: str


Ruling = Fine | Breach | Unchecked
FINE = Fine()


@dataclass(frozen=True)
class Check:
    """One line of the table: what is proved, and the invariant of the design that it serves.

    `examine` is pure, and yields one ruling for every fact it looks at.
    """

    name: str
    invariant: int
    proves: str
    examine: Callable[[Records], Iterable[Ruling]]


def rule(broken: bool, breach: Breach) -> Ruling:
    """`breach` if the fact is `broken`."""
    return breach if broken else FINE
