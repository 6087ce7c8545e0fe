"""Uncertain compositions: slopes by finite differences, variances by sampling, and what the model makes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer import gp
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.slopes import slopes, variances
from orchestrator.optimizer.surrogate import MOST_FITTED, Surrogate


@pytest.mark.parametrize("kernel", ["matern52", "laplace"])
def test_slopes_are_those_of_the_mean(kernel):
    rng = np.random.default_rng(0)
    X, Z, step = rng.random((12, 3)), rng.random((6, 3)), 1e-6
    hyper = gp.Hyperparameters((0.4, 0.7, 1.3), 2.0, 0.01, kernel)
    posterior = gp.condition(X, np.sin(5 * X[:, 0]) + X[:, 1], np.zeros(12), hyper)
    by_hand = np.empty_like(Z)
    for j in range(3):
        ahead, behind = (posterior.predict(Z + sign * step * np.eye(3)[j])[0][:, 0] for sign in (1, -1))
        by_hand[:, j] = (ahead - behind) / (2 * step)
    np.testing.assert_allclose(slopes(posterior, Z), by_hand, rtol=1e-5, atol=1e-6)


def test_two_elements_that_sum_to_one():
    """Their errors are opposite: the variance is that of the one, times the square of the difference of slopes."""
    told = variances(np.array([[3.0, 1.0]]), np.array([[0.04, 0.04]]))
    assert told[0] == pytest.approx(0.04 * (3.0 - 1.0) ** 2)


def test_a_slope_common_to_all_fractions_is_none():
    D = np.array([[0.01, 0.04, 0.02, 0.0]])
    G = np.array([[1.0, -2.0, 0.5, 9.0]])
    told = variances(G, D)
    assert variances(G + np.array([5.0, 5.0, 5.0, 0.0]), D)[0] == pytest.approx(told[0], rel=1e-9)
    assert told[0] > 0


def test_the_variance_is_that_of_errors_that_sum_to_zero():
    rng, sigma, G = np.random.default_rng(1), np.array([0.02, 0.03, 0.01]), np.array([1.0, -2.0, 0.5])
    drawn = rng.standard_normal((400_000, 3)) * sigma
    drawn -= np.outer(drawn.sum(axis=1), sigma**2 / np.sum(sigma**2))  # given that they sum to 0
    drawn *= math.sqrt(np.sum(sigma**2) / np.trace(np.cov(drawn.T)))
    assert variances(G[None], (sigma**2)[None])[0] == pytest.approx((drawn @ G).var(), rel=0.02)


def test_what_is_known_exactly_adds_nothing():
    assert variances(np.ones((2, 3)), np.zeros((2, 3))).tolist() == [0.0, 0.0]
    assert variances(np.array([[2.0, 5.0]]), np.array([[0.01, 0.0]]))[0] == pytest.approx(0.04)


def filled(sigma: float, *, count: int = 25, asked_at: tuple[int, ...] = ()) -> Surrogate:
    """A function of one fraction that is flat on one side and steep on the other."""
    x = np.linspace(0, 1, count)
    model = Surrogate(np.array([x, 1 - x]).T)
    for k, part in enumerate(np.random.default_rng(3).permutation(x)):
        spread = np.array([sigma, sigma]) ** 2 if sigma else None
        model.add(np.array([part, 1 - part]), float(10 * max(part - 0.5, 0.0)), 0.0, spread)
        if k in asked_at:
            model.posterior()
    return model


def test_an_uncertain_composition_is_noise_where_the_function_is_steep():
    model = filled(0.02)
    order = np.argsort(np.array(model._X)[:, 0])
    for part in model.posterior().parts[:2]:
        added = np.sqrt(part.v)[order]
        steep = float(model._warping.slope(np.array([2.5]))[0]) * 10 * 0.02  # the known slope, as the model sees it
        assert np.median(added[16:22]) == pytest.approx(steep, rel=0.3)
        assert np.median(added[3:9]) < 0.15 * steep


@pytest.mark.parametrize(("count", "asked_at"), [(25, (3, 9, 20)), (90, (40, 50, 88)), (MOST_FITTED + 30, (70, 405))])
def test_it_does_not_matter_when_the_model_is_asked(count, asked_at):
    once, often = filled(0.02, count=count), filled(0.02, count=count, asked_at=asked_at)
    for one, other in zip(once.posterior().parts, often.posterior().parts, strict=True):
        np.testing.assert_array_equal(one.v, other.v)
        np.testing.assert_array_equal(one.alpha, other.alpha)


def test_without_uncertainty_the_model_is_as_it_was():
    for one, other in zip(filled(0.0).posterior().parts, filled(1e-12).posterior().parts, strict=True):
        np.testing.assert_allclose(one.alpha, other.alpha, rtol=1e-4, atol=1e-6)
    assert not filled(0.0).posterior().parts[0].v.any()


def test_the_optimizer_hands_it_on():
    x = np.linspace(0, 1, 21)
    domain = Table(np.array([x, 1 - x]).T, [Feature("Fe", "fraction"), Feature("Co", "fraction")])
    known, uncertain = (Optimizer(domain, OptimizerSettings(), seed=1) for _ in range(2))
    for k, row in enumerate((2, 6, 10, 14, 18, 20)):
        told = {"sample": k, "row": row, "value": float(10 * x[row])}
        known.observe(told)
        uncertain.observe({**told, "composition_sigma": {"Fe": 0.05, "Co": 0.05}})
    assert uncertain.suggest([], 7).runner_up.sigma > known.suggest([], 7).runner_up.sigma
