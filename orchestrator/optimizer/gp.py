"""An exact Gaussian process: a kernel with a lengthscale for each input, learned noise, constant mean.

Notation
--------
n       observations
d       inputs
m       points to predict at
q       columns of targets (one, or one for each fantasy)
X       (n, d)  inputs, each scaled to the order of 1
y       (n,) or (n, q)  targets, any units
v       (n,)    known noise variances of the targets, units of y squared
l       (d,)    lengthscales, units of X
a       amplitude: prior variance, units of y squared
g       learned noise variance, common to all observations, units of y squared
C       (n, n)  a k(X, X) + g I + diag(v), lower Cholesky factor L
mu      constant mean, profiled out: the generalised least-squares estimate given C
h       (n,)    the trend at X, a known function that is part of the mean; 0 where there is none
alpha   (n,) or (n, q)  inv(C) (y - mu - h)
theta   (d + 2,)  logarithms of l, a, g

k is one of `kernels`.  Hyper-parameters are those of largest posterior density (`fit`): the marginal likelihood at
the profiled mean times log l_j ~ N(log l0, 0.75), the weak priors and the bounds below.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_solve, lapack, solve_triangular
from scipy.optimize import minimize

from orchestrator.optimizer import kernels
from orchestrator.optimizer.kernels import Array, Kernel

LENGTHSCALE_LOG_SIGMA = 0.75  # of the lengthscale prior
NOISE_LOG_CENTRE, NOISE_LOG_SIGMA = math.log(1e-3), 2.0  # learned noise variance, targets of variance 1
AMPLITUDE_LOG_SIGMA = 2.0  # around 1, targets of variance 1
LENGTHSCALE_SPAN = 100.0  # lengthscales stay within this factor of their prior centre
AMPLITUDE_BOUNDS = (1e-3, 1e3)  # targets of variance 1
NOISE_BOUNDS = (1e-6, 1.0)  # targets of variance 1
MAX_ITERATIONS = 30
TOLERANCES = {"ftol": 1e-5, "gtol": 1e-3}  # of the log density: finer ones move no decision
SMALL = 64  # rows of a triangle that is inverted in one go
BLOCK_NUMBERS = 2**15  # of a covariance with points to predict at are computed at a time: they stay in a cache;
FEWEST_AT_ONCE = 128  # points: with fewer the factor is read again and again, which takes longer


Trend = Callable[[Array], Array]
"""Points (m, d) -> (m,): what the mean is known to be beside a constant."""


@dataclass(frozen=True)
class Hyperparameters:
    """l, a and g of the notation, and the kernel that they are of."""

    lengthscales: tuple[float, ...]
    amplitude: float
    noise: float
    kernel: Kernel = "matern52"

    def scaled(self, unit: float) -> Hyperparameters:
        """The same for targets multiplied by `unit`."""
        return replace(self, amplitude=self.amplitude * unit**2, noise=self.noise * unit**2)


@dataclass(frozen=True)
class Posterior:
    """What the data say: everything needed to predict, or to add to them.  `y` has one column a fantasy."""

    X: Array  # (n, d)
    y: Array  # (n, q)
    v: Array  # (n,)
    hyper: Hyperparameters
    L: Array  # (n, n)
    mu: float
    alpha: Array  # (n, q)
    base: Posterior | None = None  # what this one extends
    trend: Trend | None = None

    @property
    def root(self) -> Posterior:
        """The posterior that extends no other, of which this one has all observations."""
        return self if self.base is None else self.base.root

    def known_mean(self, points: Array) -> Array | float:
        """The trend at `points` (m, d), (m,)."""
        return 0.0 if self.trend is None else self.trend(points)

    @property
    def detrended(self) -> Array:
        """y - h, (n, q)."""
        return self.y if self.trend is None else self.y - self.trend(self.X)[:, None]

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Means (m, q) and standard deviations (m,) of the noise-free function at `points` (m, d)."""
        means = np.empty((len(points), self.alpha.shape[1]))
        sigmas = np.empty(len(points))
        for part in blocks(len(points), len(self.X)):
            across = covariance(points[part], self.X, self.hyper)
            means[part] = self.mu + across @ self.alpha
            explained = solve_triangular(self.L, across.T, lower=True, check_finite=False)
            variance = self.hyper.amplitude - np.einsum("ij,ij->j", explained, explained)
            sigmas[part] = np.sqrt(np.maximum(variance, 0.0))
        if self.trend is not None:
            means += self.trend(points)[:, None]
        return means, sigmas

    def at_observed(self) -> Array:
        """Means (n, q) at the observations themselves, at no price: y - mu = C alpha, and k differs from C by noise
        alone."""
        means: Array = self.y - (self.hyper.noise + self.v)[:, None] * self.alpha
        return means

    def joint(self, points: Array) -> tuple[Array, Array]:
        """Mean (m,) of the first column and covariance (m, m) of the function at `points` (m, d)."""
        across = covariance(points, self.X, self.hyper)
        explained = solve_triangular(self.L, across.T, lower=True, check_finite=False)
        among = covariance(points, points, self.hyper) - explained.T @ explained
        return self.mu + self.known_mean(points) + across @ self.alpha[:, 0], among


def condition(
    X: Array, y: Array, v: Array, hyper: Hyperparameters, mu: float | None = None, trend: Trend | None = None
) -> Posterior:
    """The posterior given targets `y` (n,) or (n, q); the mean is profiled from `y` unless `mu` is given."""
    return _given(X, y, v, hyper, _factor(X, v, hyper), mu, None, trend)


def extend(posterior: Posterior, X: Array, y: Array, v: Array, mu: float | None = None) -> Posterior:
    """`posterior` after r more observations at `X` (r, d) with known noise `v` (r,), at the price of these.

    `y` (n + r,) or (n + r, q) are all targets, in the order of the observations; the mean is profiled from them
    unless `mu` is given.
    """
    n, r = len(posterior.X), len(X)
    hyper = posterior.hyper
    lower = solve_triangular(posterior.L, covariance(posterior.X, X, hyper), lower=True, check_finite=False).T
    L = np.empty((n + r, n + r), order="F")
    L[:n, :n] = posterior.L
    L[:n, n:] = 0.0
    L[n:, :n] = lower
    L[n:, n:] = cholesky(covariance(X, X, hyper) + np.diag(hyper.noise + v) - lower @ lower.T)
    every_v = np.concatenate([posterior.v, v])
    return _given(np.concatenate([posterior.X, X]), y, every_v, hyper, L, mu, posterior, posterior.trend)


def _given(
    X: Array,
    y: Array,
    v: Array,
    hyper: Hyperparameters,
    L: Array,
    mu: float | None,
    base: Posterior | None,
    trend: Trend | None,
) -> Posterior:
    columns = np.atleast_2d(y.T).T
    left = columns if trend is None else columns - trend(X)[:, None]
    if mu is None:
        mu = _profiled_mean(L, left[:, 0] if y.ndim == 1 else left)
    return Posterior(X, columns, v, hyper, L, mu, cho_solve((L, True), left - mu, check_finite=False), base, trend)


def fantasies(posterior: Posterior, points: Array, count: int, rng: np.random.Generator) -> Array:
    """Outcomes (m, count) that measuring `points` (m, d) jointly might have, learned noise included."""
    mean, among = posterior.joint(points)
    L = cholesky(among + posterior.hyper.noise * np.eye(len(points)))
    return mean[:, None] + L @ rng.standard_normal((len(points), count))


def fit(
    X: Array,
    y: Array,
    v: Array,
    *,
    l0: float,
    start: Hyperparameters | None = None,
    kernel: Kernel = "matern52",
) -> Hyperparameters:
    """Hyper-parameters of largest posterior density for targets of mean 0 and variance 1.

    `l0` is the centre of the lengthscale prior; `start` (an earlier fit) is where the search begins.
    """
    d = X.shape[1]
    centre = _log(Hyperparameters((l0,) * d, 1.0, math.exp(NOISE_LOG_CENTRE)))
    bounds = _log_bounds(l0, d)
    first = centre if start is None else np.clip(_log(start), bounds[:, 0], bounds[:, 1])
    found = minimize(
        negative_log_density,
        first,
        args=(X, y, v, l0, kernel, kernels.Pairs(X, kernel)),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": MAX_ITERATIONS, **TOLERANCES},
    )
    return _exp(found.x if np.isfinite(found.fun) else centre, kernel)


def negative_log_density(
    theta: Array,
    X: Array,
    y: Array,
    v: Array,
    l0: float,
    kernel: Kernel = "matern52",
    pairs: kernels.Pairs | None = None,
) -> tuple[float, Array]:
    """Minus the log posterior density of theta (up to a constant) and its gradient (d + 2,)."""
    loss, gradient = negative_log_likelihood(theta, X, y, v, kernel, pairs)
    away = (theta - _prior_centre(l0, X.shape[1])) / _prior_sigma(X.shape[1])
    return loss + 0.5 * float(away @ away), gradient + away / _prior_sigma(X.shape[1])


def log_density(hyper: Hyperparameters, X: Array, y: Array, v: Array, l0: float) -> float:
    """The log posterior density of `hyper`, up to a constant that depends on neither `hyper` nor `y`."""
    return -negative_log_density(_log(hyper), X, y, v, l0, hyper.kernel)[0]


def negative_log_likelihood(
    theta: Array, X: Array, y: Array, v: Array, kernel: Kernel = "matern52", pairs: kernels.Pairs | None = None
) -> tuple[float, Array]:
    """Minus the log marginal likelihood of y (n,) at the profiled mean, and its gradient (d + 2,).

    With W = alpha alpha' - inv(C), the gradient in a parameter t is -tr(W dC/dt) / 2; mu is at its optimum,
    so its own change contributes nothing.  As a k = C - g I - diag(v), its trace with W needs only the diagonal of
    inv(C); and the lengthscales' sums over pairs only its lower triangle, twice.  `pairs` are those of X, if at hand.
    """
    lengthscales, (amplitude, noise) = np.exp(theta[:-2]), np.exp(theta[-2:])
    pairs = kernels.Pairs(X, kernel) if pairs is None else pairs
    k, slope = pairs.with_slope(lengthscales)
    C, outer = pairs.scratch
    known = noise + v
    np.multiply(k, amplitude, out=C)
    C.flat[:: len(C) + 1] += known
    L, failed = lapack.dpotrf(C.T, lower=1, clean=1, overwrite_a=1)
    if failed:
        L = cholesky(amplitude * k + np.diag(known))
    log_determinant = 2.0 * float(np.log(np.diag(L)).sum())
    mu, (alpha, _) = _solved(L, y)
    lower, _ = lapack.dlauum(_inverse(L), lower=1, overwrite_c=1)  # of inv(C)
    inverse = np.diag(lower).copy()
    W = lower.T
    W *= -2.0
    W += np.multiply.outer(alpha, alpha, out=outer)
    W *= slope
    by_lengthscale = -0.5 * amplitude * pairs.contract(W, lengthscales)
    by_amplitude = -0.5 * ((y - mu) @ alpha - len(y) - known @ (np.square(alpha) - inverse))
    by_noise = -0.5 * noise * float(np.sum(np.square(alpha) - inverse))
    loss = 0.5 * (y - mu) @ alpha + 0.5 * log_determinant + 0.5 * len(y) * math.log(2 * math.pi)
    return float(loss), np.array([*by_lengthscale, by_amplitude, by_noise])


def covariance(A: Array, B: Array, hyper: Hyperparameters) -> Array:
    """Prior covariance (len(A), len(B)) of the function at A and at B."""
    lengthscales = np.array(hyper.lengthscales)
    Z = A / lengthscales
    k = kernels.correlation(Z, Z if B is A else B / lengthscales, hyper.kernel)
    k *= hyper.amplitude
    return k


def blocks(m: int, n: int) -> list[slice]:
    """Parts of m points, such that the covariance of each with n observations is small."""
    size = max(FEWEST_AT_ONCE, BLOCK_NUMBERS // n)
    return [slice(begin, min(begin + size, m)) for begin in range(0, m, size)]


def cholesky(C: Array) -> Array:
    """Lower Cholesky factor of a covariance matrix, with as little added to its diagonal as it takes.

    Rounding leaves a covariance matrix at worst slightly indefinite, so for finite C this always ends.
    """
    if not np.all(np.isfinite(C)):
        raise FloatingPointError("a covariance matrix has entries that are not finite")
    jitter = 0.0
    typical = float(np.mean(np.diag(C)))
    while True:
        L, failed = lapack.dpotrf(C + jitter * np.eye(len(C)) if jitter else C, lower=1, clean=1)
        if not failed:
            return np.asarray(L)
        jitter = max(10.0 * jitter, 1e-12 * typical, np.finfo(float).tiny)


def _factor(X: Array, v: Array, hyper: Hyperparameters) -> Array:
    """L, in the memory of C: what is large is written over, because new memory takes as long as what is done in it."""
    C = covariance(X, X, hyper)
    C.flat[:: len(C) + 1] += hyper.noise + v
    L, failed = lapack.dpotrf(C.T, lower=1, clean=1, overwrite_a=1)
    if failed or not np.all(np.isfinite(np.diag(L))):
        return cholesky(covariance(X, X, hyper) + np.diag(hyper.noise + v))
    return np.asarray(L)


def _profiled_mean(L: Array, y: Array) -> float:
    """mu of targets (n,)."""
    return _solved(L, y)[0]


def _solved(L: Array, y: Array) -> tuple[float, tuple[Array, Array]]:
    """mu; alpha, and inv(C) 1, of targets (n,)."""
    both, _ = lapack.dpotrs(L, np.array([y, np.ones(len(y))]).T, lower=1)
    by_y, by_one = both.T
    mu = float(by_y.sum() / by_one.sum())
    return mu, (by_y - mu * by_one, by_one)


def _inverse(L: Array) -> Array:
    """inv(L) of a lower triangle, by halves: LAPACK's own goes column by column."""
    n = len(L)
    if n <= SMALL:
        return np.asarray(lapack.dtrtri(L, lower=1)[0])
    half = n // 2
    inverse = np.zeros((n, n), order="F")
    first, second = _inverse(L[:half, :half]), _inverse(L[half:, half:])
    inverse[:half, :half], inverse[half:, half:] = first, second
    inverse[half:, :half] = -(second @ (L[half:, :half] @ first))
    return inverse


def _prior_centre(l0: float, d: int) -> Array:
    return np.array([math.log(l0)] * d + [0.0, NOISE_LOG_CENTRE])


def _prior_sigma(d: int) -> Array:
    return np.array([LENGTHSCALE_LOG_SIGMA] * d + [AMPLITUDE_LOG_SIGMA, NOISE_LOG_SIGMA])


def _log_bounds(l0: float, d: int) -> Array:
    lengthscale = (l0 / LENGTHSCALE_SPAN, l0 * LENGTHSCALE_SPAN)
    return np.log([lengthscale] * d + [AMPLITUDE_BOUNDS, NOISE_BOUNDS])


def _log(hyper: Hyperparameters) -> Array:
    return np.log([*hyper.lengthscales, hyper.amplitude, hyper.noise])


def _exp(theta: Array, kernel: Kernel) -> Hyperparameters:
    *lengthscales, amplitude, noise = np.exp(theta).tolist()
    return Hyperparameters(tuple(lengthscales), amplitude, noise, kernel)
