"""Functions drawn from a posterior, whole, so that the same draw can be asked about any row of any domain.

Notation
--------
n       observations
d       inputs
F       random features
X       (n, d)  inputs of the observations; l, a, g, v, mu, alpha, C as in `gp`
w       (F, d)  frequencies, b (F,) phases, e (F,) weights: a draw of the prior
m       points asked about

Pathwise conditioning (Wilson et al., Efficiently sampling functions from Gaussian process posteriors, ICML 2020, by
Matheron's rule): with a draw f of the prior and a draw r of the noise of every observation,

    f(x) + k(x, X) inv(C) (y - f(X) - r)

is one of the posterior.  f is a sum of random Fourier features sqrt(2 a / F) cos(w x + b) (Rahimi and Recht, 2007),
with w from the spectral density of the kernel: Student's t with 5 degrees of freedom for Matérn-5/2, independent Cauchy
variables for the Laplace kernel.  The frequencies are drawn anew for every draw, so that the covariance over draws is
the kernel's own, however few they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.linalg import cho_solve

from orchestrator.optimizer import gp
from orchestrator.optimizer.kernels import Array, Kernel
from orchestrator.optimizer.mixture import Mixture

FEATURES = 1024
AT_ONCE = 4096  # points: so many rows of cosines are held at a time
MATERN_DEGREES = 5  # twice the smoothness of 5/2

Path = Callable[[Array], Array]


def draw(belief: Mixture, rng: np.random.Generator, features: int = FEATURES) -> Path:
    """A function of inputs (m, d) -> (m,), drawn from one column of `belief`, each as probable as the others."""
    parts = [(part, column) for part in belief.parts for column in range(part.alpha.shape[1])]
    part, column = parts[int(rng.integers(len(parts)))]
    return path(part, column, rng, features)


def path(posterior: gp.Posterior, column: int, rng: np.random.Generator, features: int = FEATURES) -> Path:
    """A function drawn from one column of `posterior`."""
    n, d = posterior.X.shape
    hyper = posterior.hyper
    lengthscales = np.array(hyper.lengthscales)
    w = frequencies(hyper.kernel, features, d, rng) / lengthscales
    b = rng.uniform(0.0, 2.0 * math.pi, features)
    e = math.sqrt(2.0 * hyper.amplitude / features) * rng.standard_normal(features)
    noise = np.sqrt(hyper.noise + posterior.v) * rng.standard_normal(n)

    def prior(points: Array) -> Array:
        return np.asarray(np.cos(points @ w.T + b) @ e)

    told = cho_solve((posterior.L, True), prior(posterior.X) + noise, check_finite=False)
    weights = posterior.alpha[:, column] - told

    def drawn(points: Array) -> Array:
        values = np.empty(len(points))
        for begin in range(0, len(points), AT_ONCE):
            part = points[begin : begin + AT_ONCE]
            known = gp.covariance(part, posterior.X, hyper) @ weights
            values[begin : begin + AT_ONCE] = posterior.mu + posterior.known_mean(part) + prior(part) + known
        return values

    return drawn


def frequencies(kernel: Kernel, features: int, d: int, rng: np.random.Generator) -> Array:
    """Draws (features, d) from the spectral density of `kernel` with lengthscales of 1."""
    if kernel == "laplace":
        return np.asarray(rng.standard_cauchy((features, d)))
    spread = np.sqrt(MATERN_DEGREES / rng.chisquare(MATERN_DEGREES, features))
    return np.asarray(rng.standard_normal((features, d)) * spread[:, None])
