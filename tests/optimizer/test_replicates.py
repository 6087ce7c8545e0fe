"""Measuring again by value: what it is worth, and when it is done."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer import replicates
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.surrogate import Surrogate

ROWS = np.linspace(0, 1, 60)[:, None]


def belief(noise: float):
    rng, model = np.random.default_rng(1), Surrogate(ROWS)
    for x in np.linspace(0, 1, 12):
        model.add(np.array([x]), float(np.sin(6 * x) + noise * rng.standard_normal()), noise)
    return model, model.posterior()


def test_the_leaders_are_those_of_the_largest_mean():
    model, posterior = belief(0.05)
    measured = model.inputs(np.linspace(0, 1, 12)[:, None])
    assert replicates.leading(posterior, measured)[0] == 3  # sin(6 x) is largest at 0.262


def test_a_repeat_without_noise_is_worth_nothing_and_with_noise_something():
    gains = []
    for noise in (0.0, 0.5):
        model, posterior = belief(noise)
        measured = model.inputs(np.linspace(0, 1, 12)[:, None])
        leaders = measured[replicates.leading(posterior, measured)]
        gains.append(replicates.gains(posterior, leaders, leaders[:1])[:-1].max())
    assert gains[0] < np.log(1e-3)
    assert gains[1] > np.log(1e-2)


def repeats(replicate: str, noise: float, count: int = 18) -> int:
    """How many of `count` films are repeats, where values have this noise."""
    optimizer = Optimizer(Table(ROWS, [Feature("x")]), OptimizerSettings(replicate=replicate), seed=3)
    rng, pending, found = np.random.default_rng(5), [], 0
    for number in range(1, count + 1):
        one = optimizer.suggest([p.candidate for p in pending], number)
        found += one.replicate
        assert not (one.replicate and one.row in [p.row for p in pending])
        if one.replicate:
            assert one.runner_up.acquisition is not None
        pending.append(one)
        if len(pending) > 1:
            done = pending.pop(0)
            value = float(np.sin(6 * ROWS[done.row, 0]) + noise * rng.standard_normal())
            optimizer.observe({"sample": done.number, "row": done.row, "value": value, "sigma": noise})
    return found


def test_what_is_noisy_is_repeated_by_value_and_never_by_default():
    noisy = repeats("by_value", 0.5)
    assert noisy >= 2
    assert repeats("by_value", 0.0) < noisy
    assert repeats("when_exhausted", 0.5, 12) == 0


def test_the_best_is_that_of_the_largest_mean_not_the_luckiest_value():
    optimizer = Optimizer(Table(ROWS, [Feature("x")]), OptimizerSettings(), seed=3)
    assert optimizer.recommend() is None
    for k, (row, value) in enumerate([(5, 1.0), (5, 1.1), (5, 0.9), (50, 1.15), (50, 0.2), (50, 0.3), (30, 0.0)]):
        optimizer.observe({"sample": k, "row": row, "value": value, "sigma": 0.3})
    best = optimizer.recommend()
    assert best.row == 5
    assert best.mean == pytest.approx(1.0, abs=0.3)
