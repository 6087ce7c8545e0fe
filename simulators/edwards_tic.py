"""An Edwards TIC as seen from the wire: with one gauge, or with its turbo pump.

Source: Edwards serial protocol as driven by edwardsserial.  Not simulated: backing pump, relays and gas types.
"""

from __future__ import annotations

from typing import Any, Protocol

from drivers.wire import edwards
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument

BAD_COMMAND, BAD_QUERY, MISSING, RANGE, WRONG_STATE = 1, 2, 3, 4, 5
PASCAL = "59"


class Tic(SimulatedInstrument):
    framing = staticmethod(edwards.LINE)

    def answer(self, message: bytes) -> bytes:
        try:
            asked = edwards.parse_message(message)
        except Malformed:
            return b""
        kind = asked.operation[1]
        if asked.operation == "?S" and asked.object == 902:
            return edwards.answer("S", 902, "TIC Turbo & Instrument Controller", "D39700640F", "042345601", "D39700640")
        if asked.operation == "?V" and (values := self.values(asked.object)) is not None:
            return edwards.answer("V", asked.object, *values)
        if asked.operation == "?S" and (setup := self.setup(asked.object, asked.data)) is not None:
            return edwards.answer("S", asked.object, *setup)
        error = self.obey(asked.object, asked.data) if asked.operation == "!C" else BAD_QUERY
        return edwards.refusal(kind, asked.object, error)

    def values(self, object_: int) -> tuple[str, ...] | None:
        return None

    def setup(self, object_: int, data: str) -> tuple[str, ...] | None:
        return None

    def obey(self, object_: int, data: str) -> int:
        return BAD_COMMAND


class VacuumGauge(Protocol):
    """The part of the world at its flange."""

    def read_pa(self) -> float: ...


class TicGauge(Tic):
    """`state` and `alert` are what the gauge says of itself; channels 2 and 3 have none."""

    def __init__(self, gauge: VacuumGauge, *, range_pa: tuple[float, float] = (1e-7, 1.1e5)) -> None:
        super().__init__()
        self.gauge = gauge
        self.range_pa = range_pa
        self.state = 11
        self.alert = 0

    def values(self, object_: int) -> tuple[str, ...] | None:
        if object_ in (914, 915):
            return ("9.9000e+09", PASCAL, "0", "6", "0")
        if object_ != 913:
            return None
        pressure, (low, high) = self.gauge.read_pa(), self.range_pa
        alert = self.alert or (4 if pressure < low else 3 if pressure > high else 0)
        return (f"{min(max(pressure, low), high):.4e}", PASCAL, str(self.state), str(alert), "0")

    def setup(self, object_: int, data: str) -> tuple[str, ...] | None:
        return ("5", "15") if object_ == 913 and data == "5" else None

    def obey(self, object_: int, data: str) -> int:
        if object_ != 913:
            return BAD_COMMAND
        if data not in ("0", "1"):
            return RANGE if data else MISSING
        self.state = 11 if data == "1" else 5
        return 0


class Turbo(Protocol):
    """The part of the world that it drives."""

    def set_running(self, on: bool) -> None: ...
    def read(self) -> Any: ...


class TicTurbo(Tic):
    """`parallel`: somebody has taken it under parallel control."""

    def __init__(self, turbo: Turbo) -> None:
        super().__init__()
        self.turbo = turbo
        self.parallel = False

    def values(self, object_: int) -> tuple[str, ...] | None:
        reading = self.turbo.read()
        running = 4 if reading.speed >= 0.99 else 5
        stopping = 6 if reading.trouble else 7 if reading.speed > 0.01 else 0
        told = {
            904: str(running if reading.running else stopping),
            905: f"{100 * reading.speed:.1f}",
            906: f"{reading.power_w:.1f}",
            907: "4" if reading.speed >= 0.8 else "0",
            908: "0",
        }
        if object_ not in told:
            return None
        return (told[object_], "25" if reading.trouble else "0", "3" if reading.trouble else "0")

    def setup(self, object_: int, data: str) -> tuple[str, ...] | None:
        return ("3", "3") if object_ == 904 and data == "3" else None

    def obey(self, object_: int, data: str) -> int:
        if object_ != 904:
            return BAD_COMMAND
        if self.parallel:
            return WRONG_STATE
        if data not in ("0", "1"):
            return RANGE if data else MISSING
        self.turbo.set_running(data == "1")
        return 0
