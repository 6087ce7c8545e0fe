"""The optimizer of several objectives, and of limits on what is measured.

Each quantity that films are judged by has a surrogate of its own, of the same kind as a single objective's, and is
taken to be independent of the others given the data.  How candidates are scored is in `judging`; everything else, such
as what is never suggested again, is as with one objective.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestrator.campaign.terms import Terms
from orchestrator.optimizer.diagnostics import Concern, Diagnosis, diagnose
from orchestrator.optimizer.domain import Domain, Floats, Ranked, Rows, Score, Taken
from orchestrator.optimizer.judging import Judge
from orchestrator.optimizer.mixture import Mixture
from orchestrator.optimizer.optimizer import INCUMBENTS, OF_ACQUISITION, Optimizer
from orchestrator.optimizer.outlook import Outlook, Quantity
from orchestrator.optimizer.prospects import Prospects
from orchestrator.optimizer.scoring import Weighing
from orchestrator.optimizer.settings import Settings
from orchestrator.optimizer.situation import Situation
from orchestrator.optimizer.suggestion import SIDES, Candidate, Forecast, Observation, Suggestion
from orchestrator.optimizer.surrogate import Surrogate

if TYPE_CHECKING:
    from orchestrator.campaign.cost import Cost

FANTASIES = 4  # of each quantity: every one has a front of its own, which costs


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
        first = terms.aims[0].quantity
        self._models = {
            name: self._model if name == first else Surrogate(self._representatives) for name in self._quantities
        }
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
        return outlook if self._terms.several else replace(outlook, best=self._judge.best_kept(outlook))

    @property
    def _judge(self) -> Judge:
        return Judge(self._models, self._quantities, self._terms, self._settings.acquisition)

    def _weights(self, rng: np.random.Generator) -> tuple[float, ...]:
        """Of the trade-off that is sought next."""
        told = np.array([aim.weight for aim in self._terms.aims])
        if self._settings.trade_off == "random":
            told = told * rng.dirichlet(np.ones(len(told)))
        return tuple(np.maximum(told / told.sum(), 1e-3).tolist())

    def _score(self, situation: Situation, weighing: Weighing) -> Score:
        assert isinstance(situation, Outlook)
        worth = self._judge.worth(situation, self._domain.scored)

        def score(X: Floats) -> Floats:
            inputs = self._model.inputs(X)
            return worth(inputs) + weighing.added(X, inputs, self._domain.described)

        return score

    # --- telling --------------------------------------------------------------------------------------

    def _incumbents(self, posterior: Mixture) -> Rows:
        """The rows of films of the front, or nearest to keeping the limits; as many as a search begins from."""
        if not self._films:
            return super()._incumbents(posterior)
        rows = np.array([row for row, _ in self._films])
        promise = self._judge.promise(self._model.inputs(self._stacked([film for _, film in self._films])))
        found: Rows = np.unique(rows[np.argsort(-promise, kind="stable")[:INCUMBENTS]], axis=0)
        return found

    def _best_of(self, rows: Rows, weighing: Weighing) -> Forecast:
        """The row that is the best trade-off by the weights, of those that probably keep the limits, by posterior
        means; if none does, the one that is likeliest to."""
        X = self._domain.features(rows)
        standings = self._judge.standings(X, self._model.inputs(X))
        best = int(np.argmax(standings))
        ranked = Ranked(rows[best : best + 1], standings[best : best + 1])
        return self._forecasts(self._model.posterior(), ranked, weighing)[0]

    def _forecasts(self, posterior: Mixture, ranked: Ranked, weighing: Weighing) -> list[Forecast]:
        found = super()._forecasts(posterior, ranked, weighing)
        X = self._domain.features(ranked.rows)
        outcomes = self._judge.expected(X, self._model.inputs(X)) if len(X) else []
        return [replace(one, outcomes=told) for one, told in zip(found, outcomes, strict=True)]

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
        judge, look = self._judge, outlook.in_fantasy(0)
        gain, chance = judge.to_gain(judge.front(outlook, look), improvement), judge.chance()

        def log_probability(X: Floats) -> Floats:
            told = look(self._model.inputs(X))
            improves = 0.0 if gain is None else gain.log_probability([told[name] for name in judge.names])
            return chance(told) + improves

        found = self._searching(self._taken, self._incumbents(posterior))(log_probability).scores
        return Prospects(None, float(np.exp(min(found[0], 0.0))) if len(found) else 0.0)

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
