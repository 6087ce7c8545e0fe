"""A space that is never enumerated: its best row is searched for by moves on the lattice.

Climbs start from the incumbents and from the best of many random rows, all side by side, and go each to its best
neighbour until none is better.  At most `SCORED` rows are scored for a suggestion, `AT_ONCE` at a time, and the moves
hold `moves.CELLS` numbers at a time, so that time and memory (about 200 MB) are bounded whatever the space.  Beyond
that there is a deadline in real seconds, for machines that are busy: a search that meets it says so.

The notation is that of `domain`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.space import Space
from orchestrator.optimizer.domain import Feature, Floats, Ranked, Rows, Score, Taken, top
from orchestrator.optimizer.finite import candidate, described
from orchestrator.optimizer.suggestion import Candidate

CLIMB_STEPS = 200  # a climb that has not ended by then is left where it is
SCATTERED = 1024  # random rows scored to begin with...
RANDOM_STARTS = 16  # ...and climbs from the best of them
SCORED = 100_000  # rows scored for one suggestion
AT_ONCE = 16_384  # and at a time; of more neighbours so many are drawn
KEPT = 8  # rows remembered of each step of a climb: the winner and its runner-up are among them
SAMPLE_BATCHES = 16
DEADLINE_S = 5.0

Clock = Callable[[], float]


class Searched:
    """`space` as a domain."""

    def __init__(self, space: Space, *, clock: Clock = time.monotonic, deadline_s: float = DEADLINE_S) -> None:
        """`clock` tells real seconds; no step of a search is begun when `deadline_s` of them have gone by."""
        self._space, self._clock, self._deadline_s = space, clock, deadline_s
        self.width = space.width

    @property
    def scored(self) -> int:
        return SCORED

    @property
    def described(self) -> tuple[Feature, ...]:
        return described(self._space)

    def features(self, rows: Rows) -> Floats:
        return self._space.features(rows)

    def row(self, made: Candidate) -> Rows:
        return self._space.round_to_lattice(made.at_percent(), made.settings)

    def vector(self, made: Candidate) -> Floats:
        return self._space.vector(made.composition, made.settings)

    def candidate(self, row: Rows) -> Candidate:
        return candidate(self._space, row)

    def draw(self, rng: np.random.Generator, count: int, taken: Taken) -> Rows:
        for _ in range(SAMPLE_BATCHES):
            rows = np.unique(self._space.sample(rng, 2 * count), axis=0)
            free = rows[taken.free(rows)]
            if len(free):
                return free if len(free) <= count else free[rng.choice(len(free), count, replace=False)]
        return self._space.none

    def best(self, score: Score, taken: Taken, incumbents: Rows, rng: np.random.Generator) -> Ranked:
        end = self._clock() + self._deadline_s
        drawn = self.draw(rng, SCATTERED, taken)
        first = top(drawn, self._scored(score, drawn), RANDOM_STARTS)
        free = taken.free(incumbents)
        height = np.where(free, self._scored(score, incumbents), -np.inf)
        met = [first, Ranked(incumbents[free], height[free])]
        climbs, in_time = self._climb(
            np.concatenate([incumbents, first.rows]), np.concatenate([height, first.scores]), score, taken, rng, end
        )
        met += climbs
        rows, once = np.unique(np.concatenate([m.rows for m in met]), axis=0, return_index=True)
        best = top(rows, np.concatenate([m.scores for m in met])[once], 2)
        return Ranked(best.rows, best.scores, cut_short=not in_time)

    def _scored(self, score: Score, rows: Rows) -> Floats:
        return score(self.features(rows)) if len(rows) else np.empty(0)

    def _climb(
        self, here: Rows, height: Floats, score: Score, taken: Taken, rng: np.random.Generator, end: float
    ) -> tuple[list[Ranked], bool]:
        """The best rows met at each step of climbs from all of `here` at once, in no order, and whether time was
        enough for them to end."""
        met: list[Ranked] = []
        left = SCORED
        for _ in range(CLIMB_STEPS):
            if not len(here) or left <= 0:
                break
            if self._clock() >= end:
                return met, False
            around, origin = self._around(here, taken, rng, min(AT_ONCE, left))
            if not len(around):
                break
            heights = self._scored(score, around)
            left -= len(around)
            met.append(top(around, heights, KEPT))
            here, height = _uphill(around, heights, origin, height)
        return met, True

    def _around(self, rows: Rows, taken: Taken, rng: np.random.Generator, most: int) -> tuple[Rows, NDArray[np.intp]]:
        """Free neighbours (k, c) of `rows`, at most `most`, and the index of the row each one came from (k,)."""
        around, origin = self._space.moves.around(rows)
        chosen = np.flatnonzero(taken.free(around))
        if len(chosen) > most:
            chosen = np.sort(rng.choice(chosen, most, replace=False))
        return around[chosen], origin[chosen]


def _uphill(around: Rows, heights: Floats, origin: NDArray[np.intp], height: Floats) -> tuple[Rows, Floats]:
    """From each origin to its best neighbour, where that is higher; climbs that meet go on as one."""
    order = np.lexsort((-heights, origin))
    origins, first = np.unique(origin[order], return_index=True)
    best = order[first]
    best = best[heights[best] > height[origins]]
    rows, which = np.unique(around[best], axis=0, return_index=True)
    return rows, heights[best[which]]
