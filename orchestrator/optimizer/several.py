"""The optimizer of several objectives, and of limits on what is measured.

Notation
--------
M       objectives, each larger the better once its sign is taken out
Q       quantities that films are judged by: those of the objectives first, then those that are only limited
q       fantasies of what is pending (one where nothing is)
t, y    a quantity as its processes see it, and in its unit with its sign
films   (k, d)  inputs of the films of which every quantity has a value or a bound, and of those pending

Each quantity has a surrogate of its own, of the same kind as a single objective's, and is taken to be independent of
the others given the data.  A candidate's score is the logarithm of

    (hypervolume improvement to expect) x (probability that every limit is kept),

or of the improvement of one trade-off in its place (`scalarised`), averaged over fantasies: each has its own front, of
the films whose posterior means keep all limits (Schonlau, Welch and Jones, 1998, and Gardner et al., ICML 2014, for
one objective).  With one objective and limits it is the campaign's acquisition over the best such film.  While no film
keeps the limits, only the probability counts.  A limit from the side of an objective that is worse is the reference
point of the hypervolume where it is nearer, and not counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logsumexp

from orchestrator.campaign.terms import MARGIN, Aim, Limit, Terms
from orchestrator.optimizer.diagnostics import Concern, Diagnosis, diagnose
from orchestrator.optimizer.domain import Domain, Floats, Ranked, Rows, Score, Taken
from orchestrator.optimizer.hypervolume import Gain, log_chance_within
from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.mixture import Mixture, moments
from orchestrator.optimizer.optimizer import INCUMBENTS, OF_ACQUISITION, REPRESENTATIVES, Optimizer
from orchestrator.optimizer.pareto import boxes, non_dominated, thinned
from orchestrator.optimizer.prospects import Prospects
from orchestrator.optimizer.scoring import Weighing
from orchestrator.optimizer.settings import Settings
from orchestrator.optimizer.situation import ACQUISITIONS, Situation
from orchestrator.optimizer.suggestion import SIDES, Candidate, Forecast, Observation, Suggestion
from orchestrator.optimizer.surrogate import Surrogate
from orchestrator.optimizer.tradeoff import TradeOff, utilities

if TYPE_CHECKING:
    from orchestrator.campaign.cost import Cost

FANTASIES = 4  # of each quantity: every one has a front of its own, which costs
EXACT = 4096  # rows: of a larger domain only promising ones are scored exactly: those at least as good as
EXAMINED = 64  # ...the last of so many
DRAWN = 1000  # ...of so many drawn
UNEXAMINED = -1e6  # is added to the scores of the others
MOST_BOXES = 1024  # above the front: beyond, points of it that add little are left out
FAR_BELOW = 10.0  # of t, whose values have a standard deviation of 1: no candidate is expected there
LIKELY = 0.5  # a film whose chance to keep the limits is larger counts as one that does

Belief = tuple[Array, Array]
Look = Callable[[Array], Mapping[str, Belief]]
"""Gives means and standard deviations of t of every quantity, (m, columns) each, at inputs (m, d)."""


@dataclass(frozen=True)
class Quantity:
    """What a model is of: `sign` is -1 where less is better; `worse` and `better` are its limits as signed values."""

    name: str
    unit: str
    sign: float
    low: float
    high: float

    @classmethod
    def of(cls, aim: Aim | None, limit: Limit | None) -> Quantity:
        """An objective, a limited quantity, or both."""
        told = aim or limit
        assert told is not None
        sign = aim.sign if aim else 1.0
        ends = sorted((sign * limit.low, sign * limit.high)) if limit else [-np.inf, np.inf]
        return cls(told.quantity, told.unit, sign, ends[0], ends[1])

    @property
    def limited(self) -> bool:
        return self.low > -np.inf or self.high < np.inf


@dataclass(frozen=True)
class Outlook(Situation):
    """`beliefs` of every quantity while something is pending, and the films that they know of."""

    beliefs: Mapping[str, Mixture] = None  # type: ignore[assignment]  # always given: `Situation` has defaults before it
    films: Array = None  # type: ignore[assignment]
    weights: tuple[float, ...] = ()
    best: Array | None = None

    @property
    def fantasies(self) -> int:
        return int(self.belief.parts[0].alpha.shape[1])

    def predicted(self, X: Array) -> dict[str, Belief]:
        """A `Look` at all columns."""
        return {name: belief.predict(X) for name, belief in self.beliefs.items()}

    def in_fantasy(self, f: int) -> Look:
        """At the columns of one fantasy: of every process one."""

        def look(X: Array) -> dict[str, Belief]:
            return {name: (_columns(mean, f, self), _columns(sigma, f, self)) for name, (mean, sigma) in
                    self.predicted(X).items()}  # fmt: skip

        return look

    def as_one(self, X: Array) -> dict[str, Belief]:
        """At one normal distribution in place of all columns."""
        told = {name: moments(mean, sigma) for name, (mean, sigma) in self.predicted(X).items()}
        return {name: (mean[:, None], sigma[:, None]) for name, (mean, sigma) in told.items()}

    @property
    def incumbent(self) -> Array:
        """With one objective: the largest posterior mean of a film that keeps the limits, (c,)."""
        assert self.best is not None
        return self.best


class Several(Optimizer):
    """Chooses rows of `domain` for several objectives, or for one beside limits."""

    def __init__(
        self,
        domain: Domain,
        settings: Settings,
        seed: int,
        terms: Terms,
        *,
        budget: int | None = None,
        cost: Cost | None = None,
    ) -> None:
        """`terms` are what films are judged by; the rest is as for one objective."""
        super().__init__(domain, settings, seed, terms.aims[0].direction, budget=budget, cost=cost)
        self._terms = terms
        aims = {aim.quantity: aim for aim in terms.aims}
        self._quantities = {name: Quantity.of(aims.get(name), terms.limit_of(name)) for name in terms.units}
        drawn = domain.features(domain.draw(np.random.default_rng(seed), REPRESENTATIVES, Taken(domain.width)))
        first = terms.aims[0].quantity
        self._models = {name: self._model if name == first else Surrogate(drawn) for name in self._quantities}
        self._of: dict[str, list[int]] = {name: [] for name in self._quantities}  # samples of the values of each
        self._films: list[tuple[Rows, Floats]] = []  # of which every quantity has a value or a bound

    def weigh(self, weights: Mapping[str, float]) -> None:
        """From now on the objectives that are named count so much against the others."""
        self._terms = self._terms.weighed(weights)

    # --- observing ------------------------------------------------------------------------------------

    def _learn(self, seen: Observation, made: Floats, row: Rows) -> None:
        told = self._told(seen)
        self._fates.append((made, seen.validity != "failed"))
        known = [name for name in self._quantities if told.get(name, {}).get("value") is not None]
        for name in known:
            self._learn_one(name, told[name], seen, made, row)
        if len(known) == len(self._quantities):
            self._films.append((row, made))
        elif seen.validity == "failed":
            self._unmeasured.append(made)

    def _told(self, seen: Observation) -> Mapping[str, Mapping[str, Any]]:
        """By quantity; an observation of one value alone is of the first objective."""
        if seen.outcomes or seen.value is None:
            return seen.outcomes
        told = {"validity": seen.validity, "value": seen.value, "sigma": seen.sigma, "bound": seen.bound}
        return {self._terms.aims[0].quantity: told}

    def _learn_one(self, name: str, told: Mapping[str, Any], seen: Observation, made: Floats, row: Rows) -> None:
        model, sign, first = self._models[name], self._quantities[name].sign, self._models[name] is self._model
        value, sigma = sign * float(told["value"]), float(told.get("sigma") or 0.0)
        if told.get("bound") is not None:
            model.add_bound(made, value, sigma, sign * SIDES[told["bound"]])
            if first:
                self._bounded.append(row)
            return
        model.add(made, value, sigma, self._uncertain(seen))
        self._of[name].append(seen.sample)
        if first:
            self._valid.append(row)
            self._samples.append(seen.sample)

    @property
    def _ready(self) -> bool:
        return all(model.ready for model in self._models.values())

    # --- choosing --------------------------------------------------------------------------------------

    def _situation(
        self, posterior: Mixture, pending: Sequence[Candidate], taken: Taken, number: int, rng: np.random.Generator
    ) -> Outlook:
        plain = super()._situation(posterior, [], taken, number, rng)
        points = self._model.inputs(self._stacked([*map(self._domain.vector, pending), *self._unmeasured]))
        beliefs = {
            name: model.given_pending(model.posterior(), points, FANTASIES, rng) for name, model in self._models.items()
        }
        made = self._model.inputs(self._stacked([film for _, film in self._films]))
        under_way = self._model.inputs(self._stacked([*map(self._domain.vector, pending)]))
        films = np.unique(np.concatenate([made, under_way]), axis=0)
        own = np.random.default_rng([self._seed, number, OF_ACQUISITION])
        outlook = Outlook(
            beliefs[self._terms.aims[0].quantity],
            plain.rng,
            plain.draw,
            plain.weight,
            beliefs,
            films,
            self._weights(own),
        )
        return outlook if self._terms.several else replace(outlook, best=self._best_kept(outlook))

    def _weights(self, rng: np.random.Generator) -> tuple[float, ...]:
        """Of the trade-off that is sought next."""
        told = np.array([aim.weight for aim in self._terms.aims])
        if getattr(self._settings, "trade_off", "weights") == "random":
            told = told * rng.dirichlet(np.ones(len(told)))
        return tuple(np.maximum(told / told.sum(), 1e-3).tolist())

    def _score(self, situation: Situation, weighing: Weighing) -> Score:
        assert isinstance(situation, Outlook)
        worth = self._worth(situation)

        def score(X: Floats) -> Floats:
            inputs = self._model.inputs(X)
            return worth(inputs) + weighing.added(X, inputs, self._domain.described)

        return score

    def _worth(self, outlook: Outlook) -> Callable[[Array], Array]:
        """The acquisition and the chance to keep the limits, of inputs (m, d) -> (m,)."""
        if self._terms.several:
            exact = self._over_fantasies(outlook)
            return exact if self._domain.scored <= EXACT else self._screened(outlook, exact)
        if outlook.incumbent.size and np.all(np.isfinite(outlook.incumbent)):
            acquisition = ACQUISITIONS[self._settings.acquisition](outlook)
            chance = self._chance(None)
            return lambda X: acquisition(X) + chance(outlook.predicted(X))
        chance = self._chance(None)
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
        front = self._front(outlook, look)
        names = [aim.quantity for aim in self._terms.aims]
        if not len(front):
            return self._chance(None)
        y = np.array([self._models[name].outward(column) for name, column in zip(names, front.T, strict=True)]).T
        gain: Gain | TradeOff
        if self._settings.acquisition == "scalarised":
            inwards = [self._models[name].inward for name in names]
            gain = TradeOff.of(y, outlook.weights, inwards, self._spans(y))
            chance = self._chance(None)
        else:
            reference = self._reference(y)
            t = np.array(
                [self._models[name].inward(np.array([r]))[0] for name, r in zip(names, reference, strict=True)]
            )
            open_above = boxes(thinned(front, t, MOST_BOXES), t)
            gain = Gain.of(open_above, [self._models[name].outward for name in names])
            chance = self._chance(reference)

        def worth(told: Mapping[str, Belief]) -> Array:
            return gain.log_expected([told[name] for name in names]) + chance(told)

        return worth

    def _front(self, outlook: Outlook, look: Look) -> Array:
        """Posterior means of t of the films that keep the limits and that no other dominates, (k, M)."""
        told = look(outlook.films)
        kept = np.ones(len(outlook.films), dtype=bool)
        for name, quantity in self._quantities.items():
            middle = self._models[name].outward(told[name][0].mean(axis=1))
            kept &= (middle >= quantity.low) & (middle <= quantity.high)
        t = np.array([told[aim.quantity][0].mean(axis=1) for aim in self._terms.aims]).T[kept]
        return t[non_dominated(t)] if len(t) else t

    def _reference(self, front: Array) -> Array:
        """The reference point of signed y, (M,), above a front (k, M): as told, or a little below it; and not beyond a
        limit that is worse."""
        spans = self._spans(front)
        found = []
        for k, aim in enumerate(self._terms.aims):
            inferred = float(front[:, k].min()) - MARGIN * spans[k]
            told = inferred if aim.reference is None else aim.sign * aim.reference
            found.append(max(told, self._quantities[aim.quantity].low))
        return np.array(found)

    def _spans(self, front: Array) -> Array:
        """How far the front (k, M) reaches in each signed y; where that is nothing, all that was observed; (M,)."""
        spans = np.ptp(front, axis=0)
        seen = [self._models[aim.quantity].extent for aim in self._terms.aims]
        return np.where(spans > 0, spans, np.where(np.array(seen) > 0, seen, 1.0))

    def _chance(self, reference: Array | None) -> Callable[[Mapping[str, Belief]], Array]:
        """Logarithm (m,) of the probability that all limits are kept; without those that a `reference` of the
        hypervolume keeps already."""
        ends: dict[str, tuple[float, float]] = {}
        kept = (
            {} if reference is None else dict(zip([aim.quantity for aim in self._terms.aims], reference, strict=True))
        )
        for name, quantity in self._quantities.items():
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
        return y if np.isinf(y) else float(self._models[name].inward(np.array([y]))[0])

    def _best_kept(self, outlook: Outlook) -> Array:
        """The largest posterior mean of the objective at a film that keeps the limits, of each column; empty if none
        does."""
        told = outlook.predicted(outlook.films)
        kept = self._chance(None)(told) > np.log(LIKELY) if len(outlook.films) else np.zeros(0, dtype=bool)
        means = told[self._terms.aims[0].quantity][0][kept]
        return np.asarray(means.max(axis=0)) if len(means) else np.empty(0)

    # --- telling --------------------------------------------------------------------------------------

    def _incumbents(self, posterior: Mixture) -> Rows:
        """The rows of films of the front, or nearest to keeping the limits; as many as a search begins from."""
        if not self._films:
            return super()._incumbents(posterior)
        rows = np.array([row for row, _ in self._films])
        X = self._model.inputs(self._stacked([film for _, film in self._films]))
        told = {name: model.posterior().predict(X) for name, model in self._models.items()}
        t = np.array([told[aim.quantity][0].mean(axis=1) for aim in self._terms.aims]).T
        chance = self._chance(None)(told)
        worth = np.where(chance > np.log(LIKELY), 0.0, chance) + non_dominated(t)
        order = np.argsort(-worth, kind="stable")[:INCUMBENTS]
        found: Rows = np.unique(rows[order], axis=0)
        return found

    def _best_of(self, rows: Rows, weighing: Weighing) -> Forecast:
        """The row that is the best trade-off by the weights, of those that probably keep the limits, by posterior
        means; if none does, the one that is likeliest to."""
        X = self._domain.features(rows)
        told = {name: model.posterior().predict(self._model.inputs(X)) for name, model in self._models.items()}
        y = np.array([aim.sign * self._outcomes_of(aim.quantity, X)[0] for aim in self._terms.aims]).T
        chance = self._chance(None)(told)
        kept = chance > np.log(LIKELY)
        if not kept.any():
            score = chance
        else:
            weights = np.array([aim.weight for aim in self._terms.aims])
            score = np.where(
                kept, utilities(y, weights / weights.sum(), y[kept].max(axis=0), self._spans(y[kept])), -np.inf
            )
        best = int(np.argmax(score))
        return self._forecasts(
            self._model.posterior(), Ranked(rows[best : best + 1], score[best : best + 1]), weighing
        )[0]

    def _outcomes_of(self, name: str, X: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of a quantity, in its unit, at features (m, d)."""
        mean, sigma = self._models[name].outcomes(self._models[name].posterior(), X)
        return self._quantities[name].sign * mean, sigma

    def _forecasts(self, posterior: Mixture, ranked: Ranked, weighing: Weighing) -> list[Forecast]:
        found = super()._forecasts(posterior, ranked, weighing)
        outcomes = self._expected(self._domain.features(ranked.rows)) if len(ranked.rows) else []
        return [replace(one, outcomes=told) for one, told in zip(found, outcomes, strict=True)]

    def _expected(self, X: Floats) -> list[dict[str, dict[str, Any]]]:
        """Of each row of features: what is expected of every quantity."""
        told: list[dict[str, dict[str, Any]]] = [{} for _ in X]
        for name, quantity in self._quantities.items():
            mean, sigma = self._outcomes_of(name, X)
            for one, m, s in zip(told, mean.tolist(), sigma.tolist(), strict=True):
                one[name] = {"mean": m, "sigma": s, "unit": quantity.unit}
            if quantity.limited:
                low, high = self._inward(name, quantity.low), self._inward(name, quantity.high)
                chance = log_chance_within(*self._models[name].posterior().predict(self._model.inputs(X)), low, high)
                for one, p in zip(told, np.exp(chance).tolist(), strict=True):
                    one[name]["probability"] = p
        return told

    def _explained(
        self,
        number: int,
        best: Forecast,
        runner_up: Forecast | None,
        *,
        replicate: bool = False,
        cut_short: bool = False,
    ) -> Suggestion:
        told = super()._explained(number, best, runner_up, replicate=replicate, cut_short=cut_short)
        return replace(told, outcomes=best.outcomes)

    def recommend(self) -> Forecast | None:
        """Of the films of which everything is known, the best trade-off by the weights that probably keeps the limits;
        None while there is no model."""
        if not self._ready or not self._films:
            return None
        return self._best_of(np.unique([row for row, _ in self._films], axis=0), Weighing())

    def prospects(self, improvement: float) -> Prospects | None:
        """How probably any candidate is one that no film is better than, within all limits, and with one objective by
        how much, as for that; there is no bound on what can be gained."""
        if not improvement >= 0:
            raise ValueError(f"an improvement is a number of at least 0, not {improvement!r}: give it in the unit")
        if not self._ready or not self._films:
            return None
        posterior = self._model.posterior()
        outlook = self._situation(posterior, [], self._taken, self.observed, np.random.default_rng(self._seed))
        look = outlook.in_fantasy(0)
        front = self._front(outlook, look)
        chance = self._chance(None)
        names = [aim.quantity for aim in self._terms.aims]
        gain = self._to_gain(front, names, improvement)

        def log_probability(X: Floats) -> Floats:
            told = look(self._model.inputs(X))
            return chance(told) + (0.0 if gain is None else gain.log_probability([told[name] for name in names]))

        found = self._searching(self._taken, self._incumbents(posterior))(log_probability).scores
        return Prospects(None, float(np.exp(min(found[0], 0.0))) if len(found) else 0.0)

    def _to_gain(self, front: Array, names: Sequence[str], improvement: float) -> Gain | None:
        if not len(front):
            return None
        if len(names) == 1:
            front = self._model.inward(self._model.outward(front.max(axis=0)) + improvement)[None]
        lowest = front.min(axis=0) - FAR_BELOW
        return Gain.of(boxes(front, lowest), [_as_it_is] * len(names))

    def diagnose(self) -> Diagnosis:
        """That of the first objective's model, with the concerns about the others."""
        found = super().diagnose()
        if not self._ready:
            return found
        first = self._terms.aims[0].quantity
        names = [feature.name for feature in self._domain.described]
        concerns: list[Concern] = []
        for name, model in self._models.items():
            told = found if name == first else diagnose(model.posterior(), self._of[name], names, model.longest)
            concerns += [replace(each, text=f"{name.replace('_', ' ')}: {each.text}") for each in told.concerns]
        return replace(found, concerns=tuple(concerns))


def _columns(values: Array, f: int, outlook: Outlook) -> Array:
    """Of all columns (m, K q) those of fantasy `f`, (m, K)."""
    found: Array = values[:, f :: outlook.fantasies]
    return found


def _as_it_is(t: Array) -> Array:
    return t
