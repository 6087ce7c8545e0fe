"""A Danfysik System 8500 magnet supply as seen from the wire: unipolar, with a reversal switch.

Source: instruments.md 9.3; pymeasure's danfysik8500.py and the ISIS emulators (LF CR behind a reply; commands are
silent; a refusal is ``?`` BEL and a text).
"""

from __future__ import annotations

from typing import Protocol

from drivers.wire import danfysik
from simulators.instrument import SimulatedInstrument


class Reading(Protocol):
    current_a: float
    voltage_v: float


class Magnet(Protocol):
    """The part of the world at its terminals."""

    def now(self) -> float: ...

    def set_output(self, on: bool) -> None: ...

    def command(self, current_a: float) -> None: ...

    def read(self) -> Reading: ...


PPM = 1_000_000
COUNT_A = 0.01
REVERSAL_S = 1.5
CURRENT_ZERO_A = 0.05
SUM_INTERLOCK = 9


class Danfysik8500(SimulatedInstrument):
    """Powers up off, polarity normal, in remote.  `trip` lights interlocks by their position in ``S1``, latched until
    ``RS`` and their cause is gone."""

    framing = staticmethod(danfysik.FRAME)

    def __init__(self, magnet: Magnet, *, full_scale_a: float = 160.0) -> None:
        super().__init__()
        self.magnet = magnet
        self._full_scale_a = full_scale_a
        self._ppm = 0
        self._on = False
        self._sign = 1
        self._reversing_until: float | None = None
        self._interlocks: set[int] = set()
        self._as_text = False
        self.local = False

    def trip(self, position: int) -> None:
        self._interlocks |= {position, SUM_INTERLOCK}
        self._switch(False)

    def answer(self, message: bytes) -> bytes:
        line = message.decode("ascii", "replace").strip().upper()
        if not line:
            return b""
        self._settle()
        reply = self._obey(line)
        return f"{reply}\n\r".encode("ascii") if reply else b""

    def _obey(self, line: str) -> str:
        header, _, argument = line.partition(" ")
        match header:
            case "PRINT":
                return "DANFYSIK SYSTEM 8500 SN 9512345"
            case "S1":
                return "".join("!" if lit else "." for lit in self._lamps())
            case "S1H":
                return f"{sum(lit << (23 - position) for position, lit in enumerate(self._lamps())):06X}"
            case "AD":
                return self._converter(argument)
            case "DA" if argument.strip() == "0":
                return f"0 {self._ppm:+07d}"
            case "PO" if not argument:
                return "+" if self._sign > 0 else "-"
            case "CMD":
                return "LOC" if self.local else "REM"
            case "R1" | "R2" | "R3":
                return "0"
            case "ERRT" | "ERRC":
                self._as_text = header == "ERRT"
                return ""
            case "UNLOCK" | "REM":
                return ""
        if self.local:
            return self._refusal("REMOTE COMMAND IN LOCAL MODE")
        return self._act(header, argument)

    def _act(self, header: str, argument: str) -> str:
        match header:
            case "DA":
                return self._set(argument)
            case "N":
                if self._interlocks:
                    return self._refusal("INTERLOCK")
                self._switch(True)
            case "F":
                self._switch(False)
            case "PO" if argument in ("+", "-"):
                return self._reverse(1 if argument == "+" else -1)
            case "RS":
                self._interlocks.clear()
            case "LOC":
                self.local = True
            case _:
                return self._refusal("UNKNOWN COMMAND")
        return ""

    def _set(self, argument: str) -> str:
        channel, _, level = argument.replace(",", " ").strip().partition(" ")
        if channel != "0" or not level.strip().lstrip("+-").isdigit():
            return self._refusal("SYNTAX ERROR")
        ppm = int(level)
        if not 0 <= ppm <= PPM:
            return self._refusal("DATA OUT OF RANGE")
        self._ppm = ppm
        self._drive()
        return ""

    def _reverse(self, sign: int) -> str:
        if abs(self.magnet.read().current_a) > CURRENT_ZERO_A or self._ppm:
            return self._refusal("CURRENT NOT ZERO")
        if sign != self._sign:
            self._sign = sign
            self._reversing_until = self.magnet.now() + REVERSAL_S
        return ""

    def _settle(self) -> None:
        if self._reversing_until is not None and self.magnet.now() >= self._reversing_until:
            self._reversing_until = None

    def _switch(self, on: bool) -> None:
        self._on = on
        if not on:
            self._ppm = 0
        self.magnet.set_output(on)
        self._drive()

    def _drive(self) -> None:
        if self._on or self._ppm == 0:
            self.magnet.command(self._sign * self._ppm / PPM * self._full_scale_a)

    def _lamps(self) -> list[bool]:
        moving = self._reversing_until is not None
        lit = [False] * 24
        lit[0] = not self._on
        lit[1] = self._sign > 0 and not moving
        lit[2] = self._sign < 0 and not moving
        lit[22] = moving
        for position in self._interlocks:
            lit[position] = True
        return lit

    def _converter(self, argument: str) -> str:
        reading = self.magnet.read()
        match argument.strip():
            case "8":
                return f"{round(abs(reading.current_a) / COUNT_A):+05d}"
            case "2":
                return f"{round(abs(reading.voltage_v)):+05d}"
        return self._refusal("SYNTAX ERROR")

    def _refusal(self, words: str) -> str:
        return f"?\a {words}" if self._as_text else "?\a 01"
