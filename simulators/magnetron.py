"""One magnetron gun with its supply and its own shutter."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from simulators.physics import (
    ELEMENTS,
    EXTINCTION_PRESSURE_PA,
    SUSTAINING_POWER_W,
    Wander,
    ignition_failure_probability,
    pressure_factor,
    sputter_rate_nm_s,
)

OPEN_CIRCUIT_V = 950.0
RAMP_W_S = 50.0
WARM_UP_S = 180.0  # thermal drift of 2 to 5 % in the first 2 to 10 min
COOL_DOWN_S = 600.0
LONGEST_STEP_S = 5.0
SHORTEST_STEP_S = 1e-6


@dataclass(frozen=True)
class MagnetronReading:
    """`on`: the supply is asked to deliver and has not tripped; `lit`: a plasma burns."""

    on: bool
    lit: bool
    power_w: float
    voltage_v: float
    current_a: float
    tripped: bool


class Magnetron:
    """Everything hidden about a gun is drawn from its own stream; `settings` may pin ``gun_factor``.

    `settings` (the lab file's): max_power_w, used_kwh and life_kwh of the target, gun_factor 0.15 to 0.6.
    """

    def __init__(
        self,
        target: str,
        settings: dict[str, Any],
        bring: Callable[[], float],
        settle: Callable[[], None],
        pressure_pa: Callable[[], float],
        rng: Random,
    ) -> None:
        self.target = target
        self.element = ELEMENTS[target]
        self.max_power_w = float(settings.get("max_power_w", 200.0))
        self.power_setpoint_w = 0.0
        self.shutter_open = False
        self.on = False
        self.lit = False
        self.tripped = False
        self.power_w = 0.0
        self.strike_in_s: float | None = None
        self._bring, self._settle, self._pressure_pa, self._rng = bring, settle, pressure_pa, rng
        self._used_kwh = float(settings.get("used_kwh", 0.0))
        self._life_kwh = float(settings.get("life_kwh", 20.0))
        self.gun_factor = float(settings.get("gun_factor", rng.uniform(0.15, 0.6)))
        self._erosion_loss = rng.uniform(0.10, 0.30)
        self._scatter = rng.uniform(0.01, 0.02)
        self._drift = rng.choice((-1, 1)) * rng.uniform(0.02, 0.05)
        self._decay_pa = rng.uniform(2.0, 4.0)
        self._failure_probability = rng.uniform(0.01, 0.05)
        self._voltage_v = rng.uniform(400.0, 550.0)
        self._noise = Wander(rng, 0.007, 30.0, 300.0)
        self._run_factor = 1.0
        self._heat = 0.0
        self._luck = self._next_run_factor = 1.0
        self._readings = Random(rng.random())  # so that being read changes nothing else

    # --- what the supply does -----------------------------------------------------------------------------

    def now(self) -> float:
        return self._bring()

    def set_power(self, watts: float) -> None:
        self._bring()
        self.power_setpoint_w = min(max(watts, 0.0), self.max_power_w)

    def set_output(self, on: bool) -> None:
        """Switch on (a strike is attempted within a second, once), or off; off also clears a trip."""
        self._bring()
        if on and not self.on and not self.tripped:
            self.on = True
            self.strike_in_s = self._rng.uniform(0.05, 1.0)
            self._luck, self._next_run_factor = self._rng.random(), 1 + self._rng.gauss(0, self._scatter)
        elif not on:
            self._stop()
            self.tripped = False
        self._settle()

    def set_shutter(self, open_: bool) -> None:
        self._bring()
        self.shutter_open = open_
        self._settle()

    def trip(self) -> None:
        """The supply switches itself off and says so (arc storm, over-temperature)."""
        self._bring()
        self._stop()
        self.tripped = True
        self._settle()

    def read(self) -> MagnetronReading:
        self._bring()
        if not self.lit:
            voltage = OPEN_CIRCUIT_V + self._readings.gauss(0, 2.0) if self.on else 0.0
            return MagnetronReading(self.on, False, 0.0, voltage, 0.0, self.tripped)
        voltage = self._voltage_v * (1 - 0.2 * self.wear) * (self.power_w / 100.0) ** 0.08
        voltage *= 1 + self._readings.gauss(0, 0.003)
        power = self.power_w * (1 + self._readings.gauss(0, 0.002))
        return MagnetronReading(self.on, True, power, voltage, power / voltage, self.tripped)

    # --- for the chamber ----------------------------------------------------------------------------------

    @property
    def wear(self) -> float:
        """Used fraction of the target."""
        return self._used_kwh / self._life_kwh

    @property
    def emitting(self) -> bool:
        return self.lit and self.shutter_open

    def longest_step_s(self) -> float:
        """How far ahead this gun's own state is smooth."""
        if not self.on:
            return math.inf
        if self.strike_in_s is not None:
            return max(self.strike_in_s, SHORTEST_STEP_S)
        if self.lit and self.power_w != self.power_setpoint_w:
            return max(abs(self.power_setpoint_w - self.power_w) / RAMP_W_S, SHORTEST_STEP_S)
        return LONGEST_STEP_S if self.lit else math.inf

    def advance(self, dt: float, pressure_pa: float, t: float) -> float:
        """Burn for `dt` at the mean pressure, `t` being the middle; nm of pure element at the substrate."""
        if not self.lit:
            self._heat *= math.exp(-dt / COOL_DOWN_S) if self._heat else 0.0
            if self.strike_in_s is not None:
                self.strike_in_s -= dt
                if self.strike_in_s <= SHORTEST_STEP_S:
                    self._strike()
            return 0.0
        before = self.power_w
        self.power_w += min(max(self.power_setpoint_w - before, -RAMP_W_S * dt), RAMP_W_S * dt)
        mean_w = 0.5 * (before + self.power_w)
        cold = 1.0 - self._heat
        self._heat = 1.0 - cold * math.exp(-dt / WARM_UP_S)
        drift = 1 + self._drift * 0.5 * (cold + 1.0 - self._heat)
        condition = self._run_factor * drift * (1 - self._erosion_loss * self.wear) * (1 + self._noise.at(t))
        self._used_kwh += mean_w * dt / 3.6e6
        rate = sputter_rate_nm_s(self.element, self.gun_factor, mean_w)
        if self._pressure_pa() < EXTINCTION_PRESSURE_PA or self.power_w < SUSTAINING_POWER_W:
            self.lit = False
        return rate * condition * pressure_factor(pressure_pa, self._decay_pa) * dt

    def _strike(self) -> None:
        self.strike_in_s = None
        failure = ignition_failure_probability(self._pressure_pa(), self._failure_probability)
        if self.power_setpoint_w >= SUSTAINING_POWER_W and self._luck >= failure:
            self.lit = True
            self.power_w = SUSTAINING_POWER_W
            self._run_factor = self._next_run_factor

    def _stop(self) -> None:
        self.on = False
        self.lit = False
        self.power_w = 0.0
        self.strike_in_s = None
