"""Linear constraints on lattice points, complete or being built element by element.

Notation::

    n            elements;  c  constraints
    rows         (m, i) int64   amounts of the first i elements, units
    left         (m,)           units that elements i... must still sum to
    C            (c, n)         coefficients;  floor, ceiling (c,) their limits, in units, rounding allowed for

For what the missing elements j can add to a constraint while sum of v_j = left, every multiplier l gives a
bound: l left + the sum of the extremes of (C_j - l) v_j.  The tightest has l equal to one of the C_j (linear
programming with one equation), so trying these is as good as solving it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

SLACK = 1e-9
"""Rounding error, in at.% for coefficients of 1, within which a limit counts as met."""


@dataclass(frozen=True)
class Linear:
    """min <= sum of coefficient x at.% <= max."""

    coefficients: Mapping[str, float]
    min: float = -math.inf
    max: float = math.inf


class Limits:
    """Several linear constraints, over elements that range from `low` to `high` units."""

    def __init__(
        self, constraints: Sequence[Linear], elements: Sequence[str], unit: float, low: Rows, high: Rows
    ) -> None:
        rows = [[constraint.coefficients.get(element, 0.0) for element in elements] for constraint in constraints]
        self.C = np.array(rows, dtype=np.float64).reshape(len(constraints), len(elements))
        slack = SLACK * (1.0 + np.abs(self.C).max(axis=1, initial=0.0))
        self.floor = (np.array([constraint.min for constraint in constraints]) - slack) / unit
        self.ceiling = (np.array([constraint.max for constraint in constraints]) + slack) / unit
        self.low, self.high = low, high

    def __bool__(self) -> bool:
        return len(self.C) > 0

    def satisfied(self, rows: Rows) -> NDArray[np.bool_]:
        """Which complete `rows` (m, n) are within every limit, (m,)."""
        sums = rows @ self.C.T
        within: NDArray[np.bool_] = np.all((sums >= self.floor) & (sums <= self.ceiling), axis=1)
        return within

    def completable(self, rows: Rows, left: Rows) -> NDArray[np.bool_]:
        """Which `rows` (m, i) can still meet each limit by itself, as far as linear programming can tell."""
        i = rows.shape[1]
        keep = np.ones(len(rows), dtype=bool)
        for C, floor, ceiling in zip(self.C, self.floor, self.ceiling, strict=True):
            so_far = rows @ C[:i]
            for multiplier, least, most in self._bounds(C, i):
                base = so_far + multiplier * left
                keep &= (base + most >= floor) & (base + least <= ceiling)
        return keep

    def interval(self, rows: Rows, left: Rows) -> tuple[Floats, Floats]:
        """Between which amounts, units, element i must be for `completable` to hold, (m,) each."""
        i = rows.shape[1]
        lowest, highest = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
        for C, floor, ceiling in zip(self.C, self.floor, self.ceiling, strict=True):
            so_far = rows @ C[:i]
            for multiplier, least, most in self._bounds(C, i + 1):
                slope = C[i] - multiplier
                if slope == 0:
                    continue
                base = so_far + multiplier * left
                ends = (floor - base - most) / slope, (ceiling - base - least) / slope
                lowest = np.maximum(lowest, ends[0] if slope > 0 else ends[1])
                highest = np.minimum(highest, ends[1] if slope > 0 else ends[0])
        return lowest - SLACK, highest + SLACK

    def _bounds(self, C: Floats, i: int) -> list[tuple[float, float, float]]:
        """(multiplier, least, most) of the sum of (C_j - multiplier) v_j over elements j = i..."""
        bounds = []
        for multiplier in sorted({0.0, *C[i:].tolist()}):
            ends = (C[i:] - multiplier) * np.stack([self.low[i:], self.high[i:]])
            bounds.append((multiplier, float(ends.min(axis=0).sum()), float(ends.max(axis=0).sum())))
        return bounds
