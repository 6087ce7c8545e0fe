"""What an optimizer chooses from: rows of whole numbers, each with features that the model sees.

The optimizer knows no more of compositions and settings than this: a domain gives rows, features of rows, and the
row that is nearest to what was made.  A lattice, a pool of candidates and a plain table are all domains.

Notation
--------
c       columns of a row: whatever the domain tells its rows by
d       features
rows    (m, c) int64
X       (m, d) floats, the features of rows
score   a function X -> (m,) floats, larger is better, of any rows
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from orchestrator.optimizer.suggestion import Candidate

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
Score = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Feature:
    """A column of X: a fraction of a composition, a number, or 1 where the setting `of` is `value`, one of its
    categories.

    `log`: the column is the decimal logarithm of the number.
    """

    name: str
    kind: Literal["fraction", "number", "category"] = "number"
    of: str = ""
    log: bool = False
    value: float | str | None = None


@dataclass(frozen=True)
class Ranked:
    """Rows, best first, and their scores (m,).  `cut_short`: time was up before the search had ended."""

    rows: Rows
    scores: Floats
    cut_short: bool = False


class Taken:
    """Rows that have been made or are under way, in their order; a row may come twice."""

    def __init__(self, width: int, rows: Iterable[Rows] = ()) -> None:
        """`width` is c."""
        self._width = width
        self._rows = list(rows)
        self._array: Rows | None = None
        self._keys: NDArray[np.uint64] | None = None

    @property
    def rows(self) -> Rows:
        """All of them, (t, c)."""
        if self._array is None:
            self._array = np.array(self._rows, dtype=np.int64).reshape(-1, self._width)
        return self._array

    def add(self, row: Rows) -> None:
        self._rows.append(row)
        self._array = self._keys = None

    def with_(self, rows: Iterable[Rows]) -> Taken:
        """These and `rows`; this one stays as it is."""
        more = list(rows)
        return Taken(self._width, [*self._rows, *more]) if more else self

    def without(self, other: Taken) -> Taken:
        """These without the rows of `other`; this one stays as it is."""
        return Taken(self._width, self.rows[other.free(self.rows)])

    def free(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of `rows` are not taken, (m,)."""
        if self._keys is None:
            self._keys = np.unique(keys(self.rows))
        perhaps = np.flatnonzero(np.isin(keys(rows), self._keys))
        free = np.ones(len(rows), dtype=bool)
        if len(perhaps):
            taken = {row.tobytes() for row in self.rows}
            free[perhaps] = [row.tobytes() not in taken for row in np.ascontiguousarray(rows[perhaps])]
        return free

    def __len__(self) -> int:
        """How many different rows."""
        return len(np.unique(self.rows, axis=0))


class Domain(Protocol):
    """Rows that can be suggested."""

    @property
    def width(self) -> int:
        """c."""

    @property
    def scored(self) -> int:
        """The most rows that are scored for one suggestion."""

    @property
    def described(self) -> tuple[Feature, ...]:
        """What the columns of X are, (d,)."""

    def features(self, rows: Rows) -> Floats:
        """X of `rows`, (m, d)."""

    def row(self, made: Candidate) -> Rows:
        """The row nearest to what was made, (c,).  Raises `ValueError` if `made` does not say enough."""

    def vector(self, made: Candidate) -> Floats:
        """The features of what was made, on a row or not, (d,).  Raises `ValueError` likewise."""

    def candidate(self, row: Rows) -> Candidate:
        """What `row` stands for."""

    def draw(self, rng: np.random.Generator, count: int, taken: Taken) -> Rows:
        """At most `count` different rows that are not taken, spread over the domain; none if none can be found."""

    def best(self, score: Score, taken: Taken, incumbents: Rows, rng: np.random.Generator) -> Ranked:
        """The two best rows that are not taken; empty if all are.  `incumbents` are rows worth starting from."""


def keys(rows: Rows) -> NDArray[np.uint64]:
    """A number for each row, the same for equal rows and hardly ever for others, (m,)."""
    weights = np.random.default_rng(rows.shape[1]).integers(1, 2**63, size=rows.shape[1], dtype=np.uint64) | 1
    hashed: NDArray[np.uint64] = (rows.astype(np.uint64) * weights).sum(axis=1, dtype=np.uint64)
    return hashed


def top(rows: Rows, scores: Floats, count: int) -> Ranked:
    """The `count` best of `rows`, best first; of equals the earlier one."""
    order = np.argsort(-scores, kind="stable")[:count]
    return Ranked(rows[order], scores[order])


def span(X: Floats) -> Floats:
    """How far each feature reaches, 1 for one that is the same everywhere, (d,)."""
    reach = np.ptp(X, axis=0) if len(X) else np.zeros(X.shape[1])
    wide: Floats = np.where(reach > 0, reach, 1.0)
    return wide
