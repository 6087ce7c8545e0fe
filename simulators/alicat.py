"""An Alicat MC mass-flow controller as seen from the wire.

Source: Alicat Serial Primer as cited by public drivers, which also show replies of an MC-500SCCM-D.
"""

from __future__ import annotations

import re
from typing import Protocol

from drivers.wire import alicat
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Reading(Protocol):
    flow_sccm: float
    pressure_psia: float
    temperature_c: float


class GasLine(Protocol):
    """The part of the world at its inlet and outlet."""

    full_scale_sccm: float

    def set_flow(self, sccm: float) -> None: ...
    def read(self) -> Reading: ...


GASES = {0: "Air", 1: "Ar", 2: "CH4", 4: "CO2", 6: "H2", 7: "He", 8: "N2", 11: "O2"}
LEGACY_FULL_SCALE = 64000
SCCM = 12
CONTROL_POINT = 122
MASS_FLOW = 37
GAS_REGISTER = 46


class Alicat(SimulatedInstrument):
    """`unit` is its letter on the bus.  Like the real one it keeps its set point when the host dies."""

    framing = staticmethod(alicat.LINE)

    def __init__(self, flow: GasLine, unit: str = "A", *, gas: str = "Ar", firmware: str = "10v20.0-R24") -> None:
        super().__init__()
        self.flow = flow
        self.unit = unit
        self.firmware = firmware
        self._gas = next(number for number, name in GASES.items() if name == gas)
        self._registers = {CONTROL_POINT: MASS_FLOW}
        self._set_point = 0.0
        self._held: str = ""
        self._locked = False

    def answer(self, message: bytes) -> bytes:
        try:
            text = alicat.line(message)
        except Malformed:
            return b""
        if text[:1].upper() != self.unit:
            return b""
        spoken = self._obey(text[1:].strip())
        return f"{spoken}\r".encode("ascii")

    def _obey(self, body: str) -> str:
        if body.isdigit():  # the legacy integer set point
            self._set(int(body) / LEGACY_FULL_SCALE * self.flow.full_scale_sccm)
            return self._frame()
        if register := re.fullmatch(r"(?:\$\$)?([RW])(\d+)(?:=(\d+))?", body.upper()):
            return self._register(*register.groups())
        head, argument = re.fullmatch(r"([A-Z?$*]*)\s*(.*)", body.upper(), re.DOTALL).groups()
        match head:
            case "":
                return self._frame() if not argument else alicat.REJECTED
            case "S" | "LS":
                return self._command_set_point(head, argument)
            case "VE":
                return f"{self.unit}   {self.firmware} Jan  9 2025,15:04:07"
            case "G" | "GS":
                return self._select_gas(head, argument)
            case "HC" | "HP" | "C" | "$$H" | "$$C":
                self._hold({"HC": "closed", "HP": "position", "$$H": "position"}.get(head, ""))
                return self._frame()
            case "$$L" | "$$U":
                self._locked = head == "$$L"
                return self._frame()
        return alicat.REJECTED

    def _command_set_point(self, head: str, argument: str) -> str:
        if head == "LS" and self._major() < 9:
            return alicat.REJECTED
        if argument:
            try:
                self._set(alicat.parse_number(argument))
            except Malformed:
                return alicat.REJECTED
        elif head == "S":
            return alicat.REJECTED
        if head == "S":
            return self._frame()
        now = alicat.number(self._set_point)
        return f"{self.unit} {now} {now} {SCCM} SCCM"

    def _register(self, action: str, number: str, value: str | None) -> str:
        register = int(number)
        if (action == "W") != (value is not None):
            return alicat.REJECTED
        if value is not None:
            if register == GAS_REGISTER and int(value) & 0x1FF not in GASES:
                return alicat.REJECTED
            if register == GAS_REGISTER:
                self._gas = int(value) & 0x1FF
            else:
                self._registers[register] = int(value)
        now = self._gas if register == GAS_REGISTER else self._registers.get(register, 0)
        return f"{self.unit}   {register:03d} = {now}"

    def _select_gas(self, head: str, argument: str) -> str:
        word = argument.split()[0] if argument else ""
        if word and (not word.isdigit() or int(word) not in GASES):
            return alicat.REJECTED
        if word:
            self._gas = int(word)
        return self._frame() if head == "G" else f"{self.unit} {self._gas} {GASES[self._gas]}"

    def _set(self, sccm: float) -> None:
        """The set point stays within the controller's range, whatever is asked."""
        self._set_point = min(max(sccm, 0.0), self.flow.full_scale_sccm)
        if not self._held:
            self.flow.set_flow(self._set_point)

    def _hold(self, held: str) -> None:
        self._held = held
        if held == "closed":
            self.flow.set_flow(0.0)
        elif not held:
            self.flow.set_flow(self._set_point)

    def _frame(self) -> str:
        reading = self.flow.read()
        volumetric = (
            reading.flow_sccm * (reading.temperature_c + 273.15) / 298.15 * 14.696 / max(reading.pressure_psia, 0.01)
        )
        numbers = (
            reading.pressure_psia,
            reading.temperature_c,
            volumetric,
            reading.flow_sccm,
            self._set_point,
        )
        words = [self.unit, *map(alicat.number, numbers), f"{GASES[self._gas]:>6}"]
        if self._held:
            words.append("HLD")
        if self._locked:
            words.append("LCK")
        if reading.flow_sccm > 1.28 * self.flow.full_scale_sccm:
            words.append("MOV")
        return " ".join(words)

    def _major(self) -> int:
        return int(self.firmware.partition("v")[0])
