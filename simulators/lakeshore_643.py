"""A Lake Shore 643 electromagnet supply as seen from the wire.

Source: instruments.md 9.2; the maker's ``lakeshore`` package, em_power_supply.py.  The supply ramps by itself at
``RATE``, or at the rates of five segments while ``RSEG`` is 1.
"""

from __future__ import annotations

from typing import Protocol

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Reading(Protocol):
    current_a: float
    voltage_v: float


class Magnet(Protocol):
    """The part of the world at its terminals."""

    def ramp(self, current_a: float, rate_a_s: float) -> None: ...

    def read(self) -> Reading: ...


MOST_A, FASTEST_A_S, SLOWEST_A_S = 70.1, 50.0, 1e-4
SEGMENT_RATE_A_S = 1.0
QUERY_ERROR, EXECUTION_ERROR, COMMAND_ERROR, POWER_ON = 1 << 2, 1 << 4, 1 << 5, 1 << 7
RAMP_DONE = 1 << 1
NEAR_A = 0.01


class Lakeshore643(SimulatedInstrument):
    """`trip` lights bits of the hardware or operational error register: the supply then goes to zero by itself."""

    framing = staticmethod(scpi.LF)

    def __init__(self, magnet: Magnet) -> None:
        super().__init__()
        self.magnet = magnet
        self.hardware = self.operational = 0
        self._set_a = 0.0
        self._rate, self._limit = 1.0, (MOST_A, FASTEST_A_S)
        self._switches = {"RSEG": "0", "XPGM": "0", "MODE": "1", "INTWTR": "2", "MAGWTR": "2", "LOCK": "0,123"}
        self._events = POWER_ON

    def trip(self, *, hardware: int = 0, operational: int = 0) -> None:
        self.hardware |= hardware
        self.operational |= operational
        self._go(0.0)

    def answer(self, message: bytes) -> bytes:
        try:
            line = scpi.text(message).upper()
        except Malformed:
            return b""
        answers = [answer for unit in line.split(";") if unit.strip() and (answer := self._obey(unit.strip()))]
        return (";".join(answers) + "\r\n").encode("ascii") if answers else b""

    def _obey(self, unit: str) -> str:
        header, _, argument = unit.partition(" ")
        try:
            if header.endswith("?"):
                return self._tell(header.removesuffix("?"))
            self._do(header, [scpi.number(part.strip()) for part in argument.split(",") if part.strip()])
        except Malformed:
            self._events |= EXECUTION_ERROR
        except KeyError:
            self._events |= COMMAND_ERROR
        return ""

    def _tell(self, name: str) -> str:
        match name:
            case "*IDN":
                return "LSCI,MODEL643,LSA2643,1.2/1.0"
            case "*ESR":
                events, self._events = self._events, 0
                return str(events)
            case "*STB" | "*TST":
                return "0"
            case "SETI":
                return f"{self._set_a:+.4f}"
            case "RDGI":
                return f"{self.magnet.read().current_a:+.4f}"
            case "RDGV":
                return f"{self.magnet.read().voltage_v:+.4f}"
            case "RATE":
                return f"{self._rate:.4f}"
            case "LIMIT":
                return ",".join(f"{limit:.4f}" for limit in self._limit)
            case "ERST" | "ERSTR":
                return f"{self.hardware},{self.operational}"
            case "OPST" | "OPSTR":
                return str(RAMP_DONE if abs(self.magnet.read().current_a - self._set_a) < NEAR_A else 0)
        return self._switches[name]

    def _do(self, name: str, values: list[float]) -> None:
        match name, values:
            case "*CLS", []:
                self._events = 0
            case "SETI", [current]:
                self._set_current(current)
            case "RATE", [rate]:
                if not SLOWEST_A_S <= rate <= self._limit[1]:
                    raise Malformed("rate")
                self._rate = rate
            case "LIMIT", [most, fastest]:
                if not (0 <= most <= MOST_A and SLOWEST_A_S <= fastest <= FASTEST_A_S):
                    raise Malformed("limit")
                self._limit = (most, fastest)
                self._rate = min(self._rate, fastest)
            case "STOP", []:
                self._set_a = self.magnet.read().current_a
                self._go(self._set_a)
            case "RSEG" | "XPGM" | "MODE" | "INTWTR" | "MAGWTR", [value]:
                self._switches[name] = str(int(value))
            case "LOCK", [_, _]:
                pass
            case _:
                raise KeyError(name)

    def _set_current(self, current: float) -> None:
        if abs(current) > self._limit[0] or self.hardware or self.operational:
            raise Malformed("current")
        self._set_a = current
        if self._switches["XPGM"] != "1":
            self._go(current)

    def _go(self, current: float) -> None:
        self._set_a = current
        self.magnet.ramp(current, SEGMENT_RATE_A_S if self._switches["RSEG"] == "1" else self._rate)
