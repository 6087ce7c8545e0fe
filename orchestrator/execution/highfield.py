"""The film apart from everything linear: a fit to the points of a hysteresis loop at high field.

Notation, for k points:

    b   (k,) field over the highest, -1 to 1        y   (k,) signal, in any unit
    t   (k,) time in the loop, 0 to 1

At high field a saturated film obeys  y = o + d t + c b + M sgn(b):  an offset, a linear drift, a linear
background (substrate, holder, optics) and the saturated film.  The four are fitted together, which needs both
signs of b, and the first sign twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HIGH_FIELD = 0.7
"""Points beyond this part of the highest field are fitted."""
WIDER_FIELDS = (0.2, 0.35, 0.5)
"""The same for films that are saturated much earlier."""
AS_STRAIGHT = 1.2
"""Residuals of a wider fit over those of the narrow one."""
STRAIGHT = 2.0
"""Standard uncertainties of the bend."""


class NoResult(Exception):
    """The loop says nothing about the film; the message says why.

    `again`: another measurement may say more.  It cannot where the reason is in the set-up or the film.
    """

    def __init__(self, message: str, *, again: bool = True) -> None:
        super().__init__(message)
        self.again = again


@dataclass(frozen=True)
class HighField:
    """The fit beyond a part of the highest field: y = offset + drift t + slope b + saturated sgn(b)."""

    model: Array  # (k, 4)
    y: Array  # (k,)
    parameters: Array  # (4,)
    sigmas: Array  # (4,)
    noise: float

    @classmethod
    def beyond(cls, part: float, b: Array, t: Array, y: Array) -> HighField:
        """`b` is the field over the highest.  Raises `NoResult`."""
        high = np.abs(b) >= part
        if min(np.count_nonzero(high & (b > 0)), np.count_nonzero(high & (b < 0))) < 3:
            raise NoResult("too few points at high field to tell the film from the background")
        b, t, y = b[high], t[high], y[high]
        model = np.column_stack([np.ones_like(b), t, b, np.sign(b)])
        return cls(model, y, *least_squares(model, y))

    def bend(self) -> tuple[float, float]:
        """An approach to saturation as 1/b: its significance, and by how much it would change the saturation."""
        b = self.model[:, 2]
        approach = np.sign(b) * (1 / np.abs(b) - 1)
        parameters, sigmas, _ = least_squares(np.column_stack([self.model, approach]), self.y)
        significance = abs(parameters[4]) / sigmas[4] if sigmas[4] > 0 else 0.0
        return float(significance), float(abs(parameters[3] / self.parameters[3] - 1))


def widest(b: Array, t: Array, y: Array) -> HighField:
    """The fit over the widest range of field in which the film is as straight as at the highest fields.

    The further the points are spread, the less a background can pass for the film.
    """
    narrow = HighField.beyond(HIGH_FIELD, b, t, y)
    for part in WIDER_FIELDS:
        wide = HighField.beyond(part, b, t, y)
        if wide.noise <= AS_STRAIGHT * narrow.noise and wide.bend()[0] < STRAIGHT:
            return wide
    return narrow


def least_squares(model: Array, y: Array) -> tuple[Array, Array, float]:
    """Parameters, their standard uncertainties, and the standard deviation of the residuals."""
    freedom = len(y) - model.shape[1]
    if freedom < 1:
        raise NoResult("too few points at high field to tell the film from the background")
    # The signal may be as small as 1e-9 A m2: scaled, so that no tolerance of the solver is met by chance.
    unit = float(np.max(np.abs(y))) or 1.0
    parameters, _, rank, _ = np.linalg.lstsq(model, y / unit, rcond=None)
    if rank < model.shape[1]:
        raise NoResult("the points at high field do not tell drift, background and film apart")
    residuals = y / unit - model @ parameters
    noise = math.sqrt(float(residuals @ residuals) / freedom)
    covariance = np.linalg.inv(model.T @ model) * noise**2
    return parameters * unit, np.sqrt(np.diag(covariance)) * unit, noise * unit
