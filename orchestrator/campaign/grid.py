"""The values that one process setting may have, on a grid of its own.

A setting is suggested by its index on the grid, so that neighbours and what has been made are whole numbers, while
the values are exactly those of the campaign file.

Notation::

    count            values on the grid
    indices  (m,)    int64, 0 ... count - 1
    width            columns of features: 1, or one for each value of a category
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.lattice import exact

Value = float | str
Scale = Literal["linear", "log", "category"]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

RESOLUTION = 1000
"""Steps from min to max where a campaign gives none."""
DIGITS = 6
"""Significant digits of the values of a logarithmic grid without a step."""


@dataclass(frozen=True)
class Grid:
    """`values` in ascending order, or in the order given for a category.

    `scale`: what the model sees, the value itself, its decimal logarithm, or which of the values it is, one column
    for each.  Raises `ValueError` for no value, for text or values that are not ascending where it is no category,
    and for logarithms of what is not positive.

    >>> Grid("power_w", (50.0, 100.0, 200.0)).index(120.0)
    1
    """

    name: str
    values: tuple[Value, ...]
    scale: Scale = "linear"

    def __post_init__(self) -> None:
        if not self.values or len(set(self.values)) < len(self.values):
            raise ValueError(f"{self.name}: a grid has at least one value, and each once, not {self.values!r}")
        if self.scale == "category":
            return
        numbers = [value for value in self.values if not isinstance(value, str)]
        if len(numbers) < len(self.values) or numbers != sorted(numbers):
            raise ValueError(f"{self.name}: the values of a {self.scale} grid are numbers, in ascending order")
        if self.scale == "log" and numbers[0] <= 0:
            raise ValueError(f"{self.name}: {numbers[0]!r} has no logarithm")

    @classmethod
    def spaced(cls, name: str, low: float, high: float, step: float | None = None, scale: Scale = "linear") -> Grid:
        """From `low` to `high`, inclusive, by `step`; without one in 1000 equal steps or, on a logarithmic scale,
        ratios, rounded to six digits.  Raises `ValueError` if `high` is no whole number of steps above `low`."""
        first, last = exact(low), exact(high)
        if step is None and scale == "log" and low < high:
            ratios = [low * (high / low) ** (k / RESOLUTION) for k in range(1, RESOLUTION)]
            inner = {float(f"{ratio:.{DIGITS}g}") for ratio in ratios}
            return cls(name, (low, *sorted(value for value in inner if low < value < high), high), scale)
        by = exact(step) if step is not None else (last - first) / RESOLUTION
        count, rest = divmod(last - first, by) if by else (0, 0)
        if rest:
            raise ValueError(f"{name}: {high:g} is no whole number of steps of {step:g} above {low:g}")
        return cls(name, tuple(float(first + k * by) for k in range(int(count) + 1)), scale)

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def numbers(self) -> Floats:
        """The values of a grid that is no category, (count,)."""
        return np.array(self.values, dtype=np.float64)

    @cached_property
    def line(self) -> tuple[Fraction, Fraction] | None:
        """First value and step of a grid whose values are numbers at equal distances; None of any other."""
        if any(isinstance(value, str) for value in self.values):
            return None
        numbers = [exact(float(value)) for value in self.values]
        steps = {after - before for before, after in pairwise(numbers)} or {Fraction(1)}
        return (numbers[0], steps.pop()) if len(steps) == 1 and self.scale != "category" else None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the columns of features are called."""
        return tuple(f"{self.name}={value}" for value in self.values) if self.scale == "category" else (self.name,)

    @cached_property
    def table(self) -> Floats:
        """Features of every value, (count, width)."""
        return np.eye(len(self)) if self.scale == "category" else self._seen(self.numbers)[:, np.newaxis]

    def features(self, indices: Rows) -> Floats:
        """What the model is shown of the values at `indices`, (m, width)."""
        shown: Floats = self.table[indices]
        return shown

    def vector(self, value: Value) -> Floats:
        """The same of any value, on the grid or not, (width,).  Raises `ValueError` as `index` does."""
        if self.scale == "category":
            shown: Floats = self.table[self.index(value)]
            return shown
        return self._seen(np.array([self._number(value)]))

    def index(self, value: Value) -> int:
        """Where the value nearest to `value` is.

        Raises `ValueError` if a category has no such value, or if `value` is no number (above 0 on a logarithmic
        scale) where the grid has numbers.
        """
        if self.scale == "category":
            if value not in self.values:
                raise ValueError(f"{self.name} = {value!r} is none of {', '.join(map(str, self.values))}")
            return self.values.index(value)
        away = np.abs(self.table[:, 0] - self._seen(np.array([self._number(value)])))
        return int(np.argmin(away))

    def _number(self, value: Value) -> float:
        if isinstance(value, str) or not math.isfinite(value) or (self.scale == "log" and value <= 0):
            above = " above 0" if self.scale == "log" else ""
            raise ValueError(f"{self.name} = {value!r} is not a number{above}")
        return float(value)

    def _seen(self, numbers: Floats) -> Floats:
        return np.log10(numbers) if self.scale == "log" else numbers


def columns(grids: Sequence[Grid]) -> tuple[str, ...]:
    """The names of the features of several grids, in their order."""
    return tuple(name for grid in grids for name in grid.names)
