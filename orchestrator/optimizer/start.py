"""Suggestions without a model: the first samples of a campaign, and the fallback.  Needs numpy only.

Each new point is the one that leaves the least of the space far from everything made or under way.  That
spreads the samples through the inside of the space, where the farthest point would always be a corner: with
few samples the pure elements say little about their alloys.

Notation
--------
d       features, each divided by how far it reaches, so that a setting counts as much as an element
R       (r, d)  reference points standing for the whole domain
S       (c, d)  points that may be suggested
D       (k, d)  points made or under way
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestrator.optimizer.candidates import domain_of, earlier
from orchestrator.optimizer.domain import Domain, Floats, Rows, Taken, span
from orchestrator.optimizer.suggestion import Candidate, Suggestion

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign

REFERENCES = 512
CHOICES = 256


def fallback(
    campaign: Campaign,
    made: Sequence[Candidate | Mapping[str, Any]],
    pending: Sequence[Candidate | Mapping[str, Any]],
    number: int,
    vetoed: Sequence[Candidate | Mapping[str, Any]] = (),
) -> Suggestion:
    """Suggestion `number` when no optimizer can be asked, so that the night goes on.

    Depends on what was `made`, is `pending` and is `vetoed`, the campaign and `number` only.
    """
    domain = domain_of(campaign)
    known = [Candidate.of(told) for told in (*made, *pending, *vetoed)]
    taken = Taken(domain.width, [domain.row(one) for one in (*known, *(seen.made for seen in earlier(campaign)))])
    row = space_filling(domain, taken, generator(campaign.seed, number))
    replicate = row is None
    if row is None:
        row = least_repeated(taken, Taken(domain.width, [domain.row(Candidate.of(told)) for told in vetoed]))
    chosen = domain.candidate(row)
    return Suggestion(number, chosen.composition, "fallback", replicate=replicate, settings=chosen.settings)


def generator(seed: int, number: int) -> np.random.Generator:
    """The randomness of suggestion `number`, and of nothing else."""
    return np.random.default_rng([seed, number])


def space_filling(domain: Domain, taken: Taken, rng: np.random.Generator) -> Rows | None:
    """The free row that covers the domain best together with the rows taken; None if none is free."""
    choices = domain.draw(rng, CHOICES, taken)
    if not len(choices):
        return None
    references = domain.features(domain.draw(rng, REFERENCES, Taken(domain.width)))
    unit = span(references)
    design = domain.features(taken.rows) / unit
    row: Rows = choices[np.argmin(uncovering(references / unit, domain.features(choices) / unit, design))]
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


def least_repeated(taken: Taken, unwanted: Taken) -> Rows:
    """Of the rows taken, the one taken the fewest times (of equals the first); of those that are not `unwanted`, unless
    there are no others."""
    wanted = taken.without(unwanted)
    taken = wanted if len(wanted) else taken
    rows, first, counts = np.unique(taken.rows, axis=0, return_index=True, return_counts=True)
    row: Rows = rows[np.lexsort((first, counts))[0]]
    return row
