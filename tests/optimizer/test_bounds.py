"""Censored observations in the process: against integrals over tiny models, and where numbers run out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad, quad
from scipy.stats import multivariate_normal, norm

from orchestrator.optimizer import bounds, gp

HYPER = gp.Hyperparameters((0.4,), 1.3, 0.05)
X = np.array([[0.0], [0.35], [0.9]])
Y = np.array([-0.6, 0.4, 0.1])
V = np.array([0.0, 0.01, 0.0])


def model(B, b, s, v_b=None, *, hyper=HYPER, values=(X, Y, V)):
    """The process through `values` and bounds, as `Surrogate` makes it."""
    B, b, s = np.atleast_2d(np.array(B, dtype=float).T).T, np.array(b, dtype=float), np.array(s, dtype=float)
    v_b = np.zeros(len(b)) if v_b is None else np.array(v_b, dtype=float)
    t, v_t = bounds.sites(*values, B, b, s, v_b, hyper)
    points, y, v = values
    return gp.condition(np.concatenate([points, B]), np.concatenate([y, t]), np.concatenate([v, v_t]), hyper)


def beside(posterior, B):
    """Mean and covariance of f at B by the values alone, at the mean that `posterior` found."""
    return gp.condition(X, Y, V, HYPER, mu=posterior.mu).joint(np.atleast_2d(np.array(B, dtype=float).T).T)


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("b", [-8.0, -1.0, 0.0, 0.7, 2.5, 6.0])
@pytest.mark.parametrize("v_b", [0.0, 0.4])
def test_one_bound_leaves_the_mean_and_variance_of_the_integral(b, side, v_b):
    """With a single site, matching moments is exact."""
    posterior = model([0.6], [b], [side], [v_b])
    (centre,), ((variance,),) = beside(posterior, [0.6])
    spread = math.sqrt(variance)

    def density(f):
        return norm.pdf(f, centre, spread) * norm.cdf(side * (f - b) / math.sqrt(HYPER.noise + v_b))

    span = (min(centre, b) - 10 * spread, max(centre, b) + 10 * spread)
    whole, first, second = (
        quad(lambda f, n=n: f**n * density(f), *span, points=[centre, b], epsabs=0, epsrel=1e-10, limit=500)[0]
        for n in range(3)
    )
    mean, sigma = posterior.predict(np.array([[0.6]]))
    assert mean[0, 0] == pytest.approx(first / whole, abs=1e-5)
    assert sigma[0] ** 2 == pytest.approx(second / whole - (first / whole) ** 2, rel=1e-4)


@pytest.mark.parametrize(("b", "s"), [((1.0, 1.2), (1, 1)), ((1.0, -0.8), (1, -1)), ((-0.5, 0.9), (-1, 1))])
def test_two_bounds_are_near_the_integral_over_both(b, s):
    """Expectation propagation is not exact for two, but close."""
    B = [0.55, 0.65]
    posterior = model(B, b, s)
    centre, among = beside(posterior, B)
    prior, root = multivariate_normal(centre, among), math.sqrt(HYPER.noise)

    def weight(f, g):
        return prior.pdf([f, g]) * norm.cdf(s[0] * (f - b[0]) / root) * norm.cdf(s[1] * (g - b[1]) / root)

    def integral(function):
        return dblquad(lambda g, f: function(f, g) * weight(f, g), -3, 4, -3, 4, epsabs=1e-6)[0]

    whole = integral(lambda f, g: 1.0)
    mean, sigma = posterior.predict(np.array([B]).T)
    for k in range(2):
        first = integral(lambda f, g, k=k: (f, g)[k]) / whole
        second = integral(lambda f, g, k=k: (f, g)[k] ** 2) / whole
        assert mean[k, 0] == pytest.approx(first, abs=0.005)
        assert sigma[k] == pytest.approx(math.sqrt(second - first**2), rel=0.03)


def test_the_mean_is_where_the_evidence_is_largest():
    """The evidence of values and one bound at a mean mu is a density times a probability, both exact."""
    posterior = model([0.6], [1.5], [1.0])

    def log_evidence(mu):
        C = gp.covariance(X, X, HYPER) + np.diag(HYPER.noise + V)
        (centre,), ((variance,),) = gp.condition(X, Y, V, HYPER, mu=mu).joint(np.array([[0.6]]))
        return multivariate_normal.logpdf(Y, np.full(3, mu), C) + norm.logcdf(
            (centre - 1.5) / math.sqrt(variance + HYPER.noise)
        )

    at, *aside = (log_evidence(posterior.mu + shift) for shift in (0.0, -0.01, 0.01))
    assert at > max(aside)


def test_a_lower_bound_above_the_mean_raises_it_and_the_higher_the_more():
    plain = gp.condition(X, Y, V, HYPER).predict(np.array([[0.6]]))[0][0, 0]
    means = [model([0.6], [plain + above], [1.0]).predict(np.array([[0.6]]))[0][0, 0] for above in (0, 0.5, 1, 2, 4)]
    assert plain < means[0]
    assert means == sorted(means)
    lowered = model([0.6], [plain - 1.0], [-1.0]).predict(np.array([[0.6]]))[0][0, 0]
    assert lowered < plain


@pytest.mark.parametrize(("b", "side"), [(-40.0, 1.0), (40.0, -1.0)])
def test_a_bound_on_the_far_side_tells_nothing(b, side):
    points = np.linspace(0, 1, 11)[:, None]
    plain, bounded = gp.condition(X, Y, V, HYPER).predict(points), model([0.6], [b], [side]).predict(points)
    np.testing.assert_allclose(bounded[0], plain[0], atol=1e-9)
    np.testing.assert_allclose(bounded[1], plain[1], atol=1e-9)


def test_a_bound_far_beyond_the_model_counts_as_a_value():
    points = np.linspace(0, 1, 11)[:, None]
    bounded = model([0.6], [5e3], [1.0])
    value = gp.condition(np.append(X, [[0.6]], axis=0), np.append(Y, 5e3), np.append(V, 0.0), HYPER)
    np.testing.assert_allclose(bounded.predict(points)[0], value.predict(points)[0], rtol=1e-4)


def test_bounds_come_in_any_order():
    B, b, s = [0.2, 0.5, 0.6, 0.61], [1.0, 0.3, 1.4, -0.2], [1, -1, 1, -1]
    points = np.linspace(0, 1, 11)[:, None]
    one, other = model(B, b, s).predict(points), model(B[::-1], b[::-1], s[::-1]).predict(points)
    np.testing.assert_allclose(one[0], other[0], atol=1e-6)
    np.testing.assert_allclose(one[1], other[1], atol=1e-6)


@settings(deadline=None)
@given(
    told=st.lists(
        st.tuples(st.floats(0, 1), st.floats(-1e6, 1e6), st.sampled_from([1.0, -1.0]), st.floats(0, 1e12)),
        min_size=1,
        max_size=8,
    ),
    amplitude=st.floats(1e-3, 1e3),
    noise=st.floats(1e-6, 1.0),
)
@example(told=[(0.5, 3.0, 1.0, 0.0)] * 6 + [(0.5, 1.0, -1.0, 0.0)] * 2, amplitude=1.0, noise=1e-6)
@example(told=[(0.5, 1e6, 1.0, 0.0), (0.5, -1e6, -1.0, 0.0)], amplitude=1e3, noise=1e-6)
def test_never_nan_and_never_narrower_than_values_would_be(told, amplitude, noise):
    """Also where the same composition was bounded over and over, or from both sides at odds."""
    hyper = gp.Hyperparameters((0.4,), amplitude, noise)
    B, b, s, v_b = zip(*told, strict=True)
    points = np.linspace(0, 1, 7)[:, None]
    posterior = model(B, b, s, v_b, hyper=hyper)
    mean, sigma = posterior.predict(points)
    assert np.isfinite(mean).all()
    assert np.isfinite(sigma).all()
    assert np.all(posterior.v[3:] >= np.array(v_b) * (1 - 1e-6) - 1e-9)
