"""How much a candidate is expected to add to the hypervolume, exactly, and how probably it adds anything.

Notation
--------
m       candidates
M       objectives, independent of each other given the data, each larger the better
c       columns of the belief about an objective (see `mixture`)
t       an objective as its processes see it; y in its unit, a monotone function of t (see `warping`)
mean    (m, c)  posterior means of t; sigma (m, c) standard deviations
boxes   what the front leaves open, in t (see `pareto`)
knots   (K,)    ascending values of t, every corner of the boxes among them
slopes  (K,)    dy/dt from each knot to the next, and beyond the last

For independent objectives the expectation of what a point adds is, by the sum over boxes in `pareto`,

    sum over boxes of  prod over i of  E[(y_i - lower_i)+] - E[(y_i - upper_i)+],

for any number of objectives, and so needs no random numbers (for two: Emmerich, Deutz and Klinkenberg, IEEE CEC 2011;
Hupkens et al., EMO 2015; for more: Yang et al., J. Glob. Optim. 75, 3, 2019).  Between knots y is taken to be linear in
t, and then

    E[(y - y_k)+] = sum over j >= k of  slope_j sigma [h(z_j) - h(z_j+1)],  z_j = (mean - knot_j) / sigma,

with h(z) = phi(z) + z Phi(z) and h(z_K) = 0 in the last term.  A mixture's expectation is the mean over its columns.
All terms are positive, and are kept as logarithms: candidates stay apart whose expected improvement underflows (Ament
et al., NeurIPS 2023).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp

from orchestrator.optimizer.acquisition import log_h
from orchestrator.optimizer.pareto import Boxes

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

AT_ONCE = 2**20  # numbers that are held at a time
KNOTS_APART = 0.5  # of t, of which values have a standard deviation of 1: closer where a box ends,
BEYOND = 2.0  # ...and so far above the highest corner of a box


@dataclass(frozen=True)
class Axis:
    """One objective: its `knots` and `slopes`, and where in the knots the corners of each box are, (b,) each; an upper
    corner of K is infinite."""

    knots: Array
    slopes: Array
    lower: Indices
    upper: Indices

    @classmethod
    def of(cls, lower: Array, upper: Array, outward: Callable[[Array], Array]) -> Axis:
        """For corners (b,) of boxes; `outward` gives y of t."""
        corners = np.concatenate([lower, upper[np.isfinite(upper)]])
        low, high = float(corners.min()), float(corners.max()) + BEYOND
        between = np.linspace(low, high, max(2, math.ceil((high - low) / KNOTS_APART) + 1))
        knots = np.unique(np.concatenate([corners, between]))
        y = outward(knots)
        slopes = np.diff(y) / np.diff(knots)
        slopes = np.append(slopes, slopes[-1])  # beyond the last knot as before it
        at = np.searchsorted(knots, lower), np.where(np.isfinite(upper), np.searchsorted(knots, upper), len(knots))
        return cls(knots, np.maximum(slopes, np.finfo(float).tiny), *at)

    def log_within(self, mean: Array, sigma: Array) -> Array:
        """Logarithms of E[min(y, upper) - lower, where that is positive] for each box, (m, b)."""
        excess = log_excess(mean, sigma, self.knots, self.slopes)
        return _log_less(excess[:, self.lower], self._at(excess, self.upper))

    def log_chance(self, mean: Array, sigma: Array) -> Array:
        """Logarithms of the probability that y is between the corners of each box, (m, b)."""
        z = _standard(mean, sigma, self.knots)
        above = logsumexp(log_ndtr(z), axis=1) - math.log(z.shape[1])
        return _log_less(above[:, self.lower], self._at(above, self.upper))

    def _at(self, values: Array, indices: Indices) -> Array:
        padded = np.concatenate([values, np.full((len(values), 1), -np.inf)], axis=1)
        found: Array = padded[:, indices]
        return found


@dataclass(frozen=True)
class Gain:
    """What is open above a front, for beliefs about each objective."""

    axes: tuple[Axis, ...]

    @classmethod
    def of(cls, boxes: Boxes, outwards: Sequence[Callable[[Array], Array]]) -> Gain:
        """`outwards` give y of t of each objective."""
        sides = zip(boxes.lower.T, boxes.upper.T, outwards, strict=True)
        return cls(tuple(Axis.of(lower, upper, outward) for lower, upper, outward in sides))

    def log_expected(self, beliefs: Sequence[tuple[Array, Array]]) -> Array:
        """Logarithms (m,) of the expected hypervolume improvement; `beliefs` are mean and sigma of each objective."""
        return self._summed([Axis.log_within] * len(self.axes), beliefs)

    def log_probability(self, beliefs: Sequence[tuple[Array, Array]]) -> Array:
        """Logarithms (m,) of the probability that a candidate adds anything: that no point of the front is as good."""
        return np.minimum(self._summed([Axis.log_chance] * len(self.axes), beliefs), 0.0)

    def _summed(
        self, each: Sequence[Callable[[Axis, Array, Array], Array]], beliefs: Sequence[tuple[Array, Array]]
    ) -> Array:
        """Of the products over objectives, over all boxes."""
        m = len(beliefs[0][0])
        widest = max(max(len(axis.knots) * mean.shape[1], len(axis.lower)) for axis, (mean, _) in self._with(beliefs))
        size = max(1, AT_ONCE // widest)
        found = np.empty(m)
        for begin in range(0, m, size):
            part = slice(begin, begin + size)
            total = sum(
                of(axis, mean[part], sigma[part])
                for of, axis, (mean, sigma) in zip(each, self.axes, beliefs, strict=True)
            )
            found[part] = logsumexp(total, axis=1)
        return found

    def _with(self, beliefs: Sequence[tuple[Array, Array]]) -> list[tuple[Axis, tuple[Array, Array]]]:
        return list(zip(self.axes, beliefs, strict=True))


def log_excess(mean: Array, sigma: Array, knots: Array, slopes: Array) -> Array:
    """Logarithms of E[(y - y_k)+] at every knot, (m, K)."""
    h = log_h(_standard(mean, sigma, knots))
    strips = h.copy()
    strips[:, :, :-1] = _log_less(h[:, :, :-1], h[:, :, 1:])
    strips += np.log(np.maximum(sigma, np.finfo(float).tiny))[:, :, None]
    each = logsumexp(strips, axis=1) - math.log(mean.shape[1]) + np.log(slopes)
    cumulated: Array = np.logaddexp.accumulate(each[:, ::-1], axis=1)[:, ::-1]
    return cumulated


def log_chance_within(mean: Array, sigma: Array, low: float, high: float) -> Array:
    """Logarithms (m,) of the probability that t is from `low` to `high`, either of them infinite; averaged over the
    columns."""
    spread = np.maximum(sigma, np.finfo(float).tiny)
    with np.errstate(over="ignore"):
        above_low = np.clip((mean - low) / spread, -1e150, 1e150) if low > -np.inf else np.full_like(mean, 1e150)
        above_high = np.clip((mean - high) / spread, -1e150, 1e150) if high < np.inf else np.full_like(mean, -1e150)
    # the smaller tails of the two lose no digits
    flipped = above_high > 0
    near = np.where(flipped, -above_high, above_low)
    far = np.where(flipped, -above_low, above_high)
    each = _log_less(log_ndtr(near), log_ndtr(far))
    return np.asarray(logsumexp(each, axis=1) - math.log(mean.shape[1]))


def _standard(mean: Array, sigma: Array, knots: Array) -> Array:
    """z, (m, c, K)."""
    spread = np.maximum(sigma, np.finfo(float).tiny)
    with np.errstate(over="ignore"):
        z: Array = np.clip((mean[:, :, None] - knots) / spread[:, :, None], -1e150, 1e150)
    return z


def _log_less(more: Array, less: Array) -> Array:
    """log(exp(more) - exp(less)) where more >= less, but for rounding."""
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.where(np.isneginf(less), np.inf, more - less)
        found = more + np.log(-np.expm1(-np.maximum(away, 0.0)))
    return np.where(np.isneginf(more), -np.inf, found)
