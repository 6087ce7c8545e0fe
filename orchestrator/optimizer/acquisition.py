"""How much a candidate is worth measuring.

Notation
--------
m       candidates
c       columns: beliefs about the objective, all of the same probability (see `mixture`)
mean    (m, c)  posterior means, larger is better
sigma   (m, c)  posterior standard deviations
best    (c,)    incumbent: the largest posterior mean at a measured point

Every function returns (m,) scores, larger is better, and never NaN for finite input.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr, logsumexp, ndtr

from orchestrator.optimizer.mixture import moments

Array = NDArray[np.float64]

UCB_WEIGHT = 2.0  # standard deviations above the mean
_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
_FAR = -50.0  # below this the series is the more exact form


def log_expected_improvement(mean: Array, sigma: Array, best: Array) -> Array:
    """Logarithm of the improvement over `best` to expect, averaged over the beliefs.

    The logarithm keeps candidates apart whose expected improvement underflows (Ament et al., Unexpected
    improvements to expected improvement for Bayesian optimization, NeurIPS 2023).
    """
    tiny = np.finfo(float).tiny
    spread = np.maximum(sigma, tiny)
    with np.errstate(over="ignore"):
        z = np.clip((mean - best) / spread, -1e150, 1e150)
    each = np.log(spread) + log_h(z)
    return np.asarray(logsumexp(each, axis=1) - math.log(each.shape[1]))


def log_improvement_probability(mean: Array, sigma: Array, best: Array) -> Array:
    """Logarithm of the probability to be better than `best`, averaged over the beliefs (Kushner, J. Basic Eng. 86, 97,
    1964)."""
    z = np.clip((mean - best) / np.maximum(sigma, np.finfo(float).tiny), -1e150, 1e150)
    return np.asarray(logsumexp(log_ndtr(z), axis=1) - math.log(z.shape[1]))


def upper_confidence_bound(mean: Array, sigma: Array, best: Array, weight: float = UCB_WEIGHT) -> Array:
    """Mean plus `weight` standard deviations; `best` plays no part."""
    middle, deviation = moments(mean, sigma)
    return np.asarray(middle + weight * deviation)


def log_h(z: Array) -> Array:
    """log(phi(z) + z Phi(z)), phi and Phi the standard normal density and distribution.

    Three forms, each where it loses no digits.  Below -1 the bracket of phi(z) [1 + z Phi(z) / phi(z)] is
    written with the scaled complementary error function; far below, it is the divergent series
    1/z^2 - 3/z^4 + 15/z^6 - 105/z^8 + 945/z^10.
    """
    z = np.asarray(z, dtype=float)
    near, far = z > -1.0, z < _FAR
    middle = ~(near | far)
    result = np.empty_like(z)
    result[near] = np.log(np.exp(-0.5 * z[near] ** 2 - _LOG_SQRT_2PI) + z[near] * ndtr(z[near]))
    x = z[middle]
    bracket = 1.0 + x * math.sqrt(math.pi / 2.0) * erfcx(-x / math.sqrt(2.0))
    result[middle] = -0.5 * x**2 - _LOG_SQRT_2PI + np.log(bracket)
    x = z[far]
    u = 1.0 / x / x
    series = np.log1p(u * (-3.0 + u * (15.0 + u * (-105.0 + 945.0 * u))))
    result[far] = -0.5 * x**2 - _LOG_SQRT_2PI - 2.0 * np.log(-x) + series
    return result
