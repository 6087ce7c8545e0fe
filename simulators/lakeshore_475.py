"""A Lake Shore 475 gaussmeter as seen from the wire.

Source: instruments.md 9.5; model 475 manual chapter 6 (reading format +-nnn.nnnE+-nn).
"""

from __future__ import annotations

from typing import Protocol

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class HallProbe(Protocol):
    """The part of the world at its probe."""

    def read_t(self) -> float: ...


PER_TESLA = {1: 1e4, 2: 1.0, 3: 1e4, 4: 1e7 / (4 * 3.141592653589793)}  # G, T, Oe, A/m in air
FULL_SCALE_T = 3.5
COMMAND_ERROR, EXECUTION_ERROR, POWER_ON = 1 << 5, 1 << 4, 1 << 7


class Lakeshore475(SimulatedInstrument):
    """Powers up in gauss.  A wrong command is silent and sets a bit of ``*ESR?``."""

    framing = staticmethod(scpi.LF)

    def __init__(self, probe: HallProbe) -> None:
        super().__init__()
        self.probe = probe
        self._unit = 1
        self._events = POWER_ON

    def answer(self, message: bytes) -> bytes:
        try:
            words = scpi.text(message).upper()
        except Malformed:
            return b""
        reply = self._obey(*words.partition(" ")[::2])
        return f"{reply}\r\n".encode("ascii") if reply else b""

    def _obey(self, header: str, argument: str) -> str:
        match header:
            case "*IDN?":
                return "LSCI,MODEL475,4750311,01172019"
            case "*ESR?":
                events, self._events = self._events, 0
                return str(events)
            case "*CLS":
                self._events = 0
            case "RDGFIELD?":
                return self._field()
            case "UNIT?":
                return str(self._unit)
            case "UNIT":
                if argument.strip() in ("1", "2", "3", "4"):
                    self._unit = int(argument)
                else:
                    self._events |= EXECUTION_ERROR
            case "TYPE?":
                return "40"
            case "RDGTEMP?":
                return "+24.31E+00"
            case "RDGMODE?":
                return "1,3,1,1,1"
            case "RDGMODE" | "AUTO" | "RANGE" | "ZPROBE":
                pass
            case _:
                self._events |= COMMAND_ERROR
        return ""

    def _field(self) -> str:
        field_t = self.probe.read_t()
        if abs(field_t) > FULL_SCALE_T:
            return "OL"
        return f"{field_t * PER_TESLA[self._unit]:+.6E}"
