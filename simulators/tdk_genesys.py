"""A TDK-Lambda GENESYS dc supply as seen from the wire, with a magnetron on it.

Source: TDK-Lambda GENESYS manual, serial communication; PyMeasure's driver and its tests.  Simulated: constant current
into a plasma; without one, the voltage limit stands at the output.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from drivers.wire import genesys
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Magnetron(Protocol):
    """The part of the world on its output cable."""

    def set_power(self, watts: float) -> None: ...
    def set_output(self, on: bool) -> None: ...
    def read(self) -> Any: ...


MOST_V, MOST_A = 600.0, 2.6
CV, CC, NO_FAULT, FAULT, LOCAL = 1, 2, 4, 8, 128
OTP, ENABLE_OPEN = 4, 128
WORDS = {"RMT": ("LOC", "REM", "LLO"), "AST": ("OFF", "ON"), "OUT": ("OFF", "ON"), "FLD": ("OFF", "ON")}
NUMBERS = {"PV": MOST_V, "PC": MOST_A, "OVP": 1.1 * MOST_V, "UVL": 0.95 * MOST_V, "FBD": 255.0}


class Genesys(SimulatedInstrument):
    """It answers once its `address` has been spoken.  `enable_open`: the interlock at its rear."""

    framing = staticmethod(genesys.LINE)

    def __init__(self, gun: Magnetron, *, address: int = 6) -> None:
        super().__init__()
        self.gun = gun
        self.address = int(address)
        self.selected = False
        self.enable_open = False
        self.settings: dict[str, Any] = {"PV": 0.0, "PC": 0.0, "OVP": 660.0, "UVL": 0.0, "FBD": 0.0}
        self.settings |= {"RMT": "LOC", "AST": "OFF", "OUT": "OFF", "FLD": "OFF"}

    def answer(self, message: bytes) -> bytes:
        text, separator, given = message.strip(b"\r\n ").partition(b"$")
        words = text.decode("ascii", "replace").upper().strip()
        if found := re.fullmatch(r"ADR (\d+)", words):
            self.selected = int(found[1]) == self.address
        if not self.selected:
            return b""
        wrong = separator and given != genesys.checksum(text)
        said = "C04" if wrong else "OK" if not words or found else self._obey(words)
        written = said.encode("ascii")
        return written + (b"$" + genesys.checksum(written) if separator else b"") + b"\r"

    def _obey(self, words: str) -> str:
        told = {"IDN?": "LAMBDA,GEN600-2.6", "SN?": "123A456-0001", "REV?": "REV:1U:4.3", "CLS": "OK"}
        self._drive()
        if words in told:
            return told[words]
        if words == "STT?":
            return genesys.format_status(self._status())
        if words == "MODE?":
            status = self._status().status
            return "CC" if status & CC else "CV" if status & CV else "OFF"
        if words in ("MV?", "MC?"):
            status = self._status()
            return f"{status.voltage if words == 'MV?' else status.current:07.3f}"
        command, _, value = words.partition(" ")
        if command.endswith("?"):
            now = self.settings.get(command[:-1])
            return "C01" if now is None else now if isinstance(now, str) else f"{now:07.3f}"
        return self._set(command, value)

    def _set(self, command: str, value: str) -> str:
        if command not in self.settings:
            return "C01"
        if not value:
            return "C02"
        if command in WORDS:
            value = {"1": "ON", "0": "OFF"}.get(value, value)
            if value not in WORDS[command]:
                return "C03"
            if command == "OUT" and value == "ON" and self.enable_open:
                return "E07"
            self.settings[command] = value
        else:
            try:
                number = genesys.number(value)
            except Malformed:
                return "C03"
            if not 0 <= number <= NUMBERS[command]:
                return "C05"
            self.settings[command] = number
        if command == "OUT":
            self.gun.set_output(value == "ON")
        self._drive()
        return "OK"

    def _drive(self) -> None:
        """The power follows from the current and the plasma's own voltage."""
        if self.enable_open and self.settings["OUT"] == "ON":
            self.settings["OUT"] = "OFF"
            self.gun.set_output(False)
        reading = self.gun.read()
        volts = reading.voltage_v if reading.lit else 420.0
        self.gun.set_power(self.settings["PC"] * volts if volts <= self.settings["PV"] else 0.0)

    def _status(self) -> genesys.Status:
        reading = self.gun.read()
        if reading.tripped:
            self.settings["OUT"] = "OFF"
        on = bool(reading.on)
        voltage = min(reading.voltage_v, self.settings["PV"]) if on else 0.0
        fault = OTP * reading.tripped | ENABLE_OPEN * self.enable_open
        running = (CC if reading.lit else CV) if on else 0
        local = LOCAL * (self.settings["RMT"] == "LOC")
        return genesys.Status(
            voltage,
            self.settings["PV"],
            reading.current_a if on else 0.0,
            self.settings["PC"],
            running | (FAULT if fault else NO_FAULT) | local,
            fault,
        )
