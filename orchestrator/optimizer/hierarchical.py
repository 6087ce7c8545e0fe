"""The optimizer of a campaign that has calculators beside its films.

A film is chosen as ever, by a model that leans on the calculators as far as the evidence goes (see `hierarchy`).
Films begin where the calculator promises most; the second, far from the first, tells whether it is right; those that
follow before two are measured are spread where it promises much; and the rest of the space-filling films are left out
as long as the model leans on it.

A calculation is chosen by what it may change about the next film: the expected improvement by what is open in the
calculator's own prediction alone.  It is worth its price if that, over what it costs, is more than what the best film
promises over 1; else none is wanted until something new is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from orchestrator.campaign.cost import Cost
from orchestrator.optimizer.acquisition import log_expected_improvement
from orchestrator.optimizer.domain import Domain, Floats, Rows, Taken
from orchestrator.optimizer.hierarchy import Calculated, Joined
from orchestrator.optimizer.mixture import moments
from orchestrator.optimizer.optimizer import INCUMBENTS, REPRESENTATIVES, Optimizer, Told
from orchestrator.optimizer.settings import Settings
from orchestrator.optimizer.start import distances, generator, space_filling
from orchestrator.optimizer.suggestion import Candidate, Observation, Suggestion, Value

FIRST_CALCULATIONS = 4
"""Times the number of features and one more: so many are spread over the space before any is chosen by value."""
PROMISING = 0.1
"""Of the space: the part of it, by a calculator, in which films are made while none has been measured."""
CALCULATED = "calculated"
"""The method of a film that is where a calculator promises most."""
OF_CALCULATIONS = 2
"""Of the randomness of a suggestion, the part that is the calculations'."""
LEAST_COST = 1e-9


@dataclass(frozen=True)
class CalculationSuggestion:
    """What virtual station `station` is to calculate, and what it is thought to be worth: the logarithm of the expected
    improvement that it may tell of, in the model's units (None: spread over the space)."""

    station: str
    composition: Mapping[str, float]
    settings: Mapping[str, Value] = field(default_factory=dict)
    method: str = "space-filling"
    worth: float | None = None
    row: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


class HierarchicalOptimizer(Optimizer):
    """Chooses films, and calculations by virtual stations."""

    def __init__(
        self,
        domain: Domain,
        settings: Settings,
        seed: int,
        direction: Literal["max", "min"] = "max",
        *,
        budget: int | None = None,
        cost: Cost | None = None,
    ) -> None:
        super().__init__(domain, settings, seed, direction, budget=budget, cost=cost)
        self._joined = Joined(self._representatives)
        self._model = self._joined
        self._calculated: dict[str, Taken] = {}

    def observe(self, observation: Observation | Mapping[str, Any], *, counted: bool = True) -> None:
        """Learn what became of one sample, or what a virtual station calculated.  Raises `ValueError`."""
        seen = observation if isinstance(observation, Observation) else Observation(**observation)
        if not seen.station:
            super().observe(seen, counted=counted)
            return
        taken = self._calculated.setdefault(seen.station, Taken(self._domain.width))
        taken.add(self._domain.row(seen.made if seen.asked is None else Candidate.of(seen.asked)))
        if seen.validity == "valid" and seen.value is not None:
            made = self._domain.vector(seen.made)
            self._joined.add_calculated(seen.station, made, self._sign * seen.value, seen.sigma or 0.0)
        self.observed += counted

    def suggest_calculation(
        self, prices: Mapping[str, float], pending: Mapping[str, Sequence[Told]], number: int
    ) -> CalculationSuggestion | None:
        """What to calculate next, at one of the stations of `prices` (station -> cost, where a film costs 1), while
        `pending` (station -> candidates) are being calculated; None if nothing is worth its price until more is known.

        `number` counts the campaign's calculations.
        """
        rng = np.random.default_rng([self._seed, number, OF_CALCULATIONS])
        for station in sorted(prices, key=lambda name: (prices[name], name)):
            under_way = [self._domain.row(Candidate.of(told)) for told in pending.get(station, ())]
            taken = self._calculated.get(station, Taken(self._domain.width)).with_(under_way)
            if len(taken) < FIRST_CALCULATIONS * (len(self._domain.described) + 1):
                row = space_filling(self._domain, taken, rng)
                if row is not None:
                    return self._calculation(station, row, "space-filling", None)
            elif (found := self._worth_calculating(station, prices[station], taken, rng)) is not None:
                return found
        return None

    def _calculation(self, station: str, row: Rows, method: str, worth: float | None) -> CalculationSuggestion:
        chosen = self._domain.candidate(row)
        return CalculationSuggestion(station, chosen.composition, chosen.settings, method, worth, chosen.row)

    def _worth_calculating(
        self, station: str, price: float, taken: Taken, rng: np.random.Generator
    ) -> CalculationSuggestion | None:
        told = self._joined.calculated.get(station)
        if told is None or not told.ready:
            return None
        if not self._joined.ready:  # what it promises itself
            best = float(told.predict(told.model.posterior().X)[0].max())
            film = -math.inf

            def worth(X: Floats) -> Floats:
                z, sigma = told.predict(self._joined.inputs(X))
                return log_expected_improvement(z[:, None], sigma[:, None], np.array([best]))
        else:
            lean = self._joined.lean()
            if lean is None or lean[0] != station:
                return None
            posterior, scale = self._joined.posterior(), abs(lean[1])
            best = float(moments(*posterior.predict(posterior.X))[0].max())
            mean, sigma = moments(*posterior.predict(self._joined.inputs(self._spread_out(rng))))
            film = float(log_expected_improvement(mean[:, None], sigma[:, None], np.array([best])).max())

            def worth(X: Floats) -> Floats:
                inputs = self._joined.inputs(X)
                mean, _ = moments(*posterior.predict(inputs))
                open_ = scale * told.predict(inputs)[1]
                return log_expected_improvement(mean[:, None], open_[:, None], np.array([best]))

        ranked = self._domain.best(worth, taken, taken.rows[-INCUMBENTS:], rng)
        if not len(ranked.rows):
            return None
        value = float(ranked.scores[0])
        if value - math.log(max(price, LEAST_COST)) < film:
            return None
        return self._calculation(station, ranked.rows[0], "value", value)

    def _spread_out(self, rng: np.random.Generator) -> Floats:
        """Features of candidates for films, drawn over the domain."""
        return self._domain.features(self._domain.draw(rng, REPRESENTATIVES, self._taken))

    def _choose(
        self,
        pending: Sequence[Candidate],
        rows: Sequence[Rows],
        vetoed: Sequence[Rows],
        withheld: Sequence[Candidate],
        number: int,
    ) -> Suggestion:
        promising = [told for told in self._joined.calculated.values() if told.ready]
        begun = self._known + len(pending)
        if self._settings.method != "gp" or not promising or begun >= self._settings.initial_samples:
            return super()._choose(pending, rows, vetoed, withheld, number)
        if not begun:
            taken, told = self._gone(rows, vetoed, withheld), promising[0]
            rng = generator(self._seed, number)
            begin = self._domain.draw(rng, INCUMBENTS, taken)
            ranked = self._domain.best(lambda X: told.predict(self._joined.inputs(X))[0], taken, begin, rng)
            if len(ranked.rows):
                return self._plain(number, ranked.rows[0], CALCULATED)
        if begun > 1 and not self._joined.ready:  # nothing is known of it yet
            taken = self._gone(rows, vetoed, withheld)
            row = self._promising(promising[0], taken, generator(self._seed, number))
            if row is not None:
                return self._plain(number, row, CALCULATED)
        if self._joined.ready and self._joined.leaning:
            return self._by_model(pending, rows, vetoed, withheld, number)
        return super()._choose(pending, rows, vetoed, withheld, number)

    def _promising(self, told: Calculated, taken: Taken, rng: np.random.Generator) -> Rows | None:
        """Of the part of the space that promises most, the row farthest from what is taken."""
        drawn = self._domain.draw(rng, REPRESENTATIVES, taken)
        if not len(drawn):
            return None
        X = self._joined.inputs(self._domain.features(drawn))
        made = self._joined.inputs(self._domain.features(taken.rows))
        z, _ = told.predict(X)
        far = np.where(z >= np.quantile(z, 1.0 - PROMISING), distances(X, made).min(axis=1), -1.0)
        row: Rows = drawn[int(np.argmax(far))]
        return row

    def _plain(self, number: int, row: Rows, method: str, *, replicate: bool = False) -> Suggestion:
        """It tells by how many calculations it was chosen, so that it can be chosen again."""
        chosen = super()._plain(number, row, method, replicate=replicate)
        counts = {station: len(told.model) for station, told in self._joined.calculated.items()}
        return replace(chosen, hyperparameters={"hierarchy": {"calculations": counts}}) if counts else chosen

    def _described(self) -> dict[str, Any]:
        told = super()._described()
        if self._joined.calculated:
            told["hierarchy"] = self._joined.described_trust()
        return told
