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

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Array = NDArray[np.float64]
Kernel = Literal["matern52", "laplace"]


def correlation(A: Array, B: Array, kernel: Kernel) -> Array:
    """Correlations (m, n) of the function at A and at B."""
    if kernel == "laplace":
        return np.asarray(np.exp(-cdist(A, B, "cityblock")))
    r = _distance(A, B)
    polynomial = r / 3.0
    polynomial += 1.0
    polynomial *= r
    polynomial += 1.0
    np.negative(r, out=r)
    polynomial *= np.exp(r, out=r)
    return polynomial


def with_slope(X: Array, l: Array, kernel: Kernel) -> tuple[Array, Array]:  # noqa: E741 - the field's name
    """Correlations (n, n) of X with itself, and what `contract` needs of their derivatives."""
    Z = X / l
    if kernel == "laplace":
        k = correlation(Z, Z, kernel)
        return k, k
    r = _distance(Z, Z)
    decay = np.exp(-r)
    return (1.0 + r + r**2 / 3.0) * decay, (5.0 / 3.0) * (1.0 + r) * decay


def contract(M: Array, slope: Array, X: Array, l: Array, kernel: Kernel) -> Array:  # noqa: E741
    """sum_ij M_ij dk_ij / dlog l for each lengthscale, (d,).

    For the Matern, dk/dlog l_j = slope o (z_j - z_j')^2 with Z = X / l, whose sum with W = M o slope needs no
    n x n x d array: 2 sum_i (Z^2 (W 1) - Z (W Z))_ij.
    """
    W, Z = M * slope, X / l
    if kernel == "laplace":
        return np.array([np.sum(W * np.abs(column[:, None] - column)) for column in Z.T])
    return np.asarray(2.0 * np.sum(Z**2 * W.sum(axis=1)[:, None] - Z * (W @ Z), axis=0))


def typical_distance(points: Array, kernel: Kernel) -> float:
    """Median distance between different rows of `points` (m, d), as the kernel measures it; 1 where there is one."""
    metric = "cityblock" if kernel == "laplace" else "euclidean"
    apart = cdist(points, points, metric)[np.triu_indices(len(points), 1)]
    apart = apart[apart > 1e-6]
    return float(np.median(apart)) if len(apart) else 1.0


def _distance(A: Array, B: Array) -> Array:
    """sqrt(5) times the Euclidean distance of every row of A from every row of B."""
    squares = A @ B.T
    squares *= -2.0
    squares += np.einsum("ij,ij->i", A, A)[:, None]
    squares += np.einsum("ij,ij->i", B, B)
    if A is B:
        np.fill_diagonal(squares, 0.0)
    np.maximum(squares, 0.0, out=squares)
    squares *= 5.0
    return np.asarray(np.sqrt(squares, out=squares))
