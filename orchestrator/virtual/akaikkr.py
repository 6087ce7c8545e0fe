"""AkaiKKR (``specx``) as a calculator: KKR with the coherent potential approximation, for those who have it.

Free of charge, and not to be redistributed: Nightshift runs the program where it is found, and brings nothing of it.
Unverified with the program itself; input and output are tested against its published forms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.virtual import atoms
from orchestrator.virtual.akaikkr_files import Settings, input_text, output
from orchestrator.virtual.cache import digest
from orchestrator.virtual.calculator import Calculation, Fractions, checked, formula
from orchestrator.virtual.crystals import DECIMALS, Structure, edge, structure_of
from orchestrator.virtual.once import once
from orchestrator.virtual.program import OUTPUT, Program

POTENTIAL = Path("data/alloy")
"""Where ``specx`` keeps its potential, from its folder."""
LEAST_SIGMA = 1e-3
"""Bohr magnetons an atom."""


@dataclass(frozen=True)
class AkaiKkr:
    """Calculates in `home`; `structure` None: by the electrons of each alloy."""

    home: Path
    program: Program = field(default_factory=lambda: Program(("specx",), timeout_s=3600.0))
    settings: Settings = field(default_factory=Settings)
    structure: Structure | None = None
    typical_s: float = 30.0
    fidelity: str = "akaikkr"

    def calculate(self, composition: Fractions) -> Calculation:
        """Raises `CalculationFailed`."""
        c = {element: round(x, DECIMALS) for element, x in checked(composition).items()}
        atoms.known(c, atoms.NUMBER, "the table of elements")
        kind = self.structure or structure_of(c)
        text = input_text(c, kind, edge(c, kind), self.settings)
        return once(
            self.home,
            digest({"in": text}, self.fidelity),
            self.program.timeout_s,
            lambda folder: self._run(c, kind, folder),
        )

    def _run(self, c: dict[str, float], kind: Structure, folder: Path) -> Calculation:
        (folder / POTENTIAL).parent.mkdir(exist_ok=True)
        given, resume = folder / "in.txt", (folder / POTENTIAL).exists()
        given.write_text(input_text(c, kind, edge(c, kind), self.settings, resume=resume))
        seconds = self.program.run(folder, given)
        found = output((folder / OUTPUT).read_text(errors="replace"), self.settings)
        return Calculation(
            composition=c,
            moment=found.moment,
            moment_sigma=max(LEAST_SIGMA, found.moment_change),
            volume=atoms.mean(c, atoms.VOLUME_A3),
            seconds=seconds,
            details={
                "alloy": formula(c),
                "structure": kind,
                "loops": found.loops,
                "energy_ry": found.energy_ry,
                "resumed": resume,
            },
        )
