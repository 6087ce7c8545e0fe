"""MKS 900-series controllers as seen from the wire: a 937B with one gauge, a 946 with one mass-flow controller.

Source: PyMeasure ``mksinst`` and its tests; an EPICS protocol file for the 946.  Assumed: NAK codes but 152 and 160.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from drivers.wire import mks
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument

UNKNOWN, NOT_ION, OUT_OF_RANGE, NO_CHANNEL = "160", "152", "169", "151"
PA = {"TORR": 133.3224, "mBAR": 100.0, "PASCAL": 1.0, "MICRON": 0.1333224}


class Refusal(Exception):
    """The NAK code."""


class Mks900(SimulatedInstrument):
    """Framing and addressing; `words` answers one command."""

    framing = staticmethod(mks.FRAME)
    model = ""

    def __init__(self, address: int = 253) -> None:
        super().__init__()
        self.address = address

    def answer(self, message: bytes) -> bytes:
        try:
            asked = mks.parse_message(message)
        except Malformed:
            return b""
        if asked.address not in (self.address, mks.ANY):
            return b""
        name, channel = re.fullmatch(r"([A-Z]+)(\d*)", asked.command).groups()
        try:
            return mks.reply(self.address, self.words(name, int(channel or 0), asked.value))
        except Refusal as refusal:
            return mks.reply(self.address, str(refusal), accepted=False)

    def words(self, name: str, channel: int, value: str | None) -> str:
        told = {"MD": self.model, "SN": "0937150001", "FV": "1.20"}
        if name in told and value is None and not channel:
            return told[name]
        raise Refusal(UNKNOWN)


class VacuumGauge(Protocol):
    """The part of the world at its flange."""

    def read_pa(self) -> float: ...


class Mks937b(Mks900):
    """Channel 1 has an ion gauge.  `word` overrides what it measures; `range_pa` is what it can."""

    model = "937B"

    def __init__(
        self,
        gauge: VacuumGauge,
        *,
        address: int = 253,
        unit: str = "TORR",
        range_pa: tuple[float, float] = (1e-8, 1.1e5),
    ) -> None:
        super().__init__(address)
        self.gauge = gauge
        self.unit = unit
        self.range_pa = range_pa
        self.word = ""
        self.powered = True

    def words(self, name: str, channel: int, value: str | None) -> str:
        match name:
            case "PR" | "PC" if value is None:
                return self._pressure(channel)
            case "PRZ" if value is None:
                return self._pressure(1)
            case "U":
                return self._unit(value)
            case "T" if value is None:
                if channel not in (1, 3, 5):
                    raise Refusal(NOT_ION)
                return ("G" if self.powered else "O") if channel == 1 else "N"
            case "CP":
                return self._power(channel, value)
        return super().words(name, channel, value)

    def _pressure(self, channel: int) -> str:
        if channel != 1:
            return "NOGAUGE"
        if self.word or not self.powered:
            return self.word or "OFF"
        pressure, (low, high) = self.gauge.read_pa(), self.range_pa
        if pressure < low:
            return "LO<E-10"
        return "ATM" if pressure > high else f"{pressure / PA[self.unit]:.2E}"

    def _unit(self, value: str | None) -> str:
        known = {unit.upper(): unit for unit in PA}
        if value is not None:
            if value.upper() not in known:
                raise Refusal(OUT_OF_RANGE)
            self.unit = known[value.upper()]
        return self.unit

    def _power(self, channel: int, value: str | None) -> str:
        if channel != 1:
            raise Refusal(NO_CHANNEL)
        if value not in (None, "ON", "OFF"):
            raise Refusal(OUT_OF_RANGE)
        self.powered = self.powered if value is None else value == "ON"
        return "ON" if self.powered else "OFF"


class GasLine(Protocol):
    """The part of the world at its inlet and outlet."""

    full_scale_sccm: float

    def set_flow(self, sccm: float) -> None: ...
    def read(self) -> Any: ...


class Mks946(Mks900):
    """One mass-flow controller on `channel`.  Like the real one it keeps its set point when the host dies."""

    model = "946"

    def __init__(self, flow: GasLine, *, address: int = 253, channel: int = 1) -> None:
        super().__init__(address)
        self.flow = flow
        self.channel = int(channel)
        self.set_point = 0.0
        self.mode = "CLOSE"
        self.word = ""

    def words(self, name: str, channel: int, value: str | None) -> str:
        if name in ("FR", "QSP", "QMD", "RNG", "QSF", "QZ") and channel != self.channel:
            raise Refusal(NO_CHANNEL)
        match name:
            case "FR" if value is None:
                return self.word or mks.exponential(self.flow.read().flow_sccm)
            case "RNG" if value is None:
                return mks.exponential(self.flow.full_scale_sccm)
            case "QSF" if value is None:
                return mks.exponential(1.39)
            case "QSP":
                return self._set_point(value)
            case "QMD":
                return self._mode(value)
        return super().words(name, channel, value)

    def _set_point(self, value: str | None) -> str:
        if value is not None:
            try:
                wanted = float(value)
            except ValueError:
                raise Refusal(OUT_OF_RANGE) from None
            if not 0 <= wanted <= self.flow.full_scale_sccm:
                raise Refusal(OUT_OF_RANGE)
            self.set_point = wanted
            self._drive()
        return mks.exponential(self.set_point)

    def _mode(self, value: str | None) -> str:
        if value is not None:
            if value not in ("OPEN", "CLOSE", "SETPOINT", "PCTRL", "RATIO", "PRESET"):
                raise Refusal(OUT_OF_RANGE)
            self.mode = value
            self._drive()
        return self.mode

    def _drive(self) -> None:
        through = {"OPEN": self.flow.full_scale_sccm, "SETPOINT": self.set_point}
        self.flow.set_flow(through.get(self.mode, 0.0))
