"""Two fidelities: the objective is believed to be so many times what a calculator says, and a discrepancy.

Notation
--------
k       films with a value; X (k, d) scaled inputs, t (k,) warped targets, v (k,) known noise (see `surrogate`)
g       what a virtual station says, as a process through its own results predicts it
z       (k,)    g at X, of mean 0 and variance 1 over the space
rho     scale: by how much t rises with z
C       (k, k)  covariance of the discrepancy and noise; P = inv(C) - u u' / sum(u), u = inv(C) 1: the same when the
        constant mean is estimated

The model of a film is t = mu + rho z + discrepancy + noise, the first-order autoregressive model of Kennedy and O'Hagan
(Biometrika 87, 1, 2000) with the calculator's process as a known mean: calculators have little noise of their own, and
many of their results can be had.  The discrepancy is a Gaussian process like any other of ours.

How far to trust a calculator is learned by evidence: rho has the prior N(`SCALE_MEAN`, `SCALE_SIGMA`^2) over the spread
of z where there are films, is integrated out for the evidence, and otherwise has its posterior mean.  A process takes
the trend of the station with the most evidence, if that is more than the evidence without any; else it is the process
that it would be without virtual stations.  So a calculator that is useless or misleading is dropped after a few films.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.linalg import cho_solve

from orchestrator.optimizer import gp
from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.surrogate import BELIEFS, Floats, Surrogate

SCALE_MEAN, SCALE_SIGMA = 0.7, 0.5
"""Of rho times the spread of z at the films: a calculator usually explains half of the variance."""
PRIOR_ODDS = 3.0
"""That a calculator helps, before any film was measured."""
LEAST_SPREAD = 0.05
"""Of z at the films: with less nothing can be learned of rho."""
LEAST_DISCREPANCY = 0.05
"""Of its amplitude, where the variance of the films is 1: two or three films that agree with a calculator do not show
that it is right everywhere."""
ROUNDS = 2
"""Of fitting rho and the discrepancy in turn."""


@dataclass(frozen=True)
class Trust:
    """What process k makes of a calculator: rho, and the logarithm of the evidence for it over that for none, prior
    odds included."""

    station: str
    scale: float
    log_odds: float
    hyper: gp.Hyperparameters

    @property
    def taken(self) -> bool:
        return self.log_odds > 0.0


@dataclass
class Calculated:
    """The results of one virtual station, and the process through them; `sample` (m, d) as for `Surrogate`."""

    sample: Floats
    model: Surrogate = field(init=False)
    _standard: tuple[int, float, float] | None = None

    def __post_init__(self) -> None:
        self.model = Surrogate(self.sample)

    @property
    def ready(self) -> bool:
        return self.model.ready

    def predict(self, inputs: Array) -> tuple[Array, Array]:
        """z and its standard deviation at scaled inputs (m, d), both (m,)."""
        mean, sigma = self._raw(inputs)
        middle, spread = self._scale()
        return (mean - middle) / spread, sigma / spread

    def _raw(self, inputs: Array) -> tuple[Array, Array]:
        means, sigmas = self.model.posterior().predict(inputs)
        low, high = (self.model.outward(means + side * sigmas) for side in (-1.0, 1.0))
        return self.model.outward(means).mean(axis=1), (0.5 * (high - low)).mean(axis=1)

    def _scale(self) -> tuple[float, float]:
        """Mean and spread of g over the space."""
        if self._standard is None or self._standard[0] != len(self.model):
            mean, _ = self._raw(self.model.inputs(self.sample))
            self._standard = (len(self.model), float(mean.mean()), max(float(mean.std()), np.finfo(float).tiny))
        return self._standard[1:]


class Joined(Surrogate):
    """The surrogate of films that may lean on calculators."""

    def __init__(self, sample: Floats) -> None:
        super().__init__(sample)
        self._sample = sample
        self.calculated: dict[str, Calculated] = {}
        self.trusts: list[Trust | None] = [None] * len(BELIEFS)
        self._as_of: tuple[int, ...] = ()

    def add_calculated(self, station: str, features: Floats, value: float, sigma: float) -> None:
        """Learn one result of a virtual station; `value` larger is better."""
        if station not in self.calculated:
            self.calculated[station] = Calculated(self._sample)
        self.calculated[station].model.add(features, value, sigma)
        self._given = None

    @property
    def leaning(self) -> bool:
        """Whether most processes lean on a calculator."""
        self.posterior()
        return 2 * sum(trust is not None and trust.taken for trust in self.trusts) > len(self.trusts)

    def lean(self) -> tuple[str, float] | None:
        """The calculator that most processes lean on, and its mean scale in warped units; None if they do not."""
        if not self.leaning:
            return None
        taken = [trust for trust in self.trusts if trust is not None and trust.taken]
        names = [trust.station for trust in taken]
        station = max(sorted(set(names)), key=names.count)
        return station, float(np.mean([trust.scale for trust in taken if trust.station == station]))

    def described_trust(self) -> Mapping[str, object]:
        """For the record: of each process what it makes of the calculators."""
        return {
            "calculations": {station: len(told.model) for station, told in self.calculated.items()},
            "trusts": [
                None
                if trust is None
                else {
                    "station": trust.station,
                    "scale": trust.scale,
                    "log_odds": trust.log_odds,
                    "taken": trust.taken,
                }
                for trust in self.trusts
            ],
        }

    def _refit(self) -> None:
        """Anew for every observation, real or virtual, and always from the prior: so that what is fitted does not
        depend on what was known when it was first asked for."""
        known = (len(self), *(len(told.model) for told in self.calculated.values()))
        if known == self._as_of:
            return
        if not any(told.ready for told in self.calculated.values()):
            super()._refit()
            return
        self._as_of, self._fitted = known, len(self)
        self._trends = [None] * len(self._beliefs)
        self._hypers = self._fit_from(len(self), [None] * len(self._beliefs))
        self._bases = [self._base(k, self._fitted) for k in range(len(self._beliefs))]

    def _fit_process(
        self, k: int, X: Floats, y: Floats, v: Floats, before: gp.Hyperparameters | None
    ) -> gp.Hyperparameters:
        alone = super()._fit_process(k, X, y, v, before)
        found = [
            self._trust(k, station, told, X, y, v, alone) for station, told in self.calculated.items() if told.ready
        ]
        best = max((trust for trust in found if trust is not None), key=lambda trust: trust.log_odds, default=None)
        self.trusts[k], self._trends[k] = best, None
        if best is None or not best.taken:
            return alone
        told, scale = self.calculated[best.station], best.scale
        self._trends[k] = lambda points: scale * told.predict(points)[0]
        return best.hyper

    def _trust(
        self, k: int, station: str, told: Calculated, X: Floats, y: Floats, v: Floats, alone: gp.Hyperparameters
    ) -> Trust | None:
        z, _ = told.predict(X)
        spread = float(z.std())
        if spread < LEAST_SPREAD:
            return None
        l0, kernel = self._l0[k], self._beliefs[k].kernel
        centre, sigma = SCALE_MEAN / spread, SCALE_SIGMA / spread
        hyper = alone
        for _ in range(ROUNDS):
            scale, _ = _scale(X, y, v, z, hyper, centre, sigma)
            hyper = gp.fit(X, y - scale * z, v, l0=l0, kernel=kernel)
            hyper = replace(hyper, amplitude=max(hyper.amplitude, LEAST_DISCREPANCY))
        scale, precision = _scale(X, y, v, z, hyper, centre, sigma)
        without = gp.log_density(alone, X, y, v, l0)
        given = gp.log_density(hyper, X, y - scale * z, v, l0)
        occam = -0.5 * ((scale - centre) / sigma) ** 2 - math.log(sigma) - 0.5 * math.log(precision)
        return Trust(station, scale, given + occam - without + math.log(PRIOR_ODDS), hyper)


def _scale(
    X: Floats, y: Floats, v: Floats, z: Array, hyper: gp.Hyperparameters, centre: float, sigma: float
) -> tuple[float, float]:
    """Posterior mean of rho, and its precision, by the discrepancy `hyper` and the prior N(centre, sigma^2)."""
    L = gp.cholesky(gp.covariance(X, X, hyper) + np.diag(hyper.noise + v))
    ones = np.ones(len(z))
    by_z, by_one = (cho_solve((L, True), column, check_finite=False) for column in (z, ones))
    by_z = by_z - by_one * (by_one @ z) / by_one.sum()  # P z
    precision = float(by_z @ z) + 1.0 / sigma**2
    return (float(by_z @ y) + centre / sigma**2) / precision, precision
