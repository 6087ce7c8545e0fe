"""What Elk reads and writes: pure.  Blocks and files by the Elk manual (elk.pdf, version 8.4).

An input block is its name, its values, and an empty line.  Lengths are in bohr; `scale` multiplies `avec`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.virtual.calculator import NotConverged, UnreadableResult
from orchestrator.virtual.crystals import Crystal, Species

ANGSTROM_PER_BOHR = 0.529177210903
CONVERGED = "Convergence targets achieved"
PBE = 20
MOST_3D = 6.0
"""Electrons in the upper of the two d shells of a species file."""


@dataclass(frozen=True)
class Mesh:
    """How finely Elk calculates.

    `k_spacing` is the largest distance between k points, in 1/angstrom (2 pi included); `rgkmax` the size of the basis
    times the muffin-tin radius; `width` the smearing in Hartree; `loops` the most self-consistent loops.
    """

    k_spacing: float = 0.32
    rgkmax: float = 7.0
    width: float = 0.005
    loops: int = 80


def input_text(crystal: Crystal, mesh: Mesh, *, resume: bool = False) -> str:
    """``elk.in``: one spin-polarised ground state; `resume` goes on from the ``STATE.OUT`` that is there."""
    bohr = crystal.cube_a / ANGSTROM_PER_BOHR
    blocks = {
        "tasks": "1" if resume else "0",
        "xctype": f"{PBE} 0 0",
        "spinpol": ".true.",
        "bfieldc": "0.0 0.0 0.02",  # breaks the symmetry of the spins;
        "reducebf": "0.7",  # ...and is gone after some loops
        "rgkmax": f"{mesh.rgkmax:g}",
        "ngridk": " ".join(map(str, k_points(crystal, mesh.k_spacing))),
        "swidth": f"{mesh.width:g}",
        "maxscl": str(mesh.loops),
        "nwrite": "5",  # so that a calculation that is cut off can be gone on with
        "avec": "\n ".join(" ".join(f"{x:.8f}" for x in vector) for vector in crystal.lattice),
        "scale": f"{bohr:.8f}",
        "sppath": "'./'",
        "atoms": _atoms(crystal),
    }
    return "\n".join(f"{name}\n {value}\n" for name, value in blocks.items())


def k_points(crystal: Crystal, spacing: float) -> tuple[int, int, int]:
    """Along each reciprocal vector, so that neighbours are at most `spacing` (1/angstrom) apart."""
    a, b, c = crystal.lattice
    volume = abs(_dot(a, _cross(b, c))) * crystal.cube_a
    reciprocal = (_cross(b, c), _cross(c, a), _cross(a, b))
    lengths = [2.0 * math.pi * math.sqrt(_dot(g, g)) / volume for g in reciprocal]
    first, second, third = (max(1, math.ceil(length / spacing - 1e-9)) for length in lengths)
    return first, second, third


def _atoms(crystal: Crystal) -> str:
    lines = [str(len(crystal.species))]
    for kind in crystal.species:
        lines += [f"'{kind.name}.in'", str(len(kind.positions))]
        lines += [" ".join(f"{x:.8f}" for x in position) + " 0.0 0.0 0.0" for position in kind.positions]
    return "\n ".join(lines)


def species_text(kind: Species, base: str) -> str:
    """The species file of `kind`, made from that of the element with the next lower whole charge, `base`: what the
    charge is more is put into the last 3d shell, and the atom stays neutral.  Raises `UnreadableResult`."""
    lines = base.splitlines()
    charge = _line(lines, "spzn", base)
    more = kind.charge + float(lines[charge].split()[0])
    lines[0] = f" '{kind.name[:8]}' : spsymb"
    lines[charge] = f" {-kind.charge:.6f} : spzn"
    if abs(more) > 1e-9:
        shell = _last_3d(lines, base)
        n, l, k, occupied, core = lines[shell].split()[:5]  # noqa: E741 - the manual's name
        total = float(occupied) + more
        if not 0.0 <= total <= MOST_3D:
            raise UnreadableResult(f"species {kind.name}: its last 3d shell would hold {total:g} electrons")
        lines[shell] = f" {n} {l} {k} {total:.6f} {core}"
    return "\n".join(lines) + "\n"


def _line(lines: list[str], name: str, text: str) -> int:
    for number, line in enumerate(lines):
        if f": {name}" in line:
            return number
    raise UnreadableResult(f"a species file of Elk has no line {name}: {text[:80]!r}")


def _last_3d(lines: list[str], text: str) -> int:
    shells = [n for n, line in enumerate(lines) if re.match(r"\s*3\s+2\s+3\s", line)]
    if not shells:
        raise UnreadableResult(f"a species file of Elk has no shell 3 2 3: {text[:80]!r}")
    return shells[0]


@dataclass(frozen=True)
class GroundState:
    """What Elk found: the moment of the cell and what it last changed by (Bohr magnetons), the energy (Hartree), and
    the loops that it took."""

    moment: float
    moment_change: float
    energy: float
    loops: int


def ground_state(files: Mapping[str, str]) -> GroundState:
    """From the texts of ``INFO.OUT``, ``MOMENTM.OUT`` and ``TOTENERGY.OUT``.  Raises `NotConverged` or
    `UnreadableResult`."""
    moments, energies = (_column(files, name) for name in ("MOMENTM.OUT", "TOTENERGY.OUT"))
    if CONVERGED not in files.get("INFO.OUT", ""):
        raise NotConverged(f"Elk did not reach its targets in {len(moments)} loops: give it more loops or a finer mesh")
    change = abs(moments[-1] - moments[-2]) if len(moments) > 1 else 0.0
    return GroundState(abs(moments[-1]), change, energies[-1], len(energies))


def _column(files: Mapping[str, str], name: str) -> list[float]:
    """The numbers of a file with one on each line, the last of them finite."""
    try:
        numbers = [float(line.split()[0]) for line in files[name].splitlines() if line.strip()]
    except KeyError:
        raise UnreadableResult(f"Elk left no {name}") from None
    except ValueError as error:
        raise UnreadableResult(f"{name} of Elk holds what is no number: {error}") from error
    if not numbers or not math.isfinite(numbers[-1]):
        raise UnreadableResult(f"{name} of Elk holds no number at its end")
    return numbers


def _cross(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, float, float]:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _dot(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
