"""Facts about elements that the calculators share.

Volumes are A^3 an atom in the elemental crystal, or in dilute alloys of iron where that is no transition metal
(common tables of lattice constants: Fe bcc 2.8665 A, Co 8.90 g/cm3, Ni fcc 3.524 A, Ir fcc 3.839 A, Pt fcc 3.924 A...).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.virtual.calculator import UnsuitableComposition

NUMBER = {
    "Al": 13, "Si": 14, "Ti": 22, "V": 23, "Cr": 24, "Mn": 25, "Fe": 26, "Co": 27, "Ni": 28, "Cu": 29, "Ga": 31,
    "Mo": 42, "Rh": 45, "Pd": 46, "Ta": 73, "W": 74, "Ir": 77, "Pt": 78, "Au": 79,
}  # fmt: skip
"""Charge of the nucleus."""

ELECTRONS = {
    "Al": 3, "Si": 4, "Ti": 4, "V": 5, "Cr": 6, "Mn": 7, "Fe": 8, "Co": 9, "Ni": 10, "Cu": 11, "Ga": 3,
    "Mo": 6, "Rh": 9, "Pd": 10, "Ta": 5, "W": 6, "Ir": 9, "Pt": 10, "Au": 11,
}  # fmt: skip
"""Electrons outside closed shells, which say whether an alloy of iron stays body-centred."""

VOLUME_A3 = {
    "Al": 16.60, "Si": 11.0, "Ti": 17.65, "V": 13.9, "Cr": 12.0, "Mn": 12.2, "Fe": 11.78, "Co": 11.12, "Ni": 10.94,
    "Cu": 11.81, "Ga": 14.0, "Mo": 15.58, "Rh": 13.75, "Pd": 14.72, "Ta": 18.0, "W": 15.85, "Ir": 14.15, "Pt": 15.10,
    "Au": 16.96,
}  # fmt: skip

BODY_CENTRED_BELOW = 8.70
"""Electrons an atom: alloys of Fe with Ni are body-centred below about 8.66, with Co below about 8.75."""


def known(composition: Iterable[str], table: Mapping[str, object], method: str) -> None:
    """Raises `UnsuitableComposition` for an element that `table` has not."""
    missing = sorted(set(composition) - set(table))
    if missing:
        has = ", ".join(table)
        raise UnsuitableComposition(f"{method} knows nothing of {', '.join(missing)}: take some of {has}")


def mean(composition: Mapping[str, float], table: Mapping[str, float]) -> float:
    """Of a composition, linearly."""
    return sum(x * table[element] for element, x in composition.items())
