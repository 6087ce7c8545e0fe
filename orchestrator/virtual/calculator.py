"""What every calculator has in common: a composition goes in, a moment comes out, or a classed failure.

::

    CalculationFailed
    ├── UnsuitableComposition   the method does not hold for these elements; another composition may do
    ├── ProgramMissing          the program, or a file of it, is not on this machine
    ├── CalculationTimeout      it took longer than it may
    ├── CalculationStopped      somebody ended it
    ├── ProgramCrashed          the program ended with an error, or by a signal
    ├── NotConverged            it ended without reaching its own targets
    └── UnreadableResult        it ended, and what it wrote is not what its documentation says

Only `NotConverged` and `UnsuitableComposition` are facts about the composition: the same calculation fails the same
way again.  The others are about the machine, and may be tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from orchestrator.campaign.faults import Fault

Fractions = Mapping[str, float]
"""Element -> atomic fraction, summing to 1."""

MU_B_PER_A3_IN_KA_M = 9274.0100783
"""kA/m in one Bohr magneton a cubic angstrom (CODATA 2018)."""
SUM_TOLERANCE = 1e-6


class CalculationFailed(Exception):
    """There is no result; the message says of what, why, and what to do.

    `fault` is its class in the words of a lab, `lasting` whether the same calculation would fail again.
    """

    fault: ClassVar[Fault] = "protocol"
    lasting: ClassVar[bool] = False


class UnsuitableComposition(CalculationFailed):
    fault = "limit"
    lasting = True


class ProgramMissing(CalculationFailed):
    fault = "communication"


class CalculationTimeout(CalculationFailed):
    fault = "timeout"


class CalculationStopped(CalculationFailed):
    fault = "protocol"


class ProgramCrashed(CalculationFailed):
    fault = "instrument"


class NotConverged(CalculationFailed):
    fault = "measurement"
    lasting = True


class UnreadableResult(CalculationFailed):
    fault = "protocol"


@dataclass(frozen=True)
class Calculation:
    """The result of one calculation.

    `composition` is that of the crystal that was calculated, which need not be quite what was asked for; `moment` is in
    Bohr magnetons an atom with the numerical standard uncertainty `moment_sigma` (of the calculation, not of the
    method), `volume` in A^3 an atom.  `seconds` is the real time that it took, 0 if it was remembered (`remembered`).
    `details` are for the record.
    """

    composition: Fractions
    moment: float
    moment_sigma: float
    volume: float
    seconds: float
    remembered: bool = False
    details: Mapping[str, float | int | str | bool] = field(default_factory=dict)

    @property
    def magnetisation(self) -> tuple[float, float]:
        """Moment over volume and its numerical standard uncertainty, kA/m."""
        per_mu_b = MU_B_PER_A3_IN_KA_M / self.volume
        return self.moment * per_mu_b, self.moment_sigma * per_mu_b


class Calculator(Protocol):
    """A method to calculate alloys."""

    @property
    def fidelity(self) -> str:
        """The name of the method, such as "closed-form": results of one name are alike."""

    @property
    def typical_s(self) -> float:
        """Real seconds that a calculation usually takes."""

    def calculate(self, composition: Fractions) -> Calculation:
        """Raises `CalculationFailed`."""


def checked(composition: Fractions) -> dict[str, float]:
    """The elements that are there, in the order of the alphabet.  Raises `UnsuitableComposition` for what is no
    composition."""
    if not composition or not all(-SUM_TOLERANCE <= x <= 1 + SUM_TOLERANCE for x in composition.values()):
        raise UnsuitableComposition(f"a composition has fractions from 0 to 1, not {dict(composition)!r}")
    total = sum(composition.values())
    if abs(total - 1) > SUM_TOLERANCE:
        raise UnsuitableComposition(f"the fractions of {dict(composition)!r} sum to {total:g}: give fractions of 1")
    there = {element: x / total for element, x in sorted(composition.items()) if x > SUM_TOLERANCE}
    return {element: x / sum(there.values()) for element, x in there.items()}


def formula(composition: Fractions) -> str:
    """Such as ``Co30Fe70``, at.%."""
    return "".join(f"{element}{100 * x:.4g}" for element, x in sorted(composition.items()))
