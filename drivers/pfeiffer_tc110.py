"""Pfeiffer TC 110 drive electronics of a turbo pump (TC 400 and others of the family speak the same).

RS-485 half duplex, 9600 8N1.  A write is answered with itself.  An error is never acknowledged from here (parameter
009): it is latched, and a person looks at the pump first.

Source: Pfeiffer Vacuum protocol as driven by pfeifferpumps, pfeiffer-vacuum-protocol and PyExpLabSys.
Unverified on hardware: the words of the error codes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ophyd import Component as Cpt

from drivers.asking import Asking
from drivers.errors import Garbled, Refused, WrongInstrument
from drivers.instrument import Reading, Setting
from drivers.link import Link, SerialLink
from drivers.wire import telegram
from drivers.wire.errors import Malformed

T = TypeVar("T")

STATION, MOTOR, ERROR, ACTUAL_HZ, FIRMWARE = 10, 23, 303, 309, 312
NOMINAL_HZ, POWER_W, BEARING, NAME = 315, 316, 342, 349
NO_ERROR = "000000"
ERRORS = {
    "Err001": "over-speed",
    "Err002": "over-voltage",
    "Err006": "run-up time exceeded",
    "Err008": "connection between drive and pump",
    "Err021": "pump not recognised",
    "Err044": "electronics over-temperature",
    "Err045": "motor over-temperature",
    "Err107": "power stage",
    "Wrn007": "mains low",
    "Wrn045": "motor temperature high",
    "Wrn076": "electronics temperature high",
    "Wrn115": "pump bottom temperature high",
}
HOTTEST_BEARING_C = 65.0


class PfeifferTc110(Asking):
    """A turbo pump at `address` of its bus."""

    role = "pump"
    driver = "pfeiffer-tc110"
    framing = staticmethod(telegram.LINE)

    running = Cpt(Setting, value="unknown", choices=("on", "off"), write="_write_running")
    speed = Cpt(Reading, units="%", precision=1)
    power = Cpt(Reading, units="W", precision=0)
    temperature = Cpt(Reading, units="degC", precision=0)
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, address: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = int(address)
        self._nominal_hz = float("nan")

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=9600, timeout_s=timeout_s)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Electronics, firmware and nominal speed.  `WrongInstrument`, `LinkError`."""
        try:
            who, firmware = (self._read(parameter, str).strip() for parameter in (NAME, FIRMWARE))
            nominal = self._read(NOMINAL_HZ, telegram.integer)
        except (Garbled, Refused) as error:
            raise WrongInstrument(f"{error}; is this a turbo pump's drive at address {self.address}?") from error
        if not who.upper().startswith("TC") or not nominal:
            raise WrongInstrument(f"{self.name}: calls itself {who!r}, {nominal} Hz; not a TC drive")
        self._nominal_hz = float(nominal)
        return f"Pfeiffer {who}, firmware {firmware}, {nominal} Hz"

    def refresh(self) -> None:
        error = self._read(ERROR, str)
        hertz = self._read(ACTUAL_HZ, telegram.integer)
        on = self._read(STATION, telegram.boolean)
        celsius = float(self._read(BEARING, telegram.integer))
        self.power.update(float(self._read(POWER_W, telegram.integer)))
        self.speed.update(100 * hertz / self._nominal_hz)
        self.running.update("on" if on else "off")
        self.temperature.update(celsius)
        words = [] if error == NO_ERROR else [f"{error} {ERRORS.get(error, '')}".strip()]
        words += [f"bearing at {celsius:g} degC"] if celsius > HOTTEST_BEARING_C else []
        self.fault.update(", ".join(words))

    def make_safe(self) -> None:
        """A turbo pump is left as it is: it is safe while it pumps, and needs minutes to stop or start."""

    def _write_running(self, state: str) -> None:
        wanted = telegram.ON if state == "on" else telegram.OFF
        for parameter in (MOTOR, STATION) if state == "on" else (STATION,):
            self._write(parameter, wanted)
        if (now := self._read(STATION, str)) != wanted:
            raise Refused(f"{self.name}: does not go {state}, parameter {STATION:03d} stays {now}; see its error")
        self.refresh()

    # --- wire -----------------------------------------------------------------------------------------

    def _read(self, parameter: int, parse: Callable[[str], T]) -> T:
        request = telegram.pack(telegram.Telegram(self.address, False, parameter, telegram.QUERY))
        return self._ask(request, lambda frame: parse(self._data(request, parameter, frame)))

    def _write(self, parameter: int, data: str) -> None:
        request = telegram.pack(telegram.Telegram(self.address, True, parameter, data))

        def echoed(frame: bytes) -> None:
            if self._data(request, parameter, frame) != data:
                raise Malformed(f"{frame!r} does not repeat {data!r}")

        self._command(lambda: self._once(request, echoed), lambda: self._read(parameter, str) == data)

    def _data(self, request: bytes, parameter: int, frame: bytes) -> str:
        address, write, answered, data = telegram.unpack(frame)
        if (address, write, answered) != (self.address, True, parameter):
            raise Garbled(f"{self.name}: {frame!r} after {request!r} answers something else")
        if data in telegram.ERRORS:
            raise Refused(f"{self.name}: {request!r} was refused with {data}: {telegram.ERRORS[data]}")
        return data
