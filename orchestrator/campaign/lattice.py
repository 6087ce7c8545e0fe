"""Exact arithmetic on lattices of whole units: common units, and counting without enumeration.

Notation::

    total            units that make 100 at.%
    most             at most so many elements are present
    ways[i]          (most + 1, total + 1): ways[i][k, s] is the number of completions of elements i, i + 1...
                     that sum to s units with at most k of them present
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Amounts = NDArray[np.int64]
"""Amounts that one element may have, in units, ascending and equally spaced."""


def exact(at_percent: float) -> Fraction:
    """`at_percent` as the decimal number that was written, not as the binary one nearest to it."""
    return Fraction(Decimal(repr(float(at_percent))))


def common_unit(steps: Iterable[Fraction]) -> Fraction:
    """The largest unit of which 100 at.% and every step are multiples."""
    unit = Fraction(100)
    for step in steps:
        numerator = math.gcd(unit.numerator * step.denominator, step.numerator * unit.denominator)
        unit = Fraction(numerator, unit.denominator * step.denominator)
    return unit


def count_ways(amounts: Sequence[Amounts], total: int, most: int) -> list[NDArray[Any]]:
    """`ways` for elements with these `amounts`, as exact integers; len(amounts) + 1 tables."""
    # Where no count can reach 2**62, sums that overflow on the way come right again when subtracted.
    small = sum(math.log2(max(1, len(values))) for values in amounts) < 62
    ending = np.zeros((most + 1, total + 1), dtype=np.int64 if small else object)
    ending[:, 0] = 1
    tables = [ending]
    for values in reversed(amounts):
        table = np.zeros_like(ending)
        if len(values) and values[0] == 0:
            table += tables[0]
            values = values[1:]
        table[1:] += _summed(tables[0][:-1], values)
        tables.insert(0, table)
    return tables


def relative(table: NDArray[Any]) -> NDArray[np.float64]:
    """Exact counts as weights with the largest at 1."""
    largest = int(table.max())
    return np.asarray(table / largest if largest else table, dtype=np.float64)


def running_sums(table: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """out[:, s] = table[:, s] + table[:, s - step] + table[:, s - 2 step] + ..."""
    width = table.shape[1]
    padded = np.zeros((len(table), -(-width // step) * step))
    padded[:, :width] = table
    running: NDArray[np.float64] = np.cumsum(padded.reshape(len(table), -1, step), axis=1).reshape(len(table), -1)
    return running[:, :width]


def _summed(table: NDArray[Any], values: Amounts) -> NDArray[Any]:
    """out[:, s] = sum of table[:, s - v] over the equally spaced `values`, by differences of running sums."""
    width = table.shape[1]
    out = np.zeros_like(table)
    if not len(values):
        return out
    step = int(values[1] - values[0]) if len(values) > 1 else 1
    padded = np.zeros((len(table), -(-width // step) * step), dtype=table.dtype)
    padded[:, :width] = table
    running = np.cumsum(padded.reshape(len(table), -1, step), axis=1).reshape(len(table), -1)
    first, beyond = int(values[0]), int(values[-1]) + step
    if first < width:
        out[:, first:] += running[:, : width - first]
    if beyond < width:
        out[:, beyond:] -= running[:, : width - beyond]
    return out
