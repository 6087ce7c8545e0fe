"""What can be measured on a film, the unit it is kept in, and the units it may be quoted in.

Everything inside Nightshift is in the canonical unit; other units exist in files and on reports only.
"""

from __future__ import annotations

import math

MU_0 = 1.25663706127e-6
"""Vacuum permeability, T m/A (CODATA 2022)."""

UNITS: dict[str, dict[str, float]] = {
    # A magnetisation in tesla is mu_0 M; 1 emu/cm3 is 1 kA/m exactly.
    "saturation_magnetisation": {"kA/m": 1.0, "A/m": 1e3, "MA/m": 1e-3, "emu/cm3": 1.0, "T": 1e3 * MU_0},
    "remanence": {"kA/m": 1.0, "A/m": 1e3, "MA/m": 1e-3, "emu/cm3": 1.0, "T": 1e3 * MU_0},
    # A coercivity in tesla is mu_0 H; 1 Oe is 0.1 mT exactly.
    "coercivity": {"mT": 1.0, "T": 1e-3, "Oe": 10.0, "kA/m": 1e-6 / MU_0, "A/m": 1e-3 / MU_0},
    "kerr_rotation": {"mrad": 1.0, "rad": 1e-3, "deg": math.degrees(1e-3)},
    "squareness": {"1": 1.0},
    # 1 uohm cm is 10 nohm m exactly.
    "anomalous_hall_resistivity": {"uohm cm": 1.0, "nohm m": 10.0, "ohm m": 1e-8},
    "anomalous_hall_resistance": {"ohm": 1.0, "mohm": 1e3},
}
"""Quantity -> unit -> how many of this unit make one canonical unit; the canonical unit comes first."""

MEASURED_BY: dict[str, tuple[str, ...]] = {
    "moment": ("saturation_magnetisation", "coercivity", "remanence", "squareness"),
    "kerr_rotation": ("kerr_rotation", "coercivity", "squareness"),
    "hall_resistance": ("anomalous_hall_resistivity", "anomalous_hall_resistance", "coercivity", "squareness"),
}
"""What a magnetometer's signal means -> the quantities its loops yield."""


CALCULATED = ("saturation_magnetisation", "kerr_rotation")
"""What calculators tell of a film."""


def canonical_unit(quantity: str) -> str:
    """The unit in which `quantity` is kept: kA/m, mT, mrad, uohm cm, ohm or 1."""
    return next(iter(UNITS[quantity]))


def to_unit(quantity: str, value: float, unit: str) -> float:
    """`value` of `quantity` in its canonical unit, expressed in `unit`.

    >>> round(to_unit("saturation_magnetisation", 1950.0, "T"), 3)
    2.45
    """
    return value * UNITS[quantity][unit]


def from_unit(quantity: str, value: float, unit: str) -> float:
    """`value` of `quantity` in `unit`, expressed in its canonical unit.

    >>> from_unit("coercivity", 40.0, "Oe")
    4.0
    """
    return value / UNITS[quantity][unit]
