"""Suggestions without a model: the first samples of a campaign, and the fallback.  Needs numpy only.

Each new point is the one that leaves the least of the space far from everything made or under way.  That
spreads the samples through the inside of the space, where the farthest point would always be a corner: with
few samples the pure elements say little about their alloys.

Notation
--------
R       (r, n)  reference compositions standing for the whole space, fractions
S       (c, n)  compositions that may be suggested, fractions
D       (k, n)  compositions made or under way, fractions
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.composition import Space
from orchestrator.optimizer.candidates import Lattice, Pool, Rows, Taken, candidates
from orchestrator.optimizer.suggestion import Suggestion

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign

Floats = NDArray[np.float64]

REFERENCES = 512
CHOICES = 256


def fallback(
    campaign: Campaign,
    made: Sequence[Mapping[str, float]],
    pending: Sequence[Mapping[str, float]],
    number: int,
) -> Suggestion:
    """Suggestion `number` when no optimizer can be asked, so that the night goes on.

    `made` and `pending` are compositions (fractions).  Depends on these, the campaign and `number` only.
    """
    space = Space.of(campaign)
    source = candidates(space, campaign.optimizer.max_pool)
    taken = Taken(space, [*made, *pending])
    row = space_filling(space, source, taken, generator(campaign.seed, number))
    replicate = row is None
    if row is None:
        row = least_repeated(taken)
    return Suggestion(number, dict(space.composition(row)), "fallback", replicate=replicate)


def generator(seed: int, number: int) -> np.random.Generator:
    """The randomness of suggestion `number`, and of nothing else."""
    return np.random.default_rng([seed, number])


def space_filling(space: Space, source: Pool | Lattice, taken: Taken, rng: np.random.Generator) -> Rows | None:
    """The free row that covers the space best together with the rows taken; None if none is free."""
    choices = source.draw(rng, CHOICES, taken)
    if not len(choices):
        return None
    references = source.draw(rng, REFERENCES, Taken(space))
    design = np.array(taken.rows, dtype=np.int64).reshape(-1, len(space.elements))
    uncovered = uncovering(space.fractions(references), space.fractions(choices), space.fractions(design))
    row: Rows = choices[np.argmin(uncovered)]
    return row


def uncovering(R: Floats, S: Floats, D: Floats) -> Floats:
    """For each of S, the mean distance from R to the nearest of D and that one, (c,)."""
    nearest = distances(R, D).min(axis=1) if len(D) else np.full(len(R), np.inf)
    uncovered: Floats = np.minimum(distances(R, S), nearest[:, None]).mean(axis=0)
    return uncovered


def distances(A: Floats, B: Floats) -> Floats:
    """Euclidean distance of every row of A from every row of B."""
    squares = (A**2).sum(axis=1)[:, None] + (B**2).sum(axis=1) - 2.0 * (A @ B.T)
    distance: Floats = np.sqrt(np.maximum(squares, 0.0))
    return distance


def least_repeated(taken: Taken) -> Rows:
    """Of the rows taken, the one taken the fewest times (of equals the first)."""
    rows, first, counts = np.unique(np.array(taken.rows), axis=0, return_index=True, return_counts=True)
    row: Rows = rows[np.lexsort((first, counts))[0]]
    return row
