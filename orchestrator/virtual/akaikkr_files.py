"""What AkaiKKR's ``specx`` reads and writes: pure.  Forms by its published tutorial (AkaiKKR documentation, "Notes on
input files" and "Output"); unverified with the program itself, which may not be redistributed.

Lines that begin with ``c`` or ``#`` are comments, values are separated by spaces or commas.  A site holds any number of
components with concentrations: disorder is treated by the coherent potential approximation (KKR-CPA), so that no
virtual atom and no supercell is needed.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from orchestrator.virtual import atoms
from orchestrator.virtual.calculator import Fractions, NotConverged, UnreadableResult, formula
from orchestrator.virtual.crystals import Structure
from orchestrator.virtual.elk_files import ANGSTROM_PER_BOHR

RULE = "c" + 60 * "-"
CONVERGED = -6.0
"""Decimal logarithm of the error of the potential below which ``specx`` ends by itself."""


@dataclass(frozen=True)
class Settings:
    """`edelt`, `ewidth` (Ry) and `bzqlty` are the quality of the energy and k integrations, `pmix` the mixing, and
    `mxl` the largest angular momentum."""

    edelt: float = 0.001
    ewidth: float = 1.0
    bzqlty: int = 8
    maxitr: int = 200
    pmix: float = 0.023
    mxl: int = 2
    reltyp: Literal["nrl", "sra"] = "nrl"
    sdftyp: str = "mjw"


def input_text(
    composition: Fractions, structure: Structure, edge_a: float, settings: Settings, *, resume: bool = False
) -> str:
    """The input of one spin-polarised self-consistent run (``go``) of a random alloy on one site; `resume` starts from
    the potential that is there (``2nd``)."""
    s = settings
    sites = [f"{atoms.NUMBER[element]:46d} {100 * x:12.6f}" for element, x in composition.items()]
    lines = [
        f"c {formula(composition)}",
        "     go   data/alloy",
        RULE,
        "c   brvtyp     a        c/a   b/a   alpha   beta   gamma",
        f"     {structure}      {edge_a / ANGSTROM_PER_BOHR:.6f}  ,      ,      ,      ,       ,      ,",
        RULE,
        "c   edelt    ewidth    reltyp   sdftyp   magtyp   record",
        f"    {s.edelt:g}     {s.ewidth:g}     {s.reltyp}      {s.sdftyp}      mag      {'2nd' if resume else 'init'}",
        RULE,
        "c   outtyp    bzqlty   maxitr   pmix",
        f"    update      {s.bzqlty}        {s.maxitr}    {s.pmix:g}",
        RULE,
        "c    ntyp",
        "      1",
        RULE,
        "c   type    ncmp    rmt    field   mxl  anclr   conc",
        f"    X       {len(composition)}       1      0.0     {s.mxl}",
        *sites,
        RULE,
        "c   natm",
        "     1",
        RULE,
        "c   atmicx                        atmtyp",
        "     0          0          0        X",
        RULE,
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Output:
    """Moment of the cell and what it last changed by (Bohr magnetons), total energy (Ry), loops, and the logarithm of
    the error at the end."""

    moment: float
    moment_change: float
    energy_ry: float
    loops: int
    log_error: float


_LOOP = re.compile(r"itr=\s*(\d+)\s*neu=\s*\S+\s+moment=\s*(\S+)\s+te=\s*(\S+)\s+err=\s*(\S+)")
_SUMMARY = re.compile(r"itr=\s*(\d+)\s+neu\s*\S+\s+chr,spn\s*(-?\d+\.\d{4})\s*(-?\d+\.\d{4})")
_ENERGY = re.compile(r"total energy=\s*(\S+)")


def output(text: str, settings: Settings) -> Output:
    """What ``specx`` printed.  Raises `NotConverged` or `UnreadableResult`."""
    loops, summary, energies = _LOOP.findall(text), _SUMMARY.findall(text), _ENERGY.findall(text)
    if not loops and not summary:
        raise UnreadableResult(f"specx printed no loop: {' '.join(text[-200:].split()) or 'nothing at all'}")
    try:
        moments = [float(moment) for _, moment, _, _ in loops]
        errors = [float(error) for _, _, _, error in loops]
        last = int(summary[-1][0]) if summary else int(loops[-1][0])
        moment = float(summary[-1][2]) if summary else moments[-1]
        energy = float(energies[-1]) if energies else float(loops[-1][2])
    except (ValueError, IndexError) as error:
        raise UnreadableResult(f"specx printed what is no number: {error}") from error
    if not errors or not all(map(math.isfinite, (moment, energy, errors[-1]))):
        raise UnreadableResult("specx printed no error of its potential, or a number that is none")
    if errors[-1] > CONVERGED:
        raise NotConverged(
            f"specx ended after {last} of at most {settings.maxitr} loops with an error of 10^{errors[-1]:g}: raise "
            "maxitr, or lower pmix"
        )
    change = abs(moments[-1] - moments[-2]) if len(moments) > 1 else 0.0
    return Output(abs(moment), change, energy, last, errors[-1])
