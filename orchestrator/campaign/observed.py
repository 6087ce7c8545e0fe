"""What was observed in a campaign and holds, and what every decision asks of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from orchestrator.campaign import entries as e

Direction = Literal["max", "min"]


class _Best(NamedTuple):
    """The best of the valid observations, and how many valid ones there were when it had come."""

    observation: e.ObservationMade
    valid: int


@dataclass
class Observed:
    """`made` are the observations in their order, without their loops: no decision asks for one, and a campaign's
    loops are most of its journal.  Those that were taken back or rejected are not among them."""

    made: list[e.ObservationMade] = field(default_factory=list)
    _validities: dict[e.Validity, int] = field(default_factory=dict)
    _best: dict[Direction, _Best] = field(default_factory=dict)

    def copy(self) -> Observed:
        """One that can be changed without changing this one."""
        return Observed(self.made.copy(), self._validities.copy(), self._best.copy())

    def count(self, validity: e.Validity) -> int:
        """How many are `validity`."""
        return self._validities.get(validity, 0)

    def best(self, direction: Direction) -> e.ObservationMade | None:
        """The best valid one by measured value, and the first of those that are as good."""
        return self._best[direction].observation if self._best else None

    def valid_since_best(self, direction: Direction) -> int:
        """How many valid ones came after the best one."""
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
        for left in self.made:
            self._counted(left)

    def _counted(self, entry: e.ObservationMade) -> None:
        self._validities[entry.validity] = self.count(entry.validity) + 1
        if entry.validity == "valid" and entry.value is not None:
            self._compare(entry, entry.value)

    def _compare(self, entry: e.ObservationMade, value: float) -> None:
        high, low = self.best("max"), self.best("min")
        if high is None or high.value is None or value > high.value:
            self._best["max"] = _Best(entry, self.count("valid"))
        if low is None or low.value is None or value < low.value:
            self._best["min"] = _Best(entry, self.count("valid"))
