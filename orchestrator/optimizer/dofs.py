"""Degrees of freedom for whoever uses the optimizer without a campaign file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.campaign.elements import SYMBOLS
from orchestrator.campaign.grid import Grid
from orchestrator.campaign.lattice import exact
from orchestrator.campaign.space import Space
from orchestrator.optimizer.suggestion import Candidate

_STAND_INS = SYMBOLS
"""Fractions may have any names, and a space knows elements: the first stands for the first of these, and so on.
Where there are no fractions, the composition is all of the first."""
_DIGITS = 9  # of at.%: what is lost beyond is rounding of binary fractions


@dataclass(frozen=True)
class Fraction:
    """A fraction from `min` to `max` in steps of `step`, all multiples of it; all the fractions sum to 1."""

    name: str
    min: float = 0.0
    max: float = 1.0
    step: float = 0.01

    def bounds(self) -> tuple[float, float, float]:
        """In at.%.  Raises `ValueError`."""
        ends = (self.min, self.max, self.step)
        if not (all(map(math.isfinite, ends)) and 0 <= self.min <= self.max <= 1 and 0 < self.step <= 1):
            raise ValueError(f"{self.name}: give 0 <= min <= max <= 1 and a step above 0, not {ends!r}")
        low, high, step = (round(100.0 * end, _DIGITS) for end in ends)
        if exact(low) % exact(step) or exact(high) % exact(step):
            raise ValueError(f"{self.name}: min and max are multiples of the step, and not all of {ends!r} are")
        return low, high, step


@dataclass(frozen=True)
class Number:
    """A number from `min` to `max`; without a `step` on 1000 equal steps, or as many equal ratios where `scale` is
    "log"."""

    name: str
    min: float
    max: float
    step: float | None = None
    scale: Literal["linear", "log"] = "linear"

    def grid(self) -> Grid:
        """Raises `ValueError`."""
        if not (math.isfinite(self.min) and math.isfinite(self.max) and self.min <= self.max):
            raise ValueError(f"{self.name}: give finite min <= max, not {self.min!r} and {self.max!r}")
        if self.step is not None and not 0 < self.step < math.inf:
            raise ValueError(f"{self.name}: give a step above 0, or none, not {self.step!r}")
        if self.scale == "log" and self.min <= 0:
            raise ValueError(f"{self.name}: on a logarithmic scale min is above 0, not {self.min!r}")
        return Grid.spaced(self.name, self.min, self.max, self.step, self.scale)


@dataclass(frozen=True)
class Integer:
    """A whole number from `min` to `max`."""

    name: str
    min: int
    max: int

    def grid(self) -> Grid:
        """Raises `ValueError`."""
        if self.min != int(self.min) or self.max != int(self.max) or self.min > self.max:
            raise ValueError(f"{self.name}: give whole numbers min <= max, not {self.min!r} and {self.max!r}")
        return Grid.spaced(self.name, self.min, self.max, 1)


@dataclass(frozen=True)
class Category:
    """One of `choices`, text or numbers whose order says nothing."""

    name: str
    choices: tuple[float | str, ...]

    def grid(self) -> Grid:
        """Raises `ValueError`."""
        return Grid(self.name, tuple(self.choices), "category")


DOF = Fraction | Number | Integer | Category


class Dofs:
    """All of them as one space, and points of it as mappings from name to value."""

    def __init__(self, dofs: Sequence[DOF], at_most: int | None = None) -> None:
        """At most `at_most` of the fractions differ from 0.  Raises `ValueError`, also for an empty space."""
        self.names = tuple(dof.name for dof in dofs)
        if not dofs or len(set(self.names)) < len(dofs) or not all(self.names):
            raise ValueError(f"give at least one degree of freedom, each with a name of its own, not {self.names!r}")
        fractions = [dof for dof in dofs if isinstance(dof, Fraction)]
        if len(fractions) > len(_STAND_INS):
            raise ValueError(f"give at most {len(_STAND_INS)} fractions, not {len(fractions)}")
        self._fractions = dict(zip((dof.name for dof in fractions), _STAND_INS, strict=False))
        self._integers = {dof.name for dof in dofs if isinstance(dof, Integer)}
        bounds = {self._fractions[dof.name]: dof.bounds() for dof in fractions}
        grids = tuple(dof.grid() for dof in dofs if not isinstance(dof, Fraction))
        self.space = Space(bounds or {_STAND_INS[0]: (100.0, 100.0, 100.0)}, at_most, (), grids)

    def point(self, candidate: Candidate) -> dict[str, Any]:
        """The values of `candidate` by name, in the order in which the degrees of freedom were given."""
        amounts = {name: candidate.composition.get(symbol, 0.0) for name, symbol in self._fractions.items()}
        values = {**amounts, **candidate.settings}
        return {name: int(values[name]) if name in self._integers else values[name] for name in self.names}

    def candidate(self, point: Mapping[str, Any]) -> Candidate:
        """What `point` says was made.  Raises `ValueError` if it leaves something out, or its fractions do not sum to
        1."""
        if missing := [name for name in self.names if name not in point]:
            raise ValueError(f"a point has a value for each degree of freedom: {', '.join(missing)} is missing")
        fractions = {name: float(point[name]) for name in self._fractions}
        total = sum(fractions.values())
        if fractions and (not math.isclose(total, 1.0, abs_tol=1e-3) or min(fractions.values()) < 0):
            raise ValueError(f"fractions are not negative and sum to 1, not to {total:g}: {fractions!r}")
        settings = {name: point[name] for name in self.names if name not in fractions}
        told = {name: value if isinstance(value, str) else float(value) for name, value in settings.items()}
        composition = {self._fractions[name]: fraction for name, fraction in fractions.items()}
        return Candidate(composition or {_STAND_INS[0]: 1.0}, told)
