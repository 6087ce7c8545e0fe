"""Laws and numbers of the deposition chamber, each with its source; no state.

Notation: P power (W), p pressure (Pa), n areal amount (mol/cm2), f crystal frequency (Hz).
Rates are thicknesses of the pure element on the substrate (nm/s).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

AVOGADRO = 6.02214076e23
SCCM_PA_M3_S = 101325e-6 / 60.0
"""One standard (0 degC, 101325 Pa) cubic centimetre a minute, as a throughput in Pa m3/s."""

REFERENCE_POWER_W = 100.0
REFERENCE_PRESSURE_PA = 0.5
POWER_EXPONENT = 0.97  # rate ~ P^0.95 to 1.0 for metals in a confocal chamber

SUSTAINING_POWER_W = 3.0
EXTINCTION_PRESSURE_PA = 0.15
IGNITION_PRESSURE_PA = 0.27  # half of the attempts fail here; practically all succeed above 0.4 Pa
IGNITION_WIDTH_PA = 0.02

QUARTZ_DENSITY_G_CM3 = 2.649
QUARTZ_FREQUENCY_CONSTANT_HZ_CM = 1.668e5  # AT cut


@dataclass(frozen=True)
class Element:
    """`ideal_rate_nm_min_w`: on axis at 15 cm with 500 eV yields and 400 V, before the gun's own factor.

    Yields from the low-energy argon tables of J. Appl. Phys. 32, 365 (1961) and 33, 1842 (1962); Mn and Ga
    are estimates.
    """

    symbol: str
    molar_mass_g: float
    molar_volume_cm3: float
    ideal_rate_nm_min_w: float

    @property
    def density_g_cm3(self) -> float:
        return self.molar_mass_g / self.molar_volume_cm3


ELEMENTS = {
    symbol: Element(symbol, mass, volume, rate)
    for symbol, mass, volume, rate in (
        ("Al", 26.982, 9.99, 0.21),
        ("Si", 28.086, 12.06, 0.12),
        ("Ti", 47.867, 10.62, 0.11),
        ("V", 50.942, 8.49, 0.11),
        ("Cr", 51.996, 7.23, 0.17),
        ("Mn", 54.938, 7.53, 0.23),
        ("Fe", 55.845, 7.10, 0.16),
        ("Co", 58.933, 6.65, 0.16),
        ("Ni", 58.693, 6.59, 0.19),
        ("Cu", 63.546, 7.09, 0.33),
        ("Ga", 69.723, 11.8, 0.42),
        ("Pd", 106.42, 8.85, 0.37),
        ("Ta", 180.948, 10.87, 0.12),
        ("W", 183.84, 9.55, 0.11),
        ("Ir", 192.217, 8.52, 0.17),
        ("Pt", 195.084, 9.10, 0.26),
        ("Au", 196.967, 10.2, 0.49),
    )
}


class Wander:
    """A slow, seeded, zero-mean fluctuation as a function of time alone: the same however often it is asked.

    A sum of sines with periods spread between `shortest_s` and `longest_s`; `sigma` is its standard deviation.
    """

    _TERMS = 5

    def __init__(self, rng: random.Random, sigma: float, shortest_s: float, longest_s: float) -> None:
        self._amplitude = sigma * math.sqrt(2.0 / self._TERMS)
        span = math.log(longest_s / shortest_s)
        self._terms = [
            (2 * math.pi / (shortest_s * math.exp(span * rng.random())), rng.uniform(0, 2 * math.pi))
            for _ in range(self._TERMS)
        ]

    def at(self, t: float) -> float:
        return self._amplitude * sum(math.sin(omega * t + phase) for omega, phase in self._terms)


def stream(seed: int, name: str) -> random.Random:
    """The random numbers of one part of the world: no part's draws shift another's."""
    return random.Random(f"{seed}/{name}")


def pressure_factor(pressure_pa: float, decay_pa: float, best_pa: float = 0.45) -> float:
    """Rate against that at 0.5 Pa: scattering exp(-p/decay) with a broad maximum at `best_pa`."""
    thin = best_pa**2 / (decay_pa - best_pa)

    def law(p: float) -> float:
        return p / (p + thin) * math.exp(-p / decay_pa)

    return law(max(pressure_pa, 0.0)) / law(REFERENCE_PRESSURE_PA)


def sputter_rate_nm_s(element: Element, gun_factor: float, power_w: float) -> float:
    """Rate of a new, warm target at the reference pressure.

    `gun_factor` holds geometry, magnets and the target's own permeability: 0.15 to 0.6, from measured confocal
    rates (UCSB, AJA ATC 2000-F: Ni 0.033-0.035, Ta 0.063-0.067 nm/min/W).
    """
    at_reference = element.ideal_rate_nm_min_w / 60.0 * gun_factor * REFERENCE_POWER_W
    return at_reference * (power_w / REFERENCE_POWER_W) ** POWER_EXPONENT


def ignition_failure_probability(pressure_pa: float, at_process_pressure: float) -> float:
    """Chance that one attempt to strike fails; falls to a third of `at_process_pressure` above 1 Pa."""
    floor = at_process_pressure / (3.0 if pressure_pa > 1.0 else 1.0)
    x = (pressure_pa - IGNITION_PRESSURE_PA) / IGNITION_WIDTH_PA
    return floor + (1.0 - floor) / (1.0 + math.exp(min(x, 60.0)))


def areal_amount_mol_cm2(element: Element, thickness_nm: float) -> float:
    return thickness_nm * 1e-7 / element.molar_volume_cm3


def areal_mass_ug_cm2(element: Element, thickness_nm: float) -> float:
    return thickness_nm * 0.1 * element.density_g_cm3


def crystal_frequency_hz(unloaded_hz: float, areal_mass_ug: float) -> float:
    """Frequency of a loaded quartz crystal by the period method: 12.3 ng/cm2 lower it by 1 Hz at 6 MHz."""
    stiffness = QUARTZ_DENSITY_G_CM3 * QUARTZ_FREQUENCY_CONSTANT_HZ_CM  # g Hz/cm2
    return 1.0 / (1.0 / unloaded_hz + areal_mass_ug * 1e-6 / stiffness)
