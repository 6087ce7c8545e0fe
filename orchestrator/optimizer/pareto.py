"""Which of several points no other is better than, how far a set of them reaches, and what it leaves open.

Notation
--------
M       objectives, each larger the better
Y       (n, M)  points
F       (k, M)  a front: points of which none dominates another
r       (M,)    the reference point: what is not better in every objective counts nothing
boxes   (b, M) lower and upper corners: disjoint, and together all that is above r and that no point of F dominates;
        upper corners may be infinite

The hypervolume of F is the volume above r that F dominates (Zitzler and Thiele, PPSN V, 1998).  A point y adds to it

    sum over boxes of  prod over i of  max(min(y_i, upper_i) - lower_i, 0),

since what y dominates and F does not is the part of every box that lies below y.  Boxes of two objectives are the
strips between neighbours of the front, one more than it has points; of more they are the boxes of all slices along the
last objective, merged where a slice has the same boxes as the one before.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


def non_dominated(Y: Array) -> Bools:
    """Which of Y (n, M) no other point dominates, (n,); of equal points the first."""
    keep = np.zeros(len(Y), dtype=bool)
    kept = np.empty((0, Y.shape[1]))
    for i in np.lexsort(-Y.T[::-1]):  # what dominates comes before, and of equals the first
        if not np.any(np.all(kept >= Y[i], axis=1)):
            keep[i] = True
            kept = np.concatenate([kept, Y[i : i + 1]])
    return keep


@dataclass(frozen=True)
class Boxes:
    """`lower` and `upper` (b, M) corners."""

    lower: Array
    upper: Array

    def __len__(self) -> int:
        return len(self.lower)

    def improvement(self, Y: Array) -> Array:
        """What each of the points Y (m, M) alone adds to the hypervolume, (m,)."""
        within = np.minimum(Y[:, None, :], self.upper) - self.lower
        added: Array = np.maximum(within, 0.0).prod(axis=2).sum(axis=1)
        return added


def boxes(front: Array, reference: Array) -> Boxes:
    """What `front` (k, M), above `reference` (M,) or not, leaves open above it."""
    M = len(reference)
    above = front.reshape(-1, M)
    above = above[np.all(above > reference, axis=1)]
    above = above[non_dominated(above)] if len(above) else above
    found = _open(above, tuple(float(r) for r in reference))
    corners = np.array(found, dtype=float).reshape(-1, M, 2)
    return Boxes(corners[:, :, 0], corners[:, :, 1])


Box = tuple[tuple[float, float], ...]


def _open(front: Array, reference: Sequence[float]) -> list[Box]:
    """Boxes of a front that is above the reference, as (lower, upper) for each objective."""
    if len(reference) == 1:
        return [((float(front.max(initial=reference[0])), np.inf),)]
    if len(reference) == 2:
        return _strips(front, reference)
    levels = np.unique([reference[-1], *front[:, -1]])
    ends = [*levels[1:].tolist(), np.inf]
    growing: dict[Box, float] = {}  # a box of the slices so far -> where it began
    done: list[Box] = []
    for low, high in zip(levels.tolist(), ends, strict=True):
        reaching = front[front[:, -1] > low][:, :-1]  # those that dominate something of this slice
        reaching = reaching[non_dominated(reaching)] if len(reaching) else reaching
        here = _open(reaching, reference[:-1])
        ended = growing.keys() - set(here)
        done += [(*box, (growing[box], low)) for box in growing if box in ended]
        growing = {box: growing.get(box, low) for box in here}
        if high == np.inf:
            done += [(*box, (since, np.inf)) for box, since in growing.items()]
    return done


def _strips(front: Array, reference: Sequence[float]) -> list[Box]:
    """Between neighbours along the first objective: each as high as the front is to its right."""
    ordered = front[np.argsort(front[:, 0])]
    lefts = [reference[0], *ordered[:, 0].tolist()]
    rights = [*ordered[:, 0].tolist(), np.inf]
    floors = [*ordered[:, 1].tolist(), reference[1]]
    return [((a, b), (floor, np.inf)) for a, b, floor in zip(lefts, rights, floors, strict=True) if b > a]


def hypervolume(Y: Array, reference: Array) -> float:
    """The volume above `reference` (M,) that Y (n, M) dominates."""
    above = Y[np.all(reference < Y, axis=1)]
    if not len(above):
        return 0.0
    front = above[non_dominated(above)]
    if len(reference) == 1:
        return float(front.max() - reference[0])
    levels = np.unique([reference[-1], *front[:, -1]])
    return float(
        sum(
            (high - low) * hypervolume(front[front[:, -1] > low][:, :-1], reference[:-1])
            for low, high in itertools.pairwise(levels)
        )
    )


def thinned(front: Array, reference: Array, most: int) -> Array:
    """`front` (k, M), or if it has more than `most` boxes as many of its points as have no more: the best in each
    objective, and others that are far apart.  Then what is left open is somewhat too much."""
    kept = front[non_dominated(front)] if len(front) else front
    if len(kept) < 2 or len(boxes(kept, reference)) <= most:
        return kept
    spread = kept[_apart(kept)]
    few, many = 1, len(spread)
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if len(boxes(spread[:middle], reference)) <= most else (few, middle)
    return spread[:few]


def _apart(Y: Array) -> list[int]:
    """An order of the points Y (k, M): the best in each objective, then always the farthest from those before, in
    ranges."""
    span = np.ptp(Y, axis=0)
    unit = Y / np.where(span > 0, span, 1.0)
    order = list(dict.fromkeys(np.argmax(Y, axis=0).tolist()))
    away = np.min([np.abs(unit - unit[i]).max(axis=1) for i in order], axis=0)
    while len(order) < len(Y):
        away[order] = -1.0
        order.append(int(np.argmax(away)))
        away = np.minimum(away, np.abs(unit - unit[order[-1]]).max(axis=1))
    return order
