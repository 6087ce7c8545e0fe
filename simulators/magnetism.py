"""Magnetism of alloys from their composition alone: moment, Curie temperature, saturation, coercivity, Kerr.

Notation: c maps element to atomic fraction; moments in Bohr magnetons an atom at 0 K; volumes in A^3 an atom.

Two structures are blended, bcc and fcc (hcp Co counts as fcc):

- bcc: the measured Fe-Co curve (Bardos 1969, Bozorth) as a cubic fit of the effective Co content
  Co + 1.72 Ni, less 1.2 a Ni: reproduces the slope of +1.30 for dilute Ni (Guo and Enomoto 2000) and keeps the
  maximum on the Fe-Co edge.
- fcc: the Co-Ni line .616 + 1.13 c_Co and the measured Fe-Ni curve up to its Invar collapse.
- other elements: measured slopes in bcc Fe (Guo and Enomoto 2000) where there are any, else the generalised
  Slater-Pauling line m = sum c Z_m + 0.6.  The slopes of Ir and Pt in bcc are an assumption.

Curie temperatures are the CALPHAD Redlich-Kister terms; the temperature factor is Kuz'min's (2005).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from simulators.physics import AVOGADRO, ELEMENTS

Fractions = Mapping[str, float]

BOHR_MAGNETON = 9.2740100783e-24  # J/T
ROOM_TEMPERATURE_K = 293.0
MAGNETIC = ("Fe", "Co", "Ni")

ATOMIC_VOLUME_A3 = {symbol: e.molar_volume_cm3 / AVOGADRO * 1e24 for symbol, e in ELEMENTS.items()} | {
    "Fe": 11.78, "Co": 11.12, "Ni": 10.94, "Cr": 12.0, "V": 13.9, "Ir": 14.15, "Pt": 15.10, "Ta": 18.0, "W": 15.85,
}  # fmt: skip

SLOPE_IN_BCC = {
    "V": -2.68, "Cr": -2.29, "Mn": -2.11, "Si": -2.29, "Al": -2.2, "Ti": -2.2, "Cu": -2.2, "Ga": -2.2,
    "Ta": -2.2, "W": -2.2, "Au": -2.2, "Pd": -0.5, "Pt": 0.3, "Ir": 0.5,
}  # fmt: skip
VALENCE_IN_FCC = {  # Z_m of the generalised Slater-Pauling line
    "V": -5, "Cr": -6, "Mn": -2, "Si": -4, "Al": -3, "Ti": -4, "Cu": -1, "Ga": -3, "Ta": -5, "W": -6, "Au": -1,
    "Pd": 0, "Pt": 0, "Ir": 1,
}  # fmt: skip

FCC_FE_NI = ((0.0, 0.616), (0.1, 0.82), (0.2, 1.02), (0.25, 1.11), (0.4, 1.40), (0.5, 1.60), (0.6, 1.72),
             (0.65, 1.75), (0.70, 1.30), (0.75, 0.60), (0.80, 0.0))  # fmt: skip

CURIE_PURE_K = {
    "bcc": {"Fe": 1043.0, "Co": 1450.0, "Ni": 456.0, "Cr": -311.5, "Mn": -580.0},
    "fcc": {"Fe": -201.0, "Co": 1396.0, "Ni": 633.0},
}
CURIE_PAIRS_K: dict[str, dict[tuple[str, str], tuple[float, ...]]] = {
    "bcc": {
        ("Fe", "Co"): (590.0,),
        ("Cr", "Fe"): (1650.0, 550.0),
        ("Fe", "V"): (-110.0, 3075.0, 808.0, -2169.0),
        ("Fe", "Mn"): (123.0,),
        ("Fe", "Ni"): (385.8,),
        ("Co", "Ni"): (556.0,),
    },
    "fcc": {
        ("Fe", "Ni"): (2133.0, -682.0),
        ("Co", "Ni"): (411.0, -99.0),
        ("Fe", "Co"): (283.0, 879.0),
        ("Cr", "Ni"): (-3605.0,),
        ("Co", "Cr"): (-1795.0,),
    },
}
KUZMIN = {"Fe": (0.35, 4.0), "Co": (0.11, 2.5), "Ni": (0.15, 2.5)}  # s, p

ANOMALOUS_HALL_UOHM_CM = {"Fe": 0.6, "Co": 0.3, "Ni": -0.4}
HALL_RAISED_UOHM_CM = {"Pt": 8.0, "Ir": 9.0, "W": 4.0, "Ta": 3.0, "Au": 4.0, "Pd": 3.0}  # for each atomic fraction

KERR_MRAD_PER_KA_M = {"Fe": 4.3e-4, "Co": 3.6e-4, "Ni": 4.5e-4}
"""Longitudinal Kerr rotation: the polar values (Fe 0.5, Co 0.35, Ni 0.15 degrees) over 12, per magnetisation."""


def fcc_fraction(c: Fractions) -> float:
    """Close-packed part of a sputtered film, by electrons an atom: bcc below about 8.66 (Fe-Ni) to 8.75 (Fe-Co)."""
    magnetic = sum(c.get(el, 0.0) for el in MAGNETIC)
    if not magnetic:
        return 1.0
    cobalt, nickel = c.get("Co", 0.0) / magnetic, c.get("Ni", 0.0) / magnetic
    electrons = 8.0 + cobalt + 2.0 * nickel
    border = 8.66 + 0.09 * cobalt / (cobalt + nickel) if cobalt + nickel else 8.66
    return 1.0 / (1.0 + math.exp(-(electrons - border) / 0.03))


def bcc_moment(c: Fractions) -> float:
    magnetic = sum(c.get(el, 0.0) for el in MAGNETIC)
    if not magnetic:
        return 0.0
    nickel = c.get("Ni", 0.0) / magnetic
    x = min(1.0, c.get("Co", 0.0) / magnetic + 1.72 * nickel)
    u = 2.0 * x - 1.0
    host = 1.75 * x + 2.217 * (1 - x) + x * (1 - x) * (1.506 - 0.8525 * u - 0.4375 * u * u) - 1.2 * nickel
    moment = host + sum((2.217 + slope - host) * c.get(el, 0.0) for el, slope in SLOPE_IN_BCC.items())
    return max(0.0, moment)


def fcc_moment(c: Fractions) -> float:
    magnetic = sum(c.get(el, 0.0) for el in MAGNETIC)
    if not magnetic:
        return 0.0
    iron, cobalt = c.get("Fe", 0.0) / magnetic, c.get("Co", 0.0) / magnetic
    host = _interpolate(FCC_FE_NI, iron) + 1.13 * cobalt
    foreign = sum((valence + 0.6) * c.get(el, 0.0) for el, valence in VALENCE_IN_FCC.items())
    return max(0.0, host * magnetic + foreign)


def curie_temperature_k(c: Fractions, structure: str) -> float:
    """`structure` is "bcc" or "fcc"; zero or less means no ferromagnetism."""
    temperature = sum(c.get(el, 0.0) * pure for el, pure in CURIE_PURE_K[structure].items())
    for (a, b), terms in CURIE_PAIRS_K[structure].items():
        xa, xb = c.get(a, 0.0), c.get(b, 0.0)
        if xa and xb:
            temperature += xa * xb * sum(term * (xa - xb) ** i for i, term in enumerate(terms))
    return temperature


def temperature_factor(c: Fractions, curie_k: float, temperature_k: float = ROOM_TEMPERATURE_K) -> float:
    """m(T)/m(0) = [1 - s t^1.5 - (1 - s) t^p]^(1/3), t = T/Tc, with s and p averaged over the magnetic atoms."""
    magnetic = sum(c.get(el, 0.0) for el in MAGNETIC)
    if curie_k <= temperature_k or not magnetic:
        return 0.0
    s = sum(c.get(el, 0.0) * KUZMIN[el][0] for el in MAGNETIC) / magnetic
    p = sum(c.get(el, 0.0) * KUZMIN[el][1] for el in MAGNETIC) / magnetic
    t = temperature_k / curie_k
    return max(0.0, 1.0 - s * t**1.5 - (1.0 - s) * t**p) ** (1.0 / 3.0)


def atomic_volume_a3(c: Fractions) -> float:
    return sum(fraction * ATOMIC_VOLUME_A3[el] for el, fraction in c.items())


def saturation_magnetisation_ka_m(c: Fractions, temperature_k: float = ROOM_TEMPERATURE_K) -> float:
    """Moment over volume, each structure with its own Curie temperature."""
    moment = 0.0
    close_packed = fcc_fraction(c)
    for structure, share, at_zero in (("bcc", 1 - close_packed, bcc_moment), ("fcc", close_packed, fcc_moment)):
        if share > 1e-6:
            factor = temperature_factor(c, curie_temperature_k(c, structure), temperature_k)
            moment += share * at_zero(c) * factor
    return moment * BOHR_MAGNETON / (atomic_volume_a3(c) * 1e-30) / 1e3


def coercivity_mt(c: Fractions) -> float:
    """Of a 50 nm sputtered film: permalloy 0.1, Fe 1.5, Fe70Co30 4.0 (Platt 2004), Ni 2.3, Co 7.9 mT."""
    magnetic = sum(c.get(el, 0.0) for el in MAGNETIC)
    if not magnetic:
        return 0.1
    iron, cobalt, nickel = (c.get(el, 0.0) / magnetic for el in MAGNETIC)
    from_permalloy = (iron - 0.2) ** 2 + cobalt**2 + (nickel - 0.8) ** 2
    close_packed = 0.1 + 9.0 * from_permalloy / (from_permalloy + 0.25)
    centred = 1.5 + 12.0 * iron * cobalt
    share = fcc_fraction(c)
    return math.exp(share * math.log(close_packed) + (1 - share) * math.log(centred)) * (3.0 - 2.0 * magnetic)


def kerr_rotation_mrad(c: Fractions) -> float:
    """At saturation, longitudinal, of a film thicker than the light reaches."""
    magnetic = sum(c.get(el, 0.0) for el in MAGNETIC)
    if not magnetic:
        return 0.0
    per_magnetisation = sum(c.get(el, 0.0) * KERR_MRAD_PER_KA_M[el] for el in MAGNETIC) / magnetic
    return per_magnetisation * saturation_magnetisation_ka_m(c)


def anomalous_hall_uohm_cm(c: Fractions) -> float:
    """Anomalous Hall resistivity at saturation.  Orders of magnitude of sputtered films: Fe 0.6, Co 0.3, Ni -0.4, FePt
    5; scattering by 5d elements raises it in proportion to the magnetisation that is left."""
    magnetic = sum(c.get(el, 0.0) for el in MAGNETIC)
    if not magnetic:
        return 0.0
    host = sum(c.get(el, 0.0) * value for el, value in ANOMALOUS_HALL_UOHM_CM.items()) / magnetic
    heavy = sum(c.get(el, 0.0) * value for el, value in HALL_RAISED_UOHM_CM.items())
    full = saturation_magnetisation_ka_m({el: c.get(el, 0.0) / magnetic for el in MAGNETIC})
    left = saturation_magnetisation_ka_m(c) / full if full else 0.0
    return (host + heavy) * left


def squareness(c: Fractions) -> float:
    """Remanence over saturation: high in soft bcc films, lower where anisotropy scatters the easy axes."""
    return 0.92 - 0.14 * fcc_fraction(c) * c.get("Co", 0.0) - 0.04 * c.get("Ni", 0.0)


def _interpolate(points: tuple[tuple[float, float], ...], x: float) -> float:
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]
