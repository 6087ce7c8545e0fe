"""A pool too large to look at whole: every row in one leaf, and choices that lose little."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer import partition
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.partition import LEAF, Partition, leaves
from orchestrator.optimizer.suggestion import Observation


@given(m=st.integers(1, 3000), d=st.integers(1, 4), steps=st.integers(1, 5), seed=st.integers(0, 1000))
def test_every_row_is_in_one_small_leaf(m, d, steps, seed):
    found = leaves(np.random.default_rng(seed).integers(0, steps, (m, d)).astype(float))
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(m))
    assert max(map(len, found)) <= LEAF


def test_rows_of_a_leaf_lie_together():
    X = np.random.default_rng(1).random((20_000, 3))
    reach = np.mean([np.ptp(X[rows], axis=0) for rows in leaves(X)])
    assert reach < 0.4  # 40 leaves: about a quarter or a half of each side


def test_a_peak_between_the_rows_of_the_spread_is_climbed_from_the_best_of_them(monkeypatch):
    monkeypatch.setattr(partition, "SPREAD", 500)
    X = np.random.default_rng(2).random((20_000, 2))
    height = -((X - [0.31, 0.62]) ** 2).sum(axis=1)
    free = np.ones(len(X), dtype=bool)
    free[np.argmax(height)] = False
    pool = Partition(X)
    rows, scores = pool.scores(lambda part: -((part - [0.31, 0.62]) ** 2).sum(axis=1), free, np.array([5]))
    assert free[rows].all()
    assert rows[np.argmax(scores)] == np.argmax(np.where(free, height, -np.inf))
    assert np.isin(np.flatnonzero(pool._leaf == pool._leaf[5]), rows).all()  # near an incumbent all are looked at
    assert len(rows) < len(X)


def test_the_default_score_of_a_partitioned_pool_is_nearly_that_of_the_whole(monkeypatch):
    X = np.random.default_rng(3).random((30_000, 3))
    y = np.exp(-8 * ((X - 0.6) ** 2).sum(axis=1))
    chosen = []
    for large in (10**6, 10_000):
        monkeypatch.setattr(partition, "LARGE", large)
        monkeypatch.setattr(partition, "SPREAD", 2048)
        one = Optimizer(Table(X, [Feature(name) for name in "abc"]), OptimizerSettings(initial_samples=1), 4)
        for sample, row in enumerate(range(0, 30_000, 1500)):
            one.observe(Observation(sample + 1, value=float(y[row]), row=row))
        chosen.append(one.suggest())
    whole, partial = chosen
    assert partial.acquisition <= whole.acquisition + 1e-9
    assert partial.acquisition > whole.acquisition - 0.05
