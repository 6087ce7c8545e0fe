"""Stanford Research Systems SR860 lock-in amplifier.

Source: SR860 manual rev. 2.11, chapter 4, as cited by the public drivers pymeasure and labmcp-srs-lockin.
Unverified on hardware: whether several queries of one line are answered on one line (as labmcp's simulator does)
or on a line each; both are read.

What its maker calls sensitivity scales the outputs alone; what the input bears is its range (``IRNG``).  The two
are set together, so that a plan which asks for less sensitivity after an overload gets it at the input too.
"""

from __future__ import annotations

from ophyd import Component as Cpt

from drivers.instrument import Setting
from drivers.link import Link, VisaLink
from drivers.srs_lockin import SrsLockIn

SENSITIVITIES_V = tuple(
    float(f"{digit}e{decade}") for decade in range(0, -10, -1) for digit in (5, 2, 1) if decade or digit == 1
)
"""SCAL 0 = 1 V ... 27 = 1 nV."""

TIME_CONSTANTS_S = tuple(float(f"{digit}e{decade}") for decade in range(-6, 5) for digit in (1, 3))
"""OFLT 0 = 1 us ... 21 = 30 ks."""

INPUT_RANGES_V = (1.0, 0.3, 0.1, 0.03, 0.01)
"""IRNG 0 ... 4: the highest peak at the input."""

PEAK = 2.0
"""The range leaves so many times the full scale (V rms) for the peak and for what is not at the reference."""


class Sr860(SrsLockIn):
    driver = "srs-sr860"
    model = "SR860"
    sensitivities_v = SENSITIVITIES_V
    time_constants_s = TIME_CONSTANTS_S
    sensitivity_command = "SCAL"
    snapshot_query = "SNAP? 0,1"
    overloads = 0b1010011  # LIAS? bits: output of either channel, input range, synchronous filter
    unlocked = 0b0001000

    sensitivity = Cpt(Setting, units="V", precision=9, write="_write_sensitivity", choices=SENSITIVITIES_V)
    time_constant = Cpt(Setting, units="s", precision=6, write="_write_time_constant", choices=TIME_CONSTANTS_S)

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """A VISA resource: GPIB, USB, VXI-11, or a socket that passes lines on; answers end with LF."""
        return VisaLink(address, timeout_s=timeout_s)

    def _write_sensitivity(self, volts: float) -> None:
        wide = [index for index, reach in enumerate(INPUT_RANGES_V) if reach >= PEAK * volts]
        command = f"IRNG {max(wide, default=0)}"
        self._choose("SCAL", SENSITIVITIES_V, self.sensitivity, volts, command)
