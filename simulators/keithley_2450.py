"""A Keithley 2450 SourceMeter as seen from the wire, in its SCPI command set.

Source: instruments.md 10.3; the reference manual as cited by labmcp-keithley-smu and pymeasure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.keithley import OUT_OF_RANGE, Keithley, Wrong, switch


class Contacts(Protocol):
    """The part of the world at its leads."""

    def source(self, current_a: float) -> None: ...

    def voltage(self, current_a: float) -> float: ...

    def needed_v(self, current_a: float) -> float: ...

    def noise(self, sigma_v: float) -> float: ...


MOST_A, MOST_V = 1.05, 210.0
NOISE_V_NPLC = 1e-6  # rms at one power-line cycle


class Keithley2450(Keithley):
    """Powers up with the output off, sourcing volts and measuring amperes.  `trip` opens the output by itself."""

    def __init__(self, contacts: Contacts, *, language: str = "SCPI") -> None:
        super().__init__()
        self.contacts = contacts
        self._language = language
        self._reset()
        queries: dict[str, Callable[[], str]] = {
            "*IDN": lambda: "KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.6.7c",
            "*LANG": lambda: self._language,
            "*OPC": lambda: "1",
            "*ESR": lambda: "0",
            "[SOURce]:FUNCtion": lambda: self._source,
            "[SOURce]:CURRent": lambda: f"{self._level:.6E}",
            "[SOURce]:CURRent:RANGe": lambda: f"{self._range:.6E}",
            "[SOURce]:CURRent:VLIMit": lambda: f"{self._limit_v:.6E}",
            "[SOURce]:CURRent:VLIMit:TRIPped": lambda: str(int(self._tripped())),
            "[SENSe]:FUNCtion": lambda: f'"{self._sense}:DC"',
            "[SENSe]:VOLTage:NPLCycles": lambda: f"{self._nplc:.6E}",
            "[SENSe]:VOLTage:RSENse": lambda: str(int(self._four_wire)),
            "OUTPut": lambda: str(int(self._on)),
            "READ": self._read,
            "SYSTem:ERRor": self._take_error,
        }
        commands: dict[str, Callable[[str], None]] = {
            "*RST": lambda _: self._reset(),
            "*CLS": lambda _: self._errors.clear(),
            "[SOURce]:FUNCtion": self._set_source,
            "[SOURce]:CURRent": self._set_level,
            "[SOURce]:CURRent:LEVel": self._set_level,
            "[SOURce]:CURRent:RANGe": self._set_range,
            "[SOURce]:CURRent:RANGe:AUTO": self._set_auto,
            "[SOURce]:CURRent:VLIMit": self._set_limit,
            "[SENSe]:FUNCtion": self._set_sense,
            "[SENSe]:VOLTage:NPLCycles": self._set_nplc,
            "[SENSe]:VOLTage:RSENse": lambda argument: setattr(self, "_four_wire", switch(argument)),
            "[SENSe]:VOLTage:RANGe": lambda _: None,
            "[SENSe]:VOLTage:RANGe:AUTO": lambda _: None,
            "OUTPut": lambda argument: self._switch_output(switch(argument)),
        }
        self._understand(queries, commands)

    def trip(self) -> None:
        """The output opens, as on over-temperature."""
        self._switch_output(False)

    def _reset(self) -> None:
        self._source, self._sense = "VOLT", "CURR"
        self._level, self._limit_v, self._range = 0.0, 2.0, MOST_A
        self._nplc, self._four_wire, self._auto = 1.0, False, True
        self._on = False
        self.contacts.source(0.0)

    def _set_source(self, argument: str) -> None:
        self._source = _function(argument)
        self._switch_output(False)

    def _set_sense(self, argument: str) -> None:
        self._sense = _function(argument)

    def _set_level(self, argument: str) -> None:
        level = scpi.number(argument)
        if abs(level) > (MOST_A if self._auto else 1.05 * self._range):
            raise Wrong(OUT_OF_RANGE)
        self._level = level
        self._drive()

    def _set_range(self, argument: str) -> None:
        reach = abs(scpi.number(argument))
        if reach > MOST_A:
            raise Wrong(OUT_OF_RANGE)
        self._range, self._auto = reach, False

    def _set_auto(self, argument: str) -> None:
        self._auto = switch(argument)

    def _set_limit(self, argument: str) -> None:
        limit = abs(scpi.number(argument))
        if not 0.02 <= limit <= MOST_V:
            raise Wrong(OUT_OF_RANGE)
        self._limit_v = limit

    def _set_nplc(self, argument: str) -> None:
        nplc = scpi.number(argument)
        if not 0.01 <= nplc <= 10:
            raise Wrong(OUT_OF_RANGE)
        self._nplc = nplc

    def _switch_output(self, on: bool) -> None:
        self._on = on
        self._drive()

    def _drive(self) -> None:
        flows = self._on and self._source == "CURR" and not self._tripped()
        self.contacts.source(self._level if flows else 0.0)

    def _tripped(self) -> bool:
        return self._on and self._source == "CURR" and self.contacts.needed_v(self._level) > self._limit_v

    def _read(self) -> str:
        if self._sense != "VOLT":
            return f"{self._level if self._on else 0.0:.6E}"
        if self._tripped():
            return f"{self._limit_v if self._level > 0 else -self._limit_v:.6E}"
        current = self._level if self._on and self._source == "CURR" else 0.0
        if not self._four_wire:
            return f"{self.contacts.needed_v(current):.6E}"  # of the leads that drive it
        noise = self.contacts.noise(NOISE_V_NPLC / self._nplc**0.5)
        return f"{self.contacts.voltage(current) + noise:.9E}"

    def _take_error(self) -> str:
        number, words = self._errors.popleft() if self._errors else (0, "No error")
        stamp = "1;2026/01/01 00:00:00.000" if number else "0;0,0"
        return f'{number},"{words};{stamp}"'


def _function(argument: str) -> str:
    word = argument.strip("\"'").upper()
    for function in ("VOLT", "CURR", "RES"):
        if word.startswith(function):
            return function
    raise Malformed(f"no function: {argument!r}")
