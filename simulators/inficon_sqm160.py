"""An Inficon SQM-160 film-thickness monitor with one sensor connected, as seen from the wire.

Source: PyMeasure, PyExpLabSys and SweepMe drivers and their tests.  Film thickness comes from areal mass,
density and tooling of the selected film; the Z-match correction (below 1 % for a night's load) is left out.
Assumed: defaults of the film table and of the system parameters ``B`` and ``C``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Protocol

from drivers.wire import sqm160
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Reading(Protocol):
    frequency_hz: float
    life_pct: float
    areal_mass_ug_cm2: float
    areal_rate_ug_cm2_s: float
    failed: bool


class Crystal(Protocol):
    """The part of the world at its sensor and its shutter relay."""

    substrate_shutter_open: bool

    def set_substrate_shutter(self, open_: bool) -> None: ...
    def read(self) -> Reading: ...


ANGSTROM_PER_UG_CM2 = 100.0
"""Thickness of 1 ug/cm2 at 1 g/cm3."""

OK, INVALID_COMMAND, BAD_DATA = "A", "C", "D"


@dataclass(frozen=True)
class Film:
    """One of the 99 film programs, in the order of its wire fields."""

    name: str = ""
    density_g_cc: float = 2.7
    tooling_pct: float = 100.0
    z_ratio: float = 1.0
    final_ka: float = 0.0
    set_point_ka: float = 0.0
    time_s: float = 0.0
    sensors: int = 1

    def fields(self) -> str:
        return (
            f"{self.name:<8} {self.density_g_cc:.2f} {self.tooling_pct:.0f} {self.z_ratio:.3f} "
            f"{self.final_ka:.3f} {self.set_point_ka:.3f} {self.time_s:.0f} {self.sensors}"
        )

    @classmethod
    def parse(cls, text: str) -> Film:
        """Raises `ValueError` for fields that are missing, not numbers, or out of range."""
        name, *fields = text.rsplit(None, 7)
        density, tooling, z_ratio, final, set_point, time_s = map(sqm160.parse_number, fields[:6])
        film = cls(name.strip(), density, tooling, z_ratio, final, set_point, time_s, int(fields[6]))
        if not (0.4 <= density <= 99.99 and 10 <= tooling <= 999 and 0.1 <= z_ratio <= 10 and len(name) <= 8):
            raise Malformed(f"{text!r} is out of range")
        return film


class Sqm160(SimulatedInstrument):
    """`sensors` is the number of channels fitted (2 or 6); the crystal is on channel 1."""

    framing = staticmethod(sqm160.host_framing)

    def __init__(self, crystal: Crystal, *, sensors: int = 2) -> None:
        super().__init__()
        self.crystal = crystal
        self.sensors = sensors
        self._films = {number: Film() for number in range(1, 100)}
        self._film = 1
        self._system = {"B": "0.25 0 0 0 8 100 100 100 100 100 100", "C": "5.000 6.000 -99 999 0 999 0"}
        self.power_cycle()

    def power_cycle(self) -> None:
        """What a mains dip does: films are kept, the relay drops, thickness restarts, ``Y`` tells."""
        self._was_reset = True
        self.crystal.set_substrate_shutter(False)
        self._zero = self.crystal.read().areal_mass_ug_cm2

    def answer(self, message: bytes) -> bytes:
        try:
            text = sqm160.parse_request(message)
        except Malformed:
            return b""  # a frame with a wrong checksum is not answered
        try:
            return sqm160.reply(OK, self._obey(text))
        except _UnknownCommandError:
            return sqm160.reply(INVALID_COMMAND)
        except ValueError:
            return sqm160.reply(BAD_DATA)

    def _obey(self, text: str) -> str:
        letter, argument = text[0], text[1:]
        match letter:
            case "@":
                return "MON Ver 4.13"
            case "A":
                return self._film_program(argument)
            case "B" | "C":
                if argument != "?":
                    self._system[letter] = " ".join(f"{sqm160.parse_number(w):g}" for w in argument.split())
                return self._system[letter]
            case "D":
                self._film = self._number(argument, 99)
                return ""
            case "J":
                return str(self.sensors)
            case "L" | "N" | "P" | "R":
                return self._sensor(letter, self._number(argument.rstrip("?"), self.sensors))
            case "M" | "O":
                return self._sensor("L" if letter == "M" else "N", 1)
            case "S":
                self._zero = self.crystal.read().areal_mass_ug_cm2
                return ""
            case "T":
                return ""
            case "U":
                return self._relay(argument)
            case "W":
                return self._everything()
            case "Y":
                flag, self._was_reset = self._was_reset, False
                return str(int(flag))
            case "Z":
                self._films = {number: Film() for number in self._films}
                self._film = 1
                return ""
        raise _UnknownCommandError(text)

    def _film_program(self, argument: str) -> str:
        split = re.fullmatch(r"(\d{1,2})(.*)", argument)
        if not split:
            raise Malformed(argument)
        number = self._number(split[1], 99)
        if split[2] != "?":
            self._films[number] = replace(Film.parse(split[2]))
            return ""
        return self._films[number].fields()

    def _sensor(self, letter: str, sensor: int) -> str:
        rate, thickness, frequency, life = self._channel(sensor)
        match letter:
            case "L":
                return f"{rate:5.2f}"
            case "N":
                return f"{thickness:6.3f}"
            case "P":
                return f"{frequency:.3f}"
        return f"{life:.1f}"

    def _everything(self) -> str:
        fields = ["00.00"]
        for sensor in range(1, self.sensors + 1):
            rate, thickness, frequency, _ = self._channel(sensor)
            fields += [f"{rate:.2f}", f"{thickness:.3f}", f"{frequency:.3f}"]
        return " ".join(fields)

    def _channel(self, sensor: int) -> tuple[float, float, float, float]:
        """Rate A/s, thickness kA, frequency Hz and life % of one channel; an empty one reads zero."""
        if sensor != 1:
            return 0.0, 0.0, 0.0, 0.0
        reading = self.crystal.read()
        film = self._films[self._film]
        scale = ANGSTROM_PER_UG_CM2 * film.tooling_pct / 100 / film.density_g_cc
        thickness = (reading.areal_mass_ug_cm2 - self._zero) * scale / 1000
        if reading.failed:
            return 0.0, thickness, 0.0, 0.0
        return reading.areal_rate_ug_cm2_s * scale, thickness, reading.frequency_hz, reading.life_pct

    def _relay(self, argument: str) -> str:
        if argument == "?":
            return str(int(self.crystal.substrate_shutter_open))
        if argument not in ("0", "1"):
            raise Malformed(argument)
        self.crystal.set_substrate_shutter(argument == "1")
        return ""

    @staticmethod
    def _number(argument: str, highest: int) -> int:
        if not argument.isdigit() or not 1 <= int(argument) <= highest:
            raise Malformed(argument)
        return int(argument)


class _UnknownCommandError(Exception):
    """A command letter that the unit does not have."""
