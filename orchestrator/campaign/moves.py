"""From a row of a space to its neighbours, so that sums and equalities are kept.

Notation::

    w                columns that a move changes at most
    K                moves
    E    (e, c)      whole rows whose product with a move must be 0: the sum of the elements, and the equalities
    directions (K, c)  int64   the shortest moves
    where (K, w)     int64     the columns that each move changes, filled up with column 0
    by    (K, w)     int64     how much it changes them, filled up with 0
    rows  (m, c)     int64     rows of the space

A direction changes as few columns as it can: it is a circuit of E.  Without equalities these are exchanges between
two elements, and each setting by itself.  An equality such as Fe = 2 Co takes three or four elements at once, and every
move that keeps it is a sum of circuits.  Limits that are no equalities get circuits too, so that a search can follow
an edge.  Each direction is taken both ways and once, twice, five times... as far.
"""

from __future__ import annotations

import math
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.linear import Floats, Rows

if TYPE_CHECKING:
    from orchestrator.campaign.space import Space

SHIFTS = (1, 2, 5)
FAR = (10, 20, 50, 100, 200, 500)
"""Further multiples of a direction, where it can be taken ten times as far as that."""
SUBSETS = 20_000
"""Sets of columns looked at for circuits; of more, so many are drawn."""
CELLS = 1_000_000
"""Numbers held at a time for the moves of some rows: with what is computed from them about 100 MB."""


class Moves:
    """The moves of `space`."""

    def __init__(self, space: Space) -> None:
        self._space = space

    @cached_property
    def directions(self) -> Rows:
        limits, sums = self._space.limits, self._sums()
        found = [_circuits(sums, self._space.step)]
        if np.any(~limits.equal & limits.exactly):
            edges = limits.C[~limits.equal & limits.exactly].astype(np.int64)
            found.append(_circuits(np.concatenate([sums, edges]), self._space.step))
        return np.unique(np.concatenate(found), axis=0)

    def _sums(self) -> Rows:
        space = self._space
        parts = (np.arange(space.width) < space.n).astype(np.int64)
        return np.concatenate([parts[np.newaxis], space.limits.C[space.limits.equal].astype(np.int64)])

    @cached_property
    def _sparse(self) -> tuple[Rows, Rows, Floats]:
        """`where`, `by`, and what each move adds to the linear constraints, (K, k)."""
        space, span = self._space, self._space.high - self._space.low
        dense = [space.none]
        for size in (*SHIFTS, *FAR):
            needed = np.abs(self.directions) * size * (10 if size in FAR else 1)
            within = self.directions[np.all((needed <= span) | (self.directions == 0), axis=1)]
            dense += [size * within, -size * within]
        moves = np.concatenate(dense)
        width = int((moves != 0).sum(axis=1).max(initial=1))
        order = np.argsort(moves == 0, axis=1, kind="stable")[:, :width]
        by = np.take_along_axis(moves, order, axis=1)
        return np.where(by == 0, 0, order), by, moves @ space.limits.C.T

    def around(self, rows: Rows) -> tuple[Rows, NDArray[np.intp]]:
        """The neighbours (k, c) of `rows`, all of the space, and the index of the row each one came from (k,).

        Besides the moves these are the exchanges of two elements' amounts, and every value of a category.  One that
        can be reached in two ways comes twice.
        """
        where, by, effect = self._sparse
        parts = [self._moved(rows, where, np.broadcast_to(by, (len(rows), *by.shape)), effect)] if len(by) else []
        parts += [self._exchanged(rows), *self._other_values(rows)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _moved(self, rows: Rows, where: Rows, by: Rows, effect: Floats) -> tuple[Rows, NDArray[np.intp]]:
        """`rows` after each move of `by` (m, K, w), where that is of the space, and where each came from."""
        kept, origins = [self._space.none], [np.empty(0, dtype=np.intp)]
        block = max(1, CELLS // max(1, where.size))
        for begin in range(0, len(rows), block):
            part = slice(begin, begin + block)
            row, move = np.nonzero(self._possible(rows[part], where, by[part], effect))
            moved = rows[part][row]
            np.add.at(moved, (np.arange(len(row))[:, np.newaxis], where[move]), by[part][row, move])
            kept.append(moved)
            origins.append(row + begin)
        return np.concatenate(kept), np.concatenate(origins)

    def _possible(self, rows: Rows, where: Rows, by: Rows, effect: Floats) -> NDArray[np.bool_]:
        """Which moves `by` (m, K, w) lead from each row to another one of the space, (m, K)."""
        space = self._space
        before = rows[:, where]
        after = before + by
        steps_kept = after % space.step[where] == 0
        ok = np.all((after >= space.low[where]) & (after <= space.high[where]) & steps_kept, axis=2)
        if space.most < space.n:
            come = ((after > 0).astype(np.int64) - (before > 0)) * ((where < space.n) & (by != 0))
            ok &= (rows[:, : space.n] > 0).sum(axis=1)[:, np.newaxis] + come.sum(axis=2) <= space.most
        if space.limits:
            sums = (rows @ space.limits.C.T)[:, np.newaxis] + effect
            ok &= np.all((sums >= space.limits.floor) & (sums <= space.limits.ceiling), axis=2)
        possible: NDArray[np.bool_] = ok & np.any(by != 0, axis=2)
        return possible

    def _exchanged(self, rows: Rows) -> tuple[Rows, NDArray[np.intp]]:
        """With the amounts of two elements exchanged."""
        space = self._space
        where = np.array(list(combinations(range(space.n), 2)), dtype=np.int64).reshape(-1, 2)
        apart = rows[:, where[:, 1]] - rows[:, where[:, 0]]
        C = space.limits.C.T
        effect = apart[:, :, np.newaxis] * (C[where[:, 0]] - C[where[:, 1]])
        kept, origins = [space.none], [np.empty(0, dtype=np.intp)]
        block = max(1, CELLS // max(1, where.size))
        for begin in range(0, len(rows) if len(where) else 0, block):
            part = slice(begin, begin + block)
            by = np.stack([apart[part], -apart[part]], axis=2)
            found, origin = self._moved(rows[part], where, by, effect[part])
            kept.append(found)
            origins.append(origin + begin)
        return np.concatenate(kept), np.concatenate(origins)

    def _other_values(self, rows: Rows) -> list[tuple[Rows, NDArray[np.intp]]]:
        """With each other value of each category: these are not in any order."""
        space, found = self._space, []
        for k, grid in enumerate(space.settings, space.n):
            if grid.scale == "category":
                origin = np.repeat(np.arange(len(rows)), len(grid))
                moved = rows[origin]
                moved[:, k] = np.tile(np.arange(len(grid)), len(rows))
                other = moved[:, k] != rows[origin, k]
                found.append((moved[other], origin[other]))
        return found


def _circuits(E: Rows, step: Rows) -> Rows:
    """The circuits of `E` as whole multiples of `step` (c,), one of each pair of opposites, (K, c).

    A circuit is an integer vector with E x = 0 that is 0 in as many columns as it can be.  Its columns together have
    rank one less than their number, and its entries are minors of E.
    """
    columns = E.shape[1]
    found = [np.empty((0, columns), dtype=np.int64)]
    for size in range(1, int(np.linalg.matrix_rank(E.astype(np.float64))) + 2):
        found += [_in(E, subsets, step) for subsets in _subsets(columns, size)]
    return np.unique(np.concatenate(found), axis=0)


def _subsets(columns: int, size: int) -> list[Rows]:
    """Sets of `size` of the `columns`, in one array if there are any; all of them or `SUBSETS` drawn."""
    if size > columns:
        return []
    if math.comb(columns, size) <= SUBSETS:
        return [np.array(list(combinations(range(columns), size)), dtype=np.int64)]
    chosen = np.random.default_rng(0).random((SUBSETS, columns)).argpartition(size, axis=1)[:, :size]
    return [np.unique(np.sort(chosen, axis=1), axis=0)]


def _in(E: Rows, subsets: Rows, step: Rows) -> Rows:
    """The circuits whose columns are exactly one of `subsets` (s, size), (<= s, c)."""
    size = subsets.shape[1]
    parts = E[:, subsets].transpose(1, 0, 2)  # (s, e, size)
    _, singular, kernels = np.linalg.svd(parts.astype(np.float64), full_matrices=True)
    tiny = 1e-9 * np.maximum(1.0, singular.max(axis=1, initial=0.0))
    ranks = (singular > tiny[:, np.newaxis]).sum(axis=1)
    kernel = kernels[:, -1, :]
    one = (ranks == size - 1) & np.all(np.abs(kernel) > 1e-7, axis=1)
    whole = [_whole(vector, step[columns]) for vector, columns in zip(kernel[one], subsets[one], strict=True)]
    moves = np.zeros((len(whole), E.shape[1]), dtype=np.int64)
    np.put_along_axis(moves, subsets[one], np.array(whole, dtype=np.int64).reshape(-1, size), axis=1)
    kept: Rows = moves[np.all(moves @ E.T == 0, axis=1) & np.any(moves != 0, axis=1)]
    return kept


def _whole(vector: Floats, step: Rows) -> list[int]:
    """The shortest whole vector along `vector` whose entries are multiples of `step`; 0 if that is not short."""
    ratios = vector / vector[np.argmin(np.abs(vector))]
    for times in range(1, 1001):
        if np.all(np.abs(ratios * times - np.rint(ratios * times)) < 1e-6):
            whole = [int(entry) for entry in np.rint(ratios * times)]
            apart = [int(by) // math.gcd(entry, int(by)) for entry, by in zip(whole, step, strict=True)]
            return [entry * math.lcm(*apart) for entry in whole]
    return [0] * len(vector)
