"""What films cost: the same by features as by what they are, and how it weighs."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.campaign.cost import Cost
from orchestrator.campaign.grid import Grid
from orchestrator.campaign.space import Space
from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer.finite import Enumerated
from orchestrator.optimizer.improvement import Improvement
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.scoring import Weighing, cooling, costs
from orchestrator.optimizer.situation import ACQUISITIONS, Situation

SPACE = Space(
    {"Fe": (0, 100, 10), "Ir": (0, 100, 10)},
    settings=(
        Grid.spaced("thickness_nm", 40, 80, 20),
        Grid.spaced("argon_pressure_pa", 0.2, 0.8, 0.2, "log"),
        Grid("power_w", (60.0, 120.0), "category"),
    ),
)
COST = Cost(film=1.0, elements={"Ir": 20.0}, settings={"thickness_nm": 0.01, "argon_pressure_pa": 2, "power_w": 0.001})


def test_costs_of_features_are_those_of_what_they_stand_for():
    domain = Enumerated(SPACE, SPACE.enumerate(10_000))
    told = costs(COST, domain.X, domain.described)
    made = [domain.candidate(np.array([k])) for k in range(len(domain))]
    np.testing.assert_allclose(told, [COST.of(one.composition, one.settings) for one in made], rtol=1e-12)
    assert COST.of({"Fe": 0.9, "Ir": 0.1}, {"thickness_nm": 50}) == pytest.approx(1 + 2 + 0.5)


def test_cooling_is_the_share_of_the_budget_that_is_left():
    assert [cooling(t, 10) for t in (0, 1, 6, 11, 20)] == [1.0, 1.0, 0.5, 0.0, 0.0]
    assert cooling(5, None) == 1.0


def test_a_score_is_less_by_the_logarithm_of_the_cost():
    domain = Enumerated(SPACE, SPACE.enumerate(10_000))
    added = Weighing(cost=COST, cooling=0.5).added(domain.X, domain.X, domain.described)
    np.testing.assert_allclose(added, -0.5 * np.log(costs(COST, domain.X, domain.described)))


def spent(cost: Cost | None, acquisition: str) -> float:
    """What 11 films of a binary would cost, of a budget of 18, where what is dear is as good as what is not."""
    space = Space({"Fe": (0, 100, 2), "Ir": (0, 100, 2)})
    domain = Enumerated(space, space.enumerate(1000))
    optimizer = Optimizer(domain, OptimizerSettings(acquisition=acquisition), seed=4, budget=18, cost=cost)
    total = 0.0
    for number in range(1, 12):
        one = optimizer.suggest([], number)
        assert (one.cost is None) == (cost is None)
        parts = one.composition
        total += Cost(elements={"Ir": 20.0}).of(parts, {})
        value = float(np.cos(4 * np.pi * parts["Ir"]) - 0.5 * (parts["Ir"] - 0.5) ** 2)
        optimizer.observe({"sample": number, "composition": parts, "value": value, "sigma": 0.0})
    return total


@pytest.mark.parametrize("acquisition", ["log_ei", "ucb"])
def test_what_is_dear_is_made_later(acquisition):
    assert spent(Cost(elements={"Ir": 20.0}), acquisition) < 0.95 * spent(None, acquisition)


def test_a_decision_tells_its_cost():
    space = Space({"Fe": (0, 100, 10), "Ir": (0, 100, 10)})
    optimizer = Optimizer(Enumerated(space, space.enumerate(1000)), OptimizerSettings(initial_samples=2), 1, cost=COST)
    for number, part in enumerate((0.1, 0.5, 0.8)):
        assert optimizer.suggest([], number).cost > 0
        made = {"Fe": 1 - part, "Ir": part}
        optimizer.observe({"sample": number, "composition": made, "value": part})
    one = optimizer.suggest([], 4)
    assert one.cost == pytest.approx(1 + 20 * one.composition["Ir"])
    assert one.runner_up.cost == pytest.approx(1 + 20 * one.runner_up.composition["Ir"])


@pytest.mark.parametrize("cost", [None, COST])
def test_a_domain_may_look_inside_the_default_score_unless_something_is_weighed_in(cost):
    """And there are the same scores either way."""
    asked = []

    class Watched(Enumerated):
        def best(self, score, *rest):
            asked.append(score)
            return super().best(score, *rest)

    domain = Watched(SPACE, SPACE.enumerate(10_000))
    optimizer = Optimizer(domain, OptimizerSettings(), seed=1, cost=cost)
    for k in range(6):
        made = domain.candidate(np.array([31 * k]))
        told = {"composition": made.composition, "settings": made.settings, "value": float(np.sin(k))}
        optimizer.observe({"sample": k, **told})
    optimizer.suggest([], 7)
    (score,) = asked
    assert isinstance(score, Improvement) == (cost is None)
    if cost is None:
        posterior = optimizer._model.posterior()
        situation = Situation(posterior, np.random.default_rng(0), lambda count: domain.X[:count])
        plain = ACQUISITIONS["log_ei"](situation)(optimizer._model.inputs(domain.X))
        np.testing.assert_array_equal(score(domain.X), plain)
