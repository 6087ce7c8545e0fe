"""The calculations of a campaign: which are under way, that none ends twice, and what they have told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import LifecycleError


@dataclass(frozen=True)
class Result:
    """A calculation that is done; `version` is that of the entry that says so."""

    intent: e.CalculationIntended
    ended: e.CalculationEnded
    version: int


@dataclass
class Calculations:
    """`under_way` by number, `results` in the order in which they came, `intended` in all; by station, `seconds` that
    its calculations took, and how many have `failed_in_a_row`."""

    intended: int = 0
    under_way: dict[int, e.CalculationIntended] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    failed: list[tuple[e.CalculationIntended, e.CalculationEnded]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    failed_in_a_row: dict[str, int] = field(default_factory=dict)
    _of_station: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Calculations:
        """One that can be changed without changing this one."""
        return Calculations(
            self.intended,
            self.under_way.copy(),
            self.results.copy(),
            self.failed.copy(),
            self.seconds.copy(),
            self.failed_in_a_row.copy(),
            self._of_station.copy(),
        )

    @property
    def lanes(self) -> Mapping[str, e.CalculationIntended]:
        """Processes of virtual stations with a calculation under way."""
        return {intent.lane: intent for intent in self.under_way.values()}

    def count(self, station: str) -> int:
        """Calculations of a station, those under way and those that failed included; interrupted ones are not."""
        return self._of_station.get(station, 0)

    def with_step(self, step: str) -> e.CalculationIntended | None:
        """The one under way that is carried out as `step`."""
        return next((intent for intent in self.under_way.values() if intent.step == step), None)

    def begin(self, entry: e.CalculationIntended) -> None:
        """Raises `LifecycleError` if it cannot begin now."""
        if entry.calculation != self.intended + 1:
            raise LifecycleError(f"calculation {entry.calculation} does not follow {self.intended}")
        if entry.lane in self.lanes:
            raise LifecycleError(f"calculation {entry.calculation} is to begin in {entry.lane}, where one is under way")
        self.intended = entry.calculation
        self.under_way[entry.calculation] = entry
        self._of_station[entry.station] = self.count(entry.station) + 1

    def end(self, entry: e.CalculationEnded, version: int) -> None:
        """Raises `LifecycleError` if it was not under way."""
        intent = self.under_way.pop(entry.calculation, None)
        if intent is None:
            raise LifecycleError(f"calculation {entry.calculation} ended, but was never intended or had ended")
        self.seconds[intent.station] = self.seconds.get(intent.station, 0.0) + entry.seconds
        if entry.end == "done":
            self.results.append(Result(intent, entry, version))
            self.failed_in_a_row.pop(intent.station, None)
        elif entry.end == "failed":
            self.failed.append((intent, entry))
            self.failed_in_a_row[intent.station] = self.failed_in_a_row.get(intent.station, 0) + 1
        else:
            self._of_station[intent.station] -= 1
