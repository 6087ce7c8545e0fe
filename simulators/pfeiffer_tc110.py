"""A Pfeiffer TC 110 turbo drive as seen from the wire.

Source: Pfeiffer Vacuum protocol as driven by pfeifferpumps and PyExpLabSys.
"""

from __future__ import annotations

from typing import Any, Protocol

from drivers.wire import telegram
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Turbo(Protocol):
    """The part of the world that it drives."""

    def set_running(self, on: bool) -> None: ...
    def read(self) -> Any: ...


NOMINAL_HZ = 1500
SWITCH_POINT = 0.8
ON, OFF = "111111", "000000"
WRITABLE = {9, 10, 23}


class Tc110(SimulatedInstrument):
    """`motor` is its motor release; the pump turns while both that and the pumping station are on."""

    framing = staticmethod(telegram.LINE)

    def __init__(self, turbo: Turbo, *, address: int = 1) -> None:
        super().__init__()
        self.turbo = turbo
        self.address = int(address)
        self.motor = self.station = turbo.read().running

    def answer(self, message: bytes) -> bytes:
        try:
            asked = telegram.unpack(message)
        except Malformed:
            return b""
        if asked.address != self.address:
            return b""
        data = self._write(asked.parameter, asked.data) if asked.write else self._read(asked.parameter)
        return telegram.pack(telegram.Telegram(self.address, True, asked.parameter, data))

    def _write(self, parameter: int, data: str) -> str:
        if parameter not in WRITABLE:
            return "_LOGIC" if self._read(parameter) != "NO_DEF" else "NO_DEF"
        if data not in (ON, OFF):
            return "_RANGE"
        if parameter == 10:
            self.station = data == ON
        elif parameter == 23:
            self.motor = data == ON
        self.turbo.set_running(self.station and self.motor)
        return data

    def _read(self, parameter: int) -> str:
        reading = self.turbo.read()
        told: dict[int, str | bool | int] = {
            9: False,
            10: self.station and not reading.trouble,
            23: self.motor,
            302: reading.speed >= SWITCH_POINT,
            303: reading.trouble or "000000",
            306: reading.speed >= 0.99,
            307: reading.running and reading.speed < 0.99,
            308: NOMINAL_HZ,
            309: round(NOMINAL_HZ * reading.speed),
            312: "010300",
            315: NOMINAL_HZ,
            316: round(reading.power_w),
            342: round(reading.bearing_c),
            349: "TC 110",
        }
        value = told.get(parameter, "NO_DEF")
        if isinstance(value, bool):
            return ON if value else OFF
        return f"{value:06d}" if isinstance(value, int) else value
