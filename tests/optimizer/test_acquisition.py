"""Acquisitions against arithmetic of many digits, against sampling, and at the ends of the number line."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.optimizer.acquisition import log_expected_improvement, log_h, upper_confidence_bound

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534")


def exact_log_h(z: float) -> float:
    """log(phi(z) + z Phi(z)) in decimal arithmetic: a continued fraction in the tail, a series elsewhere."""
    with localcontext() as context:
        context.prec = 80
        x = Decimal(z)
        density = (-x * x / 2).exp() / (2 * PI).sqrt()
        if z < -8:  # Phi(z) = phi(z) / (t + 1/(t + 2/(t + 3/...))) with t = -z
            fraction = -x
            for k in range(4000, 0, -1):
                fraction = -x + k / fraction
            return float((density + x * density / fraction).ln())
        term, total, k = x, x, 0
        while abs(term) > Decimal(10) ** -75:  # Phi = 1/2 + phi (x + x^3/3 + x^5/15 + ...)
            k += 1
            term = term * x * x / (2 * k + 1)
            total += term
        return float((density + x * (Decimal("0.5") + density * total)).ln())


@pytest.mark.parametrize(
    "z", [8.0, 3.0, 1.0, 0.1, 0.0, -0.1, -0.999, -1.0, -1.001, -3.0, -7.5, -9.0, -20.0, -49.9, -50.1, -200.0]
)
def test_log_h_to_eleven_digits(z):
    assert log_h(np.array([z]))[0] == pytest.approx(exact_log_h(z), rel=1e-11, abs=1e-11)


def test_the_reference_itself():
    """h(0) = 1/sqrt(2 pi) and h(z) - h(-z) = z hold exactly; both branches agree where they meet."""
    assert exact_log_h(0.0) == pytest.approx(-0.5 * math.log(2 * math.pi), rel=1e-15)
    assert math.exp(exact_log_h(2.0)) - math.exp(exact_log_h(-2.0)) == pytest.approx(2.0, rel=1e-14)
    below, above = exact_log_h(-8.0 - 1e-9), exact_log_h(-8.0 + 1e-9)
    assert below == pytest.approx(above, rel=1e-7)
    assert getcontext().prec == 28  # the caller's arithmetic is left alone


@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100))
def test_log_h_rises_and_is_a_number(a, b):
    low, high = log_h(np.array(sorted([a, b])))
    assert np.isfinite(low)
    assert low <= high + 1e-9 * abs(high)


def test_expected_improvement_is_the_mean_improvement():
    drawn = 1.0 + 0.7 * np.random.default_rng(0).standard_normal(1_000_000)
    improvement = np.maximum(drawn - 1.5, 0).mean()
    score = log_expected_improvement(np.array([[1.0]]), np.array([0.7]), np.array([1.5]))
    assert math.exp(score[0]) == pytest.approx(improvement, rel=5e-3)


def test_fantasies_are_averaged_before_the_logarithm():
    mean, sigma, best = np.array([[1.0, 2.0]]), np.array([[0.5, 0.5]]), np.array([1.2, 1.9])
    each = [math.exp(log_expected_improvement(mean[:, [k]], sigma[:, [k]], best[[k]])[0]) for k in range(2)]
    both = log_expected_improvement(mean, sigma, best)
    assert math.exp(both[0]) == pytest.approx(np.mean(each))


def test_hopeless_candidates_stay_apart():
    """Expected improvements that underflow to zero still rank."""
    scores = log_expected_improvement(np.array([[-100.0], [-99.0]]), np.array([1.0, 1.0]), np.array([0.0]))
    assert scores[0] < scores[1] < -4000


def test_certainty_is_no_nan():
    mean = np.array([[1.0], [0.0], [-1.0]])
    scores = log_expected_improvement(mean, np.zeros(3), np.array([0.0]))
    assert not np.isnan(scores).any()
    assert scores[0] > scores[1] > scores[2]


def test_upper_confidence_bound():
    """Of a belief that is one of two normal ones: their variances, and that of their means."""
    score = upper_confidence_bound(np.array([[1.0, 3.0]]), np.array([[0.5, 0.7]]), np.array([0.0, 0.0]))
    assert score[0] == pytest.approx(2.0 + 2.0 * math.sqrt((0.25 + 0.49) / 2 + 1.0))
