"""A Stanford Research SR860 lock-in as seen from the wire.

Source: instruments.md 10.1 (SR860 manual chapter 4 as cited by pymeasure and labmcp): outputs count from 0, the
scale falls with its index, several queries of a line are answered on one line.
"""

from __future__ import annotations

import cmath
import math
import re

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument
from simulators.srs_sr830 import Detector

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

OVER_X, OVER_Y, UNLOCKED, OVER_INPUT = 1 << 0, 1 << 1, 1 << 3, 1 << 4  # LIAS?
EXECUTION_ERROR, COMMAND_ERROR, POWER_ON = 1 << 4, 1 << 5, 1 << 7  # *ESR?

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
_COMMAND = re.compile(r"(\*?[A-Z]+)(\?)?\s*(.*)")


class Sr860(SimulatedInstrument):
    """A wrong command is silent and sets a bit of ``*ESR?``; no output is clipped."""

    framing = staticmethod(scpi.any_end)

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector
        self._events = POWER_ON
        self._latched = 0
        self._reset()

    def unlock(self) -> None:
        """The reference is lost."""
        self._latched |= UNLOCKED

    def answer(self, message: bytes) -> bytes:
        try:
            line = scpi.text(message).upper()
        except Malformed:
            return b""
        answers = [answer for unit in line.split(";") if unit.strip() and (answer := self._obey(unit.strip()))]
        return (";".join(answers) + "\n").encode("ascii") if answers else b""

    def _obey(self, unit: str) -> str:
        found = _COMMAND.fullmatch(unit)
        if found is None:
            self._events |= COMMAND_ERROR
            return ""
        mnemonic, query, argument = found[1], bool(found[2]), found[3].strip()
        if query:
            return self._tell(mnemonic, argument)
        if mnemonic == "*CLS":
            self._events = self._latched = 0
        elif mnemonic == "*RST":
            self._reset()
        elif mnemonic in SWITCHES or mnemonic in DIALS:
            self._set(mnemonic, argument)
        elif mnemonic not in ("ASCL", "ARNG", "APHS"):
            self._events |= COMMAND_ERROR
        return ""

    def _tell(self, mnemonic: str, argument: str) -> str:
        match mnemonic:
            case "*IDN":
                return "Stanford_Research_Systems,SR860,003456,v1.55"
            case "*OPC":
                return "1"
            case "*ESR":
                events, self._events = self._events, 0
                return str(events)
            case "LIAS":
                latched, self._latched = self._latched, 0
                return str(latched)
            case "OUTP" | "SNAP":
                return self._outputs(mnemonic, [index.strip() for index in argument.split(",")])
            case _ if mnemonic in SWITCHES:
                return str(self._switches[mnemonic])
            case _ if mnemonic in DIALS:
                return f"{self._dials[mnemonic]:.10e}"
        self._events |= COMMAND_ERROR
        return ""

    def _set(self, mnemonic: str, argument: str) -> None:
        try:
            value = scpi.number(argument)
        except Malformed:
            self._events |= EXECUTION_ERROR
            return
        low, high = DIALS[mnemonic][:2] if mnemonic in DIALS else (0, SWITCHES[mnemonic][0])
        if not low <= value <= high:
            self._events |= EXECUTION_ERROR
        elif mnemonic in DIALS:
            self._dials[mnemonic] = value
        else:
            self._switches[mnemonic] = int(value)
            if mnemonic == "OFLT":
                self.detector.time_constant_s = TIME_CONSTANT_S[int(value)]

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

    def _reset(self) -> None:
        self._switches = {mnemonic: start for mnemonic, (_, start) in SWITCHES.items()}
        self._dials = {mnemonic: start for mnemonic, (_, _, start) in DIALS.items()}
        self.detector.time_constant_s = TIME_CONSTANT_S[self._switches["OFLT"]]
