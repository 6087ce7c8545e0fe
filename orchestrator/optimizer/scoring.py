"""What a candidate is worth, all counted: acquisition, chance to become a measured film, and cost.

The score of a candidate is the acquisition's, plus the logarithm of the probability that it can be made and measured,
less `cooling` times the logarithm of its cost.  For `log_ei`, `log_nei`, `pi` and `knowledge_gradient` that is the
logarithm of what is expected times the chance, per cost.  For `ucb` and `thompson` it is a trade in standard deviations
of the values: a film twice as dear, or half as likely to become one, must promise 0.7 of them more.

Cooling is the share of the budget that is left, so that cheap films come first and the last is chosen for what it may
be, at any cost (EI-cool: Lee, Perrone, Archambeau and Seeger, Cost-aware Bayesian optimization, arXiv:2003.10870,
2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.campaign.cost import Cost
from orchestrator.optimizer.domain import Feature, Floats
from orchestrator.optimizer.feasibility import Feasibility


@dataclass(frozen=True)
class Weighing:
    """What is added to an acquisition; None where it plays no part."""

    feasibility: Feasibility | None = None
    cost: Cost | None = None
    cooling: float = 1.0

    @property
    def nothing(self) -> bool:
        """Whether scores are left as they are."""
        return self.feasibility is None and self.cost is None

    def added(self, X: Floats, inputs: Floats, described: Sequence[Feature]) -> Floats | float:
        """To the scores of rows of features `X` (m, d), which are `inputs` to the model."""
        total: Floats | float = 0.0
        if self.feasibility is not None:
            total = total + np.log(self.feasibility(inputs))
        if self.cost is not None:
            total = total - self.cooling * np.log(costs(self.cost, X, described))
        return total


def costs(cost: Cost, X: Floats, described: Sequence[Feature]) -> Floats:
    """Of films with features `X` (m, d): the same as `cost.of` says of each, (m,)."""
    total = np.full(len(X), cost.film)
    for feature, column in zip(described, X.T, strict=True):
        if feature.kind == "fraction":
            total += cost.elements.get(feature.name, 0.0) * column
        elif feature.kind == "category":
            value = 0.0 if isinstance(feature.value, str) else feature.value or 0.0
            total += cost.settings.get(feature.of, 0.0) * value * column
        else:
            total += cost.settings.get(feature.of or feature.name, 0.0) * (10.0**column if feature.log else column)
    return total


def cooling(number: int, budget: int | None) -> float:
    """The share of the budget that is left when suggestion `number` (from 1) is to be chosen; 1 without a budget."""
    return 1.0 if budget is None else min(max(1.0 - (number - 1) / budget, 0.0), 1.0)
