"""Expected hypervolume improvement against values that others computed, and against counting draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad, quad
from scipy.stats import norm

from orchestrator.optimizer.hypervolume import Gain, log_chance_within
from orchestrator.optimizer.pareto import boxes
from orchestrator.optimizer.tradeoff import TradeOff, utilities

# `ExpectedHypervolumeImprovement` of BoTorch 0.18.1 in double precision, reference point 0; its inputs were drawn at
# random and rounded: front, means, standard deviations, values.
BOTORCH = [
    (
        [[2.55, 1.08]],
        [[-1.71, -1.88], [3.69, 4.39], [2.25, 3.11]],
        [[1.18, 1.88], [1.67, 0.2], [1.74, 0.26]],
        [0.00180465442725329, 13.73674732918548, 5.329494048038479],
    ),
    (
        [[2.92, 0.7], [3.45, 2.17], [1.2, 1.69], [0.11, 0.5], [2.68, 2.59], [2.46, 1.53]],
        [[4.98, 4.87], [2.8, 2.55], [2.82, 0.72]],
        [[0.44, 1.5], [1.15, 0.76], [1.07, 1.8]],
        [15.769951139416868, 1.337934973997818, 0.5994654358469946],
    ),
    (
        [[3.74, 1.43, 2.29], [1.29, 2.38, 1.35], [1.57, 3.56, 0.91], [2.49, 0.34, 3.33], [3.15, 0.96, 3.51]],
        [[-1.59, 0.35, -0.95], [1.15, 3.57, -0.39], [-1.64, 0.83, -0.61]],
        [[0.36, 1.24, 0.74], [1.41, 0.56, 1.9], [0.86, 0.39, 1.33]],
        [4.521716514991913e-11, 1.0942886831738805, 1.2256994473517584e-05],
    ),
    (
        [[3.71, 1.76, 3.82, 2.0], [1.7, 2.48, 3.98, 3.8], [1.84, 3.03, 1.99, 2.12], [3.14, 1.66, 2.94, 2.84]],
        [[4.52, -1.2, 3.1, 4.49], [4.78, -1.9, 4.05, 4.87], [4.7, -0.96, 4.81, 4.23]],
        [[1.68, 1.06, 0.62, 1.64], [1.86, 0.68, 1.17, 1.0], [1.88, 0.27, 1.52, 1.31]],
        [2.2275663418645735, 0.030291528650606175, 0.000753749642460657],
    ),
]
# The sum over strips with 60 digits (mpmath), front (1, 3), (2, 2), (3, 1), reference point 0: mean, standard
# deviation, logarithm of the value.  Doubles underflow to 0 in the first three.
FAR = [
    ((0.0, 0.0), (0.1, 0.1), -266.38298355097559984),
    ((-5.0, 1.0), (0.05, 0.3), -5041.3275251528774186),
    ((-20.0, -30.0), (0.5, 0.5), -2877.0723913011209246),
    ((2.5, 2.5), (1e-3, 1e-3), 0.22314355131420975577),
    ((2.0, 1.99), (1e-3, 1e-2), -6.7025515418840747465),
]


def same(t: np.ndarray) -> np.ndarray:
    return t


def gain_of(front, M: int, outwards=None) -> Gain:
    found = boxes(np.array(front, dtype=float).reshape(-1, M), np.zeros(M))
    return Gain.of(found, outwards or [same] * M)


def beliefs(mean, sigma) -> list[tuple[np.ndarray, np.ndarray]]:
    """One column for each objective, of means and standard deviations (m, M)."""
    mean, sigma = np.atleast_2d(np.array(mean, dtype=float)), np.atleast_2d(np.array(sigma, dtype=float))
    return [(m[:, None], s[:, None]) for m, s in zip(mean.T, sigma.T, strict=True)]


@pytest.mark.parametrize(("front", "mean", "sigma", "value"), BOTORCH)
def test_the_expectation_is_that_of_botorch(front, mean, sigma, value) -> None:
    found = np.exp(gain_of(front, len(mean[0])).log_expected(beliefs(mean, sigma)))
    assert found == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(("mean", "sigma", "logarithm"), FAR)
def test_the_logarithm_holds_where_the_value_underflows(mean, sigma, logarithm) -> None:
    (found,) = gain_of([[1, 3], [2, 2], [3, 1]], 2).log_expected(beliefs(mean, sigma))
    assert found == pytest.approx(logarithm, rel=1e-9)


numbers = st.floats(-4, 4, allow_nan=False)


@settings(max_examples=40)
@given(st.integers(2, 3).flatmap(lambda M: st.tuples(
    st.lists(st.lists(st.floats(0.1, 3), min_size=M, max_size=M), max_size=5),
    st.lists(numbers, min_size=M, max_size=M),
    st.lists(st.floats(0.3, 2), min_size=M, max_size=M),
)))  # fmt: skip
def test_the_expectation_is_the_mean_over_draws(told) -> None:
    front, mean, sigma = told
    M = len(mean)
    draws = np.random.default_rng(0).standard_normal((40_000, M)) * sigma + mean
    added = boxes(np.array(front).reshape(-1, M), np.zeros(M)).improvement(draws)
    gain = gain_of(front, M)
    error = 5 * added.std() / math.sqrt(len(draws)) + 1e-3
    assert np.exp(gain.log_expected(beliefs(mean, sigma)))[0] == pytest.approx(added.mean(), abs=error)
    chance = np.exp(gain.log_probability(beliefs(mean, sigma)))[0]
    assert chance == pytest.approx((added > 0).mean(), abs=0.02)


def test_beliefs_of_several_columns_are_averaged_and_a_monotone_scale_is_followed() -> None:
    """Against the integral over both objectives of what a point adds, times the densities."""
    columns = [(np.array([[0.2, 1.1]]), np.array([[0.5, 0.3]])), (np.array([[0.4, -0.3]]), np.array([[0.4, 0.6]]))]
    front = np.array([[0.3, 0.9], [0.8, 0.2]])

    def outward(t: np.ndarray) -> np.ndarray:  # a kink at a knot: what lies between knots is linear
        return np.where(t > 0.3, 0.3 + 3.0 * (t - 0.3), t)

    gain = gain_of(front, 2, [outward, same])
    strips = boxes(np.array([[outward(np.array(0.3)), 0.9], [outward(np.array(0.8)), 0.2]]), np.zeros(2))

    def density(t: float, k: int) -> float:
        mean, sigma = columns[k]
        return float(np.mean(norm.pdf(t, mean, sigma)))

    def integrand(v: float, t: float) -> float:
        point = np.array([[float(outward(np.array(t))), v]])
        return strips.improvement(point)[0] * density(t, 0) * density(v, 1)

    expected, _ = dblquad(integrand, 0.0, 2.8, 0.0, 3.2, epsabs=1e-6)
    assert np.exp(gain.log_expected(columns))[0] == pytest.approx(expected, rel=1e-3)


def test_an_empty_front_leaves_all_open() -> None:
    gain = gain_of(np.empty((0, 2)), 2)
    (found,) = np.exp(gain.log_expected(beliefs([2.0, 3.0], [1e-6, 1e-6])))
    assert found == pytest.approx(6.0)
    assert gain.log_probability(beliefs([2.0, 3.0], [1e-6, 1e-6])) == pytest.approx([0.0])


@given(numbers, st.floats(1e-3, 3), numbers, st.floats(0.01, 5))
def test_the_chance_to_be_within_limits(mean, sigma, low, width) -> None:
    m, s = np.array([[mean]]), np.array([[sigma]])
    found = np.exp(log_chance_within(m, s, low, low + width))[0]
    assert found == pytest.approx(norm.cdf(low + width, mean, sigma) - norm.cdf(low, mean, sigma), abs=1e-12)
    assert np.exp(log_chance_within(m, s, low, np.inf))[0] == pytest.approx(norm.sf(low, mean, sigma), abs=1e-12)
    assert log_chance_within(m, s, -np.inf, np.inf)[0] == 0.0


def test_a_chance_that_underflows_has_its_logarithm() -> None:
    m, s = np.array([[50.0]]), np.array([[1.0]])
    assert log_chance_within(m, s, -np.inf, 0.0)[0] == pytest.approx(norm.logcdf(-50.0))
    assert log_chance_within(-m, s, 0.0, 1.0)[0] == pytest.approx(norm.logsf(50.0), rel=1e-6)


@settings(max_examples=30)
@given(st.tuples(numbers, numbers), st.tuples(st.floats(0.2, 2), st.floats(0.2, 2)), st.floats(0.1, 0.9))
def test_what_a_trade_off_gains_is_the_integral(mean, sigma, weight) -> None:
    films = np.array([[0.0, 1.0], [1.0, 0.0], [0.6, 0.7]])
    weights, spans = np.array([weight, 1 - weight]), np.array([1.0, 1.0])
    sought = TradeOff.of(films, weights, [same, same], spans)
    best = utilities(films, weights, films.max(axis=0), spans).max()

    def at_least(s: float) -> float:
        return float(np.prod([norm.sf(1.0 + s / w, m, d) for w, m, d in zip(weights, mean, sigma, strict=True)]))

    expected, _ = quad(at_least, best, best + 3.0, epsabs=1e-12, limit=200)
    (found,) = np.exp(sought.log_expected(beliefs(mean, sigma)))
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-9)
