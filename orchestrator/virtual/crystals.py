"""From a composition to a crystal that a program can calculate.

Two ways, which `crystal` combines:

- elements that are neighbours in the periodic table (Cr Mn Fe Co Ni) are one *virtual atom* whose nucleus has the mean
  charge: the virtual crystal.  It knows the number of electrons and nothing else: Fe50Ni50 is the same as Co.
- any other element takes whole sites of an *ordered supercell* of 16 sites, as far from each other as can be, so that
  its amount is rounded to sixteenths; the other sites hold the virtual atom.

So the composition that is calculated need not be the one that was asked for: `Crystal.composition` tells it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

from orchestrator.virtual import atoms
from orchestrator.virtual.calculator import Fractions, UnsuitableComposition, checked

NEIGHBOURS = ("Cr", "Mn", "Fe", "Co", "Ni")
SITES = 16
"""Of a supercell: 2 x 2 x 2 cubes of two sites (bcc), or 1 x 1 x 4 cubes of four (fcc)."""
DECIMALS = 6
"""Of a fraction: what is nearer than that is the same crystal."""
Structure = Literal["bcc", "fcc"]
Vector = tuple[float, float, float]

_PRIMITIVE: dict[Structure, tuple[Vector, Vector, Vector]] = {
    "bcc": ((0.5, 0.5, -0.5), (0.5, -0.5, 0.5), (-0.5, 0.5, 0.5)),
    "fcc": ((0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)),
}
_BASIS: dict[Structure, tuple[Vector, ...]] = {
    "bcc": ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)),
    "fcc": ((0.0, 0.0, 0.0), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)),
}
_CUBES: dict[Structure, tuple[int, int, int]] = {"bcc": (2, 2, 2), "fcc": (1, 1, 4)}


@dataclass(frozen=True)
class Species:
    """Atoms of one kind: a nucleus of `charge`, and where they are, in lattice vectors of the cell."""

    name: str
    charge: float
    positions: tuple[Vector, ...]


@dataclass(frozen=True)
class Crystal:
    """`cube_a` is the edge of the cubic cell, angstrom; `lattice` the cell's vectors in units of it."""

    structure: Structure
    composition: Fractions
    cube_a: float
    lattice: tuple[Vector, Vector, Vector]
    species: tuple[Species, ...]

    @property
    def atoms(self) -> int:
        return sum(len(kind.positions) for kind in self.species)

    @property
    def volume(self) -> float:
        """A^3 an atom."""
        return self.cube_a**3 / len(_BASIS[self.structure])


def crystal(composition: Fractions, structure: Structure | None = None) -> Crystal:
    """The crystal of `composition`; `structure` None: by its electrons.  Raises `UnsuitableComposition`."""
    c = checked(composition)
    atoms.known(c, atoms.NUMBER, "the table of elements")
    neighbours = {element: x for element, x in c.items() if element in NEIGHBOURS}
    if not neighbours:
        raise UnsuitableComposition(f"nothing of {', '.join(NEIGHBOURS)} is in {', '.join(c)}: take some")
    counts = _sites({element: x for element, x in c.items() if element not in NEIGHBOURS})
    if not counts:
        return _virtual(_scaled(neighbours, 1.0), structure)
    left = SITES - sum(counts.values())
    if left < 1:
        raise UnsuitableComposition(f"of {SITES} sites none is left for {', '.join(neighbours)}: take more of them")
    foreign = {element: count / SITES for element, count in counts.items()}
    return _supercell(_scaled(neighbours, left / SITES), foreign, counts, structure)


def structure_of(c: Fractions) -> Structure:
    """What an alloy crystallises in, by its electrons an atom."""
    return "bcc" if atoms.mean(c, atoms.ELECTRONS) < atoms.BODY_CENTRED_BELOW else "fcc"


def edge(c: Fractions, structure: Structure) -> float:
    """The cubic cell's edge of linearly mixed volumes, angstrom."""
    return float((atoms.mean(c, atoms.VOLUME_A3) * len(_BASIS[structure])) ** (1.0 / 3.0))


def _virtual(c: dict[str, float], structure: Structure | None) -> Crystal:
    kind = structure or structure_of(c)
    species = (_virtual_atom(c, ((0.0, 0.0, 0.0),)),)
    return Crystal(kind, c, edge(c, kind), _PRIMITIVE[kind], species)


def _virtual_atom(neighbours: dict[str, float], positions: tuple[Vector, ...]) -> Species:
    total = sum(neighbours.values())
    charge = round(sum(x * atoms.NUMBER[element] for element, x in neighbours.items()) / total, DECIMALS)
    return Species("virtual", charge, positions)


def _supercell(
    neighbours: dict[str, float], foreign: dict[str, float], counts: dict[str, int], structure: Structure | None
) -> Crystal:
    c = {**neighbours, **foreign}
    kind = structure or structure_of(c)
    places = _far_apart(kind)
    taken = iter(places)
    others = [
        Species(element, float(atoms.NUMBER[element]), tuple(itertools.islice(taken, n)))
        for element, n in counts.items()
    ]
    cubes = _CUBES[kind]
    lattice = ((float(cubes[0]), 0.0, 0.0), (0.0, float(cubes[1]), 0.0), (0.0, 0.0, float(cubes[2])))
    species = (_virtual_atom(neighbours, tuple(sorted(taken))), *others)
    return Crystal(kind, c, edge(c, kind), lattice, species)


def _sites(foreign: dict[str, float]) -> dict[str, int]:
    """Whole sites of each, of `SITES`."""
    counts = {element: round(SITES * x) for element, x in foreign.items()}
    return {element: count for element, count in counts.items() if count}


def _scaled(part: dict[str, float], total: float) -> dict[str, float]:
    """`part` with the sum `total`."""
    factor = total / sum(part.values())
    return {element: round(x * factor, DECIMALS) for element, x in part.items()}


def _far_apart(kind: Structure) -> list[Vector]:
    """All sites of the supercell, each as far as can be from those before it, in lattice vectors of the cell."""
    nx, ny, nz = _CUBES[kind]
    corners = itertools.product(range(nx), range(ny), range(nz))
    left = [(i + x, j + y, k + z) for i, j, k in corners for x, y, z in _BASIS[kind]]
    chosen = [left.pop(0)]
    while left:
        farthest = max(left, key=lambda site: min(_distance(site, other, (nx, ny, nz)) for other in chosen))
        left.remove(farthest)
        chosen.append(farthest)
    return [(x / nx, y / ny, z / nz) for x, y, z in chosen]


def _distance(a: Vector, b: Vector, size: tuple[int, int, int]) -> float:
    """Between nearest images, in cube edges."""
    apart = (min(abs(p - q) % n, n - abs(p - q) % n) for p, q, n in zip(a, b, size, strict=True))
    return math.sqrt(sum(d**2 for d in apart))
