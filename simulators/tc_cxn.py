"""A T&C AG-series CXN RF generator with a tuner, as seen from the wire.

Source: PyMeasure's driver and its tests.  Assumed: a set without control is refused, and the answer to ``GT`` has ten
bytes.  Not simulated: pulsing, ramps, presets and the manual tuner.

Its watchdog counts the *machine's* seconds, also in a rehearsal, where lab time runs faster: what it watches for is
a host that is dead, and a host does not scale.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from drivers.wire import cxn
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Magnetron(Protocol):
    """The part of the world on its output cable."""

    def set_power(self, watts: float) -> None: ...
    def set_output(self, on: bool) -> None: ...
    def read(self) -> Any: ...


class Clock(Protocol):
    def now(self) -> float: ...
    def real_s(self, lab_s: float) -> float: ...


WATCHDOG_S = 2.0
MOST_W = 300
MATCHED_PERMILLE = 10
GRANT = 0x5555


class Cxn(SimulatedInstrument):
    """`tick` gives the machine's seconds."""

    framing = staticmethod(cxn.host_framing)

    def __init__(self, gun: Magnetron, clock: Clock, *, tick: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.gun = gun
        self.controlled = False
        self.set_point_w = 0
        self.interlock_open = False
        self._clock, self._tick = clock, tick
        self._heard = tick()

    # --- the dead man's switch --------------------------------------------------------------------------

    def due(self) -> float | None:
        if not self.controlled:
            return None
        remaining = WATCHDOG_S - (self._tick() - self._heard)
        return self._clock.now() + max(0.0, remaining) / self._clock.real_s(1.0)

    def speak(self) -> bytes:
        self._watch()
        return b""

    def _watch(self) -> None:
        if self.controlled and self._tick() - self._heard >= WATCHDOG_S:
            self._lose_control()

    def _lose_control(self) -> None:
        """RF off and the set point gone."""
        self.controlled = False
        self.set_point_w = 0
        self.gun.set_output(False)
        self.gun.set_power(0)

    # --- commands ---------------------------------------------------------------------------------------

    def answer(self, message: bytes) -> bytes:
        try:
            asked = cxn.parse_command(message)
        except Malformed:
            return b""
        self._watch()
        self._heard = self._tick()
        data = self._report(asked)
        if data is not None:
            return cxn.answer(data)
        return cxn.ACCEPTED if self._obey(asked) else cxn.REFUSED

    def _obey(self, asked: cxn.Command) -> bool:
        if asked.letters == b"BP":
            return True
        if not self.controlled:
            return False
        if asked.letters == b"SA" and asked.p1 <= MOST_W:
            self.set_point_w = asked.p1
            self.gun.set_power(asked.p1)
            return True
        if asked.letters == b"BR" and asked.p1 in (0, GRANT):
            if asked.p1 and self.interlock_open:
                return False
            self.gun.set_output(bool(asked.p1))
            return True
        return False

    def _report(self, asked: cxn.Command) -> bytes | None:
        match asked.letters, asked.p1:
            case b"BC", wanted:
                return self._control(wanted == GRANT)
            case b"Gi", 1:
                return b"\x01\x00AG 0313 GTC  \x00"
            case b"Gi", 2:
                return b"\x01\x00A1234567     \x00"
            case b"Gf", _:
                return bytes([1, 4, 2, 7])
            case b"GL", _:
                return self._words(10 * self.set_point_w)
            case b"GP", _:
                return self._power()
            case b"GS", _:
                return self._words(self._bits(), 314, 1, 4)
            case b"GT", _:
                reading = self.gun.read()
                return self._words(0, 500, 500, 0.4 * reading.voltage_v if reading.lit else 0, 0)
            case b"Gp", _:
                return self._words(0, 10 * MOST_W, *[0] * 7, 10 * 60, 0)
            case b"GF", _:
                return (13_560_000).to_bytes(4, "big")
        return None

    def _control(self, wanted: bool) -> bytes:
        if not wanted and self.controlled:
            self._lose_control()
        self.controlled = wanted
        return self._words(int(wanted))

    def _power(self) -> bytes:
        """Forward, reverse and load; without a plasma everything comes back."""
        reading = self.gun.read()
        if not reading.on:
            return self._words(0, 0, 0)
        if not reading.lit:
            return self._words(10 * self.set_point_w, 10 * self.set_point_w, 0)
        load = 10 * reading.power_w
        reverse = load * MATCHED_PERMILLE / 1000
        return self._words(load + reverse, reverse, load)

    def _bits(self) -> int:
        if self.interlock_open:
            self.gun.set_output(False)
        reading = self.gun.read()
        on = reading.on and not reading.tripped
        return int(on) | int(reading.tripped) << 10 | int(self.interlock_open) << 11

    @staticmethod
    def _words(*values: float) -> bytes:
        return b"".join(min(max(round(value), 0), 0xFFFF).to_bytes(2, "big") for value in values)
