"""A Stanford Research SR860 lock-in as seen from the wire.

Source: instruments.md 10.1 (SR860 manual chapter 4 as cited by pymeasure and labmcp): outputs count from 0, the
scale falls with its index, several queries of a line are answered on one line.
"""

from __future__ import annotations

import cmath
import math
import re
from typing import ClassVar

from simulators.srs_lockin import EXECUTION_ERROR, SrsLockIn

# fmt: off
FULL_SCALE_V = (
    1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5, 5e-6, 2e-6, 1e-6,
    5e-7, 2e-7, 1e-7, 5e-8, 2e-8, 1e-8, 5e-9, 2e-9, 1e-9,
)
TIME_CONSTANT_S = (
    1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0,
    1e3, 3e3, 1e4, 3e4,
)
# fmt: on
INPUT_RANGE_V = (1.0, 0.3, 0.1, 0.03, 0.01)

OVER_X, OVER_Y, OVER_INPUT = 1 << 0, 1 << 1, 1 << 4  # LIAS?

SWITCHES = {  # mnemonic: highest index, at power-up
    "SCAL": (27, 0),
    "OFLT": (21, 10),
    "OFSL": (3, 0),
    "SYNC": (1, 0),
    "ADVFILT": (1, 1),
    "RSRC": (3, 0),
    "RTRG": (2, 0),
    "REFZ": (1, 1),
    "IVMD": (1, 0),
    "ISRC": (1, 0),
    "ICPL": (1, 0),
    "IGND": (1, 0),
    "IRNG": (4, 0),
    "ICUR": (1, 0),
}
DIALS = {  # mnemonic: lowest, highest, at power-up
    "FREQ": (0.001, 500000.0, 100000.0),
    "FREQINT": (0.001, 500000.0, 100000.0),
    "PHAS": (-360000.0, 360000.0, 0.0),
    "SLVL": (1e-9, 2.0, 1e-9),
    "SOFF": (-5.0, 5.0, 0.0),
    "HARM": (1.0, 99.0, 1.0),
}


class Sr860(SrsLockIn):
    """No output is clipped."""

    command = re.compile(r"(\*?[A-Z]+)(\?)?\s*(.*)")
    fixed: ClassVar = {"*IDN": "Stanford_Research_Systems,SR860,003456,v1.55", "*OPC": "1"}
    switches = SWITCHES
    dials = DIALS
    dial_format = ".10e"
    time_constants_s = TIME_CONSTANT_S
    autos = ("ASCL", "ARNG", "APHS")

    def _answers(self, answers: list[str]) -> bytes:
        return (";".join(answers) + "\n").encode("ascii") if answers else b""

    def _outputs(self, mnemonic: str, wanted: list[str]) -> str:
        if not (2 <= len(wanted) <= 3 if mnemonic == "SNAP" else len(wanted) == 1):
            self._events |= EXECUTION_ERROR
            return ""
        x, y = self.detector.read()
        scale = FULL_SCALE_V[self._switches["SCAL"]]
        magnitude = math.hypot(x, y)
        self._latched |= OVER_X * (abs(x) > scale) | OVER_Y * (abs(y) > scale)
        self._latched |= OVER_INPUT * (math.sqrt(2) * magnitude > INPUT_RANGE_V[self._switches["IRNG"]])
        known = {"0": x, "1": y, "2": magnitude, "3": math.degrees(cmath.phase(complex(x, y)))}
        if not all(index in known for index in wanted):
            self._events |= EXECUTION_ERROR
            return ""
        return ",".join(f"{known[index]:.10e}" for index in wanted)
