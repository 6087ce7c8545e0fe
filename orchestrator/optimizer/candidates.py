"""The compositions that can still be suggested, and how to search them.

A small space is a pool: all its rows, each with a mark when it is taken (made, failed, or under way).  A
larger one is never enumerated; it is searched along the lattice by moving material from one element to
another.

Notation
--------
n       elements of the space
rows    (m, n) int64  lattice points in whole units (see `campaign.composition`)
row     (n,)   int64
score   a function (m, n) rows -> (m,) floats, larger is better
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.composition import Space

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
Score = Callable[[Rows], Floats]

SHIFTS = (1, 2, 5)  # steps of the lattice moved from one element to another at once
CLIMB_STEPS = 60  # a climb that has not ended by then is left where it is
RANDOM_STARTS = 24
KEPT = 8  # rows remembered of each step of a climb: the winner and its runner-up are among them
SAMPLE_BATCHES = 16
SMALLEST_POOL = 10_000  # always enumerated: so few could all be taken in one campaign


class Taken:
    """Lattice points that have been made or are under way: the nearest one to each given composition."""

    def __init__(self, space: Space, compositions: Iterable[Mapping[str, float]] = ()) -> None:
        self._space = space
        self.rows: list[Rows] = []
        self._keys: set[bytes] = set()
        for composition in compositions:
            self.add(composition)

    def add(self, composition: Mapping[str, float]) -> None:
        """Mark `composition` (fractions, off the lattice as films are)."""
        row = self._space.round_to_lattice({el: 100.0 * fraction for el, fraction in composition.items()})
        self.rows.append(row)
        self._keys.add(row.tobytes())

    def with_(self, compositions: Iterable[Mapping[str, float]]) -> Taken:
        """These and `compositions`; this one stays as it is."""
        more = Taken(self._space)
        more.rows, more._keys = list(self.rows), set(self._keys)
        for composition in compositions:
            more.add(composition)
        return more

    def free(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of `rows` are not taken."""
        return np.array([row.tobytes() not in self._keys for row in np.ascontiguousarray(rows)], dtype=bool)

    def __len__(self) -> int:
        return len(self._keys)


@dataclass(frozen=True)
class Ranked:
    """Rows, best first, and their scores (m,)."""

    rows: Rows
    scores: Floats


class Pool:
    """Every composition of a space that is small enough to be enumerated."""

    def __init__(self, space: Space, limit: int) -> None:
        self.rows: Rows = space.enumerate(limit)
        if not len(self.rows):
            raise ValueError("no composition satisfies the bounds, at_most and the constraints together")

    def draw(self, rng: np.random.Generator, count: int, taken: Taken) -> Rows:
        """At most `count` different rows that are not taken; none only if all are taken."""
        free = self._free(taken)
        return free if len(free) <= count else free[rng.choice(len(free), count, replace=False)]

    def best(self, score: Score, taken: Taken, incumbents: Rows, rng: np.random.Generator) -> Ranked:
        """The two best rows that are not taken; empty if all are taken."""
        free = self._free(taken)
        return top(free, score(free), 2) if len(free) else Ranked(free, np.empty(0))

    def _free(self, taken: Taken) -> Rows:
        free = np.ones(len(self.rows), dtype=bool)
        for row in taken.rows:
            free &= np.any(self.rows != row, axis=1)
        return self.rows[free]


class Lattice:
    """A space that is never enumerated."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._shifts = _shifts(space)

    def draw(self, rng: np.random.Generator, count: int, taken: Taken) -> Rows:
        """At most `count` different rows that are not taken."""
        for _ in range(SAMPLE_BATCHES):
            rows = np.unique(self._space.sample(rng, 2 * count), axis=0)
            free = rows[taken.free(rows)]
            if len(free):
                return free if len(free) <= count else free[rng.choice(len(free), count, replace=False)]
        return np.empty((0, len(self._space.elements)), dtype=np.int64)

    def best(self, score: Score, taken: Taken, incumbents: Rows, rng: np.random.Generator) -> Ranked:
        """The two best rows found by climbing from `incumbents` and from random rows."""
        starts = np.concatenate([incumbents, self.draw(rng, RANDOM_STARTS, taken)])
        met = self._climb(starts, score, taken)
        rows, first = np.unique(met.rows, axis=0, return_index=True)
        return top(rows, met.scores[first], 2)

    def _climb(self, starts: Rows, score: Score, taken: Taken) -> Ranked:
        """The free rows that climbs from all `starts` at once passed or nearly took, in no order."""
        here, height = starts, np.where(taken.free(starts), score(starts), -np.inf)
        met = [Ranked(here[np.isfinite(height)], height[np.isfinite(height)])]
        for _ in range(CLIMB_STEPS):
            around, origin = self._around(here, taken)
            if not len(around):
                break
            heights = score(around)
            met.append(top(around, heights, KEPT))
            here, height = _uphill(around, heights, origin, height)
            if not len(here):
                break
        return Ranked(np.concatenate([m.rows for m in met]), np.concatenate([m.scores for m in met]))

    def _around(self, rows: Rows, taken: Taken) -> tuple[Rows, NDArray[np.intp]]:
        """Free neighbours (k, n) of `rows`, and the index of the row each one came from (k,)."""
        each = [self.neighbours(row) for row in rows]
        origin = np.repeat(np.arange(len(rows)), [len(neighbours) for neighbours in each])
        around = np.concatenate(each)
        free = taken.free(around)
        return around[free], origin[free]

    def neighbours(self, row: Rows) -> Rows:
        """Rows of the space one move from `row`: some material from one element to another, or two swapped.

        A swap that is also such a move comes twice.
        """
        rows = np.concatenate([row + self._shifts, _swaps(row)])
        rows = rows[(rows > 0).sum(axis=1) <= self._space.most]  # in a space of many elements, most end here
        around: Rows = rows[self._space.has(rows)]
        return around


def candidates(space: Space, max_pool: int) -> Pool | Lattice:
    """A pool if the space has at most `max_pool` compositions, else the lattice itself."""
    limit = max(max_pool, SMALLEST_POOL)
    return Pool(space, limit) if space.size(limit) <= limit else Lattice(space)


def top(rows: Rows, scores: Floats, count: int) -> Ranked:
    """The `count` best of `rows`, best first; of equals the earlier one."""
    order = np.argsort(-scores, kind="stable")[:count]
    return Ranked(rows[order], scores[order])


def _uphill(around: Rows, heights: Floats, origin: NDArray[np.intp], height: Floats) -> tuple[Rows, Floats]:
    """From each origin to its best neighbour, where that is higher; climbs that meet go on as one."""
    order = np.lexsort((-heights, origin))
    origins, first = np.unique(origin[order], return_index=True)
    best = order[first]
    best = best[heights[best] > height[origins]]
    rows, which = np.unique(around[best], axis=0, return_index=True)
    return rows, heights[best[which]]


def _shifts(space: Space) -> Rows:
    """Every move of 1, 2 or 5 steps of material from one element to another, (k, n)."""
    n = len(space.elements)
    unit = np.eye(n, dtype=np.int64)
    moves = [
        size * math.lcm(int(space.step[i]), int(space.step[j])) * (unit[j] - unit[i])
        for i in range(n)
        for j in range(n)
        if i != j
        for size in SHIFTS
    ]
    return np.array(moves, dtype=np.int64).reshape(-1, n)


def _swaps(row: Rows) -> Rows:
    """`row` with the amounts of two elements exchanged, for every pair that differs, (k, n)."""
    n = len(row)
    i, j = np.triu_indices(n, 1)
    i, j = i[row[i] != row[j]], j[row[i] != row[j]]
    rows = np.tile(row, (len(i), 1))
    rows[np.arange(len(i)), i], rows[np.arange(len(i)), j] = row[j], row[i]
    return rows
