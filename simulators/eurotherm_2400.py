"""A Eurotherm 2400 as seen from the wire, by Modbus RTU and by EI-BISYNCH.

Source: Eurotherm 2400 point list; SweepMe's driver.  Assumed: the bits of the summary status, and its identity 2400.
Not simulated: autotune, alarms and programs.
"""

from __future__ import annotations

from typing import Any, Protocol

from drivers.wire import bisynch, modbus
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Holder(Protocol):
    """The part of the world that it heats."""

    def set_target(self, celsius: float) -> None: ...
    def set_heating(self, on: bool) -> None: ...
    def read(self) -> Any: ...


LOWEST_C, HIGHEST_C = 0.0, 1000.0
IDENTITY = 0x2400
BROKEN_C = 1372.0
"""What a broken thermocouple of type K reads."""
MANUAL_BIT, SENSOR_BREAK_BIT = 1 << 4, 1 << 5


class Refusal(Exception):
    """No such parameter (`known` is False), or a value that it does not take."""

    def __init__(self, known: bool) -> None:
        super().__init__(known)
        self.known = known


class Controller(SimulatedInstrument):
    """Its parameters by Eurotherm's mnemonics.  It starts heating nothing: automatic, at room temperature."""

    def __init__(self, holder: Holder, *, address: int = 1) -> None:
        super().__init__()
        self.holder = holder
        self.address = int(address)
        self.local_c = self.remote_c = 0.0
        self.remote = False
        self.manual = True
        self.output = 0.0

    def get(self, mnemonic: str) -> float:
        reading = self.holder.read()
        output = self.output if self.manual else 100 * reading.power
        told = {
            "PV": BROKEN_C if reading.broken else reading.temperature_c,
            "SL": self.local_c,
            "S1": self.local_c,
            "R1": self.remote_c,
            "rE": float(self.remote),
            "SP": self._target(),
            "OP": output,
            "WO": output,
            "mA": float(self.manual),
            "SO": float(MANUAL_BIT * self.manual | SENSOR_BREAK_BIT * reading.broken),
            "II": float(IDENTITY),
            "HS": HIGHEST_C,
            "LS": LOWEST_C,
        }
        if mnemonic not in told:
            raise Refusal(known=False)
        return told[mnemonic]

    def put(self, mnemonic: str, value: float) -> None:
        if mnemonic in ("SL", "S1", "R1") and not LOWEST_C <= value <= HIGHEST_C:
            raise Refusal(known=True)
        match mnemonic:
            case "SL" | "S1":
                self.local_c = value
            case "R1":
                self.remote_c = value
            case "rE" | "mA" if value in (0, 1):
                setattr(self, "remote" if mnemonic == "rE" else "manual", bool(value))
            case "OP" if self.manual and 0 <= value <= 100:
                self.output = value
            case _:
                raise Refusal(known=mnemonic in ("rE", "mA", "OP", "PV", "WO", "SP", "SO", "II"))
        self.holder.set_target(self._target())
        self.holder.set_heating(not self.manual)

    def _target(self) -> float:
        return self.remote_c if self.remote else self.local_c


REGISTERS = {1: "PV", 2: "SL", 3: "OP", 4: "WO", 5: "SP", 24: "S1", 26: "R1", 75: "SO", 111: "HS", 112: "LS"} | {
    122: "II",
    273: "mA",
    276: "rE",
}
PLACES, RESOLUTION, SENSOR_BREAK = 525, 12550, 258


class Eurotherm2400(Controller):
    """By Modbus RTU; `places` is the number of decimal places of its display."""

    def __init__(self, holder: Holder, *, address: int = 1, places: int = 1) -> None:
        super().__init__(holder, address=address)
        self.places = places
        self.framing = modbus.request_framing(self.address)

    def answer(self, message: bytes) -> bytes:
        try:
            function, register, rest = modbus.parse_request(message, self.address)
        except Malformed:
            return b""
        try:
            if isinstance(rest, int):
                return modbus.read_answer(self.address, [self._register(register + n) for n in range(rest)])
            for offset, value in enumerate(rest):
                self._write(register + offset, value)
        except Refusal as refusal:
            code = modbus.ILLEGAL_VALUE if refusal.known else modbus.ILLEGAL_ADDRESS
            return modbus.exception(self.address, function, code)
        return modbus.write_answer(self.address, function, register, rest)

    def _register(self, register: int) -> int:
        special = {PLACES: self.places, RESOLUTION: 0, SENSOR_BREAK: int(self.holder.read().broken)}
        if register in special:
            return special[register]
        if register not in REGISTERS:
            raise Refusal(known=False)
        return round(self.get(REGISTERS[register]) * self._scale(REGISTERS[register]))

    def _write(self, register: int, value: int) -> None:
        if register not in REGISTERS:
            raise Refusal(known=False)
        self.put(REGISTERS[register], value / self._scale(REGISTERS[register]))

    def _scale(self, mnemonic: str) -> int:
        if mnemonic in ("mA", "rE", "SO", "II"):
            return 1
        return 10 if mnemonic in ("OP", "WO") else int(10**self.places)


class Eurotherm2400Bisynch(Controller):
    """By EI-BISYNCH."""

    framing = staticmethod(bisynch.host_framing)

    def answer(self, message: bytes) -> bytes:
        try:
            address, mnemonic, data = bisynch.parse_message(message)
        except Malformed:
            return bisynch.NAK if bisynch.STX in message else b""
        if address != self.address:
            return b""
        try:
            if data is None:
                return bisynch.answer(mnemonic, self._written(mnemonic, self.get(mnemonic)))
            self.put(mnemonic, bisynch.number(data))
        except (Refusal, Malformed):
            return bisynch.EOT if data is None else bisynch.NAK
        return bisynch.ACK

    @staticmethod
    def _written(mnemonic: str, value: float) -> str:
        if mnemonic in ("SO", "II"):
            return f">{int(value):04X}"
        return f"{value:.0f}" if mnemonic in ("mA", "rE") else f"{value:.1f}"
