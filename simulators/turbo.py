"""The turbo pump of the chamber: it runs up in minutes, coasts down in many, and pumps while it is fast."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

RUN_UP_S = 120.0
COAST_S = 600.0
PUMPS_ABOVE = 0.3
FULL_POWER_W, IDLE_POWER_W = 80.0, 18.0


@dataclass(frozen=True)
class TurboReading:
    """`speed` is a fraction of the nominal speed; `trouble` is what its drive stopped for, "" if nothing."""

    running: bool
    speed: float
    power_w: float
    bearing_c: float
    trouble: str


class Turbo:
    """It is at full speed at the start.  `pumps` is told when it begins or ceases to pump."""

    def __init__(self, now: Callable[[], float], pumps: Callable[[bool], None]) -> None:
        self._now, self._pumps = now, pumps
        self._t = now()
        self._pumping = True
        self.running = True
        self.speed = 1.0
        self.trouble = ""

    def set_running(self, on: bool) -> None:
        self.bring()
        self.running = on and not self.trouble

    def trip(self, trouble: str) -> None:
        """Its drive stops it."""
        self.bring()
        self.trouble, self.running = trouble, False

    def restart(self) -> None:
        """The clock has been restarted: go on from its present."""
        self._t = self._now()

    def bring(self) -> None:
        """To the present."""
        present = self._now()
        dt, self._t = max(0.0, present - self._t), present
        if self.running:
            self.speed = min(1.0, self.speed + dt / RUN_UP_S)
        else:
            self.speed *= math.exp(-dt / COAST_S)
        if (self.speed > PUMPS_ABOVE) != self._pumping:
            self._pumping = not self._pumping
            self._pumps(self._pumping)

    def read(self) -> TurboReading:
        self.bring()
        accelerating = self.running and self.speed < 1.0
        power = FULL_POWER_W if accelerating else IDLE_POWER_W if self.running else 0.0
        return TurboReading(self.running, self.speed, power, 38.0, self.trouble)
