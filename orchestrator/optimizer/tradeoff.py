"""How much one trade-off of several objectives is expected to gain.

Notation
--------
m, M, c, t, y   as in `hypervolume`
ideal   (M,)    the best y of each objective among the films so far
span    (M,)    ranges of y among them
w       (M,)    weights, summing to 1
u       min over i of w_i (y_i - ideal_i) / span_i: a film's utility, 0 for one that is the best in everything

Minus u is the weighted Chebyshev distance from the ideal point: every film of the front is the best for some weights
(Steuer and Choo, Math. Program. 26, 326, 1983), and drawn weights find all of it (ParEGO: Knowles, IEEE Trans. Evol.
Comput. 10, 50, 2006).  There the utility itself is modelled; here the objectives are, and as they are independent

    E[(u - best)+] = integral from best of  prod over i of P(y_i >= ideal_i + s span_i / w_i)  ds

is computed by quadrature, in logarithms, with nodes that crowd towards `best`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp

Array = NDArray[np.float64]

NODES = 48
REACH = 3.0  # of u above the best: a film that is better by a span in everything has gained 1 at most
_x, _w = np.polynomial.legendre.leggauss(NODES)
STEPS = REACH * ((_x + 1.0) / 2.0) ** 3  # nodes above the best
WEIGHTS = REACH * 3.0 * ((_x + 1.0) / 2.0) ** 2 * _w / 2.0


@dataclass(frozen=True)
class TradeOff:
    """`targets` (M, NODES): values of t that each objective must reach at each node, for the utility to."""

    targets: Array

    @classmethod
    def of(
        cls, films: Array, weights: Sequence[float], inwards: Sequence[Callable[[Array], Array]], spans: Array
    ) -> TradeOff:
        """For `films` (k, M) in y; the best of them by the weights is the incumbent.  `inwards` give t of y."""
        w = np.array(weights) / np.sum(weights)
        ideal = films.max(axis=0)
        best = float(utilities(films, w, ideal, spans).max())
        levels = ideal[:, None] + np.outer(spans / w, best + STEPS)
        return cls(np.array([inward(row) for inward, row in zip(inwards, levels, strict=True)]))

    def log_expected(self, beliefs: Sequence[tuple[Array, Array]]) -> Array:
        """Logarithms (m,) of the expected improvement; `beliefs` are mean and sigma of t of each objective."""
        total = np.log(WEIGHTS) + np.zeros((len(beliefs[0][0]), 1))
        for targets, (mean, sigma) in zip(self.targets, beliefs, strict=True):
            spread = np.maximum(sigma, np.finfo(float).tiny)
            with np.errstate(over="ignore"):
                z = np.clip((mean[:, :, None] - targets) / spread[:, :, None], -1e150, 1e150)
            total = total + logsumexp(log_ndtr(z), axis=1) - math.log(mean.shape[1])
        return np.asarray(logsumexp(total, axis=1))


def utilities(films: Array, weights: Array, ideal: Array, spans: Array) -> Array:
    """u of `films` (k, M) in y, (k,)."""
    found: Array = ((films - ideal) * weights / spans).min(axis=1)
    return found
