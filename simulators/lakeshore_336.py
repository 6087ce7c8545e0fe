"""A Lake Shore 336 as seen from the wire, with one heater and one sensor.

Source: Lake Shore 336 manual as driven by lakeshore, pymeasure and labmcp-lakeshore.  Not simulated: the other three
outputs, curves, zones and alarms.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from drivers.wire import scpi
from simulators.instrument import SimulatedInstrument


class Holder(Protocol):
    """The part of the world that it heats."""

    def set_target(self, celsius: float) -> None: ...
    def set_heating(self, on: bool) -> None: ...
    def read(self) -> Any: ...


KELVIN, CELSIUS = 1, 2
ZERO_C = 273.15
EXECUTION, COMMAND = 16, 32
HOTTEST_K = 1505.0


class Lakeshore336(SimulatedInstrument):
    """Sensor A and output 1; `units` are those of input A."""

    framing = staticmethod(scpi.LF)

    def __init__(self, holder: Holder, *, units: int = KELVIN) -> None:
        super().__init__()
        self.holder = holder
        self.units = units
        self.set_point_k = 0.0
        self.range = 0
        self.ramp = (0, 10.0)
        self.pid = (50.0, 20.0, 0.0)
        self.limit_k = 0.0
        self.heater_status = 0
        self._events = 0

    def answer(self, message: bytes) -> bytes:
        answers = []
        for part in message.decode("ascii", "replace").strip().split(";"):
            said = self._obey(part.strip(" :\r")) if part.strip() else None
            if said is not None:
                answers.append(said)
        return (";".join(answers) + "\r\n").encode("ascii") if answers else b""

    def _obey(self, text: str) -> str | None:
        head, _, rest = text.partition(" ")
        words = [word.strip().upper() for word in rest.split(",")] if rest.strip() else []
        try:
            if head.endswith("?"):
                return self._tell(head.upper(), words)
            self._set(head.upper(), words)
        except (KeyError, IndexError):
            self._events |= COMMAND
        except ValueError:
            self._events |= EXECUTION
        return None

    def _tell(self, head: str, words: list[str]) -> str:
        match head:
            case "*IDN?":
                return "LSCI,MODEL336,LSA1234/LSO5678,2.9"
            case "*ESR?":
                events, self._events = self._events, 0
                return f"{events:03d}"
            case "*OPC?":
                return "1"
        if head in ("KRDG?", "CRDG?", "SRDG?", "RDGST?", "INTYPE?", "INNAME?", "TLIMIT?"):
            if words[0] != "A":
                raise KeyError(words[0])
            return self._input(head)
        if words[0] != "1":
            raise KeyError(words[0])
        return self._output(head)

    def _input(self, head: str) -> str:
        reading = self.holder.read()
        kelvin = 0.0 if reading.broken else reading.temperature_c + ZERO_C
        return {
            "KRDG?": f"{kelvin:+.4f}",
            "CRDG?": f"{kelvin - ZERO_C:+.4f}",
            "SRDG?": f"{kelvin / 10:+.4f}",
            "RDGST?": f"{129 if reading.broken else 0:03d}",
            "INTYPE?": f"4,1,0,1,{self.units}",
            "INNAME?": "Substrate      ",
            "TLIMIT?": f"{self.limit_k:+.4f}",
        }[head]

    def _output(self, head: str) -> str:
        moving = self.ramp[0] and abs(self.holder.read().temperature_c + ZERO_C - self.set_point_k) > 0.5
        return {
            "SETP?": f"{self.set_point_k - (ZERO_C if self.units == CELSIUS else 0):+.4f}",
            "RANGE?": f"{self.range}",
            "HTR?": f"{100 * self.holder.read().power:+.1f}",
            "HTRST?": f"{self.heater_status}",
            "OUTMODE?": "1,1,0",
            "RAMP?": f"{self.ramp[0]},{self.ramp[1]:.1f}",
            "RAMPST?": f"{int(moving)}",
            "PID?": "{:+.1f},{:+.1f},{:+.1f}".format(*self.pid),
        }[head]

    def _set(self, head: str, words: list[str]) -> None:
        if head == "*CLS":
            self._events = 0
            return
        if head == "TLIMIT":
            self.limit_k = _number(words[1])
            return
        if words[0] != "1":
            raise KeyError(words[0])
        match head:
            case "SETP":
                kelvin = _number(words[1]) + (ZERO_C if self.units == CELSIUS else 0)
                if not 0 <= kelvin <= HOTTEST_K:
                    raise ValueError(words[1])
                self.set_point_k = kelvin
            case "RANGE":
                if words[1] not in "0123":
                    raise ValueError(words[1])
                self.range = int(words[1])
            case "RAMP":
                self.ramp = (int(_number(words[1])), _number(words[2]))
            case "PID":
                self.pid = (_number(words[1]), _number(words[2]), _number(words[3]))
            case _:
                raise KeyError(head)
        self.holder.set_target(self.set_point_k - ZERO_C)
        self.holder.set_heating(self.range > 0)


def _number(word: str) -> float:
    """Raises `ValueError`."""
    if not re.fullmatch(r"[+-]?\d+\.?\d*(E[+-]?\d+)?", word):
        raise ValueError(word)
    return float(word)
