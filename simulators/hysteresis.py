"""The field history of a ferromagnetic film: m(B) with remanence, switching distribution and minor loops.

The film is a superposition of relays with symmetric thresholds +-h (a Preisach model whose distribution lies
on the diagonal) and of a reversible part:

    m(B)/ms = S [1 - 2F(-B)] + (1 - S) tanh(B/b)          descending from positive saturation

F is a logistic distribution of h about a median chosen so that m is zero exactly at the coercive field; S is
the squareness.  The state of all relays is a short list of past turning points, updated exactly and in no
particular time step.
"""

from __future__ import annotations

import math


class Hysteresis:
    """One film.  Fields in mT; `magnetisation` is m/ms, -1 to 1.

    `spread` is the logistic scale of the switching distribution relative to the coercive field.
    """

    def __init__(self, coercivity_mt: float, squareness: float = 0.9, spread: float = 0.12) -> None:
        self.coercivity_mt = max(coercivity_mt, 1e-3)
        self.squareness = squareness
        self._scale_mt = spread * self.coercivity_mt
        self._reversible_mt = 2.0 * self.coercivity_mt + 2.0
        lag = (1 - squareness) / squareness * math.tanh(self.coercivity_mt / self._reversible_mt)
        switched = 0.5 * (1.0 - lag)
        self._median_mt = self.coercivity_mt - self._scale_mt * math.log(switched / (1.0 - switched))
        self._turns: list[tuple[float, float]] = [(math.inf, 0.0)]  # (h up to which, sign): outermost first
        self.field_mt = 0.0

    def apply(self, field_mt: float) -> None:
        """Bring the field, monotonically, to `field_mt`: every relay with h <= |B| takes the sign of B."""
        self.field_mt = field_mt
        reach, sign = abs(field_mt), math.copysign(1.0, field_mt)
        while self._turns and self._turns[-1][0] <= reach:
            self._turns.pop()
        if reach > 0 and (not self._turns or self._turns[-1][1] != sign):
            self._turns.append((reach, sign))

    @property
    def magnetisation(self) -> float:
        """m/ms now."""
        relays = 0.0
        for (outer, sign), (inner, _) in zip(self._turns, [*self._turns[1:], (0.0, 0.0)], strict=True):
            relays += sign * (self._switched(outer) - self._switched(inner))
        reversible = math.tanh(self.field_mt / self._reversible_mt)
        return self.squareness * relays + (1.0 - self.squareness) * reversible

    def _switched(self, h_mt: float) -> float:
        """Fraction of relays with a threshold below `h_mt`; none below zero."""
        if h_mt <= 0.0:
            return 0.0
        x = (h_mt - self._median_mt) / self._scale_mt
        return 1.0 / (1.0 + math.exp(-x)) if x > -700 else 0.0
