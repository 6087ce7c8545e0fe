"""The optimizer that a campaign asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.optimizer.candidates import domain_of, earlier
from orchestrator.optimizer.hierarchical import HierarchicalOptimizer
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.several import Several
from orchestrator.optimizer.suggestion import Observation

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign


def make_optimizer(
    campaign: Campaign,
    observations: Iterable[Observation | Mapping[str, Any]] = (),
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Optimizer:
    """The optimizer that `campaign` asks for, which has learnt its earlier data and `observations`; `clock` tells real
    seconds.

    Raises `ValueError` for an empty space.
    """
    domain, budget, terms = domain_of(campaign, clock), campaign.budget.samples, campaign.terms
    optimizer: Optimizer
    if terms.plain:
        kind = HierarchicalOptimizer if campaign.virtual else Optimizer
        direction = campaign.objective.direction
        optimizer = kind(domain, campaign.optimizer, campaign.seed, direction, budget=budget, cost=campaign.cost)
    else:
        optimizer = Several(domain, campaign.optimizer, campaign.seed, terms, budget=budget, cost=campaign.cost)
    for observation in earlier(campaign):
        optimizer.observe(observation, counted=False)
    for seen in observations:
        optimizer.observe(seen)
    return optimizer
