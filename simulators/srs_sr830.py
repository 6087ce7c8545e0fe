"""A Stanford Research SR830 lock-in as seen from the wire.

Source: instruments.md 10.1 (SR830 manual chapter 5 as cited by pymeasure and labmcp).  Numbers are written as
in the transcript of pymeasure's tests: ``-4.17234e-007``.
"""

from __future__ import annotations

import cmath
import math
import re
from typing import Protocol

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Detector(Protocol):
    """The part of the world at its input; the output filter is the detector's."""

    time_constant_s: float

    def read(self) -> tuple[float, float]: ...


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
OUTPUT_OVERLOAD, UNLOCKED = 1 << 2, 1 << 3  # LIAS?
EXECUTION_ERROR, COMMAND_ERROR, POWER_ON = 1 << 4, 1 << 5, 1 << 7  # *ESR?
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
_COMMAND = re.compile(r"(\*?[A-Z]{3,4})(\?)?(.*)")


class Sr830(SimulatedInstrument):
    """`interface` is the one it is wired by: it answers there only while OUTX says so."""

    framing = staticmethod(scpi.any_end)

    def __init__(self, detector: Detector, *, interface: str = "gpib") -> None:
        super().__init__()
        self.detector = detector
        self._interface = GPIB if interface == "gpib" else RS232
        self._end = "\n" if interface == "gpib" else "\r"
        self._events = POWER_ON
        self._latched = 0
        self._reset()

    def unlock(self) -> None:
        """The reference is lost."""
        self._latched |= UNLOCKED

    def answer(self, message: bytes) -> bytes:
        try:
            line = scpi.text(message).upper().replace(" ", "")
        except Malformed:
            return b""
        answers = [answer for unit in line.split(";") if unit and (answer := self._obey(unit))]
        if self._switches["OUTX"] != self._interface:
            return b""
        return "".join(answer + self._end for answer in answers).encode("ascii")

    def _obey(self, unit: str) -> str:
        found = _COMMAND.fullmatch(unit)
        if found is None:
            self._events |= COMMAND_ERROR
            return ""
        mnemonic, query, argument = found[1], bool(found[2]), found[3]
        if query:
            return self._tell(mnemonic, argument)
        if mnemonic == "*CLS":
            self._events = self._latched = 0
        elif mnemonic == "*RST":
            self._reset()
        elif mnemonic in SWITCHES or mnemonic in DIALS:
            self._set(mnemonic, argument)
        elif mnemonic not in ("AGAN", "ARSV", "APHS"):
            self._events |= COMMAND_ERROR
        return ""

    def _tell(self, mnemonic: str, argument: str) -> str:
        match mnemonic:
            case "*IDN":
                return "Stanford_Research_Systems,SR830,s/n48213,ver1.07"
            case "*ESR":
                events, self._events = self._events, 0
                return str(events)
            case "*STB":
                return "3"
            case "LIAS":
                latched, self._latched = self._latched, 0
                return str(latched)
            case "OUTP" | "SNAP":
                return self._outputs(mnemonic, argument.split(","))
            case _ if mnemonic in SWITCHES:
                return str(self._switches[mnemonic])
            case _ if mnemonic in DIALS:
                return f"{self._dials[mnemonic]:g}"
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

    def _reset(self) -> None:
        self._switches = {mnemonic: start for mnemonic, (_, start) in SWITCHES.items()}
        self._dials = {mnemonic: start for mnemonic, (_, _, start) in DIALS.items()}
        self.detector.time_constant_s = TIME_CONSTANT_S[self._switches["OFLT"]]


def _written(value: float) -> str:
    """Six digits, and an exponent of three."""
    mantissa, mark, exponent = f"{value:.6g}".partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(3)}" if mark else mantissa
