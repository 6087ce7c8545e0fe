"""A Stanford Research SR830 lock-in as seen from the wire.

Source: instruments.md 10.1 (SR830 manual chapter 5 as cited by pymeasure and labmcp).  Numbers are written as
in the transcript of pymeasure's tests: ``-4.17234e-007``.
"""

from __future__ import annotations

import cmath
import math
import re
from typing import ClassVar

from simulators.srs_lockin import EXECUTION_ERROR, Detector, SrsLockIn

# fmt: off
FULL_SCALE_V = (
    2e-9, 5e-9, 1e-8, 2e-8, 5e-8, 1e-7, 2e-7, 5e-7, 1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4,
    1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 2e-1, 5e-1, 1.0,
)
TIME_CONSTANT_S = (
    1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3,
    1e4, 3e4,
)
# fmt: on

RS232, GPIB = 0, 1
OUTPUT_OVERLOAD = 1 << 2  # LIAS?
HEADROOM = 1.09  # of full scale, before an output overloads

SWITCHES = {  # mnemonic: highest index, at power-up
    "OUTX": (1, GPIB),
    "SENS": (26, 26),
    "OFLT": (19, 8),
    "OFSL": (3, 1),
    "RMOD": (2, 1),
    "ISRC": (3, 0),
    "IGND": (1, 0),
    "ICPL": (1, 0),
    "ILIN": (3, 0),
    "FMOD": (1, 1),
    "SYNC": (1, 0),
}
DIALS = {  # mnemonic: lowest, highest, at power-up
    "FREQ": (0.001, 102000.0, 1000.0),
    "PHAS": (-360.0, 729.99, 0.0),
    "SLVL": (0.004, 5.0, 1.0),
    "HARM": (1.0, 19999.0, 1.0),
}


class Sr830(SrsLockIn):
    """`interface` is the one it is wired by: it answers there only while OUTX says so."""

    command = re.compile(r"(\*?[A-Z]{3,4})(\?)?(.*)")
    fixed: ClassVar = {"*IDN": "Stanford_Research_Systems,SR830,s/n48213,ver1.07", "*STB": "3"}
    switches = SWITCHES
    dials = DIALS
    dial_format = "g"
    time_constants_s = TIME_CONSTANT_S
    autos = ("AGAN", "ARSV", "APHS")

    def __init__(self, detector: Detector, *, interface: str = "gpib") -> None:
        super().__init__(detector)
        self._interface = GPIB if interface == "gpib" else RS232
        self._end = "\n" if interface == "gpib" else "\r"

    def _line(self, text: str) -> str:
        return text.replace(" ", "")

    def _answers(self, answers: list[str]) -> bytes:
        if self._switches["OUTX"] != self._interface:
            return b""
        return "".join(answer + self._end for answer in answers).encode("ascii")

    def _outputs(self, mnemonic: str, wanted: list[str]) -> str:
        if not (2 <= len(wanted) <= 6 if mnemonic == "SNAP" else len(wanted) == 1):
            self._events |= EXECUTION_ERROR
            return ""
        x, y = (self._clip(value) for value in self.detector.read())
        known = {"1": x, "2": y, "3": math.hypot(x, y), "4": math.degrees(cmath.phase(complex(x, y)))}
        known["9"] = self._dials["FREQ"]
        if not all(index in known for index in wanted):
            self._events |= EXECUTION_ERROR
            return ""
        return ",".join(_written(known[index]) for index in wanted)

    def _clip(self, volts: float) -> float:
        most = HEADROOM * FULL_SCALE_V[self._switches["SENS"]]
        if abs(volts) > most:
            self._latched |= OUTPUT_OVERLOAD
        return min(max(volts, -most), most)


def _written(value: float) -> str:
    """Six digits, and an exponent of three."""
    mantissa, mark, exponent = f"{value:.6g}".partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(3)}" if mark else mantissa
