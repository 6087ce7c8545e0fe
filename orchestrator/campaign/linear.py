"""Linear constraints on lattice points, complete or being built column by column.

Notation::

    n            elements;  c  columns: the elements, then the settings;  k  constraints
    rows         (m, i) int64   the first i columns: amounts in units, then indices on the settings' grids
    left         (m,)           units that elements i... must still sum to
    C            (k, c)         weights of the columns, each constraint multiplied so that they are whole
    floor, ceiling (k,)         what C x row lies between

A constraint is on at.% and on the values of settings.  Both are linear in the columns, so that with weights that
are decimal numbers it is one on whole numbers, and an equality is exact.  Where whole weights would be larger
than a float holds, they are left as they are, and a limit counts as met within `SLACK`.

For what the missing elements j can add to a constraint while sum of v_j = left, every multiplier l gives a
bound: l left + the sum of the extremes of (C_j - l) v_j.  The tightest has l equal to one of the C_j (linear
programming with one equation), so trying these is as good as solving it.  Missing settings add their extremes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.lattice import exact

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

SLACK = 1e-9
"""Rounding error, in at.% for coefficients of 1, within which a limit counts as met."""
LARGEST = 2**52
"""Sums of whole numbers below this are exact in floats."""


@dataclass(frozen=True)
class Linear:
    """min <= sum of coefficient x (at.% of an element, or the value of a setting) <= max."""

    coefficients: Mapping[str, float]
    min: float = -math.inf
    max: float = math.inf


@dataclass(frozen=True)
class Column:
    """An element or a setting: its value is first + step x (its number in a row), a number from `low` to `high`."""

    name: str
    first: Fraction
    step: Fraction
    low: int
    high: int


@dataclass(frozen=True)
class _Row:
    """One constraint in terms of the columns; `exactly`: its weights are whole."""

    weights: list[float]
    floor: float
    ceiling: float
    exactly: bool


class Limits:
    """Several linear constraints over `columns`, of which the first `elements` have a common sum."""

    def __init__(self, constraints: Sequence[Linear], columns: Sequence[Column], elements: int) -> None:
        rows = [_in_columns(constraint, columns) for constraint in constraints]
        self.C = np.array([row.weights for row in rows], dtype=np.float64).reshape(len(rows), len(columns))
        self.floor = np.array([row.floor for row in rows])
        self.ceiling = np.array([row.ceiling for row in rows])
        self.exactly = np.array([row.exactly for row in rows], dtype=bool)
        self.low = np.array([column.low for column in columns], dtype=np.int64)
        self.high = np.array([column.high for column in columns], dtype=np.int64)
        self.n = elements
        self._known: dict[tuple[int, int], list[tuple[float, float, float]]] = {}

    def __bool__(self) -> bool:
        return len(self.C) > 0

    @cached_property
    def equal(self) -> NDArray[np.bool_]:
        """Which constraints leave a single sum, (k,)."""
        single: NDArray[np.bool_] = self.exactly & (self.ceiling - self.floor <= 1.0)
        return single

    @cached_property
    def touched(self) -> NDArray[np.bool_]:
        """Which columns any constraint has a weight for, (c,)."""
        touched: NDArray[np.bool_] = np.any(self.C != 0, axis=0)
        return touched

    def satisfied(self, rows: Rows) -> NDArray[np.bool_]:
        """Which complete `rows` (m, c) are within every limit, (m,)."""
        within = np.ones(len(rows), dtype=bool)
        if len(self.C):
            sums = rows @ self.C.T
            within = np.all((sums >= self.floor) & (sums <= self.ceiling), axis=1)
        return within

    def completable(self, rows: Rows, left: Rows) -> NDArray[np.bool_]:
        """Which `rows` (m, i) can still meet each limit by itself, as far as linear programming can tell."""
        i = rows.shape[1]
        keep = np.ones(len(rows), dtype=bool)
        for k, (floor, ceiling) in enumerate(zip(self.floor, self.ceiling, strict=True)):
            so_far = rows @ self.C[k, :i]
            for multiplier, least, most in self._bounds(k, i):
                base = so_far + multiplier * left
                keep &= (base + most >= floor) & (base + least <= ceiling)
        return keep

    def interval(self, rows: Rows, left: Rows) -> tuple[Floats, Floats]:
        """Between which numbers column i must be for `completable` to hold, (m,) each."""
        i = rows.shape[1]
        lowest, highest = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
        for k, (floor, ceiling) in enumerate(zip(self.floor, self.ceiling, strict=True)):
            so_far = rows @ self.C[k, :i]
            for multiplier, least, most in self._bounds(k, i + 1):
                slope = self.C[k, i] - (multiplier if i < self.n else 0.0)
                if slope == 0:
                    continue
                base = so_far + multiplier * left
                ends = (floor - base - most) / slope, (ceiling - base - least) / slope
                lowest = np.maximum(lowest, ends[0] if slope > 0 else ends[1])
                highest = np.minimum(highest, ends[1] if slope > 0 else ends[0])
        return lowest - SLACK, highest + SLACK

    def _bounds(self, k: int, i: int) -> list[tuple[float, float, float]]:
        """(multiplier, least, most) of what columns i... add to constraint k, less the multiplier for elements."""
        if (k, i) not in self._known:
            C, is_element = self.C[k, i:], np.arange(i, self.C.shape[1]) < self.n
            bounds = []
            for multiplier in sorted({0.0, *C[is_element].tolist()}):
                ends = (C - multiplier * is_element) * np.stack([self.low[i:], self.high[i:]])
                bounds.append((multiplier, float(ends.min(axis=0).sum()), float(ends.max(axis=0).sum())))
            self._known[k, i] = bounds
        return self._known[k, i]


def _in_columns(constraint: Linear, columns: Sequence[Column]) -> _Row:
    coefficients = [exact(constraint.coefficients.get(column.name, 0.0)) for column in columns]
    weights = [coefficient * column.step for coefficient, column in zip(coefficients, columns, strict=True)]
    shift = sum((c * column.first for c, column in zip(coefficients, columns, strict=True)), Fraction(0))
    whole = math.lcm(*(weight.denominator for weight in weights)) if weights else 1
    common = math.gcd(*(int(weight * whole) for weight in weights)) or 1
    scale = Fraction(whole, common)
    reach = sum(abs(weight) * scale * max(abs(c.low), abs(c.high)) for weight, c in zip(weights, columns, strict=True))
    if reach >= LARGEST:
        slack = SLACK * (1.0 + float(max(map(abs, coefficients))))
        low, high = constraint.min - float(shift) - slack, constraint.max - float(shift) + slack
        return _Row([float(weight) for weight in weights], low, high, exactly=False)
    floor, ceiling = constraint.min, constraint.max
    if math.isfinite(floor):
        floor = math.ceil((exact(floor) - shift) * scale) - 0.5
    if math.isfinite(ceiling):
        ceiling = math.floor((exact(ceiling) - shift) * scale) + 0.5
    return _Row([float(weight * scale) for weight in weights], floor, ceiling, exactly=True)
