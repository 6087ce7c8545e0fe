"""An AJA DCXS magnetron supply as seen from the wire, with one gun and its shutter connected.

Source: PyMeasure's driver and its tests.  Assumed, because nothing public says: the fault
codes, what the unit does with a set-point beyond 1000, and ``P0`` / ``P1`` for the active gun's shutter.
Not simulated: the ramp, shutter-delay and deposition timers (they are kept and read back), and regulation by
voltage or current (the gun then gets no power).
"""

from __future__ import annotations

from typing import Protocol

from drivers.wire import dcxs
from simulators.instrument import SimulatedInstrument


class Reading(Protocol):
    on: bool
    lit: bool
    power_w: float
    voltage_v: float
    current_a: float
    tripped: bool


class Magnetron(Protocol):
    """The part of the world on the supply's output cable."""

    shutter_open: bool

    def set_power(self, watts: float) -> None: ...
    def set_output(self, on: bool) -> None: ...
    def set_shutter(self, open_: bool) -> None: ...
    def read(self) -> Reading: ...


POWER_UP = b">>>"
MAX_SET_POINT = 1000
TRIPPED = b"1"

_COMMAND_LENGTHS = {b"C": 5, b"D": 2, b"E": 3, b"F": 3, b"G": 4, b"H": 3, b"I": 9, b"P": 2, b"Z": 2}
_TIMERS = {b"E": b"g", b"F": b"h", b"G": b"i", b"H": b"j"}


def _framing(buffer: bytes) -> int | None:
    length = _COMMAND_LENGTHS.get(buffer[:1], 1)
    return length if len(buffer) >= length else None


class Dcxs(SimulatedInstrument):
    """`gun` is what its output drives; `active_gun` is the position (1-5) on the multiplexer."""

    framing = staticmethod(_framing)

    def __init__(self, gun: Magnetron, model: str = "DCXS750-4", *, active_gun: int = 1) -> None:
        super().__init__()
        if len(model) != 9:
            raise ValueError(f"the model text has 9 characters, not {model!r}")
        self.gun = gun
        self.model = model
        self.active_gun = active_gun
        self._greeted = False
        self._mode = 0
        self._set_point = 0
        self._timers = {b"g": b"00", b"h": b"00", b"i": b"000", b"j": b"00"}
        self._material = b" " * 8

    def greeting(self) -> bytes:
        super().greeting()
        greeting, self._greeted = b"" if self._greeted else POWER_UP, True
        return greeting

    def answer(self, message: bytes) -> bytes:
        letter, argument = message[:1], message[1:]
        if letter == b"?" or letter.islower():
            return self._report(letter)
        self._carry_out(letter, argument)
        return b""

    def _report(self, letter: bytes) -> bytes:
        match letter:
            case b"a":
                return b"1" if self._on() else b"0"
            case b"d":
                return self._digits(self.gun.read().power_w)
            case b"e":
                return self._digits(self.gun.read().voltage_v)
            case b"f":
                return self._digits(1000 * self.gun.read().current_a)
            case b"o":
                return TRIPPED if self.gun.read().tripped else b"0"
            case b"p":
                return dcxs.mask([self.active_gun] if self.gun.shutter_open else [])
            case b"b":
                return self._digits(self._set_point)
            case b"c":
                return dcxs.digits(self._mode, 1)
            case b"k":
                return b"000"
            case b"l":
                return b"00"
            case b"n":
                return self._material
            case b"y":
                return dcxs.digits(self.active_gun, 1)
            case b"z":
                return b"1.04 "
            case b"?":
                return self.model.encode("ascii")
        return self._timers.get(letter, b"")

    def _carry_out(self, letter: bytes, argument: bytes) -> None:
        if letter == b"A":
            self.gun.set_output(True)
        elif letter == b"B":
            self.gun.set_output(False)
        elif letter == b"I":
            self._material = argument
        elif not argument.isdigit():
            return
        elif letter == b"C" and int(argument) <= MAX_SET_POINT:
            self._set_point = int(argument)
            self._drive()
        elif letter == b"D" and int(argument) <= 2:
            self._mode = int(argument)
            self._drive()
        elif letter == b"P" and argument in (b"0", b"1"):
            self.gun.set_shutter(argument == b"1")
        elif letter == b"Z" and 1 <= int(argument) <= dcxs.GUNS and not self._on():
            self.active_gun = int(argument)
        elif letter in _TIMERS and not self._on():
            self._timers[_TIMERS[letter]] = argument

    def _on(self) -> bool:
        reading = self.gun.read()
        return reading.on and not reading.tripped

    def _drive(self) -> None:
        self.gun.set_power(self._set_point if self._mode == 0 else 0)

    @staticmethod
    def _digits(value: float) -> bytes:
        return dcxs.digits(min(max(round(value), 0), 9999), 4)
