"""Suggest and observe: the two verbs of the optimizer.

Suggestion number k is a function of the campaign (with its seed), the observations in their order, the
pending compositions and k; nothing else is remembered.  Replaying the observations restores the optimizer.

A failed observation never becomes a number.  Its composition is marked as made, so that it is not suggested again,
and is imagined like the pending ones when candidates are scored: the belief about the value stays as it was, but a
neighbour of a composition that could not be measured promises less to learn.  A censored one is what it is to the
model, a bound on the value (see `bounds`); what is bounded is made as well, and is never repeated for being good.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.composition import Space
from orchestrator.optimizer.acquisition import ACQUISITIONS
from orchestrator.optimizer.candidates import Ranked, Rows, Taken, candidates
from orchestrator.optimizer.gp import Posterior
from orchestrator.optimizer.start import generator, least_repeated, space_filling
from orchestrator.optimizer.suggestion import SIDES, Forecast, Observation, Suggestion
from orchestrator.optimizer.surrogate import Surrogate

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign

Floats = NDArray[np.float64]
Fractions = Mapping[str, float]

FANTASIES = 8  # joint outcomes imagined for the pending samples
INCUMBENTS = 8  # best compositions from which a large space is searched
REPRESENTATIVES = 500  # compositions that stand for the space when distances are scaled


def make_optimizer(campaign: Campaign) -> Optimizer:
    """The optimizer that `campaign` asks for.  Raises `ValueError` for several objectives, or an empty space."""
    return Optimizer(campaign)


class Optimizer:
    """One campaign's optimizer, for one objective."""

    def __init__(self, campaign: Campaign) -> None:
        if len(campaign.objectives) != 1:
            raise ValueError(
                f"campaign {campaign.name}: the optimizer takes one objective, not {len(campaign.objectives)}"
            )
        self._space = Space.of(campaign)
        self._settings = campaign.optimizer
        self._seed = campaign.seed
        self._sign = 1.0 if campaign.objectives[0].direction == "max" else -1.0
        self._source = candidates(self._space, self._settings.max_pool)
        self._model = Surrogate(self._representatives())
        self._taken = Taken(self._space)
        self._valid: list[Rows] = []  # the lattice points nearest to the values that the model was told
        self._bounded: list[Rows] = []  # and to the bounds
        self._unmeasured: list[Fractions] = []  # films whose measurement gave no number
        self.observed = 0

    def observe(self, observation: Observation | Mapping[str, Any]) -> None:
        """Learn what became of one sample.  Raises `ValueError` if one that is not failed has no finite value."""
        seen = observation if isinstance(observation, Observation) else Observation(**observation)
        if seen.asked is not None:
            self._taken.add(seen.asked)
        self._taken.add(seen.composition)
        self._learn(seen)
        self.observed += 1

    def _learn(self, seen: Observation) -> None:
        if seen.validity == "failed" or seen.value is None:
            self._unmeasured.append(seen.composition)
            return
        made, value, sigma = self._vectors([seen.composition])[0], self._sign * seen.value, seen.sigma or 0.0
        if seen.bound is None:
            self._model.add(made, value, sigma)
            self._valid.append(self._taken.rows[-1])
        else:
            self._model.add_bound(made, value, sigma, self._sign * SIDES[seen.bound])
            self._bounded.append(self._taken.rows[-1])

    def suggest(self, pending: Sequence[Fractions] = (), number: int | None = None) -> Suggestion:
        """The next composition to make, while `pending` (fractions) are being made or measured.

        `number` counts the campaign's suggestions; by default the observed and pending samples are counted.
        Never one already made or pending while any other is left.
        """
        begun = time.perf_counter()
        number = self.observed + len(pending) if number is None else number
        taken = self._taken.with_(pending)
        chosen = self._choose(pending, taken, number)
        return replace(chosen, seconds=time.perf_counter() - begun)

    def _choose(self, pending: Sequence[Fractions], taken: Taken, number: int) -> Suggestion:
        rng = generator(self._seed, number)
        if self._settings.method == "random":
            drawn = self._source.draw(rng, 1, taken)
            return self._plain(number, drawn[0], "random") if len(drawn) else self._replicate(pending, number)
        if not self._model.ready or self.observed + len(pending) < self._settings.initial_samples:
            row = space_filling(self._space, self._source, taken, rng)
            return self._replicate(pending, number) if row is None else self._plain(number, row, "space-filling")
        return self._by_model(pending, taken, number, rng)

    def _by_model(
        self, pending: Sequence[Fractions], taken: Taken, number: int, rng: np.random.Generator
    ) -> Suggestion:
        posterior = self._model.posterior()
        ranked = self._search(posterior, pending, taken, rng)
        if not len(ranked.rows):
            return self._replicate(pending, number)
        best, *others = [
            self._forecast(posterior, row, float(score)) for row, score in zip(ranked.rows, ranked.scores, strict=True)
        ]
        return self._explained(number, best, others[0] if others else None)

    def _search(
        self, posterior: Posterior, pending: Sequence[Fractions], taken: Taken, rng: np.random.Generator
    ) -> Ranked:
        points = self._model.inputs(self._vectors([*pending, *self._unmeasured]))
        imagined = self._model.given_pending(posterior, points, FANTASIES, rng)
        at_measured, _ = imagined.predict(imagined.X)
        incumbent = at_measured.max(axis=0)
        acquisition = ACQUISITIONS[self._settings.acquisition]

        def score(rows: Rows) -> Floats:
            mean, sigma = imagined.predict(self._model.inputs(self._space.fractions(rows)))
            return acquisition(mean, sigma, incumbent)

        measured, _ = posterior.predict(posterior.X)
        order = np.argsort(-measured[:, 0], kind="stable")[:INCUMBENTS]
        made = [*self._valid, *self._bounded]
        return self._source.best(score, taken, np.unique([made[i] for i in order], axis=0), rng)

    def _replicate(self, pending: Sequence[Fractions], number: int) -> Suggestion:
        """Nothing new is left: the best again, by posterior mean, of those not under way."""
        if not self._valid:
            row = least_repeated(self._taken.with_(pending))
            return self._plain(number, row, "space-filling", replicate=True)
        rows = np.unique(self._valid, axis=0)
        idle = Taken(self._space, pending).free(rows)
        rows = rows[idle] if idle.any() else rows
        if not self._model.ready:
            return self._plain(number, rows[0], "space-filling", replicate=True)
        posterior = self._model.posterior()
        mean, _ = posterior.predict(self._model.inputs(self._space.fractions(rows)))
        best = self._forecast(posterior, rows[int(np.argmax(mean[:, 0]))], float(mean.max()))
        return self._explained(number, best, None, replicate=True)

    def _explained(
        self, number: int, best: Forecast, runner_up: Forecast | None, *, replicate: bool = False
    ) -> Suggestion:
        return Suggestion(
            number=number,
            composition=best.composition,
            method="gp",
            mean=best.mean,
            sigma=best.sigma,
            acquisition=best.acquisition,
            runner_up=runner_up,
            hyperparameters=self._model.describe(self._space.elements),
            replicate=replicate,
        )

    def _plain(self, number: int, row: Rows, method: str, *, replicate: bool = False) -> Suggestion:
        return Suggestion(number, dict(self._space.composition(row)), method, replicate=replicate)

    def _forecast(self, posterior: Posterior, row: Rows, acquisition: float | None) -> Forecast:
        mean, sigma = self._model.outcome(posterior, self._space.fractions(row))
        return Forecast(dict(self._space.composition(row)), self._sign * mean, sigma, acquisition)

    def _vectors(self, compositions: Sequence[Fractions]) -> Floats:
        """Compositions as rows of fractions, (k, n)."""
        rows = [[composition.get(element, 0.0) for element in self._space.elements] for composition in compositions]
        return np.array(rows, dtype=float).reshape(len(rows), len(self._space.elements))

    def _representatives(self) -> Floats:
        rng = np.random.default_rng(self._seed)
        return self._space.fractions(self._source.draw(rng, REPRESENTATIVES, Taken(self._space)))
