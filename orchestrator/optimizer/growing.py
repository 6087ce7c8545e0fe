"""Compositions grown as a tree: after a screening of what each element does to the base, from good ones to their
neighbours, by an upper confidence bound.

In the manner of Iwasaki, Sawada, Saitoh and Ishida, Communications Materials 2, 31 (2021), and of the game-tree
search of Sawada (arXiv:1803.11338), whose details are not published in full; what is ours is said so below.

1. The base, then the base with `screen` at.% of each other element in its place (Fe99X1).  The `kept` elements that
   did best go on.
2. The base is the root of a tree.  A child is its parent with `step` at.% of one element in the place of another: an
   element is added, or more of it.  From the root down, the child of the largest

       (best of the subtree - least of all) / (best of all - least of all) + c sqrt(ln N / n)

   is taken, n its films and N its parent's, until a composition may have another child: the square root of its films
   may (progressive widening).  Of several possible children the one is made that a Bayesian linear model of all
   films promises most, c of its standard deviations included (ours).

What was made is all that is known: which film is whose child follows from the order in which they were made.

Notation::

    e           elements
    points      (m, e)  fractions of what was made, in its order
    values      (m,)    larger is better; nan while a film is under way, or came to nothing
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.optimizer.domain import Domain, Floats, Rows, Taken
from orchestrator.optimizer.settings import HowToGrow
from orchestrator.optimizer.suggestion import Candidate

NEAR = 0.25
"""Of a step: as near a film is its composition, whatever lattice or measurement made of it."""
EXACT = 1e-6


def next_row(
    domain: Domain,
    how: HowToGrow,
    known: Sequence[tuple[Floats, float]],
    pending: Sequence[Candidate],
    taken: Taken,
) -> Rows | None:
    """The row of `domain` to make next, none that is `taken`; None if nothing can grow any more.

    `known` are the features of what was asked for, in its order, and what became of it: a value, larger is better, or
    nan.
    """
    at = [i for i, feature in enumerate(domain.described) if feature.kind == "fraction"]
    elements = tuple(domain.described[i].name for i in at)
    points = np.array([*(features for features, _ in known), *map(domain.vector, pending)], dtype=float)
    values = np.array([value for _, value in known] + [np.nan] * len(pending))
    base = elements.index(how.root(elements))
    grown = Growing(len(elements), base, how.step / 100, how.screen / 100, how.kept, how.exploration)

    def row(point: Floats) -> Rows:
        return domain.row(Candidate(dict(zip(elements, point.tolist(), strict=True))))

    def free(point: Floats) -> bool:
        nearest = row(point)[np.newaxis]
        away = domain.features(nearest)[0, at] - point
        return bool(np.abs(away).max() < EXACT) and bool(taken.free(nearest)[0])

    found = grown.next(points.reshape(-1, len(domain.described))[:, at], values, free)
    return None if found is None else row(found)


@dataclass(frozen=True)
class Growing:
    """How to grow.  `base` is the index of an element; `step` and `screen` are fractions; `exploration` is c."""

    elements: int
    base: int
    step: float
    screen: float
    kept: int
    exploration: float

    def next(self, points: Floats, values: Floats, free: Callable[[Floats], bool]) -> Floats | None:
        """The composition (e,) to make next, one that is `free`; None if the tree can grow no further."""
        for wanted in self._screening():
            if not self._is(points, wanted).any() and free(wanted):
                return wanted
        return _Tree.of(self, points, values).next(free) if len(points) else None

    def _is(self, points: Floats, wanted: Floats) -> NDArray[np.bool_]:
        """Which of `points` are the composition of the screening that is `wanted`, (m,)."""
        same: NDArray[np.bool_] = np.abs(points - wanted).max(axis=1) <= NEAR * self.screen
        return same

    def _screening(self) -> list[Floats]:
        pure = np.zeros(self.elements)
        pure[self.base] = 1.0
        found = [pure]
        for other in range(self.elements):
            if other != self.base:
                mixed = pure.copy()
                mixed[self.base], mixed[other] = 1.0 - self.screen, self.screen
                found.append(mixed)
        return found

    def palette(self, points: Floats, values: Floats) -> list[int]:
        """The base, and of the screened elements the `kept` best, in order of element; one without a value goes on."""
        mixed = self._screening()[1:]
        others = [other for other in range(self.elements) if other != self.base]
        worth = {}
        for other, wanted in zip(others, mixed, strict=True):
            known = values[self._is(points, wanted)]
            known = known[np.isfinite(known)]
            worth[other] = float(known.mean()) if len(known) else math.inf
        best = sorted(others, key=lambda other: (-worth[other], other))[: self.kept]
        return sorted([self.base, *best])


class _Tree:
    """Films as nodes: number 0 is the first of all."""

    def __init__(self, how: Growing, points: Floats, values: Floats, parents: Sequence[int]) -> None:
        self._how, self._points, self._parents = how, points, parents
        self._children: list[list[int]] = [[] for _ in parents]
        for child, parent in enumerate(parents):
            if parent >= 0:
                self._children[parent].append(child)
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        scaled = (values - low) / (high - low) if high > low else np.where(np.isfinite(values), 0.5, np.nan)
        self._films = np.ones(len(parents))
        self._best = np.where(np.isfinite(scaled), scaled, 0.0)
        for child in range(len(parents) - 1, -1, -1):  # a child comes after its parent
            if (parent := parents[child]) >= 0:
                self._films[parent] += self._films[child]
                self._best[parent] = max(self._best[parent], self._best[child])
        self._promise = _Promise(points, scaled)
        self._palette = how.palette(points, values)

    @classmethod
    def of(cls, how: Growing, points: Floats, values: Floats) -> _Tree:
        """Whose child each film is: of the film made before it that is one step away and was best; else of the root."""
        parents = [-1]
        for child in range(1, len(points)):
            away = points[:child] - points[child]
            steps = np.abs(away).max(axis=1)
            moved = (np.abs(away) > NEAR * how.step).sum(axis=1)
            near = (np.abs(steps - how.step) <= NEAR * how.step) & (moved == 2)
            if not near.any():
                parents.append(0)
                continue
            candidates = np.flatnonzero(near)
            worth = np.nan_to_num(values[candidates], nan=-np.inf)
            parents.append(int(candidates[np.argmax(worth)]))
        return cls(how, points, values, parents)

    def next(self, free: Callable[[Floats], bool]) -> Floats | None:
        barren: set[int] = set()
        while 0 not in barren:
            node = 0
            while True:
                young = self._possible(node, free) if len(self._children[node]) < self._allowed(node) else []
                if young:
                    return young[int(np.argmax(self._promise.bound(np.array(young), self._how.exploration)))]
                fertile = [child for child in self._children[node] if child not in barren]
                if not fertile:
                    break
                node = max(fertile, key=lambda child: (self._bound(child), -child))
            barren.add(node)
        return self._anywhere(free)

    def _anywhere(self, free: Callable[[Floats], bool]) -> Floats | None:
        """The most promising child of any film: the tree is as wide as it may be everywhere."""
        young = [one for node in range(len(self._parents)) for one in self._possible(node, free)]
        if not young:
            return None
        return young[int(np.argmax(self._promise.bound(np.array(young), self._how.exploration)))]

    def _allowed(self, node: int) -> int:
        return math.ceil(math.sqrt(self._films[node]))

    def _bound(self, child: int) -> float:
        parent = self._parents[child]
        spread = math.sqrt(math.log(self._films[parent]) / self._films[child])
        return float(self._best[child] + self._how.exploration * spread)

    def _possible(self, node: int, free: Callable[[Floats], bool]) -> list[Floats]:
        """Its children that could be made."""
        here, step = self._points[node], self._how.step
        found = []
        for less in range(len(here)):
            if here[less] < step * (1 - NEAR):
                continue
            for more in self._palette:
                if more == less:
                    continue
                moved = here.copy()
                by = min(step, here[less])
                moved[less] -= by
                moved[more] += by
                if free(moved):
                    found.append(moved)
        return found


class _Promise:
    """A Bayesian linear model: values of unit scale, prior variance 1 an element, noise of `NOISE`."""

    NOISE = 0.1

    def __init__(self, points: Floats, scaled: Floats) -> None:
        known = np.isfinite(scaled)
        X, y = points[known], scaled[known]
        self._middle = float(y.mean()) if len(y) else 0.0
        A = np.eye(points.shape[1]) + X.T @ X / self.NOISE**2
        self._covariance = np.linalg.inv(A)
        self._slopes = self._covariance @ X.T @ (y - self._middle) / self.NOISE**2

    def bound(self, X: Floats, c: float) -> Floats:
        """Mean and c standard deviations (m,)."""
        spread = np.sqrt(np.einsum("ij,jk,ik->i", X, self._covariance, X))
        bound: Floats = self._middle + X @ self._slopes + c * spread
        return bound
