"""Elk as a calculator: all-electron density functional theory (GPL; Debian package ``elk-lapw``), run as it is.

Each input is calculated once (see `once`).  A calculation that was cut off left its ``STATE.OUT``, and is gone on with
from it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.virtual import atoms
from orchestrator.virtual.cache import digest
from orchestrator.virtual.calculator import Calculation, Fractions, ProgramMissing, formula
from orchestrator.virtual.crystals import Crystal, Structure, crystal
from orchestrator.virtual.elk_files import Mesh, ground_state, input_text, species_text
from orchestrator.virtual.once import once
from orchestrator.virtual.program import Program

SPECIES = Path("/usr/share/elk-lapw/species")
"""Where the Debian package has its species files."""
READ = ("INFO.OUT", "MOMENTM.OUT", "TOTENERGY.OUT")
LEAST_SIGMA = 1e-3
"""Bohr magnetons an atom: a mesh of k points leaves at least so much open, however still the last loops were."""


@dataclass(frozen=True)
class Elk:
    """Calculates in `home`; `structure` None: by the electrons of each alloy."""

    home: Path
    program: Program = field(default_factory=lambda: Program(("elk-lapw",), timeout_s=3600.0))
    mesh: Mesh = field(default_factory=Mesh)
    structure: Structure | None = None
    species: Path = SPECIES
    typical_s: float = 60.0
    fidelity: str = "elk"

    def calculate(self, composition: Fractions) -> Calculation:
        """Raises `CalculationFailed`."""
        alloy = crystal(composition, self.structure)
        files = self._files(alloy)
        return once(self.home, digest(files), self.program.timeout_s, lambda folder: self._run(alloy, files, folder))

    def _files(self, alloy: Crystal) -> dict[str, str]:
        """Name -> text of what Elk reads."""
        species = {f"{kind.name}.in": species_text(kind, self._base(kind.charge)) for kind in alloy.species}
        return {"elk.in": input_text(alloy, self.mesh), **species}

    def _base(self, charge: float) -> str:
        """The species file of the element with the next lower whole charge."""
        symbol = next(symbol for symbol, number in atoms.NUMBER.items() if number == int(charge + 1e-9))
        path = self.species / f"{symbol}.in"
        try:
            return path.read_text()
        except OSError as error:
            wrong = f"{path}: cannot be read ({error.strerror})"
            raise ProgramMissing(
                f"{wrong}: install elk-lapw, or give `species`, the folder of its species files"
            ) from error

    def _run(self, alloy: Crystal, files: dict[str, str], folder: Path) -> Calculation:
        resume = (folder / "STATE.OUT").exists()
        for name, text in files.items():
            (folder / name).write_text(text)
        if resume:
            (folder / "elk.in").write_text(input_text(alloy, self.mesh, resume=True))
        seconds = self.program.run(folder)
        texts = {}
        for name in READ:
            with suppress(FileNotFoundError):
                texts[name] = (folder / name).read_text(errors="replace")
        found = ground_state(texts)
        return Calculation(
            composition=alloy.composition,
            moment=found.moment / alloy.atoms,
            moment_sigma=max(LEAST_SIGMA, found.moment_change / alloy.atoms),
            volume=alloy.volume,
            seconds=seconds,
            details={
                "alloy": formula(alloy.composition),
                "structure": alloy.structure,
                "atoms": alloy.atoms,
                "edge_a": round(alloy.cube_a, 5),
                "loops": found.loops,
                "energy_ha": found.energy,
                "resumed": resume,
            },
        )
