"""The calculators there are, made from a virtual station of a lab file; and what they say of a film's quantities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchestrator.campaign.virtualspec import VirtualSpec
from orchestrator.virtual.akaikkr import AkaiKkr
from orchestrator.virtual.calculator import Calculation, Calculator
from orchestrator.virtual.elk import SPECIES, Elk
from orchestrator.virtual.elk_files import Mesh
from orchestrator.virtual.program import Program
from orchestrator.virtual.slater_pauling import SlaterPauling

KERR_MRAD_PER_KA_M = 4e-4
"""Longitudinal Kerr rotation over magnetisation: of the order of iron's.  The model learns the scale; what a calculator
says of Kerr rotation is no more than that it is proportional to the magnetisation."""


Stopped = Callable[[], bool]


def calculator_of(spec: VirtualSpec, folder: Path, stopped: Stopped = lambda: False) -> Calculator:
    """The calculator of a station; `folder` is where it keeps results, if its own says nothing else, and `stopped` says
    when a calculation under way is not wanted any more."""
    home = Path(spec.results).expanduser() if spec.results else folder
    return MAKERS[spec.calculator](spec, home, stopped)


def _slater_pauling(spec: VirtualSpec, home: Path, stopped: Stopped) -> Calculator:
    return SlaterPauling()


def _elk(spec: VirtualSpec, home: Path, stopped: Stopped) -> Calculator:
    mesh = Mesh(k_spacing=spec.k_spacing_per_a)
    species = Path(spec.species) if spec.species else SPECIES
    return Elk(home / "elk", _program(spec, stopped), mesh, spec.structure, species, spec.typical_s)


def _akaikkr(spec: VirtualSpec, home: Path, stopped: Stopped) -> Calculator:
    program = _program(spec, stopped)
    return AkaiKkr(home / "akaikkr", program, structure=spec.structure, typical_s=spec.typical_s)


def _program(spec: VirtualSpec, stopped: Stopped) -> Program:
    return Program((spec.command or "",), timeout_s=spec.timeout_s, cores=spec.cores, stopped=stopped)


MAKERS: dict[str, Callable[[VirtualSpec, Path, Stopped], Calculator]] = {
    "slater-pauling": _slater_pauling,
    "elk": _elk,
    "akaikkr": _akaikkr,
}


def quantities(found: Calculation) -> dict[str, dict[str, float | str]]:
    """What `found` says of the quantities of a film: name -> value, sigma and canonical unit."""
    value, sigma = found.magnetisation
    told = {
        "saturation_magnetisation": (value, sigma, "kA/m"),
        "kerr_rotation": (KERR_MRAD_PER_KA_M * value, KERR_MRAD_PER_KA_M * sigma, "mrad"),
        "moment_per_atom": (found.moment, found.moment_sigma, "muB"),
    }
    return {name: {"value": v, "sigma": s, "unit": unit} for name, (v, s, unit) in told.items()}
