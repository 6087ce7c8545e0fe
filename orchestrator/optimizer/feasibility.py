"""How probably a film can be made and measured at all, by where it went well and where it failed.

Notation
--------
n       films whose fate is known: X (n, d) scaled inputs, s (n,) 1 where there is a measurement, 0 where it failed
m       points asked about
h       width of a belief, in scaled inputs; one belief has no width: it is the same everywhere
k_h     exp(-|x - x'|^2 / (2 h^2))
p       share of films that go well, whatever they are: (sum s + 4.5) / (n + 5), the mean of a Beta prior of 0.9

Each width gives the mean of a Beta distribution with p for its prior, worth `STRENGTH` films, and the films around,
each counted as much as it is near:

    P_h(x) = (STRENGTH p + sum_i k_h(x, x_i) s_i) / (STRENGTH + sum_i k_h(x, x_i))

The widths are weighted by how well each would have foretold every film from all the others, beginning with as much
belief in "the same everywhere" as in all widths together: failures that come anywhere count against no candidate, and
a region where films fail shows after a few of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from orchestrator.optimizer.kernels import Array

WELL, FAILED = 4.5, 0.5  # films that the prior of p is worth
STRENGTH = 1.0
WIDTHS = (0.5, 0.25, 0.125)  # of the typical distance in the domain
LATEST = 1000  # films: what was before says no more of the lab as it is, and costs


@dataclass(frozen=True)
class Feasibility:
    """What the films say; `weights` (1 + len(widths),), that of the belief without a width first."""

    X: Array
    s: Array
    widths: tuple[float, ...]
    weights: Array

    @classmethod
    def of(cls, X: Array, s: Array, typical: float) -> Feasibility:
        """By films at `X` (n, d), n > 0, that went well or not; `typical` is the typical distance in the domain."""
        X, s = X[-LATEST:], s[-LATEST:]
        widths = tuple(share * typical for share in WIDTHS)
        others = (s.sum() - s + WELL) / (len(s) - 1 + WELL + FAILED)
        told = [others, *(_smoothed(_near(X, X, h, own=False), s, others) for h in widths)]
        likely = np.array([np.log(np.where(s > 0, p, 1.0 - p)).sum() for p in told])
        likely += np.log([0.5, *[0.5 / len(widths)] * len(widths)])
        weights = np.exp(likely - likely.max())
        return cls(X, s, widths, weights / weights.sum())

    def __call__(self, points: Array) -> Array:
        """The probability at `points` (m, d), (m,); above 0 and below 1."""
        share = (self.s.sum() + WELL) / (len(self.s) + WELL + FAILED)
        probability = np.full(len(points), self.weights[0] * share)
        for weight, h in zip(self.weights[1:], self.widths, strict=True):
            probability += weight * _smoothed(_near(points, self.X, h), self.s, share)
        return probability


def _near(A: Array, B: Array, h: float, *, own: bool = True) -> Array:
    """k_h of every point of A and of B; without a point's nearness to itself if not `own`."""
    k = np.exp(-0.5 * cdist(A, B, "sqeuclidean") / h**2)
    if not own:
        np.fill_diagonal(k, 0.0)
    return np.asarray(k)


def _smoothed(k: Array, s: Array, share: Array | float) -> Array:
    return np.asarray((STRENGTH * share + k @ s) / (STRENGTH + k.sum(axis=1)))
