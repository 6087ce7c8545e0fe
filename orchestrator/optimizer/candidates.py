"""What a campaign can suggest, as a domain: its pool, all rows of its space, or the space itself where these are too
many; and the observations that it begins with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestrator.campaign.attached import OF_SIGMA, SIGMA, VALUE, EarlierData
from orchestrator.campaign.space import Space
from orchestrator.optimizer.domain import Domain
from orchestrator.optimizer.finite import CandidatePool, Enumerated
from orchestrator.optimizer.searched import Searched
from orchestrator.optimizer.suggestion import Observation

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign

SMALLEST_POOL = 10_000  # always enumerated: so few could all be taken in one campaign


def domain_of(campaign: Campaign, clock: Callable[[], float] = time.monotonic) -> Domain:
    """The domain of `campaign`.  Raises `ValueError` if nothing can be suggested."""
    if campaign.pool is not None:
        return CandidatePool(campaign.pool, campaign.film.of_pool(), campaign.descriptors)
    return lattice(Space.of(campaign), campaign.optimizer.max_pool, clock)


def lattice(space: Space, max_pool: int, clock: Callable[[], float] = time.monotonic) -> Domain:
    """All rows of `space` if it has at most `max_pool`, else the space itself, searched within a deadline told by
    `clock`.  Raises `ValueError` if the space is empty."""
    limit = max(max_pool, SMALLEST_POOL)
    if space.size(limit) <= limit:
        return Enumerated(space, space.enumerate(limit))
    return Searched(space, clock=clock)


def earlier(campaign: Campaign) -> Iterator[Observation]:
    """The observations made before `campaign`, numbered 0, -1, -2... as no sample is."""
    number = 0
    for data in campaign.prior_data:
        fractions = data.at_percent / data.at_percent.sum(axis=1, keepdims=True)
        settings = np.array([data.columns[name] for name in campaign.searched()]).T.reshape(len(data), -1)
        sigmas = data.columns.get(SIGMA, (0.0,) * len(data))
        outcomes = _outcomes(campaign, data)
        rows = zip(fractions, settings, data.columns[VALUE], sigmas, outcomes, strict=True)
        for parts, applied, value, sigma, told in rows:
            yield Observation(
                number,
                dict(zip(data.elements, parts.tolist(), strict=True)),
                value,
                sigma,
                settings=dict(zip(campaign.searched(), applied.tolist(), strict=True)),
                outcomes=told,
            )
            number -= 1


def _outcomes(campaign: Campaign, data: EarlierData) -> list[dict[str, dict[str, Any]]]:
    """Of each row what it says of the quantities that films are judged by; nothing where the value says all."""
    if campaign.terms.plain:
        return [{} for _ in data.columns[VALUE]]
    found: list[dict[str, dict[str, Any]]] = [{} for _ in data.columns[VALUE]]
    for k, name in enumerate(campaign.terms.units):
        column, of_sigma = (VALUE, SIGMA) if k == 0 else (name, name + OF_SIGMA)
        if column in data.columns:
            sigmas = data.columns.get(of_sigma, (0.0,) * len(found))
            for told, value, sigma in zip(found, data.columns[column], sigmas, strict=True):
                told[name] = {"validity": "valid", "value": value, "sigma": sigma}
    return found
