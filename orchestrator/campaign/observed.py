"""What was observed in a campaign and holds, and what every decision asks of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.campaign import entries as e
from orchestrator.campaign.terms import Direction, Terms

__all__ = ["Direction", "Front", "Observed"]


class _Best(NamedTuple):
    """The best of the valid observations, and how many valid ones there were when it had come."""

    observation: e.ObservationMade
    valid: int


Front = list[tuple[tuple[float, ...], e.ObservationMade]]
"""Films that no other is better than: their values, and what was observed of them."""


@dataclass
class Observed:
    """What is best is judged by `terms`: among films that keep all limits; and with several objectives it is the one of
    the `front` that is the best trade-off by the weights.  `made` are the observations in their order, without their
    loops: no decision asks for one, and a campaign's loops are most of its journal.  Those that were taken back or
    rejected are not among them."""

    made: list[e.ObservationMade] = field(default_factory=list)
    terms: Terms = field(default_factory=Terms)
    _validities: dict[e.Validity, int] = field(default_factory=dict)
    _best: dict[Direction, _Best] = field(default_factory=dict)
    _front: Front = field(default_factory=list)
    _front_changed: int = 0

    def copy(self) -> Observed:
        """One that can be changed without changing this one."""
        told = (self._validities.copy(), self._best.copy(), self._front.copy(), self._front_changed)
        return Observed(self.made.copy(), self.terms, *told)

    def judge_by(self, terms: Terms) -> None:
        """From now on, what is best is judged by `terms`."""
        self.terms = terms
        self._count_anew()

    @property
    def front(self) -> list[e.ObservationMade]:
        """Films within all limits that no other is better than, the best in the first objective first."""
        sign = self.terms.aims[0].sign if self.terms.aims else 1.0
        return [seen for _, seen in sorted(self._front, key=lambda told: -sign * told[0][0])]

    def count(self, validity: e.Validity) -> int:
        """How many are `validity`."""
        return self._validities.get(validity, 0)

    def best(self, direction: Direction) -> e.ObservationMade | None:
        """The best valid one by measured value, and the first of those that are as good; with several objectives the
        best trade-off, whatever the direction."""
        if self.terms.several:
            return self._traded_off()
        return self._best[direction].observation if self._best else None

    def _traded_off(self) -> e.ObservationMade | None:
        if not self._front:
            return None
        utilities = self.terms.utilities([values for values, _ in self._front])
        return self._front[utilities.index(max(utilities))][1]

    def valid_since_best(self, direction: Direction) -> int:
        """How many valid ones came after the best one, or after the last that changed the front."""
        if self.terms.several:
            return self.count("valid") - self._front_changed
        return self.count("valid") - self._best[direction].valid if self._best else 0

    def add(self, entry: e.ObservationMade) -> e.ObservationMade:
        """Take the next one; as it is kept."""
        kept = entry if entry.loop is None else entry.model_copy(update={"loop": None})
        self.made.append(kept)
        self._counted(kept)
        return kept

    def withdraw(self, observation: e.ObservationMade) -> None:
        """Take one back."""
        self.made.remove(observation)
        self._count_anew()

    def restore(self, observation: e.ObservationMade, position: int) -> None:
        """One that was taken back counts again, as the one before which `position` others came."""
        self.made.insert(position, observation)
        self._count_anew()

    def _count_anew(self) -> None:
        self._validities.clear()
        self._best.clear()
        self._front, self._front_changed = [], 0
        for left in self.made:
            self._counted(left)

    def _counted(self, entry: e.ObservationMade) -> None:
        self._validities[entry.validity] = self.count(entry.validity) + 1
        if entry.validity != "valid" or entry.value is None:
            return
        if self.terms.several:
            joined = self.terms.joined(self._front, entry)
            if joined is not self._front:
                self._front, self._front_changed = joined, self.count("valid")
        elif not self.terms.limits or self.terms.counts(entry):
            self._compare(entry, entry.value)

    def _compare(self, entry: e.ObservationMade, value: float) -> None:
        high, low = (self._best[end].observation if self._best else None for end in ("max", "min"))
        if high is None or high.value is None or value > high.value:
            self._best["max"] = _Best(entry, self.count("valid"))
        if low is None or low.value is None or value < low.value:
            self._best["min"] = _Best(entry, self.count("valid"))
