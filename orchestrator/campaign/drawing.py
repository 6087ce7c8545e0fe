"""Random rows of a space.  The notation is that of `space` and `lattice`; m rows are drawn side by side.

Three ways, the next where the one before finds too little: compositions drawn uniformly, of which those are kept
that meet the linear constraints; the same with amounts left out that must break one; and walks from rows that are
known, along directions that keep every equality (hit-and-run).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.linear import Floats, Rows

if TYPE_CHECKING:
    from orchestrator.campaign.space import Space

LEAST = 256
MORE = 2048
RARE = 0.02
ATTEMPTS = 6
STEPS_A_COLUMN = 6


def spread(space: Space, rng: np.random.Generator, m: int) -> Rows:
    """`m` rows, (m, c); see `Space.sample`."""
    if not int(space.ways[0][space.most, space.total]):
        raise ValueError(space.empty())
    found, missing, cut, attempts = [space.none], m, False, 0
    while missing > 0:
        asked = max(missing, MORE if cut else LEAST)
        rows = draw(space, rng, asked, cut=cut)
        attempts += cut
        if cut and (attempts > ATTEMPTS or len(rows) < RARE * asked):
            rows = walk(space, rng, np.concatenate([*found, rows]), missing)
        cut = cut or (bool(space.limits) and len(rows) < RARE * asked)
        found.append(rows[:missing])
        missing -= len(found[-1])
    return np.concatenate(found)


def draw(space: Space, rng: np.random.Generator, m: int, *, cut: bool) -> Rows:
    """At most `m` rows, built column by column, (<= m, c).

    Each amount is drawn in proportion to the number of ways to complete it, so that compositions are uniform, and
    settings uniformly; rows that break a linear constraint are dropped.  With `cut` amounts that must break one are
    not drawn: more survive, no longer uniformly.
    """
    rows = np.empty((m, 0), dtype=np.int64)
    left, present = np.full(m, space.total), np.zeros(m, dtype=np.int64)
    for i in range(space.width):
        lowest, highest = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
        if cut:
            lowest, highest = space.limits.interval(rows, left)
        chance = rng.random(len(rows))
        if i < space.n:
            drawn = _amounts(space, i, space.most - present, left, lowest, highest, chance)
        else:
            drawn = _indices(len(space.settings[i - space.n]), lowest, highest, chance)
        kept = drawn >= 0
        rows = np.column_stack([rows, drawn])[kept]
        if i < space.n:
            left, present = (left - drawn)[kept], (present + (drawn > 0))[kept]
    return rows[space.has(rows)]


def _amounts(space: Space, i: int, more: Rows, left: Rows, lowest: Floats, highest: Floats, chance: Floats) -> Rows:
    """Amounts of element i between `lowest` and `highest`, one for each `chance` (uniform in [0, 1)); -1 where there
    is none.  `more` elements may still be present, and `left` units are left.

    The chance of an amount is the number of ways to go on after it.  Over the amounts above 0 their sum is a
    difference of running sums, in which the one drawn is found by bisection.
    """
    low, high, step = int(space.low[i]), int(space.high[i]), int(space.step[i])
    ways, running = space.weights[i + 1], space.running[i]
    none = np.where((lowest <= 0) & (highest >= 0), ways[more, left], 0.0) if low == 0 else np.zeros(len(left))
    first = low or step
    least = first + step * np.ceil((np.clip(lowest, first, space.total + 1) - first) / step).astype(np.int64)
    most = np.minimum(np.clip(highest, -1, high), left)
    most = first + step * np.floor((most - first) / step).astype(np.int64)
    some = (more > 0) & (least <= most)
    after, start = np.maximum(more - 1, 0), np.where(some, left - most, 0)  # units left after the largest amount
    count = np.where(some, (most - least) // step, 0)
    below = np.where(start >= step, running[after, np.maximum(start - step, 0)], 0.0)
    above = np.where(some, running[after, start + count * step], below)
    target = chance * (none + above - below)
    place = _bisected(running, after, start, step, count, below + target - none)
    drawn = np.where(target < none, 0, left - start - place * step)
    drawn[none + above - below <= 0] = -1
    return drawn


def _bisected(running: Floats, row: Rows, start: Rows, step: int, count: Rows, target: Floats) -> Rows:
    """The least k in 0 ... `count` with running[row, start + k step] > `target`, else `count`, (m,)."""
    low, high = np.zeros_like(count), count.copy()
    while np.any(low < high):
        middle = (low + high) // 2
        beyond = running[row, start + middle * step] > target
        high = np.where(beyond, middle, high)
        low = np.where(beyond, low, np.minimum(middle + 1, high))
    return low


def _indices(count: int, lowest: Floats, highest: Floats, chance: Floats) -> Rows:
    """Indices from 0 to `count` - 1 between `lowest` and `highest`; -1 where there is none."""
    first = np.ceil(np.clip(lowest, 0, count)).astype(np.int64)
    last = np.floor(np.clip(highest, -1, count - 1)).astype(np.int64)
    drawn: Rows = np.where(first <= last, first + np.floor(chance * (last - first + 1)).astype(np.int64), -1)
    return drawn


def walk(space: Space, rng: np.random.Generator, starts: Rows, m: int) -> Rows:
    """`m` rows after as many walks from `starts` (or, if there are none, from a witness).

    Raises `ValueError` if the space has no row that could be found.
    """
    if not len(starts):
        witness = space.witness()
        if witness is None:
            raise ValueError(space.empty())
        starts = witness[np.newaxis]
    rows = starts[rng.integers(len(starts), size=m)]
    directions = space.moves.directions
    for _ in range(STEPS_A_COLUMN * space.width if len(directions) else 0):
        along = directions[rng.integers(len(directions), size=m)]
        times = _lengths(rng, *_reach(space, rows, along))
        trial = rows + times[:, np.newaxis] * along
        rows = np.where(space.has(trial)[:, np.newaxis], trial, rows)
    return rows


def _lengths(rng: np.random.Generator, least: Rows, most: Rows) -> Rows:
    """How often to take each step: anything between the two, and half the time an end of that, where an element comes
    or goes."""
    end = np.where(rng.random(len(least)) < 0.5, least, most)
    times: Rows = np.where(rng.random(len(least)) < 0.5, end, rng.integers(least, most + 1))
    return times


def _reach(space: Space, rows: Rows, along: Rows) -> tuple[Rows, Rows]:
    """From how often to how often the step `along` (m, c) keeps `rows` within bounds and constraints, (m,) each."""
    slopes, here = along @ space.limits.C.T, rows @ space.limits.C.T
    column = _times(along, space.low - rows, space.high - rows)
    limit = _times(slopes, space.limits.floor - here, space.limits.ceiling - here)
    least, most = np.maximum(column[0], limit[0]), np.minimum(column[1], limit[1])
    least, most = np.ceil(np.clip(least, -space.total, 0)), np.floor(np.clip(most, 0, space.total))
    return least.astype(np.int64), most.astype(np.int64)


def _times(slopes: NDArray[np.generic], low: NDArray[np.generic], high: NDArray[np.generic]) -> tuple[Floats, Floats]:
    """Between which numbers t must be for `low` <= t x `slopes` <= `high` in every column, (m,) each."""
    slope = np.asarray(slopes, dtype=np.float64)
    safe = np.where(slope == 0, 1.0, slope)
    ends = np.where(slope == 0, -np.inf, low / safe), np.where(slope == 0, np.inf, high / safe)
    least, most = np.minimum(*ends), np.maximum(*ends)
    return least.max(axis=1, initial=-np.inf), most.min(axis=1, initial=np.inf)
