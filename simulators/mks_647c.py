"""An MKS 647C multi-gas controller with one mass-flow controller, as seen from the wire.

Source: MKS 647C manual, remote control.
"""

from __future__ import annotations

from typing import Any, Protocol

from drivers.wire import mks_647
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class GasLine(Protocol):
    """The part of the world at its inlet and outlet."""

    full_scale_sccm: float

    def set_flow(self, sccm: float) -> None: ...
    def read(self) -> Any: ...


RANGES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
CHANNEL, UNKNOWN, SYNTAX, INTEGER, RANGE = range(5)
CHANNELS = 8
ON = 1


class Refusal(Exception):
    """The error number."""


class Mks647c(SimulatedInstrument):
    """The flow controller is on `channel`; its range is the smallest that reaches the line's full scale."""

    framing = staticmethod(mks_647.REQUEST)

    def __init__(self, flow: GasLine, *, channel: int = 1, gas_correction: int = 139) -> None:
        super().__init__()
        self.flow = flow
        self.channel = int(channel)
        self.gas_correction = gas_correction
        needed = flow.full_scale_sccm / (gas_correction / 100)
        self.range_code = next(code for code, sccm in enumerate(RANGES) if sccm >= needed)
        self.mode = 0
        self.set_point = 0
        self.on = dict.fromkeys(range(CHANNELS + 1), False)
        self.status_bits = 0

    def answer(self, message: bytes) -> bytes:
        try:
            letters, words = mks_647.parse_command(message)
        except Malformed:
            return mks_647.refusal(SYNTAX)
        if letters == "ID":
            return b"MGC 647C V2.2 - 07.03.2003\r\n"
        try:
            return mks_647.answer(*self._obey(letters, words))
        except Refusal as refusal:
            return mks_647.refusal(int(str(refusal)))

    def _obey(self, letters: str, words: list[str]) -> list[int]:
        known = {"FS", "FL", "ON", "OF", "RA", "GC", "MO", "ST"}
        if letters not in known:
            raise Refusal(UNKNOWN)
        if not words or not words[0].isdigit() or int(words[0]) > CHANNELS:
            raise Refusal(CHANNEL)
        channel = int(words[0])
        if letters in ("ON", "OF"):
            self.on[channel] = letters == "ON"
            self._drive()
            return []
        if letters == "ST":
            return [int(self.on[channel]) | (self.status_bits if channel == self.channel else 0)]
        if channel != self.channel:
            raise Refusal(CHANNEL)
        if letters == "FL":
            return [round(1000 * self.flow.read().flow_sccm / self.full_scale)]
        if len(words) < 2:
            raise Refusal(INTEGER)
        return self._parameter(letters, words[1])

    def _parameter(self, letters: str, word: str) -> list[int]:
        name, highest = {
            "FS": ("set_point", 1100),
            "RA": ("range_code", 39),
            "GC": ("gas_correction", 180),
            "MO": ("mode", 9),
        }[letters]
        if word == "R":
            return [getattr(self, name)]
        if int(word) > highest:
            raise Refusal(RANGE)
        setattr(self, name, int(word))
        self._drive()
        return []

    @property
    def full_scale(self) -> float:
        """sccm of the gas in use."""
        return RANGES[self.range_code] * self.gas_correction / 100

    def _drive(self) -> None:
        flowing = self.on[0] and self.on[self.channel] and self.mode == 0
        self.flow.set_flow(self.set_point / 1000 * self.full_scale if flowing else 0.0)
