"""A pool too large to look at whole for every decision: a spread of its rows first, then all rows near the best.

Notation
--------
m       rows of the pool
leaf    rows that lie together: the pool is halved at the median of its widest side, in units of each feature's span,
        until no part has more than `LEAF` rows

A search scores a spread of rows, `SPREAD` in all and as many of each leaf as its size allows; then every row of the
leaves of the `LEAVES` best of them, and of the incumbents' leaves.  That is an approximation: a narrow peak between
the rows of the spread, far from all incumbents, is passed over.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orchestrator.optimizer.domain import Floats, Score, span
from orchestrator.optimizer.improvement import Improvement
from orchestrator.optimizer.screen import Indices, Screen

LARGE = 2**18  # rows: pools of up to so many are looked at whole
LEAF = 512
SPREAD = 2**16
LEAVES = 32


class Whole:
    """Rows `X` (m, d) of features, all of which are looked at."""

    def __init__(self, X: Floats) -> None:
        self.X = X
        self._screen = Screen(X)

    def scores(self, score: Score, free: NDArray[np.bool_], incumbents: Indices) -> tuple[Indices, Floats]:
        """Free rows, ascending, and their scores: all, or those of the default score that count."""
        if isinstance(score, Improvement):
            return self._screen.scores(score, free)
        return np.flatnonzero(free), score(self.X)[free]


class Partition:
    """Rows `X` (m, d) of features in leaves, and the spread."""

    def __init__(self, X: Floats) -> None:
        self.X = X
        self._leaves = leaves(X)
        self._leaf = np.empty(len(X), dtype=np.intp)
        for number, rows in enumerate(self._leaves):
            self._leaf[rows] = number
        in_order = np.concatenate(self._leaves)
        self.spread: Indices = np.sort(in_order[np.linspace(0, len(X) - 1, min(SPREAD, len(X))).astype(np.intp)])
        self._screen = Screen(X[self.spread])

    def scores(self, score: Score, free: NDArray[np.bool_], incumbents: Indices) -> tuple[Indices, Floats]:
        """Free rows, ascending, and their scores: those of the spread that count, and those near the best and near
        `incumbents`."""
        few = free[self.spread]
        if isinstance(score, Improvement):
            first, heights = self._screen.scores(score, few, LEAVES)
        else:
            first, heights = np.flatnonzero(few), score(self.X[self.spread[few]])
        rows = self.spread[first]
        best = rows[np.argsort(-heights, kind="stable")[:LEAVES]]
        near = np.concatenate([self._leaves[i] for i in np.unique(self._leaf[np.concatenate([best, incumbents])])])
        near = np.setdiff1d(near[free[near]], rows)
        rows, heights = np.concatenate([rows, near]), np.concatenate([heights, score(self.X[near])])
        order = np.argsort(rows)
        return rows[order], heights[order]


def looked_at(X: Floats) -> Whole | Partition:
    """Rows `X` (m, d) of features, whole or in parts."""
    return Partition(X) if len(X) > LARGE else Whole(X)


def leaves(X: Floats) -> list[Indices]:
    """The leaves, each the indices of its rows; neighbours in the list are mostly neighbours in the space."""
    scaled = X / span(X)
    found: list[Indices] = []
    left: list[Indices] = [np.arange(len(X))]
    while left:
        rows = left.pop()
        if len(rows) <= LEAF:
            found.append(rows)
            continue
        side = int(np.argmax(np.ptp(scaled[rows], axis=0)))
        half = len(rows) // 2
        order = np.argpartition(scaled[rows, side], half)
        left += [rows[order[half:]], rows[order[:half]]]
    return found
