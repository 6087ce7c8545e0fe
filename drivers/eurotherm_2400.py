"""Eurotherm 2400 temperature controller (2000, 3200 and 3500 series alike), by Modbus RTU or by EI-BISYNCH.

Modbus: 9600 8N1; registers are whole numbers in steps of the display, whose decimal places are read once (525) and
never assumed.  EI-BISYNCH: 9600 7E1; numbers are written as they are displayed.

The set point goes to the remote set point (26, ``R1``), which lives in RAM: the local one wears the EEPROM.  Heating
off is manual mode with no output.

Source: Eurotherm 2400 point list; SweepMe's driver for both protocols; lewis's emulator.  Unverified on hardware: the
bits of the summary status, the identity of models other than the 2400, and that ``rE`` selects the remote set point.
"""

from __future__ import annotations

from typing import Any

from drivers.errors import Fault, Garbled, Refused, WrongInstrument
from drivers.heater import Heater
from drivers.link import Link, SerialLink
from drivers.wire import bisynch, modbus
from drivers.wire.errors import Malformed

SENSOR_BREAK, LOOP_BREAK, HEATER_FAIL, OUT_OF_RANGE = 5, 6, 7, 10
STATUS = {
    SENSOR_BREAK: "sensor break",
    LOOP_BREAK: "control loop broken",
    HEATER_FAIL: "heater failed",
    OUT_OF_RANGE: "temperature out of range",
}
"""Bit of the summary status -> what it says."""

TEMPERATURE, REMOTE, SELECT, MANUAL, OUTPUT, WORKING_OUTPUT, SUMMARY, IDENTITY = (
    "temperature",
    "remote",
    "select",
    "manual",
    "output",
    "working output",
    "summary",
    "identity",
)
REGISTERS = {
    TEMPERATURE: 1,
    OUTPUT: 3,
    WORKING_OUTPUT: 4,
    REMOTE: 26,
    SUMMARY: 75,
    IDENTITY: 122,
    MANUAL: 273,
    SELECT: 276,
}
MNEMONICS = {
    TEMPERATURE: "PV",
    OUTPUT: "OP",
    WORKING_OUTPUT: "WO",
    REMOTE: "R1",
    SUMMARY: "SO",
    IDENTITY: "II",
    MANUAL: "mA",
    SELECT: "rE",
}
PLACES = 525
WHOLE = (SUMMARY, IDENTITY, MANUAL, SELECT)
"""Parameters that are whole numbers whatever the display shows."""
PERCENT = (OUTPUT, WORKING_OUTPUT)
PERCENT_PLACES = 1


class Eurotherm2400(Heater):
    """What both protocols have in common; `address` is the controller's on its bus."""

    def __init__(self, *args: Any, address: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = int(address)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Identity; selects the remote set point.  `WrongInstrument`, `LinkError`."""
        try:
            identity = round(self._get(IDENTITY))
            self._learn_scale()
        except (Garbled, Refused) as error:
            raise WrongInstrument(f"{error}; is this a Eurotherm at address {self.address}?") from error
        if identity >> 8 not in (0x24, 0x22, 0x32, 0x35):
            raise WrongInstrument(f"{self.name}: its identity is {identity:#06x}, which is no Eurotherm 2000 or 3000")
        if round(self._get(SELECT)) != 1:
            if round(self._get(MANUAL)) == 0 and self._get(WORKING_OUTPUT) > 0:
                raise Refused(f"{self.name}: is heating to its local set point; switch it off at its front panel")
            self._put(REMOTE, 0.0)
            self._put(SELECT, 1.0)
        return f"Eurotherm {identity:04x}, address {self.address}"

    def refresh(self) -> None:
        bits = round(self._get(SUMMARY))
        words = [said for bit, said in STATUS.items() if bits >> bit & 1]
        celsius = self._get(TEMPERATURE)
        self.power.update(self._get(WORKING_OUTPUT))
        self.temperature.update(self._get(REMOTE))
        self.heating.update("off" if round(self._get(MANUAL)) else "on")
        self.actual_temperature.update(float("nan") if bits >> SENSOR_BREAK & 1 else celsius)
        self.fault.update(", ".join(words))

    def _send_temperature(self, celsius: float) -> None:
        self._once_put(REMOTE, celsius)

    def _set_point_c(self) -> float:
        return self._get(REMOTE)

    def _send_heating(self, on: bool) -> None:
        """Manual mode with no output, or automatic."""
        self._put(MANUAL, 0.0 if on else 1.0)
        if not on:
            self._put(OUTPUT, 0.0)
            if (output := self._get(WORKING_OUTPUT)) != 0:
                raise Fault(f"{self.name}: {output:g} % output in manual mode with none asked for; switch it off")

    # --- one protocol's own ---------------------------------------------------------------------------

    def _learn_scale(self) -> None:
        """Find out in what steps numbers come."""

    def _get(self, parameter: str) -> float:
        raise NotImplementedError

    def _once_put(self, parameter: str, value: float) -> None:
        raise NotImplementedError

    def _put(self, parameter: str, value: float) -> None:
        """An act; if its answer is lost, look what became of it."""
        self._command(lambda: self._once_put(parameter, value), lambda: self._get(parameter) == value)
        if (now := self._get(parameter)) != value:
            raise Refused(f"{self.name}: {parameter} {value:g} was refused, it stays at {now:g}")


class Eurotherm2400Modbus(Eurotherm2400):
    """By Modbus RTU."""

    driver = "eurotherm-2400"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = 0

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=9600, timeout_s=timeout_s)

    def _learn_scale(self) -> None:
        places = self._register(PLACES)
        if not 0 <= places <= 4:
            raise Garbled(f"{self.name}: register {PLACES} says {places} decimal places")
        self._places = places

    def _scale(self, parameter: str) -> float:
        places = 0 if parameter in WHOLE else PERCENT_PLACES if parameter in PERCENT else self._places
        return float(10**places)

    def _get(self, parameter: str) -> float:
        value = self._register(REGISTERS[parameter])
        return float(value & 0xFFFF) if parameter in WHOLE else value / self._scale(parameter)

    def _register(self, register: int) -> int:
        request = modbus.read_request(self.address, register)
        framing = modbus.answer_framing(self.address, modbus.READ)
        return self._ask(request, lambda frame: self._values(request, frame, modbus.READ)[0], framing)

    def _once_put(self, parameter: str, value: float) -> None:
        written = round(value * self._scale(parameter))
        request = modbus.write_request(self.address, REGISTERS[parameter], written)

        def echoed(frame: bytes) -> None:
            if self._values(request, frame, modbus.WRITE) != [written]:
                raise Malformed(f"{frame!r} does not repeat {written}")

        self._once(request, echoed, modbus.answer_framing(self.address, modbus.WRITE))

    def _values(self, request: bytes, frame: bytes, function: int) -> list[int]:
        answer = modbus.parse_answer(frame, self.address, function)
        if isinstance(answer, int):
            reason = modbus.EXCEPTIONS.get(-answer, "no reason known")
            raise Refused(f"{self.name}: {request!r} was refused with exception {-answer}: {reason}")
        if len(answer) != 1:
            raise Malformed(f"{frame!r} has {len(answer)} registers instead of one")
        return answer


class Eurotherm2400Bisynch(Eurotherm2400):
    """By EI-BISYNCH."""

    driver = "eurotherm-2400-bisynch"

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=9600, bytesize=7, parity="E", timeout_s=timeout_s)

    def _get(self, parameter: str) -> float:
        mnemonic = MNEMONICS[parameter]
        request = bisynch.question(self.address, mnemonic)

        def parse(frame: bytes) -> float:
            data = bisynch.parse_answer(frame, mnemonic)
            if data is None:
                raise Refused(f"{self.name}: {request!r} was refused with {frame!r}: it does not know {mnemonic}")
            return float(bisynch.word(data)) if parameter in (SUMMARY, IDENTITY) else bisynch.number(data)

        return self._ask(request, parse, bisynch.answer_framing)

    def _once_put(self, parameter: str, value: float) -> None:
        written = f"{value:.0f}" if parameter in WHOLE else f"{value:.1f}"
        request = bisynch.command(self.address, MNEMONICS[parameter], written)

        def parse(frame: bytes) -> None:
            if not bisynch.acknowledged(frame):
                raise Refused(f"{self.name}: {request!r} was refused with {frame!r}")

        self._once(request, parse, bisynch.acknowledgement_framing)
