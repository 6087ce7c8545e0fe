"""A Kepco BOP with a BIT 4886 card as seen from the wire, driving a magnet.

Source: instruments.md 9.1; BOP operator manual 3.6.4 (messages), table A-2 (*ESR?), table B-5 (errors).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class MagnetReading(Protocol):
    on: bool
    current_a: float
    voltage_v: float


class MagnetCircuit(Protocol):
    """The part of the world at its terminals."""

    max_current_a: float

    def set_output(self, on: bool) -> None: ...
    def command(self, current_a: float) -> None: ...
    def read(self) -> MagnetReading: ...


FULL_SCALE_V = 36.0
LONGEST_MESSAGE = 253
QUEUE = 15
VOLTAGE, CURRENT = 0, 1  # FUNC:MODE?

COMMAND_ERROR, EXECUTION_ERROR, QUERY_ERROR = 1 << 5, 1 << 4, 1 << 2
POWER_ON = 1 << 7
ERRORS = {
    -100: ("Command error", COMMAND_ERROR),
    -109: ("Missing parameter", COMMAND_ERROR),
    -113: ("Undefined header", COMMAND_ERROR),
    -120: ("Numeric data error", COMMAND_ERROR),
    -221: ("Settings conflict", EXECUTION_ERROR),
    -222: ("Data out of range", EXECUTION_ERROR),
    -223: ("Too much data", EXECUTION_ERROR),
}


class _Wrong(Exception):
    """A unit that cannot be carried out, by its error number."""


class KepcoBop(SimulatedInstrument):
    """Powers up in voltage mode, output off, everything zero.

    ``*TST?`` and ``DIAG:TST?`` swing the output to its maximum, as the real ones do.
    """

    framing = staticmethod(scpi.LF)

    def __init__(self, magnet: MagnetCircuit, *, model: str = "36-12") -> None:
        super().__init__()
        self.magnet = magnet
        self._identity = f"KEPCO,BIT 4886 {model}  03-18-2024,S310475,4.04-1.82"
        self._mode = VOLTAGE
        self._on = False
        self._current_a = 0.0
        self._voltage_v = 0.0
        self._events = POWER_ON
        self._errors: deque[tuple[int, str]] = deque()
        queries: dict[str, Callable[[], str]] = {
            "*IDN": lambda: self._identity,
            "*ESR": self._take_events,
            "*STB": lambda: "0",
            "*OPC": lambda: "1",
            "*TST": self._swing,
            "DIAGnostic:TST": self._swing,
            "[SOURce]:CURRent[:LEVel][:IMMediate][:AMPLitude]": lambda: scpi.exponential(self._current_a),
            "[SOURce]:VOLTage[:LEVel][:IMMediate][:AMPLitude]": lambda: scpi.exponential(self._voltage_v),
            "[SOURce]:FUNCtion:MODE": lambda: str(self._mode),
            "OUTPut[:STATe]": lambda: str(int(self._on)),
            "MEASure[:SCALar]:CURRent[:DC]": lambda: scpi.exponential(self.magnet.read().current_a),
            "MEASure[:SCALar]:VOLTage[:DC]": lambda: scpi.exponential(self.magnet.read().voltage_v),
            "SYSTem:ERRor[:NEXT]": self._take_error,
            "STATus:QUEStionable[:EVENt]": lambda: "0",
            "STATus:QUEStionable:CONDition": lambda: "0",
        }
        commands: dict[str, Callable[[str], None]] = {
            "*CLS": lambda _: self._clear(),
            "*RST": lambda _: self._reset(),
            "*WAI": lambda _: None,
            "[SOURce]:CURRent[:LEVel][:IMMediate][:AMPLitude]": self._set_current,
            "[SOURce]:VOLTage[:LEVel][:IMMediate][:AMPLitude]": self._set_voltage,
            "[SOURce]:FUNCtion:MODE": self._set_mode,
            "OUTPut[:STATe]": self._set_output,
            "SYSTem:REMote": lambda _: None,
            "SYSTem:BEEPer": lambda _: None,
            "SYSTem:BEEP": lambda _: None,
        }
        self._queries = {form: act for name, act in queries.items() for form in scpi.spellings(name)}
        self._commands = {form: act for name, act in commands.items() for form in scpi.spellings(name)}

    def answer(self, message: bytes) -> bytes:
        if not message.strip():
            return b""
        if len(message.rstrip()) > LONGEST_MESSAGE:
            self._complain(-223)
            return b""
        answers = []
        try:
            for unit in scpi.units(message):
                try:
                    if unit.query:
                        answers.append(self._look_up(self._queries, unit.header)())
                    else:
                        self._look_up(self._commands, unit.header)(unit.argument)
                except _Wrong as wrong:
                    self._complain(wrong.args[0])
        except Malformed:
            self._complain(-100)
        return (";".join(answers) + "\n").encode("ascii") if answers else b""

    def _look_up(self, table: dict[str, Callable], header: str) -> Callable:
        if header not in table:
            raise _Wrong(-113)
        return table[header]

    def _set_current(self, argument: str) -> None:
        current = self._number(argument, self.magnet.max_current_a)
        self._current_a = current
        if self._mode == CURRENT:
            self.magnet.command(current)

    def _set_voltage(self, argument: str) -> None:
        self._voltage_v = self._number(argument, FULL_SCALE_V)

    def _set_mode(self, argument: str) -> None:
        word = argument.upper()
        if word not in ("VOLT", "VOLTAGE", "CURR", "CURRENT"):
            raise _Wrong(-100 if word else -109)
        self._mode = CURRENT if word.startswith("CURR") else VOLTAGE
        self.magnet.command(self._current_a if self._mode == CURRENT else 0.0)

    def _set_output(self, argument: str) -> None:
        if argument.upper() not in ("0", "1", "ON", "OFF"):
            raise _Wrong(-100 if argument else -109)
        self._on = argument.upper() in ("1", "ON")
        self.magnet.set_output(self._on)

    def _number(self, argument: str, full_scale: float) -> float:
        if not argument:
            raise _Wrong(-109)
        if argument.upper() in ("MIN", "MAX"):
            return full_scale if argument.upper() == "MAX" else -full_scale
        try:
            value = scpi.number(argument)
        except Malformed:
            raise _Wrong(-120) from None
        before, _, after = argument.lstrip("+-").partition(".")
        if "E" not in argument.upper() and (len(before) > 4 or len(after) > 8):
            raise _Wrong(-120)
        if abs(value) > full_scale:
            raise _Wrong(-222)
        return value

    def _swing(self) -> str:
        for level in (self.magnet.max_current_a, -self.magnet.max_current_a, 0.0):
            self.magnet.set_output(True)
            self.magnet.command(level)
        self.magnet.set_output(self._on)
        self.magnet.command(self._current_a)
        return "0"

    def _reset(self) -> None:
        self._on, self._mode = False, VOLTAGE
        self._current_a = self._voltage_v = 0.0
        self.magnet.set_output(False)
        self.magnet.command(0.0)

    def _clear(self) -> None:
        self._events = 0
        self._errors.clear()

    def _complain(self, number: int) -> None:
        words, bit = ERRORS[number]
        self._events |= bit
        if len(self._errors) < QUEUE:
            self._errors.append((number, words))
        else:
            self._errors[-1] = (-350, "Too many errors")

    def _take_events(self) -> str:
        events, self._events = self._events, 0
        return str(events)

    def _take_error(self) -> str:
        number, words = self._errors.popleft() if self._errors else (0, "No error")
        return f'{number},"{words}"'
