"""What a Gaussian process says of each observation when it is not told of it, without fitting it anew.

Notation
--------
n       observations, of which the first k are values (the others are bounds, see `bounds`)
K       processes of the mixture
y       (n,)    targets, warped
C       (n, n)  covariance of the targets, learned and known noise included, lower Cholesky factor L
alpha   (n,)    inv(C) (y - mu)
u       (n,)    inv(C) 1
P       inv(C) - u u' / sum(u): the precision of what is left of y when the constant mean is estimated
mean    (k,)    prediction of y_i from all the others
sigma   (k,)    its standard deviation, noise of the observation included
z       (k,)    standardised residuals

With hyper-parameters as they are, mean_i = y_i - alpha_i / P_ii, where the constant mean too is estimated without
observation i, and sigma_i^2 = 1 / inv(C)_ii (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006,
eqs. 5.12 and, for the mean, Dubrule, Mathematical Geology 15, 687, 1983).  All of them cost one inverse of L.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import log_ndtr, logsumexp, ndtri_exp

from orchestrator.optimizer import gp
from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.mixture import Mixture

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)


def predictions(posterior: gp.Posterior, values: int) -> tuple[Array, Array]:
    """mean and sigma (k,) of the first `values` observations of `posterior`.  Raises `ValueError` for fewer than two
    observations: nothing would be left to predict from."""
    n = len(posterior.X)
    if n < 2:
        raise ValueError(f"leaving one out of {n} observations leaves none: observe at least two")
    inverse = solve_triangular(posterior.L, np.eye(n), lower=True, check_finite=False)
    u = inverse.T @ inverse.sum(axis=1)
    precision = np.einsum("ij,ij->j", inverse, inverse)
    kept = np.maximum(precision - u**2 / u.sum(), np.finfo(float).eps * precision)  # P_ii, but for rounding
    mean = posterior.y[:, 0] - posterior.alpha[:, 0] / kept
    return mean[:values], 1.0 / np.sqrt(precision[:values])


def residuals(mixture: Mixture, values: int) -> tuple[Array, Array]:
    """z and the log predictive densities (k,) of the first `values` observations, in warped targets.

    z_i is the quantile of the standard normal distribution that y_i is of its predictive distribution, any process
    being as likely as another (Dunn and Smyth, J. Comp. Graph. Stat. 5, 236, 1996): for one process it is
    (y_i - mean_i) / sigma_i, and no monotone warping changes it.
    """
    mean, sigma = (np.array(each) for each in zip(*(predictions(p, values) for p in mixture.parts), strict=True))
    each = (mixture.parts[0].y[:values, 0] - mean) / sigma
    share = math.log(len(each))
    below = np.minimum(logsumexp(log_ndtr(each), axis=0) - share, 0.0)
    above = np.minimum(logsumexp(log_ndtr(-each), axis=0) - share, 0.0)
    z = np.where(below < above, ndtri_exp(below), -ndtri_exp(above))
    return z, np.asarray(logsumexp(-0.5 * each**2 - np.log(sigma), axis=0) - share - _LOG_SQRT_2PI)


def constant_densities(y: Array) -> Array:
    """Log predictive densities (k,) of `y` (k,), k at least 3, by a model without inputs: normal, with mean and
    variance of the others."""
    k = len(y)
    if k < 3:
        raise ValueError(f"mean and variance of the others need at least 3 observations, not {k}")
    others = (y.sum() - y) / (k - 1)
    squares = ((y**2).sum() - y**2) / (k - 1) - others**2
    variance = np.maximum(squares * (k - 1) / (k - 2), np.finfo(float).eps)
    return np.asarray(-0.5 * (y - others) ** 2 / variance - 0.5 * np.log(variance) - _LOG_SQRT_2PI)
