"""The specimens: a substrate, the film on it, and the magnetic history it carries about."""

from __future__ import annotations

from typing import Any

from simulators.hysteresis import Hysteresis
from simulators.physics import ELEMENTS, areal_amount_mol_cm2
from simulators.truth import Truth
from simulators.worldlog import WorldLog


class Sample:
    """A substrate, named by the cassette slot in which it began the night, and what has happened to it."""

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.amounts_mol_cm2: dict[str, float] = {}
        self.times_begun = 0
        self.begun_at: float | None = None
        self.finished_at: float | None = None
        self.measurements = 0
        self.magnetic: Hysteresis | None = None
        self.known: float | None = None  # of a reference specimen: A m2 or mrad at saturation
        self._properties: dict[str, float] | None = None

    @property
    def growing(self) -> bool:
        """A film is begun and not finished (flux or not)."""
        return self.times_begun > 0 and self.finished_at is None

    def begin(self, t: float, log: WorldLog) -> None:
        self.times_begun += 1
        self.begun_at, self.finished_at = t, None
        log.write("film_begun", t=t, substrate=self.slot)

    def grow(self, symbol: str, thickness_nm: float) -> None:
        """Add what would be `thickness_nm` of the pure element."""
        amount = areal_amount_mol_cm2(ELEMENTS[symbol], thickness_nm)
        self.amounts_mol_cm2[symbol] = self.amounts_mol_cm2.get(symbol, 0.0) + amount
        self._properties = None

    def finish(self, t: float, log: WorldLog, truth: Truth) -> None:
        self.finished_at = t
        log.write(
            "film_finished",
            t=t,
            substrate=self.slot,
            composition=self.composition(),
            thickness_nm=self.thickness_nm,
            true_properties=self.properties(truth),
        )

    def composition(self) -> dict[str, float]:
        """Atomic fractions; empty for a bare substrate."""
        total = sum(self.amounts_mol_cm2.values())
        return {symbol: amount / total for symbol, amount in self.amounts_mol_cm2.items()} if total else {}

    @property
    def thickness_nm(self) -> float:
        """The elements' molar volumes added up (Vegard)."""
        return 1e7 * sum(amount * ELEMENTS[symbol].molar_volume_cm3 for symbol, amount in self.amounts_mol_cm2.items())

    def properties(self, truth: Truth) -> dict[str, float]:
        """The true properties of the film as it is now."""
        if self._properties is None:
            self._properties = truth.properties(self.composition())
        return self._properties

    def summary(self) -> dict[str, Any]:
        return {
            "substrate": self.slot,
            "begun": self.begun_at,
            "times_begun": self.times_begun,
            "finished": self.finished_at,
            "composition": self.composition(),
            "thickness_nm": self.thickness_nm,
            "true_properties": self._properties,
            "measured": self.measurements,
        }
