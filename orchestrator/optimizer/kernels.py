"""How alike two points are: stationary kernels with a lengthscale for each input.

Notation
--------
d       inputs
A, B    (m, d), (n, d)  points, each input divided by its lengthscale
X       (n, d)  inputs, not divided
l       (d,)    lengthscales
M       (n, n)  symmetric weights

``matern52`` is smooth: (1 + r + r^2/3) exp(-r) with r^2 = 5 |a - b|^2 (Rasmussen and Williams, Gaussian Processes
for Machine Learning, eq. 4.17).  ``laplace`` is exp(-sum_j |a_j - b_j|): rough, with one factor for each input, so
that an edge along one input says nothing of the others.  It is what a Mondrian forest of many trees tends to
(Balog et al., The Mondrian kernel, UAI 2016), and stands for the random forest among our models.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Array = NDArray[np.float64]
Kernel = Literal["matern52", "laplace"]

KEPT = 2**21  # numbers, 16 MiB
_LOG_THIRD = -math.log(3.0)


def correlation(A: Array, B: Array, kernel: Kernel) -> Array:
    """Correlations (m, n) of the function at A and at B."""
    if kernel == "laplace":
        r = np.asarray(cdist(A, B, "cityblock"))
        np.negative(r, out=r)
        return np.asarray(np.exp(r, out=r))
    r = _distance(A, B)  # 1 + r + r^2/3 = ((r + 3/2)^2 + 3/4) / 3, with the fewest passes over the array
    polynomial = r + 1.5
    np.square(polynomial, out=polynomial)
    polynomial += 0.75
    np.subtract(_LOG_THIRD, r, out=r)
    polynomial *= np.exp(r, out=r)
    return polynomial


class Pairs:
    """All pairs of rows of `X` (n, d), for many lengthscales.

    Where n^2 d is at most `KEPT`, what they are apart along each input is kept, and else computed anew.  Arrays of
    (n, n) are written into again and again: to be given new memory each time would take longer than to fill it.
    """

    def __init__(self, X: Array, kernel: Kernel) -> None:
        n = len(X)
        self.X, self.kernel = X, kernel
        self.scratch = np.empty((2, n, n))
        """For the caller."""
        self._own = np.empty((3, n, n))
        self._apart = self._each() if X.size * n <= KEPT else None

    def with_slope(self, l: Array) -> tuple[Array, Array]:  # noqa: E741 - the field's name
        """Correlations (n, n), and what `contract` needs of their derivatives; both until the next call."""
        r, k, slope = self._own
        if self._apart is not None:
            np.matmul(self._weights(l), self._apart, out=r.reshape(-1))
        elif self.kernel == "laplace":
            r[:] = cdist(self.X / l, self.X / l, "cityblock")
        else:
            r[:] = np.square(_distance(Z := self.X / l, Z))
        if self.kernel == "laplace":
            k = np.exp(np.negative(r, out=r), out=r)
            return k, k
        np.sqrt(r, out=r)
        np.add(r, 1.0, out=slope)
        np.square(r, out=k)
        k /= 3.0
        k += slope
        np.exp(np.negative(r, out=r), out=r)
        k *= r
        slope *= r
        slope *= 5.0 / 3.0
        return k, slope

    def contract(self, M: Array, l: Array) -> Array:  # noqa: E741
        """sum_ij M_ij (z_i - z_j)^2 for each input with Z = X / l, |z_i - z_j| for laplace; M (n, n), (d,).

        With M = W o slope, that is sum_ij W_ij dk_ij / dlog l for each lengthscale.
        """
        if self._apart is not None:
            weights = self._weights(l) / (5.0 if self.kernel == "matern52" else 1.0)
            return np.asarray(weights * (self._apart @ M.ravel()))
        Z = self.X / l
        if self.kernel == "laplace":
            return np.array([np.sum(M * np.abs(column[:, None] - column)) for column in Z.T])
        both = M.sum(axis=0) + M.sum(axis=1)
        return np.asarray(np.sum(Z**2 * both[:, None] - 2.0 * Z * (M @ Z), axis=0))

    def _each(self) -> Array:
        """How far all pairs are apart along each input, or its square, (d, n^2)."""
        apart = self.X.T[:, :, None] - self.X.T[:, None, :]
        apart = np.abs(apart, out=apart) if self.kernel == "laplace" else np.square(apart, out=apart)
        return apart.reshape(self.X.shape[1], -1)

    def _weights(self, l: Array) -> Array:  # noqa: E741
        return 1.0 / l if self.kernel == "laplace" else 5.0 / l**2


def typical_distance(points: Array, kernel: Kernel) -> float:
    """Median distance between different rows of `points` (m, d), as the kernel measures it; 1 where there is one."""
    metric = "cityblock" if kernel == "laplace" else "euclidean"
    apart = cdist(points, points, metric)[np.triu_indices(len(points), 1)]
    apart = apart[apart > 1e-6]
    return float(np.median(apart)) if len(apart) else 1.0


def _distance(A: Array, B: Array) -> Array:
    """sqrt(5) times the Euclidean distance of every row of A from every row of B."""
    ones = np.ones((len(A), 1)), np.ones((len(B), 1))
    left = np.concatenate([A, 5.0 * np.einsum("ij,ij->i", A, A)[:, None], ones[0]], axis=1)
    right = np.concatenate([-10.0 * B, ones[1], 5.0 * np.einsum("ij,ij->i", B, B)[:, None]], axis=1)
    squares = left @ right.T
    if A is B:
        np.fill_diagonal(squares, 0.0)
    np.maximum(squares, 0.0, out=squares)
    return np.asarray(np.sqrt(squares, out=squares))
