"""What an uncertain input does to an output: the noise that a steep function makes of it.

Notation
--------
n       observations to learn from, m points
X       (n, d)  scaled inputs; Z (m, d) those where slopes are wanted
G       (m, d)  slopes of the posterior mean at Z
D       (m, d)  variances of the inputs, 0 where they are known
S       (d, d)  their covariance, for one point

To first order the output has a further variance G S G' (McHutchon and Rasmussen, Gaussian process training with input
noise, NIPS 2011).  What is uncertain is a composition, of which the variance of each fraction is known and whose errors
sum to 0.  So S is the covariance of independent errors of variances D given that they do, D - D 1 1' D / (1' D 1),
scaled so that its trace is the sum of D; with two elements that is exact, and a slope common to all fractions means
nothing.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from orchestrator.optimizer import gp, kernels
from orchestrator.optimizer.kernels import Array


def slopes(posterior: gp.Posterior, Z: Array) -> Array:
    """G of the first column of `posterior`.  Where a rough process has a kink, at its observations, that of the others:
    the mean of both sides."""
    hyper, alpha = posterior.hyper, posterior.alpha[:, 0]
    l = np.array(hyper.lengthscales)  # noqa: E741 - the field's name
    A, B = Z / l, posterior.X / l
    if hyper.kernel == "laplace":
        W = hyper.amplitude * kernels.correlation(A, B, "laplace") * alpha
        columns = [np.sum(-W * np.sign(A[:, [j]] - B[:, j]), axis=1) for j in range(A.shape[1])]
        return np.asarray(np.array(columns).T.reshape(A.shape) / l)
    r = np.sqrt(5.0) * cdist(A, B)
    W = -hyper.amplitude * (5.0 / 3.0) * (1.0 + r) * np.exp(-r) * alpha
    G: Array = (A * W.sum(axis=1)[:, None] - W @ B) / l
    return G


def variances(G: Array, D: Array) -> Array:
    """G S G' of every point, (m,)."""
    total = D.sum(axis=1)
    steep = np.sum(D * G**2, axis=1)
    common = np.sum(D * G, axis=1)
    several = (D > 0).sum(axis=1) > 1
    safe = np.where(total > 0, total, 1.0)
    kept = np.where(several, safe - np.sum(D**2, axis=1) / safe, 1.0)
    correlated = (steep - common**2 / safe) * safe / np.where(kept > 0, kept, 1.0)
    return np.asarray(np.maximum(np.where(several, correlated, steep), 0.0))
