"""Domains whose rows are all at hand: a plain table, a pool of candidates, a lattice that is small enough.

A row is an index, and X is computed once: every decision scores the same array.  The default score passes over rows
that cannot win (see `screen`), and of pools of more than 2^18 rows only a part is looked at (see `partition`).  The
notation is that of `domain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.attached import Pool
from orchestrator.campaign.grid import Grid
from orchestrator.campaign.space import Space
from orchestrator.optimizer.domain import Feature, Floats, Ranked, Rows, Score, Taken, keys, span
from orchestrator.optimizer.suggestion import Candidate

if TYPE_CHECKING:
    from orchestrator.optimizer.partition import Partition, Whole


class Finite:
    """Rows 0 ... len(X) - 1 with features `X` (m, d)."""

    width = 1

    def __init__(self, X: Floats, described: Sequence[Feature]) -> None:
        """Raises `ValueError` if there is no row, or a feature that is not a finite number."""
        if not len(X):
            raise ValueError("there is nothing to choose from: the table has no rows")
        if X.ndim != 2 or X.shape[1] != len(described) or not np.all(np.isfinite(X)):
            raise ValueError(f"features are finite numbers, {len(described)} for each row, not of shape {X.shape}")
        self.X = np.ascontiguousarray(X, dtype=np.float64)
        self.described = tuple(described)

    def __len__(self) -> int:
        return len(self.X)

    @property
    def scored(self) -> int:
        return len(self.X)

    def features(self, rows: Rows) -> Floats:
        found: Floats = self.X[rows[:, 0]]
        return found

    def draw(self, rng: np.random.Generator, count: int, taken: Taken) -> Rows:
        free = np.ones(len(self.X), dtype=bool)
        free[taken.rows[:, 0]] = False
        indices = np.flatnonzero(free)
        if len(indices) > count:
            indices = rng.choice(indices, count, replace=False)
        return indices[:, np.newaxis]

    def best(self, score: Score, taken: Taken, incumbents: Rows, rng: np.random.Generator) -> Ranked:
        free = np.ones(len(self.X), dtype=bool)
        free[taken.rows[:, 0]] = False
        return _two_best(*self._looked_at.scores(score, free, incumbents[:, 0]))

    @cached_property
    def _looked_at(self) -> Whole | Partition:
        from orchestrator.optimizer import partition  # with scipy, which the fallback does without

        return partition.looked_at(self.X)


def _two_best(indices: NDArray[np.intp], scores: Floats) -> Ranked:
    """Of rows `indices` (m,), ascending: of equals the first."""
    left, found = scores.copy(), []
    for _ in range(min(2, len(left))):
        found.append(int(np.argmax(left)))
        left[found[-1]] = -np.inf
    return Ranked(indices[found, np.newaxis].astype(np.int64), scores[found])


class Table(Finite):
    """A table of features and nothing else: what is made is a row of it.

    >>> table = Table(np.array([[0.0, 1.0], [0.5, 0.5]]), [Feature("Fe", "fraction"), Feature("Co", "fraction")])
    >>> table.candidate(np.array([1]))
    Candidate(composition={}, settings={}, row=1)
    """

    def row(self, made: Candidate) -> Rows:
        if made.row is None or not 0 <= made.row < len(self):
            raise ValueError(f"a candidate of this table is its row, 0 to {len(self) - 1}, not {made.row!r}")
        return np.array([made.row], dtype=np.int64)

    def vector(self, made: Candidate) -> Floats:
        vector: Floats = self.X[self.row(made)[0]]
        return vector

    def candidate(self, row: Rows) -> Candidate:
        return Candidate(row=int(row[0]))


class CandidatePool(Finite):
    """The pool of a campaign: compositions, settings, and descriptors, which are those of the row that was made."""

    def __init__(self, pool: Pool, settings: Sequence[str], descriptors: Sequence[str] = ()) -> None:
        """`settings` and `descriptors` are columns of `pool`."""
        self._elements, self._settings = pool.elements, tuple(settings)
        amounts = pool.at_percent
        self._fractions = amounts / amounts.sum(axis=1, keepdims=True)
        rest = [np.array(pool.columns[name])[:, np.newaxis] for name in (*settings, *descriptors)]
        X = np.concatenate([self._fractions, *rest], axis=1)
        fractions = [Feature(element, "fraction") for element in self._elements]
        super().__init__(X, [*fractions, *(Feature(name) for name in (*settings, *descriptors))])
        self._known = len(self._elements) + len(self._settings)
        self._span = span(X)

    def row(self, made: Candidate) -> Rows:
        away = (self.X[:, : self._known] - self._told(made)) / self._span[: self._known]
        return np.array([np.argmin(np.einsum("ij,ij->i", away, away))], dtype=np.int64)

    def vector(self, made: Candidate) -> Floats:
        return np.concatenate([self._told(made), self.X[self.row(made)[0], self._known :]])

    def _told(self, made: Candidate) -> Floats:
        parts = [made.composition.get(element, 0.0) for element in self._elements]
        return np.array([*parts, *(made.number(name) for name in self._settings)])

    def candidate(self, row: Rows) -> Candidate:
        fractions, known = self._fractions[row[0]].tolist(), len(self._elements)
        settings = self.X[row[0], known : self._known].tolist()
        composition = dict(zip(self._elements, fractions, strict=True))
        return Candidate(composition, dict(zip(self._settings, settings, strict=True)))


_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


class Enumerated(Finite):
    """Every row of a space."""

    def __init__(self, space: Space, rows: Rows) -> None:
        """`rows` (m, c) are those of `space`, each once."""
        if not len(rows):
            raise ValueError(space.empty())
        super().__init__(space.features(rows), described(space))
        self._space, self.rows = space, rows
        hashed = keys(rows)
        self._order = np.argsort(hashed)
        self._keys = hashed[self._order]

    def row(self, made: Candidate) -> Rows:
        lattice = self._space.round_to_lattice(made.at_percent(), made.settings)
        key = keys(lattice[np.newaxis])
        first, last = (int(np.searchsorted(self._keys, key, side)[0]) for side in _SIDES)
        same = [i for i in self._order[first:last] if np.array_equal(self.rows[i], lattice)]
        return np.array(same, dtype=np.int64)

    def vector(self, made: Candidate) -> Floats:
        return self._space.vector(made.composition, made.settings)

    def candidate(self, row: Rows) -> Candidate:
        return candidate(self._space, self.rows[row[0]])


def described(space: Space) -> tuple[Feature, ...]:
    """What the features of a space are."""
    fractions = [Feature(element, "fraction") for element in space.elements]
    settings = [feature for grid in space.settings for feature in _columns(grid)]
    return (*fractions, *settings)


def _columns(grid: Grid) -> list[Feature]:
    if grid.scale == "category":
        categories = zip(grid.names, grid.values, strict=True)
        return [Feature(name, "category", grid.name, value=value) for name, value in categories]
    return [Feature(name, "number", grid.name, grid.scale == "log") for name in grid.names]


def candidate(space: Space, row: Rows) -> Candidate:
    """What a row of `space` stands for."""
    return Candidate(dict(space.composition(row)), space.setting_values(row))
