"""A sample, and the reference specimen, as the campaign's state knows them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from orchestrator.campaign import entries as e
from orchestrator.campaign.faults import Fault
from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.search import Acted, Queued


def slot_place(slot: int) -> e.Place:
    """The name of cassette slot `slot` as a place."""
    return f"cassette/{slot}"


@dataclass
class Specimen:
    """What the robot can carry: a sample, or the reference.

    `bound_for` is where a transfer takes it, or was taking it when that went wrong.  `failures` are, by plan, the
    faults of the attempts without success since the last success, in their order, and `failed_at` is the lab time of
    the last; `interruptions` counts those that a death of ours cut off.
    """

    number: int
    slot: int
    place: e.Place
    phase: Phase
    bound_for: e.Place | None = None
    failures: dict[str, list[Fault]] = field(default_factory=dict)
    failed_at: float = 0.0
    interruptions: dict[str, int] = field(default_factory=dict)
    note: str = ""

    def copy(self) -> Self:
        failures = {plan: list(faults) for plan, faults in self.failures.items()}
        return replace(self, failures=failures, interruptions=dict(self.interruptions))

    @property
    def at_home(self) -> bool:
        """In its own cassette slot."""
        return self.place == slot_place(self.slot)

    @property
    def finished(self) -> bool:
        """Nothing more is to be done to it, but to bring it home."""
        return self.phase in (Phase.OBSERVED, Phase.DISCARDED, Phase.VETOED)


@dataclass
class Sample(Specimen):
    """A substrate that a composition was suggested for; or `own` was, by an operator.

    `observed_in` is the version of the entry that tells of `observation`; `rejected` says who does not believe that,
    and `remarks` are what operators noted.
    """

    suggestion: e.SampleSuggested = field(kw_only=True)
    film: e.FilmDeposited | None = None
    observation: e.ObservationMade | None = None
    observed_in: int = 0
    rejected: Acted | None = None
    own: Queued | None = None
    remarks: tuple[Acted, ...] = ()


@dataclass(frozen=True)
class Astray:
    """The arm was left on its way, perhaps in a station that `claims` names, by a transfer of `sample`."""

    sample: int
    claims: tuple[str, ...]
