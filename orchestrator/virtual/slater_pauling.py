"""The generalised Slater-Pauling model: moments of alloys of Fe, Co and Ni in closed form.

Notation
--------
c       element -> atomic fraction
z       electrons an atom
Z       magnetic valence: electrons of the majority band less those of the minority that a filled majority band leaves
m       moment, Bohr magnetons an atom at 0 K

A strong ferromagnet, whose majority d band is full, has m = sum c Z + s with s about 0.6, twice the sp electrons of
one spin (Williams, Moruzzi, Malozemoff and Terakura, IEEE Trans. Magn. 19, 1983, 1983).  Body-centred iron is a weak
one: electrons that Co or Ni bring fill both bands, and the moment rises, by the slopes of dilute alloys (Guo and
Enomoto, 2000).  The moment is the smaller of both, with a rounded crossing, which is the Slater-Pauling maximum.

What is assumed, and not derived (`ASSUMPTIONS` says it for people):

- the structure goes by the number of electrons alone, with a blend of `BLEND` electrons;
- s is 0.84 in body-centred alloys and 0.6 in close-packed ones, where Co carries 0.12 of orbital moment;
- solutes lower both branches in body-centred alloys by their slopes in dilute iron;
- Ir and Pt raise the body-centred branches by `ASSUMED_SLOPE`: no measurement of ours is behind these two numbers;
- close-packed alloys with more than 65 at.% Fe collapse (Invar) over `INVAR_WIDTH`;
- volumes mix linearly; no temperature, no order, no thickness.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from orchestrator.virtual import atoms
from orchestrator.virtual.calculator import Calculation, Fractions, checked

MAGNETIC = ("Fe", "Co", "Ni")
VALENCE = {
    "Fe": 2.0, "Co": 1.0, "Ni": 0.0, "Cu": -1.0, "Rh": 1.0, "Ir": 1.0, "Pd": 0.0, "Pt": 0.0, "V": -5.0, "Cr": -6.0,
    "Mn": -3.0, "Ti": -4.0, "Al": -3.0, "Si": -4.0, "Ga": -3.0, "Mo": -6.0, "Ta": -5.0, "W": -6.0, "Au": -1.0,
}  # fmt: skip
"""Z."""
KNOWN = frozenset(VALENCE)
"""Elements that the model knows."""
SLOPE = {"Co": 1.11, "Ni": 1.30, "V": -2.68, "Cr": -2.29, "Mn": -2.11, "Mo": -2.11, "Si": -2.29}
"""dm/dc in dilute body-centred iron (Guo and Enomoto 2000)."""
ASSUMED_SLOPE = {"Ir": 0.5, "Pt": 0.3, "Rh": 0.5, "Pd": -0.2}
DILUTION = -2.217
"""dm/dc of an element of which nothing else is known: it carries no moment, and changes that of no other atom."""

IRON = 2.217
BODY_CENTRED_SP, CLOSE_PACKED_SP = 0.84, 0.6
COBALT_ORBITAL = 0.12
CROSSING = 0.16
"""Width of the rounding between the branches, Bohr magnetons: half of it is missing at the crossing."""
BLEND = 0.03
INVAR_FROM, INVAR_WIDTH = 0.66, 0.02

ASSUMPTIONS = (
    "structure by electrons an atom alone: body-centred below 8.70",
    "moment at 0 K: the smaller of a strong and a weak ferromagnet's, rounded by 0.16 Bohr magnetons",
    "solutes act by their slopes in dilute iron; those of Ir (+0.5), Pt (+0.3), Rh (+0.5) and Pd (-0.2) are assumed",
    "close-packed alloys of more than 66 at.% Fe lose their moment (Invar)",
    "atomic volumes mix linearly; no temperature, order or film thickness",
)


def moment(composition: Fractions) -> float:
    """m of `composition`; never negative."""
    c = checked(composition)
    atoms.known(c, VALENCE, "the Slater-Pauling model")
    close_packed = close_packed_share(c)
    body = body_centred(c) if close_packed < 1.0 else 0.0
    close = face_centred(c) if close_packed > 0.0 else 0.0
    return max(0.0, (1.0 - close_packed) * body + close_packed * close)


def close_packed_share(c: Mapping[str, float]) -> float:
    """How much of the alloy is close-packed, from 0 to 1: by electrons of its magnetic atoms."""
    magnetic = {element: c[element] for element in MAGNETIC if c.get(element, 0.0) > 0.0}
    if not magnetic:
        return 1.0
    electrons = atoms.mean(magnetic, atoms.ELECTRONS) / sum(magnetic.values())
    return 1.0 / (1.0 + math.exp(-(electrons - atoms.BODY_CENTRED_BELOW) / BLEND))


def body_centred(c: Mapping[str, float]) -> float:
    """m of a body-centred alloy."""
    weak, strong = IRON, VALENCE["Fe"] + BODY_CENTRED_SP
    for element, x in c.items():
        if element == "Fe":
            continue
        slope = SLOPE.get(element, ASSUMED_SLOPE.get(element, DILUTION))
        weak += slope * x
        strong += (VALENCE[element] - VALENCE["Fe"] if element in MAGNETIC else slope) * x
    return soft_minimum(weak, strong)


def face_centred(c: Mapping[str, float]) -> float:
    """m of a close-packed alloy."""
    strong = atoms.mean(c, VALENCE) + CLOSE_PACKED_SP + COBALT_ORBITAL * c.get("Co", 0.0)
    magnetic = sum(c.get(element, 0.0) for element in MAGNETIC)
    iron = c.get("Fe", 0.0) / magnetic if magnetic else 0.0
    return strong / (1.0 + math.exp((iron - INVAR_FROM) / INVAR_WIDTH))


def soft_minimum(a: float, b: float) -> float:
    """The smaller of both, smoothly: below either, by half of `CROSSING` where they are equal."""
    return 0.5 * (a + b - math.sqrt((a - b) ** 2 + CROSSING**2))


class SlaterPauling:
    """The model as a calculator: instant, and without numerical noise."""

    fidelity = "closed-form"
    typical_s = 0.0

    def calculate(self, composition: Fractions) -> Calculation:
        """Raises `UnsuitableComposition`."""
        c = checked(composition)
        return Calculation(
            composition=c,
            moment=moment(c),
            moment_sigma=0.0,
            volume=atoms.mean(c, atoms.VOLUME_A3),
            seconds=0.0,
            details={"close_packed": round(close_packed_share(c), 6)},
        )
