"""Films beside calculations: how far the model leans on a calculator, and what it has calculated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer import gp
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.hierarchical import CALCULATED, FIRST_CALCULATIONS, HierarchicalOptimizer
from orchestrator.optimizer.hierarchy import Joined
from orchestrator.optimizer.mixture import moments
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.suggestion import Candidate, Observation

GRID = np.array([[a, b] for a in np.linspace(0, 1, 16) for b in np.linspace(0, 1, 16)])
FEATURES = [Feature("a"), Feature("b")]


def theory(X):
    return np.exp(-8 * ((X[:, 0] - 0.7) ** 2 + (X[:, 1] - 0.3) ** 2))


def truth(X):
    return 5 + 3 * theory(X) + 0.3 * X[:, 0]


def model(films, calculations, told=theory):
    joined = Joined(GRID)
    for row in calculations:
        joined.add_calculated("theory", row, float(told(row[None])[0]), 0.0)
    for row in films:
        joined.add(row, float(truth(row[None])[0]), 0.0)
    return joined


RNG = np.random.default_rng(3)
FILMS, CALCULATIONS = RNG.random((6, 2)), RNG.random((40, 2))


def error(joined):
    mean, _ = moments(*joined.posterior().predict(joined.inputs(GRID)))
    return float(np.sqrt(np.mean((joined.outward(mean) - truth(GRID)) ** 2)))


def test_a_calculator_that_is_right_but_for_scale_and_offset_is_leaned_on_and_helps():
    with_it, without = model(FILMS, CALCULATIONS), model(FILMS, [])
    assert with_it.leaning
    assert error(with_it) < 0.5 * error(without)


def unrelated(X):
    return np.sin(40 * X[:, 0] + 17 * X[:, 1])


def test_one_that_films_contradict_is_dropped_and_costs_nothing():
    films = np.random.default_rng(14).random((14, 2))
    with_it, without = model(films, CALCULATIONS, unrelated), model(films, [])
    assert not with_it.leaning
    assert with_it.lean() is None
    assert error(with_it) < 1.05 * error(without)


def test_a_smooth_one_that_says_something_else_costs_little():
    films = np.random.default_rng(30).random((30, 2))
    with_it = model(films, CALCULATIONS, lambda X: np.sin(5 * X[:, 1] + 1) - X[:, 0] ** 3)
    assert error(with_it) < 1.2 * error(model(films, []))


def test_one_that_says_the_opposite_is_leaned_on_with_a_negative_scale():
    films = np.random.default_rng(5).random((14, 2))
    joined = model(films, CALCULATIONS, lambda X: -theory(X))
    assert joined.lean()[1] < 0
    assert error(joined) < error(model(films, []))


def test_without_calculations_it_is_the_surrogate_that_it_would_be():
    from orchestrator.optimizer.surrogate import Surrogate

    plain = Surrogate(GRID)
    for row in FILMS:
        plain.add(row, float(truth(row[None])[0]), 0.0)
    joined = model(FILMS, [])
    for one, other in zip(plain.posterior().parts, joined.posterior().parts, strict=True):
        assert one.hyper == other.hyper
        assert np.array_equal(one.alpha, other.alpha)


def test_a_bound_is_learned_beside_the_trend():
    joined = model(FILMS, CALCULATIONS)
    at = np.array([0.7, 0.3])
    before, _ = joined.outcome(joined.posterior(), at)
    joined.add_bound(at, before + 1.0, 0.0, 1.0)
    after, _ = joined.outcome(joined.posterior(), at)
    assert after > before


def test_a_better_calculator_is_preferred_to_a_worse():
    joined = model(FILMS, CALCULATIONS)
    for row in CALCULATIONS:
        joined.add_calculated("worse", row, float(theory(row[None])[0] + 0.5 * np.sin(30 * row[1])), 0.0)
    assert joined.lean()[0] == "theory"


# --- a posterior with a trend ---------------------------------------------------------------------------


def trend(X):
    return 2.0 * X[:, 0] - X[:, 1]


def posterior(n, with_trend=True):
    rng = np.random.default_rng(n)
    X = rng.random((n, 2))
    y = trend(X) + 0.1 * rng.standard_normal(n)
    hyper = gp.Hyperparameters((0.5, 0.5), 0.1, 1e-4)
    return gp.condition(X, y, np.zeros(n), hyper, trend=trend if with_trend else None)


@settings(max_examples=15, deadline=None)
@given(st.integers(3, 20))
def test_a_trend_is_the_same_as_taking_it_off_the_targets(n):
    told = posterior(n)
    bare = gp.condition(told.X, told.y[:, 0] - trend(told.X), told.v, told.hyper)
    points = np.random.default_rng(0).random((30, 2))
    mean, sigma = told.predict(points)
    bare_mean, bare_sigma = bare.predict(points)
    assert mean[:, 0] == pytest.approx(bare_mean[:, 0] + trend(points), abs=1e-9)
    assert sigma == pytest.approx(bare_sigma, abs=1e-12)
    assert told.joint(points)[0] == pytest.approx(mean[:, 0], abs=1e-9)
    assert told.at_observed()[:, 0] == pytest.approx(told.predict(told.X)[0][:, 0], abs=1e-6)


def test_a_posterior_that_is_extended_keeps_its_trend():
    whole, part = posterior(12), posterior(12)
    first = gp.condition(part.X[:8], part.y[:8, 0], part.v[:8], part.hyper, trend=trend)
    extended = gp.extend(first, part.X[8:], part.y[:, 0], part.v[8:])
    points = np.random.default_rng(1).random((20, 2))
    assert extended.predict(points)[0] == pytest.approx(whole.predict(points)[0], abs=1e-8)


# --- choosing -------------------------------------------------------------------------------------------


def optimizer(seed=1):
    return HierarchicalOptimizer(Table(GRID, FEATURES), OptimizerSettings(), seed)


def calculate(chooser, most, price=0.001, told=theory):
    made = []
    while len(made) < most:
        found = chooser.suggest_calculation({"theory": price}, {}, len(made) + 1)
        if found is None:
            break
        made.append(found)
        value = float(told(GRID[[found.row]])[0])
        chooser.observe(Observation(-len(made), value=value, sigma=0.0, row=found.row, station="theory"))
    return made


def film(chooser, number):
    chosen = chooser.suggest([], number)
    chooser.observe(Observation(number, value=float(truth(GRID[[chosen.row]])[0]), sigma=0.0, row=chosen.row))
    return chosen


def test_films_begin_where_the_calculator_promises_most_and_find_the_best_soon():
    chooser = optimizer()
    made = calculate(chooser, 40)
    assert len({found.row for found in made}) == len(made)  # none twice
    films = [film(chooser, number) for number in range(1, 6)]
    assert films[0].method == CALCULATED
    assert films[1].method == "space-filling"
    assert films[2].method == "gp"
    best = max(float(truth(GRID[[chosen.row]])[0]) for chosen in films)
    assert best > np.quantile(truth(GRID), 0.99)
    assert "hierarchy" in films[-1].hyperparameters


def test_films_chosen_before_two_are_measured_are_spread_where_much_is_promised():
    chooser = optimizer()
    calculate(chooser, 20)
    pending = []
    for number in range(1, 5):
        pending.append(chooser.suggest(pending, number).candidate)
    rows = [one.row for one in pending]
    assert len(set(rows)) == 4
    promised = theory(GRID)
    assert all(promised[row] > np.quantile(promised, 0.85) for row in (rows[0], *rows[2:]))


def test_calculations_are_first_spread_then_chosen_by_value_and_never_repeated_while_pending():
    chooser = optimizer()
    spread = FIRST_CALCULATIONS * (len(FEATURES) + 1)
    made = calculate(chooser, spread + 3)
    assert [found.method for found in made[:spread]] == ["space-filling"] * spread
    assert {found.method for found in made[spread:]} <= {"value"}
    pending = [Candidate(row=made[-1].row + 1 if made[-1].row < 200 else 0)]
    found = chooser.suggest_calculation({"theory": 0.001}, {"theory": pending}, 99)
    assert found is None or found.row != pending[0].row


def test_a_calculation_that_costs_more_than_it_may_tell_is_not_made():
    chooser = optimizer()
    spread = FIRST_CALCULATIONS * (len(FEATURES) + 1)
    calculate(chooser, spread + 2)
    for number in range(1, 4):
        film(chooser, number)
    assert chooser.suggest_calculation({"theory": 1e6}, {}, 100) is None


def test_a_misleading_calculator_is_not_asked_once_it_is_dropped():
    chooser = optimizer()
    calculate(chooser, 30, told=unrelated)
    for number in range(1, 16):
        film(chooser, number)
    assert chooser.suggest_calculation({"theory": 0.001}, {}, 100) is None


def test_replaying_what_was_observed_gives_the_same_choice():
    chooser = optimizer()
    told = []
    original = chooser.observe
    chooser.observe = lambda seen, **kw: (told.append(seen), original(seen, **kw))  # type: ignore[method-assign]
    calculate(chooser, 15)
    for number in range(1, 5):
        film(chooser, number)
        calculate(chooser, 2)
    again = optimizer()
    for seen in told:
        again.observe(seen)
    one, other = chooser.suggest([], 5), again.suggest([], 5)
    assert (one.row, one.mean, one.acquisition) == (other.row, other.mean, other.acquisition)
    assert chooser.observed == again.observed == len(told)


def test_without_calculations_it_chooses_as_the_optimizer_does():
    ours, plain = optimizer(), Optimizer(Table(GRID, FEATURES), OptimizerSettings(), 1)
    for number in range(1, 10):
        assert film(ours, number).row == film(plain, number).row


@pytest.mark.parametrize("acquisition", ["log_ei", "log_nei", "pi", "ucb", "thompson", "knowledge_gradient"])
def test_every_acquisition_goes_by_the_trend(acquisition):
    chooser = HierarchicalOptimizer(
        Table(GRID, FEATURES), OptimizerSettings(acquisition=acquisition, initial_samples=2), 1
    )
    calculate(chooser, 20)
    films = [film(chooser, number) for number in range(1, 8)]
    best = max(float(truth(GRID[[chosen.row]])[0]) for chosen in films)
    assert best > np.quantile(truth(GRID), 0.98)
