"""The heated substrate holder and the loop that holds its temperature."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

ROOM_C = 25.0
FULL_POWER_C = 900.0
"""How much hotter than the room full power keeps it."""
TIME_CONSTANT_S = 180.0
GAIN_PER_C = 0.02
LONGEST_STEP_S = 2.0
REACHED_C = 0.02


@dataclass(frozen=True)
class HeaterReading:
    """`power` is a fraction of full power; `broken`: the thermocouple is open."""

    temperature_c: float
    power: float
    broken: bool


class HeatedHolder:
    """Radiation and conduction taken together as one time constant; a proportional loop with the right offset."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._t = now()
        self.temperature_c = ROOM_C
        self.target_c = ROOM_C
        self.heating = False
        self.broken = False
        self.power = 0.0

    def set_target(self, celsius: float) -> None:
        self.bring()
        self.target_c = celsius

    def set_heating(self, on: bool) -> None:
        self.bring()
        self.heating = on

    def restart(self) -> None:
        """The clock has been restarted: go on from its present."""
        self._t = self._now()

    def bring(self) -> None:
        """To the present."""
        present = self._now()
        while (remaining := present - self._t) > 0:
            self.power = self._loop()
            goal = ROOM_C + FULL_POWER_C * self.power
            steady = abs(goal - self.temperature_c) < REACHED_C or self.power == 0.0
            dt = remaining if steady else min(remaining, LONGEST_STEP_S)
            self.temperature_c = goal + (self.temperature_c - goal) * math.exp(-dt / TIME_CONSTANT_S)
            self._t += dt if dt < remaining else remaining
        self.power = self._loop()

    def _loop(self) -> float:
        if not self.heating or self.broken:
            return 0.0
        holding = (self.target_c - ROOM_C) / FULL_POWER_C
        return min(max(holding + GAIN_PER_C * (self.target_c - self.temperature_c), 0.0), 1.0)

    def read(self) -> HeaterReading:
        self.bring()
        return HeaterReading(self.temperature_c, self.power, self.broken)
