"""Where films fail: failures in a region count against it, failures anywhere against nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.feasibility import Feasibility
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.optimizer import Optimizer

X = np.random.default_rng(2).random((40, 2))
ASKED = np.random.default_rng(3).random((200, 2))
TYPICAL = 0.5


def test_a_region_that_fails_is_found():
    told = Feasibility.of(X, (X[:, 0] < 0.7).astype(float), TYPICAL)
    chance = told(ASKED)
    assert chance[ASKED[:, 0] > 0.85].max() < 0.6
    assert chance[ASKED[:, 0] < 0.55].min() > 0.75
    assert told.weights[0] < 0.01


def test_failures_anywhere_count_against_nothing():
    spreads = []
    for seed in range(10):
        well = (np.random.default_rng(seed).random(len(X)) > 0.1).astype(float)
        chance = Feasibility.of(X, well, TYPICAL)(ASKED)
        spreads.append(np.log(chance).max() - np.log(chance).min())
    assert np.median(spreads) < 0.15


def test_by_hand():
    """One film that failed and one that went well, far apart: each width sees one of them at each."""
    told = Feasibility.of(np.array([[0.0], [100.0]]), np.array([0.0, 1.0]), 1.0)
    share = 5.5 / 7
    ends = (share / 2, (share + 1) / 2)  # STRENGTH 1 and one film with its whole weight
    own = told.weights[0] * share + told.weights[1:].sum() * np.array(ends)
    np.testing.assert_allclose(told(np.array([[0.0], [100.0]])), own, rtol=1e-12)
    assert told.weights[1:] == pytest.approx([1 / 6] * 3)  # neither foretells the other better


@given(
    count=st.integers(1, 30), failed=st.floats(0, 1), seed=st.integers(0, 99), scale=st.sampled_from([1e-9, 1.0, 1e9])
)
def test_it_is_always_a_probability(count, failed, seed, scale):
    rng = np.random.default_rng(seed)
    told = Feasibility.of(scale * rng.random((count, 2)), (rng.random(count) > failed).astype(float), 0.5)
    chance = told(scale * rng.random((20, 2)))
    assert np.all(chance > 0)
    assert np.all(chance < 1)


ROWS = np.random.default_rng(4).random((120, 2))


def failures(feasibility: str, failing: np.ndarray) -> tuple[int, int]:
    """How many of 25 films fail, and when the best of those that can be made is met."""
    domain = Table(ROWS, [Feature("a"), Feature("b")])
    optimizer = Optimizer(domain, OptimizerSettings(initial_samples=4, feasibility=feasibility), seed=1)
    value = -((ROWS - [0.7, 0.5]) ** 2).sum(axis=1)
    best = int(np.argmax(np.where(failing, -np.inf, value)))
    lost, met = 0, 26
    for number in range(1, 26):
        row = optimizer.suggest([], number).row
        lost, met = lost + bool(failing[row]), min(met, number) if row == best else met
        seen = {"validity": "failed"} if failing[row] else {"value": float(value[row])}
        optimizer.observe({"sample": number, "row": row, **seen})
    return lost, met


def test_fewer_films_are_lost_where_the_best_lies_beside_a_region_that_fails():
    failing = ROWS[:, 0] > 0.6
    blind, learned = failures("off", failing), failures("learned", failing)
    assert learned[0] < blind[0]
    assert learned[1] <= blind[1]


def test_a_suggestion_tells_the_chance_it_was_given():
    optimizer = Optimizer(Table(ROWS, [Feature("a"), Feature("b")]), OptimizerSettings(feasibility="learned"), seed=1)
    for row in range(8):
        optimizer.observe({"sample": row, "row": row, "value": float(row)})
    assert optimizer.suggest([], 9).feasibility is None  # nothing failed yet
    optimizer.observe({"sample": 8, "row": 8, "validity": "failed"})
    one = optimizer.suggest([], 10)
    assert 0 < one.feasibility < 1
    assert 0 < one.runner_up.feasibility < 1
