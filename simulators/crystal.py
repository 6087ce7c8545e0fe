"""The quartz thickness sensor in the chamber, and the relay of the substrate shutter."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from simulators.physics import crystal_frequency_hz

NEW_CRYSTAL_HZ = 5_980_000.0
DEAD_CRYSTAL_HZ = 5_000_000.0
SHOCK_UG_CM2 = 0.05  # apparent mass when plasma first warms the sensor: about 0.6 angstrom of Fe
SHOCK_DECAY_S = 6.0
MASS_NOISE_UG_CM2 = 7e-4  # 0.06 Hz
RATE_NOISE_UG_CM2_S = 1.6e-3  # 0.02 angstrom/s of Fe


@dataclass(frozen=True)
class CrystalReading:
    """`areal_mass_ug_cm2` counts from the start of the night; a failed crystal reads 0 Hz and no rate."""

    frequency_hz: float
    life_pct: float
    areal_mass_ug_cm2: float
    areal_rate_ug_cm2_s: float
    failed: bool


class Crystal:
    """Collects from every gun whose own shutter is open, whatever the substrate shutter does."""

    def __init__(self, bring: Callable[[], float], settle: Callable[[], None], rng: Random) -> None:
        self.substrate_shutter_open = False
        self.mass_ug_cm2 = 0.0
        self.rate_ug_cm2_s = 0.0
        self._failed = False
        self._shock_ug = 0.0
        self._bring = bring
        self._settle = settle
        self._rng = rng

    def now(self) -> float:
        return self._bring()

    def set_substrate_shutter(self, open_: bool) -> None:
        self._bring()
        self.substrate_shutter_open = open_
        self._settle()

    def read(self) -> CrystalReading:
        self._bring()
        frequency = crystal_frequency_hz(NEW_CRYSTAL_HZ, self.mass_ug_cm2)
        if self._failed or frequency <= DEAD_CRYSTAL_HZ:
            return CrystalReading(0.0, 0.0, self.mass_ug_cm2, 0.0, True)
        gauss = self._rng.gauss
        mass = self.mass_ug_cm2 + self._shock_ug + gauss(0, MASS_NOISE_UG_CM2)
        rate = self.rate_ug_cm2_s - self._shock_ug / SHOCK_DECAY_S + gauss(0, RATE_NOISE_UG_CM2_S)
        life = 100 * (frequency - DEAD_CRYSTAL_HZ) / (NEW_CRYSTAL_HZ - DEAD_CRYSTAL_HZ)
        return CrystalReading(crystal_frequency_hz(NEW_CRYSTAL_HZ, mass), life, mass, rate, False)

    def fail(self) -> None:
        """The crystal stops oscillating, for good."""
        self._bring()
        self._failed = True

    # --- for the chamber ----------------------------------------------------------------------------------

    def advance(self, mass_ug_cm2: float, dt: float) -> None:
        """Collect `mass_ug_cm2` evenly during `dt`."""
        exposed, was_exposed = mass_ug_cm2 > 0.0, self.rate_ug_cm2_s > 0.0
        if exposed != was_exposed:
            self._shock_ug += SHOCK_UG_CM2 if exposed else -SHOCK_UG_CM2
        self.mass_ug_cm2 += mass_ug_cm2
        self.rate_ug_cm2_s = mass_ug_cm2 / dt
        if self._shock_ug:
            self._shock_ug *= math.exp(-dt / SHOCK_DECAY_S)
            if abs(self._shock_ug) < 1e-9:
                self._shock_ug = 0.0
