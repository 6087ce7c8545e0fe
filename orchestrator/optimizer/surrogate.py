"""The model of the objective over the space: a Gaussian process with its scaling and its refits.

Notation
--------
k       observations with a value
c       observations with a bound
n       elements
X       (k, n)  compositions made, fractions divided by each element's span in the space
y       (k,)    objective, larger is better, its unit
v       (k,)    variance known from the measurement, unit squared
unit    standard deviation of y when the hyper-parameters were last fitted; the GP works in y / unit

The hyper-parameters are fitted when the second observation comes and whenever the number has since grown by a
tenth, each time starting from the last.  So they depend on the observations and their order, and not on when
suggestions were asked for: replaying the observations gives the same model.  Bounds take no part in the fit, only
in the posterior (see `bounds`): what is not known well should not set the scales.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.optimizer import bounds, gp
from orchestrator.optimizer.start import distances

Floats = NDArray[np.float64]

FIRST_FIT = 2
GROWTH = 1.1
LARGEST_RELATIVE_VARIANCE = 1e12  # known noise beyond this tells nothing and would overflow
FARTHEST_BOUND = 1e6  # targets of variance 1; a bound beyond this counts as one there


@dataclass(frozen=True)
class Scaling:
    """Targets are y = shift + unit t, with t of mean 0 and variance 1 at the time of the fit."""

    shift: float
    unit: float

    @classmethod
    def of(cls, y: Floats) -> Scaling:
        """By way of the largest value, so that neither huge nor tiny units overflow."""
        peak = float(np.abs(y).max()) or 1.0
        relative = y / peak
        spread = float(relative.std())
        constant = spread < 1e-12
        unit = (1.0 if constant else spread) * peak
        return cls(float(relative.mean()) * peak, max(unit, np.finfo(float).tiny))

    def inward(self, y: Floats) -> Floats:
        scaled: Floats = y / self.unit - self.shift / self.unit
        return scaled

    def outward(self, t: float) -> float:
        return self.shift + self.unit * t


@dataclass(frozen=True)
class Bound:
    """A bound on the objective (larger is better, its unit) at X (n,); `side` is +1 for a lower one, else -1."""

    X: Floats
    value: float
    sigma: float
    side: float


class Surrogate:
    """Compositions, values and bounds observed, and the Gaussian process through them."""

    def __init__(self, sample: Floats) -> None:
        """`sample` (m, n): compositions (fractions) that stand for the space."""
        span = np.ptp(sample, axis=0)
        self._span = np.where(span > 0, span, 1.0)
        self._l0 = 0.5 * median_distance(sample / self._span)
        self._X: list[Floats] = []
        self._y: list[float] = []
        self._v: list[float] = []
        self._bounds: list[Bound] = []
        self._fitted = 0
        self._hyper: gp.Hyperparameters | None = None
        self._scaling = Scaling(0.0, 1.0)

    def __len__(self) -> int:
        """Observations with a value."""
        return len(self._y)

    @property
    def ready(self) -> bool:
        """Whether there is enough to fit a model to."""
        return len(self) >= FIRST_FIT

    def add(self, fractions: Floats, value: float, sigma: float) -> None:
        """Learn one valid observation; `value` larger is better, `sigma` its known standard deviation."""
        self._X.append(fractions / self._span)
        self._y.append(value)
        self._v.append(sigma)

    def add_bound(self, fractions: Floats, value: float, sigma: float, side: float) -> None:
        """Learn that the objective is at least (`side` 1) or at most (-1) `value`, larger being better."""
        self._bounds.append(Bound(fractions / self._span, value, sigma, side))

    def posterior(self) -> gp.Posterior:
        """Given all observations, first the values and then the bounds, in scaled inputs and targets."""
        self._refit()
        assert self._hyper is not None
        X, y, v = self._inputs(), self._targets(), self._variances()
        if not self._bounds:
            return gp.condition(X, y, v, self._hyper)
        B = np.array([bound.X for bound in self._bounds])
        b = np.clip(self._inward([bound.value for bound in self._bounds]), -FARTHEST_BOUND, FARTHEST_BOUND)
        sides = np.array([bound.side for bound in self._bounds])
        known = self._relative([bound.sigma for bound in self._bounds])
        t, v_t = bounds.sites(X, y, v, B, b, sides, known, self._hyper)
        return gp.condition(np.concatenate([X, B]), np.concatenate([y, t]), np.concatenate([v, v_t]), self._hyper)

    def given_pending(
        self, posterior: gp.Posterior, points: Floats, count: int, rng: np.random.Generator
    ) -> gp.Posterior:
        """`posterior` after `count` joint fantasies of what the pending `points` (p, n) will show."""
        if not len(points):
            return posterior
        fantasies = gp.fantasies(posterior, points, count, rng)
        y = np.concatenate([np.tile(posterior.y, (1, count)), fantasies])
        v = np.concatenate([posterior.v, np.zeros(len(points))])
        X = np.concatenate([posterior.X, points])
        return gp.condition(X, y, v, posterior.hyper, mu=posterior.mu)

    def inputs(self, fractions: Floats) -> Floats:
        """Compositions (m, n), fractions, as the GP takes them."""
        scaled: Floats = fractions / self._span
        return scaled

    def outcome(self, posterior: gp.Posterior, fractions: Floats) -> tuple[float, float]:
        """Mean and standard deviation of the objective (larger is better, its unit) at one composition."""
        mean, sigma = posterior.predict(self.inputs(fractions[None]))
        return self._scaling.outward(float(mean[0, 0])), self._scaling.unit * float(sigma[0])

    def describe(self, elements: tuple[str, ...]) -> dict[str, Any]:
        """The hyper-parameters in lab units: lengthscales in at.%, the others in the objective's unit."""
        assert self._hyper is not None
        lengths = 100.0 * self._span * np.array(self._hyper.lengthscales)
        return {
            "lengthscales_at_percent": dict(zip(elements, lengths.tolist(), strict=True)),
            "amplitude": self._scaling.unit * math.sqrt(self._hyper.amplitude),
            "noise": self._scaling.unit * math.sqrt(self._hyper.noise),
            "fitted_to": self._fitted,
        }

    def _refit(self) -> None:
        while (due := next_fit(self._fitted)) <= len(self):
            self._fitted = due
            self._scaling = Scaling.of(np.array(self._y[:due]))
            X, y, v = self._inputs()[:due], self._targets()[:due], self._variances()[:due]
            self._hyper = gp.fit(X, y, v, l0=self._l0, start=self._hyper)

    def _inputs(self) -> Floats:
        return np.array(self._X)

    def _targets(self) -> Floats:
        return self._inward(self._y)

    def _variances(self) -> Floats:
        return self._relative(self._v)

    def _inward(self, values: list[float]) -> Floats:
        with np.errstate(over="ignore"):
            return self._scaling.inward(np.array(values))

    def _relative(self, sigmas: list[float]) -> Floats:
        with np.errstate(over="ignore"):
            relative = (np.array(sigmas) / self._scaling.unit) ** 2
        return np.minimum(relative, LARGEST_RELATIVE_VARIANCE)


def next_fit(fitted: int) -> int:
    """The number of observations at which the fit after the one to `fitted` is due."""
    return max(FIRST_FIT, fitted + 1, math.ceil(GROWTH * fitted)) if fitted else FIRST_FIT


def median_distance(points: Floats) -> float:
    """Median distance between different rows of `points` (m, n); 1 where there is only one."""
    apart = distances(points, points)[np.triu_indices(len(points), 1)]
    apart = apart[apart > 1e-6]
    return float(np.median(apart)) if len(apart) else 1.0
