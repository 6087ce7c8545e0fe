"""The acquisitions there are, and what each is told when it is to score candidates.

Notation
--------
X       (m, d)  candidates, scaled inputs
c       columns of the belief (see `mixture`)

An acquisition takes a `Situation` and gives a function of X -> (m,) scores, larger is better, never NaN for finite
input; it scores a row the same whichever rows come with it, and the same again for the same generator.  `log_ei`,
`log_nei`, `pi` and `knowledge_gradient` are logarithms; `ucb` and `thompson` are in warped units of the objective, in
which its values have a standard deviation of 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from orchestrator.optimizer import thompson
from orchestrator.optimizer.acquisition import (
    UCB_WEIGHT,
    log_expected_improvement,
    log_improvement_probability,
    upper_confidence_bound,
)
from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.knowledge import log_knowledge_gradient
from orchestrator.optimizer.mixture import Mixture, moments
from orchestrator.optimizer.noisefree import noise_free

Scorer = Callable[[Array], Array]

AT_ONCE = 8192  # candidates: with many columns more would hold too much
DRAWN = 1000  # rows of the domain, of which the most promising by LogEI...
STANDING = 16  # ...so many, and as many measured ones, stand for it in the knowledge gradient,
EXAMINED = 64  # ...and the last of so many says how promising a row must be to be given one
UNEXAMINED = -1e6  # is added to the LogEI of the others


@dataclass(frozen=True)
class Situation:
    """`belief` is given all that was observed, and fantasies of all that is pending.  `rng` is for the acquisition
    alone, and so the rest of a decision does not depend on what it draws.  `draw` gives so many rows of the domain as
    scaled inputs; `weight` is how many standard deviations an upper confidence bound is above the mean."""

    belief: Mixture
    rng: np.random.Generator
    draw: Callable[[int], Array]
    weight: float = UCB_WEIGHT

    @property
    def incumbent(self) -> Array:
        """The largest posterior mean at an observed or pending point, (c,)."""
        best: Array = self.belief.at_observed().max(axis=0)
        return best


Acquisition = Callable[[Situation], Scorer]


def log_ei(situation: Situation) -> Scorer:
    """Logarithm of the expected improvement over the largest posterior mean of a measured point."""
    belief, best = situation.belief, situation.incumbent
    return lambda X: log_expected_improvement(*belief.predict(X), best)


def log_nei(situation: Situation) -> Scorer:
    """The same over the best measured point, whichever it is: averaged over draws of the function at all of them."""
    known, best = noise_free(situation.belief, situation.rng)
    return lambda X: _in_parts(lambda part: log_expected_improvement(*known.predict(part), best), X)


def pi(situation: Situation) -> Scorer:
    """Logarithm of the probability to be better than the largest posterior mean of a measured point."""
    belief, best = situation.belief, situation.incumbent
    return lambda X: log_improvement_probability(*belief.predict(X), best)


def ucb(situation: Situation) -> Scorer:
    """So many standard deviations above the mean as the situation says."""
    belief, best = situation.belief, situation.incumbent
    return lambda X: upper_confidence_bound(*belief.predict(X), best, situation.weight)


def thompson_sampling(situation: Situation) -> Scorer:
    """One function drawn from the belief (see `thompson`): another one for each suggestion, which is what keeps those
    of one batch apart, beside the fantasies."""
    return thompson.draw(situation.belief, situation.rng)


def knowledge_gradient(situation: Situation) -> Scorer:
    """Logarithm of what is to be gained in the best posterior mean (see `knowledge`), the best being looked for among
    the best measured points, the most promising of `DRAWN` rows of the domain, and the candidate.

    It costs much more than LogEI, and so a row whose LogEI is below that of most of the rows drawn is only ranked by
    LogEI, behind all others.
    """
    belief, best = situation.belief, situation.incumbent

    def expected(X: Array) -> Array:
        return log_expected_improvement(*belief.predict(X), best)

    measured, rows = np.unique(belief.X, axis=0), situation.draw(DRAWN)
    mean, _ = moments(*belief.predict(measured))
    promise = expected(rows)
    enough = np.sort(promise)[-EXAMINED:].min(initial=np.inf)
    stand = np.concatenate([_first(measured, mean), _first(rows, promise)])

    def gain(X: Array) -> Array:
        scores = expected(X)
        examined = scores >= enough
        scores[~examined] += UNEXAMINED
        scores[examined] = log_knowledge_gradient(belief, X[examined], stand)
        return scores

    return lambda X: _in_parts(gain, X)


def _first(rows: Array, scores: Array) -> Array:
    first: Array = rows[np.argsort(-scores, kind="stable")[:STANDING]]
    return first


def _in_parts(score: Scorer, X: Array) -> Array:
    """Scores of X, `AT_ONCE` rows at a time."""
    parts = [score(X[begin : begin + AT_ONCE]) for begin in range(0, len(X), AT_ONCE)]
    return np.concatenate(parts) if parts else np.empty(0)


ACQUISITIONS: dict[str, Acquisition] = {
    "log_ei": log_ei,
    "log_nei": log_nei,
    "pi": pi,
    "ucb": ucb,
    "thompson": thompson_sampling,
    "knowledge_gradient": knowledge_gradient,
}
