"""How good candidates are that are judged by several quantities.

Notation
--------
M       objectives, each larger the better once its sign is taken out
k       films
t, y    a quantity as its processes see it, and in its unit with its sign

A candidate's score is the logarithm of

    (hypervolume improvement to expect) x (probability that every limit is kept),

or of the improvement of one trade-off in its place (`scalarised`), averaged over fantasies of what is pending: each has
its own front, of the films whose posterior means keep all limits.  With one objective and limits it is the campaign's
acquisition over the best such film (Schonlau, Welch and Jones, 1998; Gardner et al., ICML 2014).  While no film keeps
the limits, only the probability counts.  A limit from the side of an objective that is worse is the reference point of
the hypervolume where it is nearer, and not counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from orchestrator.campaign.terms import MARGIN, Terms
from orchestrator.optimizer.hypervolume import Gain, log_chance_within
from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.outlook import Belief, Look, Outlook, Quantity
from orchestrator.optimizer.pareto import boxes, non_dominated, thinned
from orchestrator.optimizer.situation import ACQUISITIONS
from orchestrator.optimizer.surrogate import Surrogate
from orchestrator.optimizer.tradeoff import TradeOff, utilities

EXACT = 4096  # rows: of a larger domain only promising ones are scored exactly: those at least as good as
EXAMINED = 64  # ...the last of so many
DRAWN = 1000  # ...of so many drawn
UNEXAMINED = -1e6  # is added to the scores of the others
MOST_BOXES = 1024  # above the front: beyond, points of it that add little are left out
FAR_BELOW = 10.0  # of t, whose values have a standard deviation of 1: no candidate is expected there
LIKELY = 0.5  # a film whose chance to keep the limits is larger counts as one that does


@dataclass(frozen=True)
class Judge:
    """`models` of every quantity; `acquisition` is that of the campaign."""

    models: Mapping[str, Surrogate]
    quantities: Mapping[str, Quantity]
    terms: Terms
    acquisition: str

    @property
    def names(self) -> list[str]:
        """The quantities of the objectives."""
        return [aim.quantity for aim in self.terms.aims]

    def worth(self, outlook: Outlook, scored: int) -> Callable[[Array], Array]:
        """The acquisition and the chance to keep the limits, of inputs (m, d) -> (m,); `scored` is the most rows that
        are scored for one suggestion."""
        if self.terms.several:
            exact = self._over_fantasies(outlook)
            return exact if scored <= EXACT else self._screened(outlook, exact)
        if outlook.incumbent.size and np.all(np.isfinite(outlook.incumbent)):
            acquisition = ACQUISITIONS[self.acquisition](outlook)
            chance = self.chance()
            return lambda X: acquisition(X) + chance(outlook.predicted(X))
        chance = self.chance()
        return lambda X: chance(outlook.predicted(X))

    def _over_fantasies(self, outlook: Outlook) -> Callable[[Array], Array]:
        looks = [outlook.in_fantasy(f) for f in range(outlook.fantasies)]
        worths = [self._of_front(outlook, look) for look in looks]

        def score(X: Array) -> Array:
            each = [worth(look(X)) for look, worth in zip(looks, worths, strict=True)]
            return np.asarray(logsumexp(each, axis=0) - np.log(len(each)))

        return score

    def _screened(self, outlook: Outlook, exact: Callable[[Array], Array]) -> Callable[[Array], Array]:
        """`exact` for the rows that are promising when each belief is one normal distribution, and there is one front;
        the others are ranked by that, behind all of these.  How promising a row must be is said by rows drawn."""
        quick = self._of_front(outlook, outlook.as_one)
        promise = quick(outlook.as_one(outlook.draw(DRAWN)))
        enough = np.sort(promise)[-EXAMINED:].min(initial=np.inf)

        def score(X: Array) -> Array:
            scores = quick(outlook.as_one(X))
            examined = scores >= enough
            scores[~examined] += UNEXAMINED
            if examined.any():
                scores[examined] = exact(X[examined])
            return scores

        return score

    def _of_front(self, outlook: Outlook, look: Look) -> Callable[[Mapping[str, Belief]], Array]:
        """The same by what each quantity is expected to be, over the front of the films as `look` sees them."""
        front = self.front(outlook, look)
        names = [aim.quantity for aim in self.terms.aims]
        if not len(front):
            return self.chance()
        y = np.array([self.models[name].outward(column) for name, column in zip(names, front.T, strict=True)]).T
        gain: Gain | TradeOff
        if self.acquisition == "scalarised":
            inwards = [self.models[name].inward for name in names]
            gain = TradeOff.of(y, outlook.weights, inwards, self.spans(y))
            chance = self.chance()
        else:
            reference = self._reference(y)
            t = np.array([self.models[name].inward(np.array([r]))[0] for name, r in zip(names, reference, strict=True)])
            open_above = boxes(thinned(front, t, MOST_BOXES), t)
            gain = Gain.of(open_above, [self.models[name].outward for name in names])
            chance = self.chance(reference)

        def worth(told: Mapping[str, Belief]) -> Array:
            return gain.log_expected([told[name] for name in names]) + chance(told)

        return worth

    def front(self, outlook: Outlook, look: Look) -> Array:
        """Posterior means of t of the films that keep the limits and that no other dominates, (k, M)."""
        told = look(outlook.films)
        kept = np.ones(len(outlook.films), dtype=bool)
        for name, quantity in self.quantities.items():
            middle = self.models[name].outward(told[name][0].mean(axis=1))
            kept &= (middle >= quantity.low) & (middle <= quantity.high)
        t = np.array([told[aim.quantity][0].mean(axis=1) for aim in self.terms.aims]).T[kept]
        return t[non_dominated(t)] if len(t) else t

    def _reference(self, front: Array) -> Array:
        """The reference point of signed y, (M,), above a front (k, M): as told, or a little below it; and not beyond a
        limit that is worse."""
        spans = self.spans(front)
        found = []
        for k, aim in enumerate(self.terms.aims):
            inferred = float(front[:, k].min()) - MARGIN * spans[k]
            told = inferred if aim.reference is None else aim.sign * aim.reference
            found.append(max(told, self.quantities[aim.quantity].low))
        return np.array(found)

    def spans(self, front: Array) -> Array:
        """How far the front (k, M) reaches in each signed y; where that is nothing, all that was observed; (M,)."""
        spans = np.ptp(front, axis=0)
        seen = [self.models[aim.quantity].extent for aim in self.terms.aims]
        return np.where(spans > 0, spans, np.where(np.array(seen) > 0, seen, 1.0))

    def chance(self, reference: Array | None = None) -> Callable[[Mapping[str, Belief]], Array]:
        """Logarithm (m,) of the probability that all limits are kept; without those that a `reference` of the
        hypervolume keeps already."""
        ends: dict[str, tuple[float, float]] = {}
        kept = {} if reference is None else dict(zip([aim.quantity for aim in self.terms.aims], reference, strict=True))
        for name, quantity in self.quantities.items():
            low = -np.inf if kept.get(name, -np.inf) >= quantity.low else quantity.low
            if low > -np.inf or quantity.high < np.inf:
                ends[name] = (self._inward(name, low), self._inward(name, quantity.high))

        def chance(told: Mapping[str, Belief]) -> Array:
            total = np.zeros(len(next(iter(told.values()))[0]))
            for name, (low, high) in ends.items():
                total = total + log_chance_within(*told[name], low, high)
            return total

        return chance

    def _inward(self, name: str, y: float) -> float:
        return y if np.isinf(y) else float(self.models[name].inward(np.array([y]))[0])

    def best_kept(self, outlook: Outlook) -> Array:
        """The largest posterior mean of the objective at a film that keeps the limits, of each column; empty if none
        does."""
        told = outlook.predicted(outlook.films)
        kept = self.chance()(told) > np.log(LIKELY) if len(outlook.films) else np.zeros(0, dtype=bool)
        means = told[self.terms.aims[0].quantity][0][kept]
        return np.asarray(means.max(axis=0)) if len(means) else np.empty(0)

    def to_gain(self, front: Array, improvement: float) -> Gain | None:
        """What is open above a front (k, M) of t; with one objective, above the best and `improvement` in its unit.
        None if there is no front."""
        names = self.names
        if not len(front):
            return None
        if len(names) == 1:
            front = self.models[names[0]].inward(self.models[names[0]].outward(front.max(axis=0)) + improvement)[None]
        lowest = front.min(axis=0) - FAR_BELOW
        return Gain.of(boxes(front, lowest), [_as_it_is] * len(names))

    def standings(self, X: Array, inputs: Array) -> Array:
        """How good each of the films with features `X` (m, d) is as the one that is named, by the weights and posterior
        means, (m,); minus infinity for what probably breaks a limit while another does not."""
        told = {name: model.posterior().predict(inputs) for name, model in self.models.items()}
        y = np.array([aim.sign * self.outcomes_of(aim.quantity, X)[0] for aim in self.terms.aims]).T
        chance = self.chance()(told)
        kept = chance > np.log(LIKELY)
        if not kept.any():
            return chance
        weights = np.array([aim.weight for aim in self.terms.aims])
        score = utilities(y, weights / weights.sum(), y[kept].max(axis=0), self.spans(y[kept]))
        return np.where(kept, score, -np.inf)

    def promise(self, inputs: Array) -> Array:
        """Which films at `inputs` (m, d) a search had best begin from, the largest first, (m,): those of the front that
        keep the limits, then those that are likeliest to."""
        told = {name: model.posterior().predict(inputs) for name, model in self.models.items()}
        t = np.array([told[name][0].mean(axis=1) for name in self.names]).T
        chance = self.chance()(told)
        return np.asarray(np.where(chance > np.log(LIKELY), 0.0, chance) + non_dominated(t))

    def outcomes_of(self, name: str, X: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of a quantity, in its unit, at features (m, d)."""
        mean, sigma = self.models[name].outcomes(self.models[name].posterior(), X)
        return self.quantities[name].sign * mean, sigma

    def expected(self, X: Array, inputs: Array) -> list[dict[str, dict[str, Any]]]:
        """Of each row of features `X` (m, d), which are `inputs` to the models: what is expected of every quantity."""
        told: list[dict[str, dict[str, Any]]] = [{} for _ in X]
        for name, quantity in self.quantities.items():
            mean, sigma = self.outcomes_of(name, X)
            for one, m, s in zip(told, mean.tolist(), sigma.tolist(), strict=True):
                one[name] = {"mean": m, "sigma": s, "unit": quantity.unit}
            if quantity.limited:
                low, high = self._inward(name, quantity.low), self._inward(name, quantity.high)
                chance = log_chance_within(*self.models[name].posterior().predict(inputs), low, high)
                for one, p in zip(told, np.exp(chance).tolist(), strict=True):
                    one[name]["probability"] = p
        return told


def _as_it_is(t: Array) -> Array:
    return t
