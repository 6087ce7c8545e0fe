"""Random lattice points, and the lattice point nearest to a given one.  The notation is that of `lattice`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from orchestrator.campaign.linear import Floats, Rows

if TYPE_CHECKING:
    from orchestrator.campaign.composition import Space


def draw(space: Space, rng: np.random.Generator, n: int, *, cut: bool) -> Rows:
    """At most `n` compositions, built element by element, (<= n, elements).

    Each amount is drawn in proportion to the number of ways to complete it, so that compositions are uniform;
    those that break a linear constraint are dropped.  With `cut` amounts that must break one are not drawn:
    more survive, no longer uniformly.
    """
    rows = np.empty((n, 0), dtype=np.int64)
    for i in range(len(space.elements)):
        if not len(rows):
            return np.empty((0, len(space.elements)), dtype=np.int64)
        left, present = space.total - rows.sum(axis=1), (rows > 0).sum(axis=1)
        lowest, highest = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
        if cut:
            lowest, highest = space.limits.interval(rows, left)
        drawn = np.full(len(rows), -1, dtype=np.int64)
        states, state_of = np.unique(present * (space.total + 1) + left, return_inverse=True)
        members = np.split(np.argsort(state_of, kind="stable"), np.cumsum(np.bincount(state_of))[:-1])
        for state, here in zip(states, members, strict=True):
            k, room = divmod(int(state), space.total + 1)
            drawn[here] = _amounts(space, i, k, room, lowest[here], highest[here], rng.random(len(here)))
        rows = np.column_stack([rows, drawn])[drawn >= 0]
    return rows[space.has(rows)]


def _amounts(space: Space, i: int, present: int, room: int, lowest: Floats, highest: Floats, chance: Floats) -> Rows:
    """Amounts of element i, one for each `chance` (uniform in [0, 1)), between `lowest` and `highest`;
    -1 where there is none.  All rows have `present` elements so far and `room` units left."""
    amounts = space.amounts(i)
    amounts = amounts[(amounts <= room) & (present + (amounts > 0) <= space.most)]
    weights = space.weights[i + 1][space.most - present - (amounts > 0), room - amounts]
    running = np.concatenate([[0.0], np.cumsum(weights)])
    first = np.searchsorted(amounts, lowest, side="left")
    beyond = np.maximum(first, np.searchsorted(amounts, highest, side="right"))
    span = running[beyond] - running[first]
    pick = np.searchsorted(running, running[first] + span * chance, side="right") - 1
    pick = np.clip(pick, first, np.maximum(first, beyond - 1))
    chosen: Rows = np.where(span > 0, np.append(amounts, -1)[pick], -1)
    return chosen


def nearest(space: Space, wanted: Floats) -> Rows | None:
    """The composition with the least squared distance to `wanted` (elements,), both in units; None if there
    is none.  Linear constraints are not looked at.

    Dynamic programming as in `lattice.count_ways`, with the least cost in place of the number of ways.
    """
    shape = (space.most + 1, space.total + 1)
    cost = np.full(shape, np.inf)
    cost[:, 0] = 0.0
    choices: list[Rows] = []
    for i in reversed(range(len(space.elements))):
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


def descend(space: Space, row: Rows, wanted: Floats) -> Rows:
    """From `row`, move amounts between two elements for as long as that comes nearer to `wanted`."""
    unit = np.eye(len(space.elements), dtype=np.int64)
    pairs = [(a, b) for a in range(len(unit)) for b in range(len(unit)) if a != b]
    moves = np.array([(unit[a] - unit[b]) * math.lcm(*space.step[[a, b]].tolist()) for a, b in pairs])
    while len(moves):
        trials = row + moves
        trials = trials[space.has(trials)]
        distance = ((trials - wanted) ** 2).sum(axis=1)
        if not len(trials) or distance.min() >= ((row - wanted) ** 2).sum():
            break
        row = trials[np.argmin(distance)]
    return row
