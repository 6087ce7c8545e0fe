"""The model of the objective over the space: Gaussian processes in scaled inputs and warped targets, and their refits.

Notation
--------
k       observations with a value
c       observations with a bound
d       features
X       (k, d)  features of what was made, divided by each one's span in the space
y       (k,)    objective, larger is better, its unit
v       (k,)    variance known from the measurement, unit squared
D       (k, d)  variances of X, where what was made is not known exactly
t       (k,)    y as the processes see it (see `warping`)

How smooth the objective is cannot be learned from a handful of observations, so the model is a mixture of three
processes with equal weights (`BELIEFS`): the lengthscales of the first lie around half the typical distance in the
space, those of the second around twice that distance, and the third is rough.  The acquisition is averaged over them.

Warping and hyper-parameters are fitted when the second observation comes and whenever the number has since grown by
a twentieth, each time starting from an earlier fit (see `origin`).  So they depend on the observations and their
order, and not on when suggestions were asked for: replaying the observations gives the same model.  What an uncertain
composition adds to v (see `slopes`) goes by the slopes of each process at its last fit.  Bounds take no part in
the fit, only in the posterior (see `bounds`): what is not known well should not set the scales.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.optimizer import bounds, gp
from orchestrator.optimizer.kernels import Kernel, typical_distance
from orchestrator.optimizer.mixture import Mixture
from orchestrator.optimizer.slopes import slopes, variances
from orchestrator.optimizer.warping import Warping

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Belief:
    """How smooth the objective may be: a kernel, and the centre of its lengthscale prior in typical distances."""

    kernel: Kernel
    reach: float


BELIEFS = (Belief("matern52", 0.5), Belief("matern52", 2.0), Belief("laplace", 1.0))
FIRST_FIT = 2
GROWTH = 1.05
CHAINED = 64  # observations: up to so many each fit starts from the one before,
FARTHEST = 128  # ...and beyond twice so many all start from the fit to these
MOST_FITTED = 400  # values: so many tell lengthscales well enough, and a fit takes time as their number cubed
LARGEST_RELATIVE_VARIANCE = 1e12  # known noise beyond this tells nothing and would overflow
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(12)  # by which a belief in t becomes one in y


@dataclass(frozen=True)
class Bound:
    """A bound on the objective (larger is better, its unit) at X (d,); `side` is +1 for a lower one, else -1."""

    X: Floats
    value: float
    sigma: float
    side: float


class Surrogate:
    """What was made, its values and bounds, and the processes through them."""

    def __init__(self, sample: Floats, beliefs: Sequence[Belief] = BELIEFS) -> None:
        """`sample` (m, d): features of rows that stand for the space."""
        span = np.ptp(sample, axis=0)
        self._span = np.where(span > 0, span, 1.0)
        self._beliefs = tuple(beliefs)
        self._l0 = [b.reach * typical_distance(sample / self._span, b.kernel) for b in self._beliefs]
        self._X: list[Floats] = []
        self._y: list[float] = []
        self._sigma: list[float] = []
        self._D: list[Floats] = []
        self._bounds: list[Bound] = []
        self._fitted = 0
        self._hypers: list[gp.Hyperparameters] = []
        self._found: dict[int, list[gp.Hyperparameters]] = {}  # by each fit so far
        self._sloping: list[gp.Posterior | None] = [None] * len(self._beliefs)  # by which slopes are told
        self._trends: list[gp.Trend | None] = [None] * len(self._beliefs)  # what the mean is known to be, if anything
        self._bases: list[gp.Posterior] = []  # given the values of the last fit alone
        self._given: tuple[int, int] | None = None  # values and bounds of the last posterior
        self._posterior: Mixture | None = None
        self._warping = Warping()

    def __len__(self) -> int:
        """Observations with a value."""
        return len(self._y)

    @property
    def ready(self) -> bool:
        """Whether there is enough to fit a model to."""
        return len(self) >= FIRST_FIT

    @property
    def longest(self) -> tuple[float, ...]:
        """The largest lengthscale that a fit of each process can end at, in scaled inputs, (K,)."""
        return tuple(gp.LENGTHSCALE_SPAN * l0 for l0 in self._l0)

    @property
    def extent(self) -> float:
        """Between the least and the largest value so far, in their unit."""
        return float(np.ptp(self._y)) if self._y else 0.0

    def inward(self, y: Floats) -> Floats:
        """Warped targets of values of the objective (larger is better, its unit), any shape."""
        return self._warping.inward(y)

    def outward(self, t: Floats) -> Floats:
        """Values of the objective of warped targets, any shape."""
        return self._warping.outward(t)

    def add(self, features: Floats, value: float, sigma: float, uncertain: Floats | None = None) -> None:
        """Learn one valid observation; `value` larger is better, `sigma` its known standard deviation, `uncertain` the
        variances (d,) of the features, if they are not known exactly."""
        self._X.append(features / self._span)
        self._y.append(value)
        self._sigma.append(sigma)
        self._D.append(np.zeros(len(features)) if uncertain is None else uncertain / self._span**2)

    def add_bound(self, features: Floats, value: float, sigma: float, side: float) -> None:
        """Learn that the objective is at least (`side` 1) or at most (-1) `value`, larger being better."""
        self._bounds.append(Bound(features / self._span, value, sigma, side))

    def posterior(self) -> Mixture:
        """Given all observations, first the values and then the bounds, in scaled inputs and warped targets."""
        known = len(self), len(self._bounds)
        if self._posterior is None or self._given != known:
            self._refit()
            given = self._bounded if self._bounds else self._extended
            self._given, self._posterior = known, Mixture(tuple(map(given, range(len(self._beliefs)))))
        return self._posterior

    def given_pending(self, posterior: Mixture, points: Floats, count: int, rng: np.random.Generator) -> Mixture:
        """`posterior` after `count` joint fantasies of what the pending `points` (p, d) will show."""
        return posterior.given(points, count, rng) if len(points) else posterior

    def inputs(self, features: Floats) -> Floats:
        """Features (m, d) as the processes take them."""
        scaled: Floats = features / self._span
        return scaled

    def outcome(self, posterior: Mixture, features: Floats) -> tuple[float, float]:
        """Mean and standard deviation of the objective (larger is better, its unit) at one row of features (d,)."""
        mean, sigma = self.outcomes(posterior, features[None])
        return float(mean[0]), float(sigma[0])

    def outcomes(self, posterior: Mixture, features: Floats) -> tuple[Floats, Floats]:
        """The same at several rows of features (m, d), both (m,)."""
        means, sigmas = posterior.predict(self.inputs(features))
        weights = np.tile(NODE_WEIGHTS / NODE_WEIGHTS.sum(), means.shape[1]) / means.shape[1]
        t = means[:, :, None] + sigmas[:, :, None] * NODES
        y = self._warping.outward(t.reshape(len(means), weights.size))
        mean = y @ weights
        away = y - mean[:, None]
        largest = np.abs(away).max(axis=1, initial=0.0)  # whose square may overflow
        scale = np.where(largest > 0, largest, 1.0)
        sigma: Floats = scale * np.sqrt((away / scale[:, None]) ** 2 @ weights)
        return mean, sigma

    def worlds(
        self, posterior: Mixture, features: Floats, count: int, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """The objective at rows of features (m, d), and what measuring them might show, (w, m) each (larger is better,
        its unit): in each of w worlds it is another function that agrees with the observations, drawn jointly.

        w is the multiple of the processes that is next to `count`.  Noise is the learned one, and that known of the
        median observation.
        """
        points, each = self.inputs(features), max(1, round(count / len(posterior.parts)))
        known = float(np.median(self._sigma))
        true, shown = [], []
        for part in posterior.parts:
            mean, among = part.joint(points)
            t = mean + rng.standard_normal((each, len(points))) @ gp.cholesky(among).T
            true.append(self._warping.outward(t))
            noisy = t + math.sqrt(part.hyper.noise) * rng.standard_normal(t.shape)
            shown.append(self._warping.outward(noisy) + known * rng.standard_normal(t.shape))
        return np.concatenate(true), np.concatenate(shown)

    def describe(self, names: Sequence[str]) -> dict[str, Any]:
        """The fit in lab units: lengthscales in those of the features, amplitude and noise in the objective's.

        Amplitude and noise are told as they are in the middle of what was observed.
        """
        middle = float(self._warping.slope(np.array([np.median(self._y)]))[0])
        return {
            "fitted_to": self._fitted,
            "warping_power": self._warping.power,
            "processes": [self._described(hyper, names, middle) for hyper in self._fits()],
        }

    def _described(self, hyper: gp.Hyperparameters, names: Sequence[str], slope: float) -> dict[str, Any]:
        lengths = (self._span * np.array(hyper.lengthscales)).tolist()
        return {
            "kernel": hyper.kernel,
            "lengthscales": dict(zip(names, lengths, strict=True)),
            "amplitude": math.sqrt(hyper.amplitude) / slope,
            "noise": math.sqrt(hyper.noise) / slope,
        }

    def _extended(self, k: int) -> gp.Posterior:
        base = self._bases[k]
        n = len(base.X)
        if n == len(self):
            return base
        X, y, v = self._first(len(self))
        return gp.extend(base, X[n:], y, v[n:] + self._steep(k, slice(n, None)))

    def _bounded(self, k: int) -> gp.Posterior:
        X, y, v = self._first(len(self))
        v, hyper = v + self._steep(k, slice(None)), self._hypers[k]
        B = np.array([bound.X for bound in self._bounds])
        values = np.array([bound.value for bound in self._bounds])
        sides = np.array([bound.side for bound in self._bounds])
        known = self._relative(values, [bound.sigma for bound in self._bounds])
        trend = self._trends[k]
        h, h_B = (0.0, 0.0) if trend is None else (trend(X), trend(B))
        t, v_t = bounds.sites(X, y - h, v, B, self._warping.inward(values) - h_B, sides, known, hyper)
        told, sigma = np.concatenate([y, t + h_B]), np.concatenate([v, v_t])
        return gp.condition(np.concatenate([X, B]), told, sigma, hyper, trend=trend)

    def _fits(self) -> list[gp.Hyperparameters]:
        return self._hypers

    def _refit(self) -> None:
        due = last_fit(len(self))
        if due != self._fitted:
            self._fitted, self._hypers = due, self._fit(due)
            self._bases = [self._base(k, due) for k in range(len(self._beliefs))]

    def _fit(self, due: int) -> list[gp.Hyperparameters]:
        """Hyper-parameters of the fit to `due` values; its warping, and what slopes are told by, are set."""
        begun = origin(due)
        start: Sequence[gp.Hyperparameters | None] = [None] * len(self._beliefs)
        if begun:
            start = self._found[begun] if begun in self._found else self._fit(begun)
        found = self._found[due] = self._fit_from(due, start)
        return found

    def _fit_from(self, due: int, start: Sequence[gp.Hyperparameters | None]) -> list[gp.Hyperparameters]:
        found: list[gp.Hyperparameters] = []
        self._warping = Warping.of(np.array(self._y[:due]))
        chosen, uncertain = thinned(due), bool(np.any(self._D[:due]))
        X, y, v = (values[chosen] for values in self._first(due))
        for k, before in enumerate(start):
            spread = self._spread(gp.condition(X, y, v, before), chosen) if uncertain and before is not None else 0.0
            hyper = self._fit_process(k, X, y, v + spread, before)
            self._sloping[k] = gp.condition(X, y, v + spread, hyper, trend=self._trends[k]) if uncertain else None
            found.append(hyper)
        return found

    def _fit_process(
        self, k: int, X: Floats, y: Floats, v: Floats, before: gp.Hyperparameters | None
    ) -> gp.Hyperparameters:
        """Hyper-parameters of process k."""
        return gp.fit(X, y, v, l0=self._l0[k], start=before, kernel=self._beliefs[k].kernel)

    def _first(self, due: int) -> tuple[Floats, Floats, Floats]:
        """X, y as the processes see it, and what the measurement says of v, of the first `due` values."""
        y = np.array(self._y[:due])
        return np.array(self._X[:due]), self._warping.inward(y), self._relative(y, self._sigma[:due])

    def _base(self, k: int, due: int) -> gp.Posterior:
        X, y, v = self._first(due)
        return gp.condition(X, y, v + self._steep(k, slice(due)), self._hypers[k], trend=self._trends[k])

    def _steep(self, k: int, rows: slice) -> Floats | float:
        """What the uncertainty of X adds to v of the observations `rows` for process k."""
        sloping = self._sloping[k]
        return 0.0 if sloping is None else self._spread(sloping, rows)

    def _spread(self, sloping: gp.Posterior, rows: slice | NDArray[np.intp]) -> Floats:
        """The same by one posterior, computed of `rows` alone: what comes later must not touch its rounding."""
        steep = variances(slopes(sloping, np.array(self._X)[rows]), np.array(self._D)[rows])
        return np.minimum(steep, LARGEST_RELATIVE_VARIANCE)

    def _relative(self, y: Floats, sigmas: Sequence[float]) -> Floats:
        """Variances of t for standard deviations of `y`."""
        known = np.array(sigmas)
        with np.errstate(over="ignore", invalid="ignore"):  # a slope may be beyond all numbers; 0 stays 0
            relative = np.where(known > 0, (known * self._warping.slope(y)) ** 2, 0.0)
        return np.minimum(relative, LARGEST_RELATIVE_VARIANCE)


def next_fit(fitted: int) -> int:
    """The number of observations at which the fit after the one to `fitted` is due."""
    return max(FIRST_FIT, fitted + 1, math.ceil(GROWTH * fitted)) if fitted else FIRST_FIT


def last_fit(observations: int) -> int:
    """The number of observations at which the last fit was due, 0 before the first."""
    fitted = 0
    while (due := next_fit(fitted)) <= observations:
        fitted = due
    return fitted


def origin(due: int) -> int:
    """The number of observations of the fit from which the one to `due` starts, 0 for the prior's centre.

    Of few observations it is the fit before; else the last to at most so many as the largest power of two below `due`,
    or `FARTHEST`.  So all that are between two powers start from the same, and a restart repeats few fits, only the
    last of them to many values, and not all that there were.
    """
    return last_fit(due - 1 if due <= CHAINED else min(1 << (due - 1).bit_length() - 1, FARTHEST))


def thinned(due: int) -> NDArray[np.intp]:
    """Which of the first `due` values hyper-parameters are fitted to: at most `MOST_FITTED`, evenly spread over them,
    the last among them."""
    chosen: NDArray[np.intp] = np.unique(np.linspace(0, due - 1, min(due, MOST_FITTED)).round().astype(np.intp))
    return chosen
