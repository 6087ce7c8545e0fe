"""The comparison's statistics against scipy's, and against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.optimizer.statistics import capped, compare, figure, interval, p_value, ratio, worst_pool


def counts(seed: int, n: int, mean: float) -> np.ndarray:
    return 1.0 + np.random.default_rng(seed).poisson(mean, n)


def log_ratio(ours: np.ndarray, theirs: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.log(ours.mean(axis=axis)) - np.log(theirs.mean(axis=axis))


def test_a_search_that_found_nothing_counts_as_the_budget():
    assert capped([3, None, 60, 75], 60).tolist() == [3, 60, 60, 60]


def test_the_figure_is_the_geometric_mean():
    assert figure([3.0, 7.0, 20.0]) == pytest.approx(stats.gmean([3.0, 7.0, 20.0]))


def test_every_pool_weighs_the_same_in_the_ratio():
    pairs = {"a": (np.array([2.0, 4.0]), np.array([6.0, 6.0])), "b": (np.full(7, 40.0), np.full(7, 20.0))}
    assert ratio(pairs) == pytest.approx(np.sqrt(0.5 * 2.0))


def test_p_in_one_pool_is_that_of_scipys_exact_permutation_test():
    ours, theirs = counts(1, 10, 13.0), counts(2, 10, 17.0)
    exact = stats.permutation_test(
        (ours, theirs), log_ratio, permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    found = p_value({"only": (ours, theirs)}, np.random.default_rng(0), 100_000)
    assert 0.01 < exact.pvalue < 0.5
    assert found == pytest.approx(exact.pvalue, abs=0.006)


def test_the_interval_in_one_pool_is_that_of_scipys_paired_bootstrap():
    ours, theirs = counts(3, 25, 12.0), counts(4, 25, 17.0)
    theirs_too = stats.bootstrap(
        (ours, theirs), log_ratio, paired=True, vectorized=True, method="percentile", n_resamples=20_000, rng=1
    ).confidence_interval
    low, high = interval({"only": (ours, theirs)}, np.random.default_rng(0), 20_000)
    assert np.log([low, high]) == pytest.approx([theirs_too.low, theirs_too.high], abs=0.02)


def test_pairs_stay_together():
    """Where every seed needs exactly twice as many, nothing is uncertain however the seeds differ."""
    theirs = counts(5, 12, 20.0) ** 2
    found = compare({"a": (2 * theirs, theirs), "b": (2 * theirs[::-1], theirs[::-1])}, draws=2000)
    assert (found.ratio, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0))
    assert found.p < 0.01


def test_p_of_equal_agents_is_uniform():
    found = [
        p_value(
            {pool: (counts(10 * k + i, 8, 9.0), counts(10 * k + 5 + i, 8, 9.0)) for i, pool in enumerate("abc")},
            np.random.default_rng(k),
            400,
        )
        for k in range(200)
    ]
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_agents_that_did_the_same_do_not_differ():
    same = counts(6, 9, 10.0)
    found = compare({"a": (same, same)}, draws=500)
    assert (found.ratio, found.p) == (1.0, 1.0)


def test_the_worst_pool_is_judged_by_its_best_peer():
    ratios = {"forest": {"kerr": 1.1, "steel": 0.4}, "baybe": {"kerr": 0.9, "steel": 1.3}}
    assert worst_pool(ratios) == ("steel", "baybe", 1.3)
