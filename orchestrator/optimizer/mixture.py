"""Several Gaussian processes of the same observations, each believed as much as the others.

Notation
--------
K       processes
q       fantasies (one where nothing is pending)
c = Kq  columns: those of the first process first

A column is one belief about the function: a process under one fantasy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestrator.optimizer import gp
from orchestrator.optimizer.kernels import Array


@dataclass(frozen=True)
class Mixture:
    """Posteriors given the same observations, first the values and then the bounds."""

    parts: tuple[gp.Posterior, ...]

    @property
    def X(self) -> Array:  # noqa: N802 - the field's name
        """Where there are observations, (n, d)."""
        return self.parts[0].X

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Means and standard deviations of every column at `points` (m, d), both (m, c)."""
        means, sigmas = zip(*(part.predict(points) for part in self.parts), strict=True)
        spread = [np.repeat(sigma[:, None], mean.shape[1], axis=1) for mean, sigma in zip(means, sigmas, strict=True)]
        return np.concatenate(means, axis=1), np.concatenate(spread, axis=1)

    def at_observed(self) -> Array:
        """Means of every column at the observations, (n, c)."""
        return np.concatenate([part.at_observed() for part in self.parts], axis=1)

    def given(self, points: Array, count: int, rng: np.random.Generator) -> Mixture:
        """After `count` joint fantasies of what measuring `points` (p, d) will show, drawn by each process."""
        return Mixture(tuple(_imagined(part, points, count, rng) for part in self.parts))


def moments(means: Array, sigmas: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (m,) of a belief that is any column with the same probability."""
    mean = means.mean(axis=1)
    variance = (sigmas**2).mean(axis=1) + means.var(axis=1)
    return mean, np.sqrt(variance)


def _imagined(posterior: gp.Posterior, points: Array, count: int, rng: np.random.Generator) -> gp.Posterior:
    fantasies = gp.fantasies(posterior, points, count, rng)
    y = np.concatenate([np.tile(posterior.y, (1, count)), fantasies])
    return gp.extend(posterior, points, y, np.zeros(len(points)), mu=posterior.mu)
