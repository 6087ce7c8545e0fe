"""What could still be gained: by how much, and how probably.  Stopping rules go by it.

Notation
--------
c       columns: beliefs about the objective, all of the same probability (see `mixture`)
X       (m, d)  candidates, features; M (k, d) what was measured, as the processes take it
u, l    upper and lower bounds of the objective: mean +- `REGRET_SIGMAS` standard deviations of the belief, warped
best    (c,)    the largest posterior mean at M

The regret bound is max u(X and M) - max l(M): so much at most, the model believes, the best of what was measured falls
short of the best there is (Makarova et al., Automatic termination for hyperparameter optimization, AutoML 2022, whose
width grows with the number of observations by a theorem that they scale by a fifth; ours is fixed).  The probability of
improvement is the largest over candidates (Lorenz et al., Stopping criteria for boosting automatic experimental design
using real-time fMRI with Bayesian optimization, 2015; Kushner, J. Basic Eng. 86, 97, 1964).  Warpings are monotone, so
bounds and probabilities are the same in the objective's unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from orchestrator.optimizer.acquisition import log_improvement_probability
from orchestrator.optimizer.domain import Floats, Ranked, Score
from orchestrator.optimizer.mixture import Mixture, moments
from orchestrator.optimizer.surrogate import Surrogate

REGRET_SIGMAS = 2.0  # a value beyond the upper bound has a chance of 2 %

Search = Callable[[Score], Ranked]


@dataclass(frozen=True)
class Prospects:
    """`regret` in the objective's unit, None where it has no meaning; `improvement_probability` of the candidate that
    has most of it."""

    regret: float | None
    improvement_probability: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def regret(model: Surrogate, posterior: Mixture, search: Search) -> float:
    """The bound by a `search` of all candidates, measured or not, for the best by a score."""
    mean, sigma = moments(*posterior.predict(posterior.X))
    low = float((mean - REGRET_SIGMAS * sigma)[: len(model)].max())
    high = float((mean + REGRET_SIGMAS * sigma).max())

    def upper(X: Floats) -> Floats:
        middle, deviation = moments(*posterior.predict(model.inputs(X)))
        bound: Floats = middle + REGRET_SIGMAS * deviation
        return bound

    found = search(upper).scores
    best = max(high, float(found[0])) if len(found) else high
    ends = model.outward(np.array([low, best]))
    return max(float(ends[1] - ends[0]), 0.0)


def improvement_probability(model: Surrogate, posterior: Mixture, search: Search, improvement: float) -> float:
    """That of the likeliest candidate, by a `search` of those not made, to be better than the best by `improvement`
    (objective's unit); 0 if there is none."""
    at_measured, _ = posterior.predict(posterior.X)
    best = at_measured[: len(model)].max(axis=0)
    wanted = np.maximum(model.inward(model.outward(best) + improvement), best)

    def log_probability(X: Floats) -> Floats:
        mean, sigma = posterior.predict(model.inputs(X))
        return log_improvement_probability(mean, sigma, wanted)

    found = search(log_probability).scores
    return math.exp(min(float(found[0]), 0.0)) if len(found) else 0.0
