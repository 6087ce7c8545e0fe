"""The best rows of a pool by expected improvement, without scoring those that cannot be among them.

Notation
--------
m       rows of the pool
K       processes; q fantasies; c = K q columns (see `mixture`)
n       observations of the *base*: what a process was conditioned on when its hyper-parameters were fitted
N, r    what was learned or imagined since, r points
L, L'   lower Cholesky factors: of the base (n, n); of all (n + r, n + r), whose first n rows are L
L21     (r, n)  the lower left block of L', and L22 (r, r) its lower right one
V       (n,)    inv(L) k(X, x) of one row x of the pool
T       (r,)    inv(L22) (k(N, x) - L21 V)
w       (n + r, q)  inv(L') (y - mu)

A posterior at x has mean mu + V w[:n] + T w[n:] and variance a - V'V - T'T.  The base is the same until the next fit,
and with it V of every row.  So one *survey* of the pool for each fit keeps, of every row, V w[:n] as it depends on
mu, and an upper bound of a - V'V by the first observations; and for the rows that promise most at the fit, V itself.
These are then scored at the price of T.  Of any other row, with s^2 = a - V'V, D = (best - mu - V w[:n]) / s and
|T| = s sin(t), by Cauchy and Schwarz

    mean - best <= s (|w[n:]| sin(t) - D),  sigma = s cos(t)

and so the expected improvement sigma h((mean - best) / sigma) is at most s h(z), where z is the largest over t,
-sqrt(D^2 - |w[n:]|^2) if D > |w[n:]|; else it is at most s h(|w[n:]| - D).  The row is scored only if that could bring
it before the second best so far.  The choice is that of scoring every row, but for rounding where two are equal.

What is computed depends on the base, N, the pool and which rows are taken, and not on what was asked before: a survey
is remembered, never amended, so that a replayed campaign chooses the same to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, cho_solve, solve_triangular

from orchestrator.optimizer import gp
from orchestrator.optimizer.improvement import Improvement
from orchestrator.optimizer.kernels import Array

Indices = NDArray[np.intp]

ACTIVE = 16_384  # at most so many rows are promising: more are seldom worth their time;
ACTIVE_BYTES = 2**26  # and so many that their V, which are kept, take no more,
ACTIVE_WORK = 2**32  # nor more multiplications to compute
FIRST = 32  # observations, at least, by which the standard deviations of all rows are bounded,
FIRST_SHARE = 8  # or one in so many
AT_ONCE = 2048  # rows beyond the promising ones that are scored at a time
SLACK = 1e-6  # standard deviations of the prior, added to bounds: far more than rounding
_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
HOPED = 1.0  # standard deviations that a mean may rise between fits, when promising rows are picked


@dataclass(frozen=True)
class Part:
    """What is kept of one process, for all rows of the pool."""

    base: gp.Posterior
    by_y: Array  # (m,)  h(x) + k(x, X) inv(C) (y - h), h the trend
    by_one: Array  # (m,)  1 - k(x, X) inv(C) 1
    sigma: Array  # (m,)  at least the standard deviation
    log_sigma: Array  # (m,)
    V: Array  # (A, n)  of the promising rows
    variance: Array  # (A,)  theirs: a - V'V

    def mean(self, mu: float) -> Array:
        """mu + V w[:n] of every row, (m,)."""
        mean: Array = self.by_y + mu * self.by_one
        return mean


@dataclass(frozen=True)
class Survey:
    """Of one pool by the bases of a mixture; `active` (A,) are the promising rows, `others` all the rest."""

    parts: tuple[Part, ...]
    active: Indices
    others: Indices


class Screen:
    """Rows `X` (m, d) of features, and the last survey of them."""

    def __init__(self, X: Array) -> None:
        self.X = X
        self._survey: Survey | None = None

    def scores(self, score: Improvement, free: NDArray[np.bool_], count: int = 2) -> tuple[Indices, Array]:
        """Free rows, ascending, and their scores: some of the `free` ones (m,), the `count` best among them."""
        survey = self._surveyed(score)
        rows = survey.active
        scores = np.where(free[rows], self._of_active(score, survey), -np.inf)
        enough = _nth(scores, count)
        beyond, bounds = self._hopeful(score, survey, free, enough)
        order = np.argsort(-bounds, kind="stable")
        found, heights = [rows], [scores]
        for begin in range(0, len(order), AT_ONCE):
            part = order[begin : begin + AT_ONCE]
            if bounds[part[0]] < enough:
                break
            found.append(beyond[part])
            heights.append(score(self.X[beyond[part]]))
            enough = max(enough, _nth(np.concatenate(heights), count))
        rows, scores = np.concatenate(found), np.concatenate(heights)
        order = np.argsort(rows, kind="stable")
        order = order[free[rows[order]]]
        return rows[order], scores[order]

    def _surveyed(self, score: Improvement) -> Survey:
        bases = [part.root for part in score.belief.parts]
        kept = self._survey
        if kept is None or any(part.base is not base for part, base in zip(kept.parts, bases, strict=True)):
            self._survey = kept = None  # let go before the next one takes as much again
            kept = survey(self.X, score, bases)
            self._survey = kept
        return kept

    def _of_active(self, score: Improvement, survey: Survey) -> Array:
        """Scores of the promising rows, (A,)."""
        points = score.inputs(self.X[survey.active])
        means, sigmas = [], []
        for now, part in zip(score.belief.parts, survey.parts, strict=True):
            mean, variance = part.mean(now.mu)[survey.active, None], part.variance
            n, later = len(part.base.X), len(now.X) - len(part.base.X)
            if later:
                across = gp.covariance(points, now.X[n:], now.hyper) - part.V @ now.L[n:, :n].T
                T = solve_triangular(now.L[n:, n:], across.T, lower=True, check_finite=False)
                mean = mean + T.T @ _whitened(now)[n:]
                variance = variance - np.einsum("ij,ij->j", T, T)
            sigma = np.sqrt(np.maximum(variance, 0.0))
            means.append(np.broadcast_to(mean, (len(points), now.alpha.shape[1])))
            sigmas.append(np.broadcast_to(sigma[:, None], means[-1].shape))
        return score.of(np.concatenate(means, axis=1), np.concatenate(sigmas, axis=1))

    def _hopeful(
        self, score: Improvement, survey: Survey, free: NDArray[np.bool_], enough: float
    ) -> tuple[Indices, Array]:
        """The other free rows whose scores may be more than `enough`, and bounds of these."""
        rows = survey.others[free[survey.others]]
        if not len(rows):
            return rows, np.empty(0)
        each = _bounds(score, survey.parts, rows)
        hopeful = each.max(axis=0) >= enough
        rows, each = rows[hopeful], each[:, hopeful]
        bounds = np.logaddexp.reduce(each, axis=0) - math.log(len(each))
        hopeful = bounds >= enough
        return rows[hopeful], bounds[hopeful]


def survey(X: Array, score: Improvement, bases: list[gp.Posterior]) -> Survey:
    """A survey of the rows `X` (m, d) of a pool."""
    by_y, by_one, sigma = (np.empty((len(bases), len(X))) for _ in range(3))
    for k, base in enumerate(bases):
        told = np.stack([base.detrended[:, 0], np.ones(len(base.X))], axis=1)
        weights = cho_solve((base.L, True), told, check_finite=False)
        first = min(max(FIRST, len(base.X) // FIRST_SHARE), len(base.X))
        inverse = solve_triangular(base.L[:first, :first], np.eye(first), lower=True, check_finite=False).T
        for rows in gp.blocks(len(X), len(base.X)):
            across = gp.covariance(score.inputs(X[rows]), base.X, base.hyper)
            by_y[k, rows], by_one[k, rows] = weights.T @ across.T
            if base.trend is not None:
                by_y[k, rows] += base.trend(score.inputs(X[rows]))
            V = across[:, :first] @ inverse
            sigma[k, rows] = base.hyper.amplitude - np.einsum("ij,ij->i", V, V)
    np.subtract(1.0, by_one, out=by_one)
    np.sqrt(np.maximum(sigma, 0.0, out=sigma), out=sigma)
    sigma += [[SLACK * math.sqrt(base.hyper.amplitude)] for base in bases]
    log_sigma = np.log(sigma)
    active, others = _promising(bases, by_y, by_one, sigma, log_sigma)
    parts = []
    for k, base in enumerate(bases):
        V = _whole(X, active, base, score)
        variance = base.hyper.amplitude - np.einsum("ij,ij->i", V, V)
        parts.append(Part(base, by_y[k], by_one[k], sigma[k], log_sigma[k], V, variance))
    return Survey(tuple(parts), active, others)


def _promising(
    bases: list[gp.Posterior], by_y: Array, by_one: Array, sigma: Array, log_sigma: Array
) -> tuple[Indices, Indices]:
    m = by_y.shape[1]
    n = np.array([float(len(base.X)) for base in bases])
    count = min(m, ACTIVE, max(int(min(ACTIVE_BYTES / (8 * n.sum()), ACTIVE_WORK / np.square(n).sum())), 1))
    if count == m:
        return np.arange(m), np.arange(0)
    best = [[float(base.at_observed().max())] for base in bases]
    mean = by_y + np.array([[base.mu] for base in bases]) * by_one
    bounds = bound((mean - best) / sigma, log_sigma, HOPED).max(axis=0)
    order = np.argpartition(-bounds, count)
    return np.sort(order[:count]), np.sort(order[count:])


def _whole(X: Array, active: Indices, base: gp.Posterior, score: Improvement) -> Array:
    """V of the promising rows, (A, n)."""
    V = np.empty((len(active), len(base.X)))
    for rows in gp.blocks(len(active), len(base.X)):
        across = gp.covariance(score.inputs(X[active[rows]]), base.X, base.hyper)
        V[rows] = blas.dtrsm(1.0, base.L, across.T, lower=1, overwrite_b=1).T
    return V


def _bounds(score: Improvement, parts: tuple[Part, ...], rows: Indices) -> Array:
    """The largest logarithm of an expected improvement that each process allows at `rows`, (K, len(rows))."""
    fantasies = len(score.best) // len(parts)
    bounds = np.empty((len(parts), len(rows)))
    for k, (now, part) in enumerate(zip(score.belief.parts, parts, strict=True)):
        best = score.best[k * fantasies : (k + 1) * fantasies].min()
        rise = float(np.sqrt(np.square(_whitened(now)[len(part.base.X) :]).sum(axis=0)).max())
        slack = SLACK * math.sqrt(now.hyper.amplitude)
        above = (part.mean(now.mu)[rows] + (slack - best)) / part.sigma[rows]
        bounds[k] = bound(above, part.log_sigma[rows], rise)
    return bounds


def bound(above: Array, log_sigma: Array, rise: float | Array) -> Array:
    """At least the logarithm of the expected improvement where by the base the mean is `above` the incumbent by so
    many standard deviations, the exponential of `log_sigma`, and what came later has |w[n:]| = `rise`; any shape.

    With z of the docstring, h(z) <= max(z, 0) + phi(z) / (1 + z^2), by the lower bound x / (1 + x^2) of Mills' ratio
    (Gordon, Ann. Math. Stat. 12, 364, 1941); for z > 0 that is less than z + 0.4.
    """
    squares = np.square(above) - rise**2
    z = np.where((above < 0) & (squares > 0), -np.sqrt(np.maximum(squares, 0.0)), above + rise)
    np.square(z, out=squares)
    log_h = np.where(z > 0, np.log(np.maximum(z, 0.0) + 0.4), -0.5 * squares - np.log1p(squares) - _LOG_SQRT_2PI)
    log_h += log_sigma
    return log_h


def _whitened(now: gp.Posterior) -> Array:
    """w."""
    w: Array = solve_triangular(now.L, now.detrended - now.mu, lower=True, check_finite=False)
    return w


def _nth(scores: Array, count: int) -> float:
    """The `count`-th largest of `scores`, minus infinity if there are not so many."""
    return float(np.partition(scores, len(scores) - count)[len(scores) - count]) if len(scores) >= count else -np.inf
