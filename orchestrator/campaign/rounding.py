"""The row of a space nearest to what was made.  The notation is that of `space`; wanted (c,) floats, as a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from orchestrator.campaign.linear import Floats, Rows

if TYPE_CHECKING:
    from orchestrator.campaign.space import Space

STARTS = 8


def rounded(space: Space, wanted: Floats) -> Rows:
    """See `Space.round_to_lattice`."""
    row = _rounded_alone(space, wanted)
    if row is not None and space.has(row[np.newaxis])[0]:
        return row  # the nearest with fewer conditions, and it meets them all
    parts = nearest(space, wanted[: space.n])
    if parts is None:
        raise ValueError(space.empty())
    row = np.concatenate([parts, _indices(space, wanted)])
    if space.satisfied(row[np.newaxis])[0]:
        return row
    rows = space.scattered if space.few is None else space.few
    if not len(rows):
        raise ValueError(space.empty())
    order = np.argsort(((rows - wanted) ** 2).sum(axis=1), kind="stable")
    if space.few is not None:
        found: Rows = rows[order[0]]
        return found
    return _descended(space, rows[order[:STARTS]], wanted)


def _indices(space: Space, wanted: Floats) -> Rows:
    indices: Rows = np.rint(wanted[space.n :]).astype(np.int64)
    return indices


def _rounded_alone(space: Space, wanted: Floats) -> Rows | None:
    """The nearest row if bounds and the sum are all there is; None where the elements have different steps, or bounds
    that leave no such row.

    Rounded by itself each element is as near as can be; then the units that the sum lacks go, one after the other,
    where that costs least.  Costs are convex, so that this is the nearest.
    """
    steps = set(space.step[: space.n].tolist())
    if len(steps) > 1 or not np.all(np.isfinite(wanted)):
        return None
    step, low, high = steps.pop(), space.low[: space.n], space.high[: space.n]
    parts = np.clip(step * np.rint(wanted[: space.n] / step), low, high).astype(np.int64)
    missing = space.total - int(parts.sum())
    by = step if missing > 0 else -step
    if missing % step or np.any((low % step) != 0):
        return None
    for _ in range(abs(missing) // step):
        cost = 2.0 * by * (parts - wanted[: space.n])
        cost[(parts + by > high) | (parts + by < low)] = np.inf
        if not np.isfinite(cost.min()):
            return None
        parts[np.argmin(cost)] += by
    return np.concatenate([parts, _indices(space, wanted)])


def nearest(space: Space, wanted: Floats) -> Rows | None:
    """The amounts with the least squared distance to `wanted` (n,), both in units, (n,); None if there are none.
    Linear constraints are not looked at.

    Dynamic programming as in `lattice.count_ways`, with the least cost in place of the number of ways.
    """
    shape = (space.most + 1, space.total + 1)
    cost = np.full(shape, np.inf)
    cost[:, 0] = 0.0
    choices: list[Rows] = []
    for i in reversed(range(space.n)):
        best, choice = np.full(shape, np.inf), np.full(shape, -1, dtype=np.int64)
        for amount in space.amounts(i).tolist():
            k = 1 if amount else 0
            trial = cost[: len(cost) - k, : space.total + 1 - amount] + (amount - wanted[i]) ** 2
            better = trial < best[k:, amount:]
            best[k:, amount:][better] = trial[better]
            choice[k:, amount:][better] = amount
        cost = best
        choices.insert(0, choice)
    if not np.isfinite(cost[space.most, space.total]):
        return None
    row: list[int] = []
    k, s = space.most, space.total
    for choice in choices:
        amount = int(choice[k, s])
        row.append(amount)
        k, s = k - (amount > 0), s - amount
    return np.array(row, dtype=np.int64)


def _descended(space: Space, rows: Rows, wanted: Floats) -> Rows:
    """From each of `rows` to its nearest neighbour for as long as that comes nearer to `wanted`; the nearest of all."""
    best: Rows = rows[0]
    while len(rows):
        distance = ((rows - wanted) ** 2).sum(axis=1)
        if distance.min() < ((best - wanted) ** 2).sum():
            best = rows[np.argmin(distance)]
        around, origin = space.moves.around(rows)
        near = ((around - wanted) ** 2).sum(axis=1)
        order = np.lexsort((near, origin))
        origins, first = np.unique(origin[order], return_index=True)
        nearer = order[first][near[order[first]] < distance[origins]]
        rows = np.unique(around[nearer], axis=0)
    return best
