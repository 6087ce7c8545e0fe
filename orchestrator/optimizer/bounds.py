"""What a censored measurement tells a Gaussian process: that the truth lies on one side of a bound.

Notation
--------
k       values: y, v, inputs as in `gp`
c       bounds
B       (c, d)  inputs of the bounds
b       (c,)    bounds, units of y
s       (c,)    +1 for a lower bound, -1 for an upper one
w       (c,)    variance of a bound: known from the measurement, plus the learned noise g; units of y squared
f       (c,)    the function at B
prec    (c,)    precision of the normal site that stands for a bound, its target t (c,)

A bound's likelihood is that of a censored normal observation (Tobin 1958): P(f) = Phi(s (f - b) / sqrt(w)).
Each is replaced by the normal site that gives the same mean and variance of f beside all the others (expectation
propagation: Minka 2001; Rasmussen and Williams, algorithm 3.5), so that the process stays an exact one, with t for
a target and 1/prec for its noise.  The likelihood is log-concave with a curvature of at most 1/w, so prec lies
between 0 and 1/w: a bound never tells more than a value would, far above the model it tells as much, and far below
it nothing.  The mean is the profiled one, of values and sites together, which is where the approximate evidence
is largest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from scipy.special import log_ndtr

from orchestrator.optimizer import gp

Array = NDArray[np.float64]

SWEEPS = 200
SETTLED = 1e-9  # change of a site's precision, relative to 1/w, and of the mean it stands for
LEAST_PRECISION = 1e-12
_FAR = -30.0  # below this the hazard is the series


@dataclass(frozen=True)
class _Values:
    """What the values alone say of f: mean `offset` + mu `slope`, covariance `S`; and of the mean mu."""

    offset: Array
    slope: Array
    S: Array
    weight: float
    weighted: float

    @classmethod
    def of(cls, X: Array, y: Array, v: Array, B: Array, hyper: gp.Hyperparameters) -> _Values:
        L = gp.cholesky(gp.covariance(X, X, hyper) + np.diag(hyper.noise + v))
        across = gp.covariance(B, X, hyper)
        by_y, by_one = (cho_solve((L, True), column, check_finite=False) for column in (y, np.ones(len(y))))
        S = gp.covariance(B, B, hyper) - across @ cho_solve((L, True), across.T, check_finite=False)
        return cls(across @ by_y, 1.0 - across @ by_one, S, float(by_one.sum()), float(by_y.sum()))

    def mean(self, t: Array, prec: Array) -> float:
        """mu given these values and the sites."""
        root = np.sqrt(prec)
        L = gp.cholesky(_scaled(self.S, root))
        slope, rest = (cho_solve((L, True), root * part, check_finite=False) for part in (self.slope, t - self.offset))
        return float(
            (self.weighted + root * self.slope @ rest) / (self.weight + root * self.slope @ slope),
        )


def sites(
    X: Array, y: Array, v: Array, B: Array, b: Array, s: Array, v_b: Array, hyper: gp.Hyperparameters
) -> tuple[Array, Array]:
    """Targets (c,), and known noise variances (c,) beside the learned one, that stand for the bounds `b` in the
    process through the values `y`.  `v_b` (c,) are the bounds' variances known from the measurement."""
    values, w = _Values.of(X, y, v, B, hyper), hyper.noise + v_b
    t, prec = b.copy(), np.full(len(b), LEAST_PRECISION)
    mu = values.weighted / values.weight
    for _ in range(SWEEPS):
        before = prec.copy(), t.copy(), mu
        _sweep(values.offset + mu * values.slope, values.S, b, s, w, t, prec)
        mu = values.mean(t, prec)
        moved = np.abs(prec - before[0]) * w, np.abs(t - before[1]) * prec * np.sqrt(w), abs(mu - before[2])
        if max(moved[0].max(), moved[1].max(), moved[2]) < SETTLED:
            break
    return t, np.maximum(1.0 / prec - hyper.noise, 0.0)


def _sweep(m: Array, S: Array, b: Array, s: Array, w: Array, t: Array, prec: Array) -> None:
    """Fit every site once, in turn, in place; `m` and `S` are of f without the sites."""
    root = np.sqrt(prec)
    inner = root[:, None] * S
    covariance = S - inner.T @ cho_solve((gp.cholesky(_scaled(S, root)), True), inner, check_finite=False)
    mean = m + covariance @ (prec * (t - m))
    for i in range(len(b)):
        variance = max(float(covariance[i, i]), 1e-12 * w[i])
        without = 1.0 / max(1.0 / variance - prec[i], 1e-12 / variance)  # the cavity
        centre = mean[i] + without * prec[i] * (mean[i] - t[i])
        target, precision = _site(centre, without, b[i], s[i], w[i])
        change, pull = precision - prec[i], precision * target - prec[i] * t[i]
        column = covariance[:, i].copy()
        shrink = 1.0 + change * column[i]
        mean = mean + column * (pull - change * mean[i]) / shrink
        covariance = covariance - np.outer(column, column) * (change / shrink)
        t[i], prec[i] = target, precision


def _site(centre: float, variance: float, b: float, s: float, w: float) -> tuple[float, float]:
    """Target and precision that turn N(centre, variance) into the mean and variance that the bound leaves of it."""
    total = variance + w
    z = s * (centre - b) / np.sqrt(total)
    hazard, excess = _hazard(float(z))
    curvature = hazard * excess / total
    precision = curvature / max(1.0 - variance * curvature, w / total)
    if precision < LEAST_PRECISION:
        return b, LEAST_PRECISION
    return centre + s * np.sqrt(total) / excess, precision


def _hazard(z: float) -> tuple[float, float]:
    """r = phi(z) / Phi(z), and z + r, which cancels far below zero: there it is 1/x - 2/x^3 + 10/x^5, x = -z."""
    if z < _FAR:
        u = 1.0 / z / z
        excess = -(1.0 - u * (2.0 - 10.0 * u)) / z
        return excess - z, excess
    hazard = float(np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_ndtr(z)))
    return hazard, z + hazard


def _scaled(S: Array, root: Array) -> Array:
    """I + root S root, whose eigenvalues are at least 1."""
    scaled: Array = np.eye(len(root)) + root[:, None] * S * root
    return scaled
