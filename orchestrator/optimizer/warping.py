"""Targets as a Gaussian process likes them: warped so that they look normal, then of mean 0 and variance 1.

Notation
--------
y       targets, their own unit
z       (y - shift) / unit: standardised
w       the Yeo-Johnson transform of z: ((1 + z)^p - 1) / p for z >= 0, its mirror image with 2 - p for z < 0
        (Yeo and Johnson, Biometrika 87, 954, 2000)
t       (w - centre) / spread: what the process sees
p       the power: 1 leaves z as it is, less draws in the large, more draws in the small

p is the likeliest one for normal w.  Between 0 and 2 every t has its y, so a belief in t is one in y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import boxcox1p, inv_boxcox1p

Floats = NDArray[np.float64]

FEWEST = 4  # targets that a power is fitted to
POWERS = (0.0, 2.0)
LARGEST = 1e6  # |z| beyond this says no more, and would overflow
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Warping:
    """Of one set of targets, by their values when it was made."""

    shift: float = 0.0
    unit: float = 1.0
    power: float = 1.0
    centre: float = 0.0
    spread: float = 1.0

    @classmethod
    def of(cls, y: Floats) -> Warping:
        """The likeliest for `y` (n,).  By way of the largest value, so that neither huge nor tiny units overflow."""
        peak = float(np.abs(y).max()) or 1.0
        relative = y / peak
        deviation = float(relative.std())
        if deviation < 1e-12:
            return cls(float(relative.mean()) * peak, max(peak, np.finfo(float).tiny))
        shift, unit = float(relative.mean()) * peak, max(deviation * peak, np.finfo(float).tiny)
        z = y / unit - shift / unit
        if len(y) < FEWEST:
            return cls(shift, unit)
        power = likeliest_power(z)
        w = yeo_johnson(z, power)
        return cls(shift, unit, power, float(w.mean()), max(float(w.std()), 1e-9))

    def inward(self, y: Floats) -> Floats:
        """t of y, any shape."""
        t: Floats = (yeo_johnson(self._standardised(y), self.power) - self.centre) / self.spread
        return t

    def outward(self, t: Floats) -> Floats:
        """y of t, any shape."""
        y: Floats = self.shift + self.unit * inverse_yeo_johnson(self.centre + self.spread * t, self.power)
        return y

    def slope(self, y: Floats) -> Floats:
        """dt/dy, by which a small deviation of y becomes one of t."""
        z = self._standardised(y)
        slope: Floats = (1.0 + np.abs(z)) ** (np.sign(z) * (self.power - 1.0)) / (self.spread * self.unit)
        return slope

    def _standardised(self, y: Floats) -> Floats:
        with np.errstate(over="ignore"):
            z: Floats = np.clip(y / self.unit - self.shift / self.unit, -LARGEST, LARGEST)
        return z


def likeliest_power(z: Floats) -> float:
    """The power in `POWERS` under which `z` (n,) is likeliest to be normal."""
    pull = float(np.sum(np.sign(z) * np.log1p(np.abs(z)))) / len(z)

    def loss(power: float) -> float:
        return 0.5 * float(np.log(yeo_johnson(z, power).var())) - (power - 1.0) * pull

    return float(minimize_scalar(loss, bounds=POWERS, method="bounded", options={"xatol": _TOLERANCE}).x)


def yeo_johnson(z: Floats, power: float) -> Floats:
    """w of z."""
    w: Floats = np.where(z < 0, -boxcox1p(np.maximum(-z, 0.0), 2.0 - power), boxcox1p(np.maximum(z, 0.0), power))
    return w


def inverse_yeo_johnson(w: Floats, power: float) -> Floats:
    """z of w."""
    below, above = np.maximum(-w, 0.0), np.maximum(w, 0.0)
    with np.errstate(over="ignore"):
        z = np.where(w < 0, -inv_boxcox1p(below, 2.0 - power), inv_boxcox1p(above, power))
    return np.asarray(np.clip(z, -LARGEST, LARGEST))
