"""A Keithley 6221 with a 2182A in delta mode as seen from the wire.

Source: instruments.md 10.2; pymeasure's keithley6221.py.  A delta reading is of three voltages at alternate currents:
(V1 - 2 V2 + V3) / 4, the voltage of the high current.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.wire import scpi
from simulators.keithley import CONFLICT, OUT_OF_RANGE, Keithley, Wrong, switch
from simulators.keithley_2450 import Contacts as Leads


class Contacts(Leads):
    def now(self) -> float: ...


MOST_A = 0.105
READING_S = 1 / 24  # at one power-line cycle of 60 Hz
NOISE_V = 2e-8  # rms of one delta reading


class Keithley6221(Keithley):
    """`nanovoltmeter`: whether a 2182A answers at its serial port.  `stuck`: readings no longer come."""

    def __init__(self, contacts: Contacts, *, nanovoltmeter: bool = True) -> None:
        super().__init__()
        self.contacts = contacts
        self.nanovoltmeter = nanovoltmeter
        self.stuck = False
        self._reset()
        queries: dict[str, Callable[[], str]] = {
            "*IDN": lambda: "KEITHLEY INSTRUMENTS INC.,MODEL 6221,1203456,D03  /700x",
            "*OPC": lambda: "1",
            "[SOURce]:CURRent": lambda: f"{self._level:.6E}",
            "[SOURce]:CURRent:COMPliance": lambda: f"{self._compliance:.6E}",
            "[SOURce]:DELTa:NVPResent": lambda: str(int(self.nanovoltmeter)),
            "[SOURce]:DELTa:NVPR": lambda: str(int(self.nanovoltmeter)),
            "[SOURce]:DELTa:HIGH": lambda: f"{self._high:.6E}",
            "[SOURce]:DELTa:LOW": lambda: f"{self._low:.6E}",
            "[SOURce]:DELTa:DELay": lambda: f"{self._delay:.6E}",
            "[SOURce]:DELTa:COUNt": lambda: self._count,
            "[SOURce]:DELTa:CABort": lambda: str(int(self._abort)),
            "[SOURce]:DELTa:CAB": lambda: str(int(self._abort)),
            "[SOURce]:DELTa:ARM": lambda: str(int(self._watch())),
            "[SENSe]:DATA": self._data,
            "UNIT:VOLTage:DC": lambda: "V",
            "TRACe:POINts": lambda: str(self._points),
            "OUTPut": lambda: str(int(self._on or self._watch())),
            "SYSTem:ERRor": self._take_error,
        }
        commands: dict[str, Callable[[str], None]] = {
            "*RST": lambda _: self._reset(),
            "*CLS": lambda _: self._errors.clear(),
            "[SOURce]:CURRent": self._set_level,
            "[SOURce]:CURRent:COMPliance": self._set_compliance,
            "[SOURce]:DELTa:HIGH": self._set_high,
            "[SOURce]:DELTa:LOW": self._set_low,
            "[SOURce]:DELTa:DELay": self._set_delay,
            "[SOURce]:DELTa:COUNt": lambda argument: setattr(self, "_count", argument.upper()),
            "[SOURce]:DELTa:CABort": lambda argument: setattr(self, "_abort", switch(argument)),
            "[SOURce]:DELTa:CAB": lambda argument: setattr(self, "_abort", switch(argument)),
            "[SOURce]:DELTa:ARM": lambda _: self._arm(),
            "[SOURce]:SWEep:ABORt": lambda _: self._disarm(),
            "[SOURce]:SWEep:ABOR": lambda _: self._disarm(),
            "INITiate:IMMediate": lambda _: self._start(),
            "FORMat:ELEMents": lambda _: None,
            "UNIT:VOLTage:DC": lambda _: None,
            "TRACe:POINts": lambda argument: setattr(self, "_points", scpi.integer(argument)),
            "OUTPut": lambda argument: self._switch_output(switch(argument)),
        }
        self._understand(queries, commands)

    def _reset(self) -> None:
        self._level, self._compliance = 0.0, 10.0
        self._high, self._low, self._delay = 1e-3, -1e-3, 2e-3
        self._count, self._abort, self._points = "INF", False, 100
        self._on = self._armed = False
        self._begun: float | None = None
        self._last = (0.0, 0.0)
        self.contacts.source(0.0)

    def _set_level(self, argument: str) -> None:
        self._level = self._within(argument, -MOST_A, MOST_A)

    def _set_compliance(self, argument: str) -> None:
        self._compliance = self._within(argument, 0.1, 105.0)

    def _set_high(self, argument: str) -> None:
        self._high = self._within(argument, 0.0, MOST_A)
        self._low = -self._high

    def _set_low(self, argument: str) -> None:
        self._low = self._within(argument, -MOST_A, 0.0)

    def _set_delay(self, argument: str) -> None:
        self._delay = self._within(argument, 0.0, 9999.999)

    def _within(self, argument: str, low: float, high: float) -> float:
        value = scpi.number(argument)
        if not low <= value <= high:
            raise Wrong(OUT_OF_RANGE)
        return value

    def _arm(self) -> None:
        if not self.nanovoltmeter:
            raise Wrong(CONFLICT)
        self._armed, self._begun = True, None

    def _start(self) -> None:
        if not self._armed:
            raise Wrong(CONFLICT)
        self._begun = self.contacts.now()
        self.contacts.source(self._high)
        self._watch()

    def _disarm(self) -> None:
        self._armed, self._begun, self._on = False, None, False
        self.contacts.source(0.0)

    def _switch_output(self, on: bool) -> None:
        if not on:
            self._disarm()
        self._on = on
        self.contacts.source(self._level if on else 0.0)

    def _watch(self) -> bool:
        """Whether delta mode is armed; at the compliance it breaks off by itself."""
        over = self._begun is not None and self.contacts.needed_v(self._high) > self._compliance
        if over and self._abort:
            self._disarm()
        return self._armed

    def _data(self) -> str:
        """The last reading and its time since the start; a zero before there is one."""
        if not self._watch() or self._begun is None:
            return "0.000000E+00"
        each = READING_S + self._delay
        count = int((self.contacts.now() - self._begun) / each)
        if count < 3:
            return "0.000000E+00"
        if not (self.stuck or self._last[1] == count * each):
            v1, v2, v3 = (self.contacts.voltage(current) for current in (self._high, self._low, self._high))
            self._last = ((v1 - 2 * v2 + v3) / 4 + self.contacts.noise(NOISE_V), count * each)
        return f"{self._last[0]:.9E},{self._last[1]:.6E}"

    def _take_error(self) -> str:
        number, words = self._errors.popleft() if self._errors else (0, "No error")
        return f'{number},"{words}"'
