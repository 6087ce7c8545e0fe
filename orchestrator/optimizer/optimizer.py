"""Suggest and observe: the two verbs of the optimizer.

Suggestion number k is a function of the domain, the settings, the seed, the observations in their order, the
pending candidates and k; nothing else is remembered.  Replaying the observations restores the optimizer.  (One
exception tells of itself: a search that was cut short by its deadline.)

A failed observation never becomes a number.  What was made is marked as made, so that it is not suggested again,
and is imagined like the pending ones when candidates are scored: the belief about the value stays as it was, but a
neighbour of a candidate that could not be measured promises less to learn.  A censored one is what it is to the
model, a bound on the value (see `bounds`); what is bounded is made as well, and is never repeated for being good.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from orchestrator.optimizer import exploration, growing, prospects, replicates, scoring
from orchestrator.optimizer.diagnostics import Diagnosis, diagnose
from orchestrator.optimizer.domain import Domain, Floats, Ranked, Rows, Score, Taken
from orchestrator.optimizer.feasibility import Feasibility
from orchestrator.optimizer.improvement import Improvement
from orchestrator.optimizer.kernels import typical_distance
from orchestrator.optimizer.mixture import Mixture, moments
from orchestrator.optimizer.prospects import Prospects, Search
from orchestrator.optimizer.scoring import Weighing
from orchestrator.optimizer.settings import Settings
from orchestrator.optimizer.situation import ACQUISITIONS, Situation
from orchestrator.optimizer.start import generator, least_repeated, space_filling
from orchestrator.optimizer.suggestion import SIDES, Candidate, Chart, Forecast, Observation, Suggestion
from orchestrator.optimizer.surrogate import Surrogate

if TYPE_CHECKING:
    from orchestrator.campaign.cost import Cost

FANTASIES = 8  # joint outcomes imagined for the pending samples
INCUMBENTS = 8  # best rows from which a large space is searched
REPRESENTATIVES = 500  # rows that stand for the domain when distances are scaled
OF_ACQUISITION = 1  # of the randomness of a suggestion, the part that is its acquisition's

Told = Candidate | Mapping[str, Any]


@dataclass(frozen=True)
class RandomFilms:
    """Films of random candidates in w worlds, each in an order of its own: functions drawn from the posterior.

    `true` (w, m) are the values of the objective, `shown` (w, m) what measuring them would show, and `best` (w,) is the
    best true value, in the same world, of the candidates nearest to what was observed; all in the objective's unit.
    """

    true: Floats
    shown: Floats
    best: Floats


class Optimizer:
    """Chooses rows of `domain` for one objective."""

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
        """`seed` is not negative; `direction` says whether more is better or less is; `budget` is how many suggestions
        there will be, if that is known, and `cost` what a film costs, if they do not all cost the same."""
        self._domain = domain
        self._settings = settings
        self._seed = seed
        self._budget, self._cost = budget, cost
        self._sign = 1.0 if direction == "max" else -1.0
        nothing = Taken(domain.width)
        drawn = domain.draw(np.random.default_rng(seed), REPRESENTATIVES, nothing)
        self._representatives = domain.features(drawn)
        self._model = Surrogate(self._representatives)
        self._typical = typical_distance(self._model.inputs(self._representatives), "matern52")
        self._taken = nothing
        self._valid: list[Rows] = []  # the rows nearest to the values that the model was told
        self._samples: list[int] = []  # whose values they are
        self._bounded: list[Rows] = []  # and to the bounds
        self._unmeasured: list[Floats] = []  # features of films whose measurement gave no number
        self._wanted: list[tuple[Floats, float]] = []  # for growing: features of what was asked for, and its value
        self._fates: list[tuple[Floats, bool]] = []  # features of all films, and whether they were measured
        self._history: dict[int, dict[str, Any]] = {}  # fits that were met, for `diagnose` alone
        self._known = 0  # observations, counted or not
        self.observed = 0

    def observe(self, observation: Observation | Mapping[str, Any], *, counted: bool = True) -> None:
        """Learn what became of one sample; `counted` in `observed` unless it was made before the campaign.

        Raises `ValueError` if one that is not failed has no finite value, or if it is not told what was made.
        """
        seen = observation if isinstance(observation, Observation) else Observation(**observation)
        made, row = self._domain.vector(seen.made), self._domain.row(seen.made)
        if seen.asked is not None:
            self._taken.add(self._domain.row(Candidate.of(seen.asked)))
        self._taken.add(row)
        if self._settings.method == "growing":
            wanted = made if seen.asked is None else self._domain.vector(Candidate.of(seen.asked))
            self._wanted.append((wanted, self._value(seen)))
        self._learn(seen, made, row)
        self._known += 1
        self.observed += counted

    def _value(self, seen: Observation) -> float:
        """Larger is better; nan if it has none, or a bound."""
        if seen.validity == "failed" or seen.value is None or seen.bound is not None:
            return np.nan
        return self._sign * seen.value

    def _learn(self, seen: Observation, made: Floats, row: Rows) -> None:
        failed = seen.validity == "failed" or seen.value is None
        self._fates.append((made, not failed))
        if failed or seen.value is None:
            self._unmeasured.append(made)
            return
        value, sigma = self._sign * seen.value, seen.sigma or 0.0
        if seen.bound is None:
            self._model.add(made, value, sigma, self._uncertain(seen))
            self._valid.append(row)
            self._samples.append(seen.sample)
        else:
            self._model.add_bound(made, value, sigma, self._sign * SIDES[seen.bound])
            self._bounded.append(row)

    def _uncertain(self, seen: Observation) -> Floats | None:
        """Variances (d,) of the features of what was made, if any is known."""
        told = seen.composition_sigma or {}
        if not any(told.values()):
            return None
        fractions = (feature.name if feature.kind == "fraction" else "" for feature in self._domain.described)
        return np.array([told.get(name, 0.0) for name in fractions]) ** 2

    def suggest(
        self,
        pending: Sequence[Told] = (),
        number: int | None = None,
        vetoed: Sequence[Told] = (),
        withheld: Sequence[Told] = (),
    ) -> Suggestion:
        """The next candidate to make, while `pending` are being made or measured; none of the `vetoed`.

        `number` counts the campaign's suggestions; by default the observed and pending samples are counted.
        `withheld` are candidates of which no film could be made, and which are not to be tried again.
        Never one already made, pending or withheld while any other is left, nor a vetoed one.
        """
        begun = time.perf_counter()
        number = self.observed + len(pending) if number is None else number
        under_way, lost = ([Candidate.of(told) for told in those] for those in (pending, withheld))
        rows, unwanted = [self._domain.row(one) for one in under_way], [self._row(one) for one in vetoed]
        chosen = self._choose(under_way, rows, unwanted, lost, number)
        return replace(chosen, seconds=time.perf_counter() - begun)

    def recommend(self) -> Forecast | None:
        """Of the candidates with a value, the one of the largest posterior mean; None while there is no model.  With
        noisy values that is a safer answer to which is the best than the largest value."""
        if not self._ready:
            return None
        return self._best_of(np.unique(self._valid, axis=0), Weighing())

    def diagnose(self) -> Diagnosis:
        """How far the model can be trusted; of fewer than two values it says no more than their number."""
        if not self._ready:
            return Diagnosis(len(self._samples))
        posterior, names = self._model.posterior(), [feature.name for feature in self._domain.described]
        found = diagnose(posterior, self._samples, names, self._model.longest)
        return replace(found, hyperparameters=self._described(), history=dict(self._history))

    def prospects(self, improvement: float) -> Prospects | None:
        """What could still be gained, and how probably at least `improvement`, in the objective's unit, by what the
        observations alone say; None while there is no model.  Raises `ValueError` for a negative improvement."""
        if not improvement >= 0:
            raise ValueError(f"an improvement is a number of at least 0, not {improvement!r}: give it in the unit")
        if not self._ready:
            return None
        posterior, nothing = self._model.posterior(), Taken(self._domain.width)
        by_probability = self._searching(self._taken, self._incumbents(posterior))
        by_bound = self._searching(nothing, self._incumbents(posterior))
        return Prospects(
            prospects.regret(self._model, posterior, by_bound),
            prospects.improvement_probability(self._model, posterior, by_probability, improvement),
        )

    def chart(self, candidates: Sequence[Told], pending: Sequence[Told], number: int) -> Chart | None:
        """What the model expects of `candidates`, and what measuring each would be worth as suggestion `number` while
        `pending` are under way; None while there is no model.  They need not be rows of the domain."""
        if not self._ready or not candidates:
            return None
        posterior = self._model.posterior()
        X = self._stacked([self._domain.vector(Candidate.of(told)) for told in candidates])
        under_way, rng = [Candidate.of(told) for told in pending], generator(self._seed, number)
        taken = self._taken.with_([self._domain.row(one) for one in under_way])
        situation = self._situation(posterior, under_way, taken, number, rng)
        score = self._score(situation, self._weighing((), number))
        mean, sigma = self._model.outcomes(posterior, X)
        return Chart(self.observed, (self._sign * mean).tolist(), sigma.tolist(), score(X).tolist())

    def forecast(self, candidates: Sequence[Told]) -> tuple[Floats, Floats] | None:
        """What the observations alone say of `candidates`: means and standard deviations of the objective in its
        unit, both (m,); None while there is no model.  Raises `ValueError` for a candidate that does not say enough."""
        if not self._ready:
            return None
        X = self._stacked([self._domain.vector(Candidate.of(told)) for told in candidates])
        mean, sigma = self._model.outcomes(self._model.posterior(), X)
        return self._sign * mean, sigma

    def random_films(self, films: int, worlds: int, seed: int) -> RandomFilms | None:
        """What films of candidates drawn at random would be beside those made, in `worlds` that agree with all that was
        observed; None while there is no model.  See `RandomFilms`; m is `films`, or as many candidates as there are."""
        if not self._ready:
            return None
        rng, posterior = np.random.default_rng(seed), self._model.posterior()
        X = self._domain.features(self._domain.draw(rng, films, Taken(self._domain.width)))
        k = len(self._valid)
        made = np.array([self._domain.features(np.array([row]))[0] for row in self._valid])
        true, shown = self._model.worlds(posterior, np.concatenate([made, X]), worlds, rng)
        order = rng.permuted(np.tile(np.arange(len(X)), (len(true), 1)), axis=1)
        best = true[:, :k].max(axis=1)
        true, shown = (np.take_along_axis(values[:, k:], order, axis=1) for values in (true, shown))
        return RandomFilms(self._sign * true, self._sign * shown, self._sign * best)

    def drawn(self, count: int, seed: int) -> list[Candidate]:
        """At most `count` different candidates, drawn at random."""
        rows = self._domain.draw(np.random.default_rng(seed), count, Taken(self._domain.width))
        return [self._domain.candidate(row) for row in rows]

    @property
    def _ready(self) -> bool:
        """Whether there is a model."""
        return self._model.ready

    def _searching(self, taken: Taken, incumbents: Rows) -> Search:
        rng = generator(self._seed, self.observed)
        return lambda score: self._domain.best(score, taken, incumbents, rng)

    def _row(self, told: Told) -> Rows:
        return self._domain.row(Candidate.of(told))

    def _gone(self, rows: Sequence[Rows], vetoed: Sequence[Rows], withheld: Sequence[Candidate]) -> Taken:
        """What is not to be suggested: made, under way (`rows`), vetoed or withheld."""
        return self._taken.with_([*rows, *vetoed, *map(self._domain.row, withheld)])

    def _choose(
        self,
        pending: Sequence[Candidate],
        rows: Sequence[Rows],
        vetoed: Sequence[Rows],
        withheld: Sequence[Candidate],
        number: int,
    ) -> Suggestion:
        rng, taken = generator(self._seed, number), self._gone(rows, vetoed, withheld)
        if self._settings.method == "random":
            drawn = self._domain.draw(rng, 1, taken)
            return self._plain(number, drawn[0], "random") if len(drawn) else self._replicate(rows, vetoed, number)
        if self._settings.method == "growing":
            grown = growing.next_row(self._domain, self._settings.growing, self._wanted, pending, taken)
            if grown is not None:
                return self._plain(number, grown, "growing")
        if not self._ready or self._known + len(pending) < self._settings.initial_samples:
            row = space_filling(self._domain, taken, rng)
            return self._replicate(rows, vetoed, number) if row is None else self._plain(number, row, "space-filling")
        return self._by_model(pending, rows, vetoed, withheld, number)

    def _by_model(
        self,
        pending: Sequence[Candidate],
        rows: Sequence[Rows],
        vetoed: Sequence[Rows],
        withheld: Sequence[Candidate],
        number: int,
    ) -> Suggestion:
        """By the acquisition, whose model is ready."""
        rng, taken = generator(self._seed, number), self._gone(rows, vetoed, withheld)
        posterior, weighing = self._model.posterior(), self._weighing(withheld, number)
        situation = self._situation(posterior, pending, taken, number, rng)
        ranked = self._search(posterior, situation, weighing, taken, rng)
        if not len(ranked.rows):
            return self._replicate(rows, vetoed, number)
        best, *others = self._forecasts(posterior, ranked, weighing)
        if self._settings.replicate == "by_value":
            again = self._worth_repeating(situation.belief, ranked.rows[:1], [*rows, *vetoed], weighing)
            if len(again.rows):
                repeated = self._forecasts(posterior, again, weighing)[0]
                return self._explained(number, repeated, best, replicate=True, cut_short=ranked.cut_short)
        return self._explained(number, best, others[0] if others else None, cut_short=ranked.cut_short)

    def _situation(
        self, posterior: Mixture, pending: Sequence[Candidate], taken: Taken, number: int, rng: np.random.Generator
    ) -> Situation:
        """What the acquisition goes by, while `pending` are under way."""
        points = self._model.inputs(self._stacked([*map(self._domain.vector, pending), *self._unmeasured]))
        imagined = self._model.given_pending(posterior, points, FANTASIES, rng)
        own = np.random.default_rng([self._seed, number, OF_ACQUISITION])
        told = self._settings
        weight = exploration.weight(
            told.exploration, told.exploration_weight, number, self._budget, self._domain.scored
        )

        def draw(count: int) -> Floats:
            return self._model.inputs(self._domain.features(self._domain.draw(own, count, taken)))

        return Situation(imagined, own, draw, weight)

    def _weighing(self, withheld: Sequence[Candidate], number: int) -> Weighing:
        fates = [*self._fates, *((self._domain.vector(one), False) for one in withheld)]
        feasibility = None
        if self._settings.feasibility == "learned" and not all(well for _, well in fates):
            X, well = self._stacked([features for features, _ in fates]), np.array([float(well) for _, well in fates])
            feasibility = Feasibility.of(self._model.inputs(X), well, self._typical)
        return Weighing(feasibility, self._cost, scoring.cooling(number, self._budget))

    def _search(
        self, posterior: Mixture, situation: Situation, weighing: Weighing, taken: Taken, rng: np.random.Generator
    ) -> Ranked:
        return self._domain.best(self._score(situation, weighing), taken, self._incumbents(posterior), rng)

    def _score(self, situation: Situation, weighing: Weighing) -> Score:
        """The acquisition, and what is added to it."""
        if self._settings.acquisition == "log_ei" and weighing.nothing:
            return Improvement(situation.belief, situation.incumbent, self._model.inputs)
        acquisition = ACQUISITIONS[self._settings.acquisition](situation)

        def score(X: Floats) -> Floats:
            inputs = self._model.inputs(X)
            return acquisition(inputs) + weighing.added(X, inputs, self._domain.described)

        return score

    def _worth_repeating(self, belief: Mixture, new: Rows, out: Sequence[Rows], weighing: Weighing) -> Ranked:
        """The measured row, none of `out`, that is worth more to measure once more than `new` (1, c) is to measure; or
        none."""
        rows = np.unique(self._valid, axis=0)
        rows = rows[Taken(self._domain.width, out).free(rows)]
        if len(rows):
            rows = rows[replicates.leading(belief, self._model.inputs(self._domain.features(rows)))]
            X = self._domain.features(np.concatenate([rows, new]))
            inputs = self._model.inputs(X)
            gains = replicates.gains(belief, inputs[:-1], inputs[-1:])
            gains = gains + weighing.added(X, inputs, self._domain.described)
            best = int(np.argmax(gains[:-1]))
            if gains[best] > gains[-1]:
                return Ranked(rows[best : best + 1], gains[best : best + 1])
        return Ranked(rows[:0], np.empty(0))

    def _incumbents(self, posterior: Mixture) -> Rows:
        """The rows nearest to the best of what was measured, by posterior mean."""
        measured = posterior.at_observed().mean(axis=1)
        order = np.argsort(-measured, kind="stable")[:INCUMBENTS]
        made = [*self._valid, *self._bounded]
        rows: Rows = np.unique([made[i] for i in order], axis=0)
        return rows

    def _replicate(self, pending: Sequence[Rows], vetoed: Sequence[Rows], number: int) -> Suggestion:
        """Nothing new is left: the best again, by posterior mean, of those not under way; what is `vetoed` only if
        there is nothing else at all."""
        unwanted = Taken(self._domain.width, vetoed)
        if not self._valid:
            row = least_repeated(self._taken.with_([*pending, *vetoed]), unwanted)
            return self._plain(number, row, "space-filling", replicate=True)
        rows = np.unique(self._valid, axis=0)
        rows = wanted if len(wanted := rows[unwanted.free(rows)]) else rows
        idle = Taken(self._domain.width, pending).free(rows)
        rows = rows[idle] if idle.any() else rows
        if not self._ready:
            return self._plain(number, rows[0], "space-filling", replicate=True)
        return self._explained(number, self._best_of(rows, self._weighing((), number)), None, replicate=True)

    def _best_of(self, rows: Rows, weighing: Weighing) -> Forecast:
        """The row of the largest posterior mean."""
        posterior = self._model.posterior()
        mean, _ = moments(*posterior.predict(self._model.inputs(self._domain.features(rows))))
        best = int(np.argmax(mean))
        return self._forecasts(posterior, Ranked(rows[best : best + 1], mean[best : best + 1]), weighing)[0]

    def _explained(
        self,
        number: int,
        best: Forecast,
        runner_up: Forecast | None,
        *,
        replicate: bool = False,
        cut_short: bool = False,
    ) -> Suggestion:
        return Suggestion(
            number=number,
            composition=best.composition,
            settings=best.settings,
            row=best.row,
            method="gp",
            mean=best.mean,
            sigma=best.sigma,
            acquisition=best.acquisition,
            runner_up=runner_up,
            hyperparameters=self._described(),
            replicate=replicate,
            cut_short=cut_short,
            cost=best.cost,
            feasibility=best.feasibility,
        )

    def _plain(self, number: int, row: Rows, method: str, *, replicate: bool = False) -> Suggestion:
        chosen = self._domain.candidate(row)
        return Suggestion(
            number, chosen.composition, method, replicate=replicate, settings=chosen.settings, row=chosen.row,
            cost=self._price(chosen),
        )  # fmt: skip

    def _price(self, one: Candidate) -> float | None:
        return None if self._cost is None else self._cost.of(one.composition, one.settings)

    def _forecasts(self, posterior: Mixture, ranked: Ranked, weighing: Weighing) -> list[Forecast]:
        found = []
        for row, X, score in zip(ranked.rows, self._domain.features(ranked.rows), ranked.scores, strict=True):
            mean, sigma = self._model.outcome(posterior, X)
            chance = (
                None if weighing.feasibility is None else float(weighing.feasibility(self._model.inputs(X[None]))[0])
            )
            one = self._domain.candidate(row)
            found.append(
                Forecast(
                    one.composition,
                    self._sign * mean,
                    sigma,
                    float(score),
                    one.settings,
                    one.row,
                    self._price(one),
                    chance,
                )
            )
        return found

    def _described(self) -> dict[str, Any]:
        """The fit: lengthscales of fractions in at.%, of all else in the unit of the feature."""
        features = self._domain.described
        told = self._model.describe([feature.name for feature in features])
        for process in told["processes"]:
            lengths = process["lengthscales"]
            for feature in features:
                lengths[feature.name] *= 100.0 if feature.kind == "fraction" else 1.0
        self._history[told["fitted_to"]] = told
        return told

    def _stacked(self, vectors: Sequence[Floats]) -> Floats:
        return np.array(vectors, dtype=float).reshape(len(vectors), len(self._domain.described))
