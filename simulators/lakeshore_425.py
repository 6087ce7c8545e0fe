"""A Lake Shore 425 gaussmeter as seen from the wire.

Source: instruments.md 9.5; pymeasure's lakeshore425.py (UNIT 1-4, RANGE 1-4 of 35 G to 35 kG, RDGMODE a,b,c).
"""

from __future__ import annotations

import math

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument
from simulators.lakeshore_475 import HallProbe

GAUSS_PER_T = 1e4
RANGES_G = (35.0, 350.0, 3500.0, 35000.0)
UNITS = {"1": GAUSS_PER_T, "2": 1.0, "3": GAUSS_PER_T, "4": 1 / (4e-7 * math.pi)}  # G, T, Oe, A/m in air


class Lakeshore425(SimulatedInstrument):
    """Powers up in gauss with automatic ranges.  What it does not know is silent."""

    framing = staticmethod(scpi.LF)

    def __init__(self, probe: HallProbe) -> None:
        super().__init__()
        self.probe = probe
        self.unit = "1"
        self._range: int | None = None  # automatic
        self._mode = "1,0,2"

    def answer(self, message: bytes) -> bytes:
        try:
            words = scpi.text(message).upper()
        except Malformed:
            return b""
        header, _, argument = words.partition(" ")
        reply = self._obey(header, argument.strip())
        return f"{reply}\n".encode("ascii") if reply else b""

    def _obey(self, header: str, argument: str) -> str:
        match header:
            case "*IDN?":
                return "LSCI,MODEL425,LSA22VV,1.0"
            case "RDGFIELD?":
                return self._field()
            case "UNIT?":
                return self.unit
            case "UNIT" if argument in UNITS:
                self.unit = argument
            case "RANGE?":
                return str(len(RANGES_G) if self._range is None else self._range)
            case "RANGE" if argument in ("1", "2", "3", "4"):
                self._range = int(argument)
            case "AUTO":
                self._range = None
            case "RDGMODE?":
                return self._mode
            case "RDGMODE":
                self._mode = argument
        return ""

    def _field(self) -> str:
        field_t = self.probe.read_t()
        full_scale_g = RANGES_G[-1 if self._range is None else self._range - 1]
        if abs(field_t) * GAUSS_PER_T > full_scale_g:
            return "OL"
        return f"{field_t * UNITS[self.unit]:+.5E}"
