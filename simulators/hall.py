"""A film at four contacts: what its transverse voltage is for a current through it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from simulators.physics import Wander

MU_0_T_M_KA = 4e-4 * math.pi  # tesla for a kA/m
ROUNDING = 24.0  # how sharply the magnetisation turns into its saturation
ORDINARY_OHM_M_T = 4e-11  # R_0 d, of iron and its neighbours
RESISTIVITY_OHM_M = 2.5e-7
MISPLACED = 0.02  # of a square's resistance that the Hall contacts see along the current
MAGNETORESISTANCE = 0.01
THERMAL_V = 2e-6
CONTACT_OHM = 50.0


@dataclass(frozen=True)
class FilmAtContacts:
    """Of a film in the holder: its thickness, anomalous Hall resistivity and saturation."""

    thickness_m: float
    anomalous_ohm_m: float
    saturation_t: float  # mu_0 Ms, by which a field out of the plane must exceed zero to saturate it

    def resistance_ohm(self, field_t: float, misplaced: float) -> float:
        """Transverse voltage over current."""
        x = field_t / self.saturation_t if self.saturation_t > 0 else 0.0
        m = x / (1 + abs(x) ** ROUNDING) ** (1 / ROUNDING)
        square = RESISTIVITY_OHM_M / self.thickness_m
        along = misplaced * square * (1 - MAGNETORESISTANCE * m * m)
        return (self.anomalous_ohm_m * m + ORDINARY_OHM_M_T * field_t) / self.thickness_m + along

    def across_current_ohm(self) -> float:
        """What the source of current has to overcome."""
        return 2 * CONTACT_OHM + RESISTIVITY_OHM_M / self.thickness_m


class Contacts:
    """The part of the world at the four leads; `film` tells what is in the holder, `field_t` the field there."""

    def __init__(
        self,
        bring: Callable[[], float],
        film: Callable[[], FilmAtContacts | None],
        field_t: Callable[[], float],
        rng: Random,
    ) -> None:
        self.current_a = 0.0
        self.on_read: Callable[[], None] = lambda: None
        self._bring, self._film, self._field_t, self._rng = bring, film, field_t, rng
        self._misplaced = rng.gauss(0, MISPLACED)
        self._thermal = Wander(rng, THERMAL_V, 600.0, 3600.0)

    def now(self) -> float:
        return self._bring()

    def source(self, current_a: float) -> None:
        """From now on, 0 for none."""
        self._bring()
        self.current_a = current_a

    def voltage(self, current_a: float) -> float:
        """Across the Hall contacts while `current_a` flows, thermal voltage and all."""
        t = self._bring()
        self.on_read()
        film = self._film()
        if film is None:
            return 0.0
        return current_a * film.resistance_ohm(self._field_t(), self._misplaced) + self._thermal.at(t)

    def needed_v(self, current_a: float) -> float:
        """Voltage that drives `current_a`; infinite while nothing lies at the contacts."""
        film = self._film()
        return math.inf if film is None else abs(current_a) * film.across_current_ohm()

    def noise(self, sigma_v: float) -> float:
        return self._rng.gauss(0, sigma_v)
