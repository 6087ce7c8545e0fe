"""Counting and listing a space.  The notation is that of `space`; i is the number of columns built so far."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from orchestrator.campaign.linear import Rows

if TYPE_CHECKING:
    from orchestrator.campaign.space import Space

BLOCK_ROWS = 20_000


def size(space: Space, limit: int) -> int:
    """How many rows there are; `limit` + 1 for more than that, where it takes enumeration to tell."""
    beside = [len(grid) for grid in space.settings]
    if not space.limits:
        return int(space.ways[0][space.most, space.total]) * math.prod(beside)
    last = max((int(i) + 1 for i in np.flatnonzero(space.limits.touched)), default=0)
    depth = max(space.n, last)  # settings after that are free, whatever comes before
    free, found = math.prod(beside[depth - space.n :]), 0
    for block in blocks(space, depth):
        found += len(block) * free
        if found > limit:
            return limit + 1
    return found


def blocks(space: Space, depth: int) -> Iterator[Rows]:
    """The first `depth` columns of the lattice (all elements among them) in blocks, in lexicographic order.

    Depth first; branches that cannot be completed are cut; one that linear constraints make barren after all gives an
    empty block.
    """
    stack: list[Rows] = [np.empty((1, 0), dtype=np.int64)]
    while stack:
        rows = stack.pop()
        i = rows.shape[1]
        if i == depth:
            yield rows[space.satisfied(rows)] if i == space.width else rows
            continue
        rows, later = _grown(space, rows) if i < space.n else _with_setting(space, rows)
        if len(later):
            stack.append(later)
        if space.limits:
            left = space.total - rows[:, : space.n].sum(axis=1)
            rows = rows[space.limits.completable(rows, left)]
        if len(rows):
            stack.append(rows)
        else:
            yield np.empty((0, depth), dtype=np.int64)


def _grown(space: Space, rows: Rows) -> tuple[Rows, Rows]:
    """The first of `rows` (m, i) with every amount of element i that leaves them completable, about
    `BLOCK_ROWS` of them; and the rest of `rows`."""
    i = rows.shape[1]
    amounts = space.amounts(i)
    left, present = space.total - rows.sum(axis=1), (rows > 0).sum(axis=1)
    states, state_of = np.unique(present * (space.total + 1) + left, return_inverse=True)
    k, room = (part[:, np.newaxis] for part in np.divmod(states, space.total + 1))
    after, room_after = space.most - k - (amounts > 0), room - amounts
    fits = space.weights[i + 1][np.maximum(after, 0), np.maximum(room_after, 0)] > 0
    fits &= (after >= 0) & (room_after >= 0)  # (states, amounts)
    counts = fits.sum(axis=1)
    taken = max(1, int(np.searchsorted(np.cumsum(counts[state_of]), BLOCK_ROWS)))
    rows, later, state_of = rows[:taken], rows[taken:], state_of[:taken]
    chosen = np.concatenate([np.flatnonzero(fits[state]) for state in range(len(states))])
    firsts, each = (np.cumsum(counts) - counts)[state_of], counts[state_of]
    within = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
    added = amounts[chosen[np.repeat(firsts, each) + within]]
    return np.column_stack([np.repeat(rows, each, axis=0), added]), later


def _with_setting(space: Space, rows: Rows) -> tuple[Rows, Rows]:
    """The same for a setting, which may have any of its values."""
    indices = space.amounts(rows.shape[1])
    taken = max(1, BLOCK_ROWS // len(indices))
    now, later = rows[:taken], rows[taken:]
    return np.column_stack([np.repeat(now, len(indices), axis=0), np.tile(indices, len(now))]), later
