"""Stanford Research Systems SR830 lock-in amplifier.

Source: SR830 manual, chapter 5, as cited by the public drivers pymeasure and labmcp-srs-lockin.  Several
commands may share a line; each query of it is answered on its own line.  Unverified on hardware.
"""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt

from drivers.instrument import Setting
from drivers.link import Link, VisaLink
from drivers.srs_lockin import SrsLockIn, is_serial

SENSITIVITIES_V = tuple(
    float(f"{digit}e{decade}") for decade in range(-9, 1) for digit in (1, 2, 5) if (digit, decade) != (1, -9)
)[:27]
"""SENS 0 = 2 nV ... 26 = 1 V."""

TIME_CONSTANTS_S = tuple(float(f"{digit}e{decade}") for decade in range(-5, 5) for digit in (1, 3))
"""OFLT 0 = 10 us ... 19 = 30 ks."""


class Sr830(SrsLockIn):
    """`interface` is where it is to answer, "gpib" or "rs232"; by default what the address says."""

    driver = "srs-sr830"
    model = "SR830"
    sensitivities_v = SENSITIVITIES_V
    time_constants_s = TIME_CONSTANTS_S
    sensitivity_command = "SENS"
    snapshot_query = "SNAP? 1,2"
    overloads = 0b0111  # LIAS? bits: input, filter, output
    unlocked = 0b1000

    sensitivity = Cpt(Setting, units="V", precision=9, write="_write_sensitivity", choices=SENSITIVITIES_V)
    time_constant = Cpt(Setting, units="s", precision=5, write="_write_time_constant", choices=TIME_CONSTANTS_S)

    def __init__(self, *args: Any, interface: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        serial = interface == "rs232" if interface else is_serial(self.link.address)
        self._outx = 0 if serial else 1
        self.end = b"\r" if serial else b"\n"

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """A VISA resource: GPIB (or a GPIB adapter's socket), answers ending with LF; serial, with CR."""
        return VisaLink(address, timeout_s=timeout_s, termination="\r" if is_serial(address) else "\n")

    def _first_words(self) -> tuple[str, ...]:
        return (f"OUTX {self._outx}",)
