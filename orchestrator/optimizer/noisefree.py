"""What noise leaves open at the points that were measured: beliefs in which the function is known there.

Notation
--------
M       (k, d)  different points measured or pending
q       columns of the belief before; s draws of f(M) for each
f       (k, q s)  draws of the function at M, without noise

With several noisy values the largest of them is no incumbent: it is large by luck.  Each draw of f(M) from the joint
posterior is one answer to how large they really are; given it, improvement over its largest is again a matter of the
normal distribution.  The mean over draws is the noisy expected improvement (Letham, Karrer, Ottoni and Bakshy,
Constrained Bayesian optimization with noisy experiments, Bayesian Analysis 14, 495, 2019; its logarithm: Ament et al.,
NeurIPS 2023).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orchestrator.optimizer import gp
from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.mixture import Mixture

DRAWS = 32  # of each process, over all of its columns
NUGGET = 1e-6  # of the amplitude: what is known without noise is known so well


def noise_free(belief: Mixture, rng: np.random.Generator, draws: int = DRAWS) -> tuple[Mixture, Array]:
    """`belief` given `draws` of the function at the points it has observations of, and the largest of each (c,)."""
    known, largest = zip(*(_drawn(part, rng, draws) for part in belief.parts), strict=True)
    return Mixture(known), np.concatenate(largest)


def _drawn(posterior: gp.Posterior, rng: np.random.Generator, draws: int) -> tuple[gp.Posterior, Array]:
    M = np.unique(posterior.X, axis=0)
    means, _ = posterior.predict(M)
    _, among = posterior.joint(M)
    each = max(1, draws // means.shape[1])
    z = rng.standard_normal((len(M), means.shape[1] * each))
    f = np.repeat(means, each, axis=1) + gp.cholesky(among) @ z
    hyper = replace(posterior.hyper, noise=NUGGET * posterior.hyper.amplitude)
    return gp.condition(M, f, np.zeros(len(M)), hyper, mu=posterior.mu, trend=posterior.trend), f.max(axis=0)
