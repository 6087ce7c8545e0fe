"""Knowledge gradient: by how much measuring a candidate raises the best mean that one will then know of.

Notation
--------
r       rows among which the best mean is looked for: A (r, d), scaled inputs
m       candidates x; each is one of its own rows too, so that there are r + 1 lines
c       columns of a belief (see `mixture`)
a       (m, r + 1)  posterior means of the rows
b       (m, r + 1)  by how many times a standard normal Z they will move: Cov(f(A), f(x)) / sqrt(Var(f(x)) + noise)

The value of measuring x is E max_i(a_i + b_i Z) - max_i a_i.  The largest of r + 1 lines in Z is a convex chain of
some of them, in the order of their slopes b, and the expectation is a sum over the corners z_i of the chain:
sum_i (b_(i+1) - b_i) h(-|z_i|) with h(z) = phi(z) + z Phi(z), which loses no digits however small it is (Frazier,
Powell and Dayanik, The knowledge-gradient policy for correlated normal beliefs, INFORMS J. Comput. 21, 599, 2009, eq.
14; with measured points and x for rows: Scott, Frazier and Powell, SIAM J. Optim. 21, 996, 2011).

If only what was measured may be reported, x counts for nothing before it is, however good it is thought to be: then the
second term is the largest of A alone.  With measured rows for A and without noise, that is the expected improvement.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from orchestrator.optimizer import gp
from orchestrator.optimizer.acquisition import log_h
from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.mixture import Mixture

NOTHING = -1e300  # the logarithm of no gain at all: a score is a finite number
NUMBERS = 2**21  # so many crossings are held at a time


def log_knowledge_gradient(belief: Mixture, X: Array, A: Array, *, of_measured: bool = False) -> Array:
    """Logarithm of the gain from measuring each of `X` (m, d) once, the best looked for among `A` (r, d) and that one;
    averaged over the columns of `belief`.  `of_measured`: before, among `A` alone.  Noise is the learned one and the
    median of the known ones."""
    each = [column for part in belief.parts for column in _columns(part, X, A, of_measured)]
    total = logsumexp(np.array(each), axis=0) - math.log(len(each))
    return np.asarray(np.maximum(total, NOTHING))


def _columns(part: gp.Posterior, X: Array, A: Array, of_measured: bool) -> list[Array]:
    at_A, _ = part.predict(A)
    at_X, sigma = part.predict(X)
    variance = np.maximum(sigma**2, 0.0)
    scale = np.sqrt(variance + part.hyper.noise + float(np.median(part.v)))
    moved = (
        np.concatenate([_covariance(part, A, X), variance[None]]).T / np.maximum(scale, np.finfo(float).tiny)[:, None]
    )
    means = (np.concatenate([np.tile(at_A[:, q], (len(X), 1)), at_X[:, [q]]], axis=1) for q in range(at_X.shape[1]))
    return [_with_rise(log_gain(a, moved), a) if of_measured else log_gain(a, moved) for a in means]


def _with_rise(log_gains: Array, a: Array) -> Array:
    """As much more as x, the last line, is thought to be above all others."""
    rise = np.maximum(a[:, -1] - a[:, :-1].max(axis=1), 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp(log_gains, np.log(rise)))


def _covariance(part: gp.Posterior, A: Array, X: Array) -> Array:
    """Posterior covariance (r, m) of the function at A and at X."""
    of_A, of_X = (
        solve_triangular(part.L, gp.covariance(part.X, points, part.hyper), lower=True, check_finite=False)
        for points in (A, X)
    )
    return np.asarray(gp.covariance(A, X, part.hyper) - of_A.T @ of_X)


def log_gain(a: Array, b: Array) -> Array:
    """log(E max_i(a_i + b_i Z) - max_i a_i) of each row of lines `a`, `b` (m, r), both finite; `NOTHING` for none."""
    if not len(a):
        return np.empty(0)
    at_once = max(1, NUMBERS // a.shape[1] ** 2)
    return np.concatenate([_log_gain(a[k : k + at_once], b[k : k + at_once]) for k in range(0, len(a), at_once)])


def _log_gain(a: Array, b: Array) -> Array:
    rising = np.lexsort((a, b), axis=1)
    a, b = np.take_along_axis(a, rising, axis=1), np.take_along_axis(b, rising, axis=1)
    counts = np.ones(a.shape, dtype=bool)
    counts[:, :-1] = b[:, :-1] < b[:, 1:]  # of parallel lines only the highest
    begins, ends = _stretches(a, b, counts)
    seen = counts & (ends > begins)
    later = np.where(seen, b, np.inf)[:, ::-1]
    following = np.full(b.shape, np.inf)
    following[:, :-1] = np.minimum.accumulate(later, axis=1)[:, ::-1][:, 1:]
    corner = seen & np.isfinite(following)
    terms = np.full(a.shape, -np.inf)
    terms[corner] = np.log(following[corner] - b[corner]) + log_h(-np.minimum(np.abs(ends[corner]), 1e150))
    with np.errstate(divide="ignore"):
        return np.asarray(np.maximum(logsumexp(terms, axis=1), NOTHING))


def _stretches(a: Array, b: Array, counts: NDArray[np.bool_]) -> tuple[Array, Array]:
    """From where to where in Z each line (of rising slopes) is above all those that count."""
    i, j = np.triu_indices(a.shape[1], 1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        crossing = (a[:, i] - a[:, j]) / (b[:, j] - b[:, i])
    both = counts[:, i] & counts[:, j]
    m, r = a.shape
    ends, begins = np.full((m, r, r), np.inf), np.full((m, r, r), -np.inf)
    ends[:, i, j] = np.where(both, crossing, np.inf)
    begins[:, j, i] = np.where(both, crossing, -np.inf)
    return begins.max(axis=2), ends.min(axis=2)
