"""Argon in, pump out, and the gauge that looks at it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from simulators.physics import SCCM_PA_M3_S

TRANSFER_BURST_PA = 0.02  # let in by one transfer through the load-lock
BURST_DECAY_S = 60.0
SETTLED_PA = 1e-6


@dataclass(frozen=True)
class GasReading:
    flow_sccm: float
    pressure_psia: float
    temperature_c: float


class Vacuum:
    """The gas balance V dp/dt = Q - S p, in closed form over any interval with constant settings.

    Pumping speed differs from the lab file's by a seeded 3 %.
    """

    FLOW_LAG_S = 0.4  # mass-flow controllers settle in 0.2 to 2 s

    def __init__(self, config: dict[str, Any], rng: Random) -> None:
        self.pump_on = True
        self.volume_m3 = config.get("volume_l", 50.0) * 1e-3
        self.base_pa = config.get("base_pressure_pa", 2e-4)
        self.pumping_m3_s = config.get("pumping_speed_l_s", 80.0) * 1e-3 * (1 + rng.gauss(0, 0.03))
        self.setpoint_sccm = 0.0
        self.flow_sccm = 0.0
        self._gas_pa = 0.0
        self._burst_pa = 0.0

    @property
    def pressure_pa(self) -> float:
        return self._gas_pa + self._burst_pa + self.base_pa

    @property
    def settled(self) -> bool:
        if not self.pump_on:
            return self.flow_sccm == 0.0 == self.setpoint_sccm
        return abs(self._gas_pa - self._target_pa) < SETTLED_PA and self.flow_sccm == self.setpoint_sccm

    @property
    def _target_pa(self) -> float:
        return self.setpoint_sccm * SCCM_PA_M3_S / self.pumping_m3_s

    def transfer(self) -> None:
        """The load-lock has been opened to the chamber."""
        self._burst_pa += TRANSFER_BURST_PA

    def advance(self, dt: float) -> None:
        if self._burst_pa:
            self._burst_pa *= math.exp(-dt / BURST_DECAY_S)
            if self._burst_pa < SETTLED_PA * 1e-3:
                self._burst_pa = 0.0
        if self.settled:
            self._gas_pa = self._target_pa if self.pump_on else self._gas_pa
            return
        excess = self.flow_sccm - self.setpoint_sccm
        lagging = math.exp(-dt / self.FLOW_LAG_S)
        if self.pump_on:
            self._pump(excess, lagging, dt)
        else:
            let_in = self.setpoint_sccm * dt + excess * self.FLOW_LAG_S * (1 - lagging)
            self._gas_pa += SCCM_PA_M3_S * let_in / self.volume_m3
        self.flow_sccm = self.setpoint_sccm + excess * lagging
        if abs(self.flow_sccm - self.setpoint_sccm) < 1e-6:
            self.flow_sccm = self.setpoint_sccm

    def _pump(self, excess: float, lagging: float, dt: float) -> None:
        emptying = self.pumping_m3_s / self.volume_m3
        difference = emptying - 1.0 / self.FLOW_LAG_S
        if abs(difference) < 1e-6:
            difference = 1e-6  # equal time constants: the limit is approached smoothly
        driven = SCCM_PA_M3_S * excess / self.volume_m3 / difference
        own = self._gas_pa - self._target_pa - driven
        self._gas_pa = self._target_pa + driven * lagging + own * math.exp(-emptying * dt)


class GasLine:
    """The argon mass-flow controller's valve and sensor: 0.05 % of full scale noise."""

    def __init__(self, vacuum: Vacuum, full_scale_sccm: float, bring: Callable[[], float], rng: Random) -> None:
        self.full_scale_sccm = full_scale_sccm
        self._vacuum = vacuum
        self._bring = bring
        self._rng = rng

    def now(self) -> float:
        return self._bring()

    @property
    def setpoint_sccm(self) -> float:
        return self._vacuum.setpoint_sccm

    def set_flow(self, sccm: float) -> None:
        self._bring()
        self._vacuum.setpoint_sccm = min(max(sccm, 0.0), self.full_scale_sccm)

    def read(self) -> GasReading:
        self._bring()
        gauss = self._rng.gauss
        flow = self._vacuum.flow_sccm
        noise = gauss(0, 5e-4) * self.full_scale_sccm if flow > 0 else 0.0
        return GasReading(max(0.0, flow + noise), 29.4 + gauss(0, 0.02), 22.0 + gauss(0, 0.05))


class VacuumGauge:
    """Calibrated within a seeded 1 %, with 0.5 % of noise."""

    def __init__(self, vacuum: Vacuum, bring: Callable[[], float], rng: Random) -> None:
        self._vacuum = vacuum
        self._bring = bring
        self._gain = 1 + rng.gauss(0, 0.01)
        self._rng = rng

    def now(self) -> float:
        return self._bring()

    def read_pa(self) -> float:
        self._bring()
        return self._vacuum.pressure_pa * self._gain * max(0.1, 1 + self._rng.gauss(0, 0.005))
