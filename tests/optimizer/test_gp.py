"""The Gaussian process against scikit-learn, against finite differences, and where rounding bites."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal
from sklearn.gaussian_process import GaussianProcessRegressor, kernels
from sklearn.metrics.pairwise import laplacian_kernel

from orchestrator.optimizer import gp


def made_up(n: int, d: int, seed: int):
    rng = np.random.default_rng(seed)
    X = rng.dirichlet(np.ones(d), size=n)
    y = np.sin(4 * X[:, 0]) + X[:, -1] ** 2 + 0.05 * rng.standard_normal(n)
    return X, (y - y.mean()) / y.std(), rng.uniform(0, 0.05, n) ** 2


class CityBlock(kernels.StationaryKernelMixin, kernels.Kernel):
    """exp(-sum_j |x_j - x'_j| / l_j), which scikit-learn does not have, by its own pairwise kernel."""

    def __init__(self, lengthscales):
        self.lengthscales = lengthscales

    def __call__(self, X, Y=None, eval_gradient=False):
        scale = np.array(self.lengthscales)
        return laplacian_kernel(X / scale, (X if Y is None else Y) / scale, gamma=1.0)

    def diag(self, X):
        return np.ones(len(X))


def reference(X, y, v, hyper):
    """scikit-learn's regressor with the same kernel and noise, hyper-parameters fixed."""
    alike = CityBlock(hyper.lengthscales) if hyper.kernel == "laplace" else kernels.Matern(hyper.lengthscales, nu=2.5)
    kernel = kernels.ConstantKernel(hyper.amplitude) * alike
    return GaussianProcessRegressor(kernel, alpha=v + hyper.noise, optimizer=None).fit(X, y)


HYPER = gp.Hyperparameters((0.3, 0.7, 1.5), 1.7, 1e-3)
BOTH = pytest.mark.parametrize("hyper", [HYPER, replace(HYPER, kernel="laplace")], ids=lambda hyper: hyper.kernel)


@BOTH
def test_posterior_agrees_with_scikit_learn(hyper):
    X, y, v = made_up(40, 3, 1)
    points = np.random.default_rng(2).dirichlet(np.ones(3), size=200)
    mean, sigma = gp.condition(X, y, v, hyper, mu=0.0).predict(points)
    expected_mean, expected_sigma = reference(X, y, v, hyper).predict(points, return_std=True)
    np.testing.assert_allclose(mean[:, 0], expected_mean, atol=1e-6)
    np.testing.assert_allclose(sigma, expected_sigma, atol=1e-6)


@BOTH
def test_joint_covariance_agrees_with_scikit_learn(hyper):
    X, y, v = made_up(20, 3, 3)
    points = np.random.default_rng(4).dirichlet(np.ones(3), size=12)
    mean, among = gp.condition(X, y, v, hyper, mu=0.0).joint(points)
    expected_mean, expected = reference(X, y, v, hyper).predict(points, return_cov=True)
    np.testing.assert_allclose(mean, expected_mean, atol=1e-6)
    np.testing.assert_allclose(among, expected, atol=1e-6)


@BOTH
def test_likelihood_agrees_with_scikit_learn(hyper):
    X, y, v = made_up(30, 3, 5)
    theta = np.log([*hyper.lengthscales, hyper.amplitude, hyper.noise])
    mu = gp.condition(X, y, v, hyper).mu
    ours, _ = gp.negative_log_likelihood(theta, X, y, v, hyper.kernel)
    theirs = reference(X, y - mu, v, hyper).log_marginal_likelihood_value_
    assert ours == pytest.approx(-theirs, abs=1e-6)


@BOTH
def test_likelihood_is_the_normal_density(hyper):
    X, y, v = made_up(12, 3, 6)
    theta = np.log([*hyper.lengthscales, hyper.amplitude, hyper.noise])
    C = gp.covariance(X, X, hyper) + np.diag(hyper.noise + v)
    mu = gp.condition(X, y, v, hyper).mu
    ours, _ = gp.negative_log_likelihood(theta, X, y, v, hyper.kernel)
    assert ours == pytest.approx(-multivariate_normal.logpdf(y, np.full(12, mu), C), abs=1e-9)


def test_profiled_mean_is_the_likeliest():
    X, y, v = made_up(15, 3, 7)
    C = gp.covariance(X, X, HYPER) + np.diag(HYPER.noise + v)
    mu = gp.condition(X, y, v, HYPER).mu
    density = [multivariate_normal.logpdf(y, np.full(15, mu + shift), C) for shift in (-0.01, 0.0, 0.01)]
    assert density[1] > max(density[0], density[2])


@pytest.mark.parametrize("kernel", ["matern52", "laplace"])
@pytest.mark.parametrize("d", [1, 2, 6])
@pytest.mark.parametrize("density", [gp.negative_log_likelihood, gp.negative_log_density])
def test_gradient_is_that_of_finite_differences(d, density, kernel):
    X, y, v = made_up(25, max(d, 2), d)
    X = X[:, :d]
    rng = np.random.default_rng(d)
    theta = np.concatenate([rng.normal(-0.7, 0.5, d), [rng.normal(), math.log(0.01)]])
    arguments = (X, y, v) if density is gp.negative_log_likelihood else (X, y, v, 0.4)
    _, gradient = density(theta, *arguments, kernel=kernel)
    numeric = approx_fprime(theta, lambda t: density(t, *arguments, kernel=kernel)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=2e-4, atol=2e-4)


def test_fit_finds_what_drew_the_data():
    """Data drawn from the process itself: the irrelevant input is found irrelevant, the noise its size."""
    rng = np.random.default_rng(8)
    X = rng.uniform(size=(120, 2))
    truth = gp.Hyperparameters((0.3, 30.0), 1.0, 0.01)
    y = gp.cholesky(gp.covariance(X, X, truth) + 0.01 * np.eye(120)) @ rng.standard_normal(120)
    hyper = gp.fit(X, (y - y.mean()) / y.std(), np.zeros(120), l0=0.4)
    assert hyper.lengthscales[1] > 2 * hyper.lengthscales[0]
    assert 0.3 < hyper.noise * y.var() / 0.01 < 3


def test_fit_improves_on_its_start():
    X, y, v = made_up(30, 3, 9)
    start = gp.Hyperparameters((1.0, 1.0, 1.0), 1.0, 0.1)
    found = gp.fit(X, y, v, l0=0.3, start=start)
    losses = [
        gp.negative_log_density(np.log([*h.lengthscales, h.amplitude, h.noise]), X, y, v, 0.3)[0]
        for h in (start, found)
    ]
    assert losses[1] < losses[0]


def test_many_columns_of_targets_are_independent():
    X, y, v = made_up(20, 3, 10)
    points = X[:5] * 0.9
    both = gp.condition(X, np.column_stack([y, -2 * y]), v, HYPER, mu=0.0)
    first = gp.condition(X, y, v, HYPER, mu=0.0)
    np.testing.assert_allclose(both.predict(points)[0][:, 0], first.predict(points)[0][:, 0])
    np.testing.assert_allclose(both.predict(points)[0][:, 1], -2 * first.predict(points)[0][:, 0])


def test_a_large_pool_is_predicted_like_its_parts(monkeypatch):
    X, y, v = made_up(10, 3, 11)
    points = np.random.default_rng(12).dirichlet(np.ones(3), size=50)
    posterior = gp.condition(X, y, v, HYPER)
    whole = posterior.predict(points)
    monkeypatch.setattr(gp, "FEWEST_AT_ONCE", 7)
    monkeypatch.setattr(gp, "BLOCK_NUMBERS", 1)
    parts = posterior.predict(points)
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(parts[1], whole[1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n", [20, 300, 1200])
def test_memory_to_predict_a_pool_is_that_of_a_few_of_its_blocks(n):
    points = np.random.default_rng(15).dirichlet(np.ones(3), size=8192)
    posterior = gp.condition(*made_up(n, 3, 16), HYPER)
    tracemalloc.start()
    means, sigmas = posterior.predict(points)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    block = 8 * max(gp.BLOCK_NUMBERS, gp.FEWEST_AT_ONCE * n)
    assert peak < means.nbytes + sigmas.nbytes + 6 * block


def test_the_mean_at_an_observation_needs_no_covariance():
    X, y, v = made_up(12, 3, 17)
    posterior = gp.condition(X, np.column_stack([y, y**2]), v, HYPER, mu=0.3)
    np.testing.assert_allclose(posterior.at_observed(), posterior.predict(X)[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernel", ["matern52", "laplace"])
def test_a_posterior_is_extended_to_what_it_is_from_all_observations_at_once(kernel):
    X, y, v = made_up(20, 3, 18)
    hyper = replace(HYPER, kernel=kernel)
    base = gp.condition(X[:13], y[:13], v[:13], hyper)
    extended = gp.extend(gp.extend(base, X[13:17], y[:17], v[13:17]), X[17:], y, v[17:])
    whole = gp.condition(X, y, v, hyper)
    assert extended.root is base
    assert whole.root is whole
    points = np.random.default_rng(19).dirichlet(np.ones(3), size=50)
    for one, other in zip(extended.predict(points), whole.predict(points), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-9)
    assert extended.mu == pytest.approx(whole.mu, rel=1e-9)


@pytest.mark.parametrize("kernel", ["matern52", "laplace"])
def test_pairs_that_are_too_many_to_keep_give_the_same_density(kernel, monkeypatch):
    X, y, v = made_up(25, 3, 20)
    theta = np.log([0.3, 0.5, 0.2, 1.2, 0.01])
    kept = gp.negative_log_density(theta, X, y, v, 0.4, kernel)
    monkeypatch.setattr(gp.kernels, "KEPT", 0)
    anew = gp.negative_log_density(theta, X, y, v, 0.4, kernel)
    assert anew[0] == pytest.approx(kept[0], rel=1e-10)
    np.testing.assert_allclose(anew[1], kept[1], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("n", [1, 64, 65, 200])
def test_a_triangle_is_inverted_by_halves(n):
    L = np.linalg.cholesky(np.cov(np.random.default_rng(n).random((n, 3 * n))).reshape(n, n) + np.eye(n))
    np.testing.assert_allclose(gp._inverse(np.asfortranarray(L)) @ L, np.eye(n), atol=1e-10)


def test_fantasies_have_the_posterior_of_the_points():
    X, y, v = made_up(8, 2, 13)
    hyper = gp.Hyperparameters((0.2, 0.2), 1.0, 0.02)
    posterior = gp.condition(X, y, v, hyper)
    points = np.array([[0.3, 0.7], [0.35, 0.65], [0.9, 0.1]])
    drawn = gp.fantasies(posterior, points, 100_000, np.random.default_rng(14))
    mean, among = posterior.joint(points)
    np.testing.assert_allclose(drawn.mean(axis=1), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn), among + 0.02 * np.eye(3), atol=0.02)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 30),
    distinct=st.integers(1, 5),
    exponent=st.floats(-9, 9),
    seed=st.integers(0, 10_000),
)
def test_never_fails_on_repeats(n, distinct, exponent, seed):
    """The same few points over and over, with hyper-parameters that make the matrix singular."""
    rng = np.random.default_rng(seed)
    X = rng.dirichlet(np.ones(3), size=distinct)[rng.integers(distinct, size=n)]
    hyper = gp.Hyperparameters(tuple(10 ** rng.uniform(-4, 4, 3)), 10**exponent, 0.0)
    posterior = gp.condition(X, rng.standard_normal(n), np.zeros(n), hyper)
    mean, sigma = posterior.predict(X)
    assert np.all(np.isfinite(mean))
    assert np.all(np.isfinite(sigma))
    assert np.all(sigma >= 0)


def test_a_matrix_that_is_not_finite_is_named():
    with pytest.raises(FloatingPointError, match="not finite"):
        gp.cholesky(np.array([[1.0, np.nan], [np.nan, np.nan]]))


def test_a_posterior_of_inputs_that_are_not_finite_is_refused():
    X, y, _ = made_up(5, 2, 3)
    X[2, 1] = np.nan
    with pytest.raises(FloatingPointError, match="not finite"):
        gp.condition(X, y, np.zeros(5), gp.Hyperparameters((1.0, 1.0), 1.0, 1e-3))


def test_a_covariance_that_rounding_left_indefinite_is_mended():
    X, hyper = np.repeat([[0.1], [0.2]], 20, axis=0), gp.Hyperparameters((10.0,), 1.0, 0.0)
    posterior = gp.condition(X, np.repeat([1.0, 2.0], 20), np.zeros(40), hyper)
    C = gp.covariance(X, X, hyper)
    np.testing.assert_allclose(posterior.L @ posterior.L.T, C, atol=1e-6)
    assert np.isfinite(posterior.alpha).all()
