"""Stanford Research Systems SR830 lock-in amplifier.

Source: SR830 manual, chapter 5, as cited by the public drivers pymeasure and labmcp-srs-lockin.  Several
commands may share a line; each query of it is answered on its own line.  Unverified on hardware.
"""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt

from drivers.errors import Garbled, Refused, WrongInstrument
from drivers.instrument import Instrument, Reading, Setting
from drivers.link import Link, VisaLink, exchange, read_twice
from drivers.wire import scpi
from drivers.wire.errors import Malformed

SENSITIVITIES_V = tuple(
    float(f"{digit}e{decade}") for decade in range(-9, 1) for digit in (1, 2, 5) if (digit, decade) != (1, -9)
)[:27]
"""SENS 0 = 2 nV ... 26 = 1 V."""

TIME_CONSTANTS_S = tuple(float(f"{digit}e{decade}") for decade in range(-5, 5) for digit in (1, 3))
"""OFLT 0 = 10 us ... 19 = 30 ks."""

OVERLOADS = 0b0111  # LIAS? bits: input, filter, output
UNLOCKED = 0b1000
EXECUTION_ERROR, COMMAND_ERROR = 1 << 4, 1 << 5  # *ESR? bits


class Sr830(Instrument):
    """`interface` is where it is to answer, "gpib" or "rs232"; by default what the address says."""

    role = "signal"
    driver = "srs-sr830"

    sensitivity = Cpt(Setting, units="V", precision=9, write="_write_sensitivity", choices=SENSITIVITIES_V)
    time_constant = Cpt(Setting, units="s", precision=5, write="_write_time_constant", choices=TIME_CONSTANTS_S)
    x = Cpt(Reading, units="V", precision=9)
    y = Cpt(Reading, units="V", precision=9)
    overload = Cpt(Reading, value=0, precision=0)
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, interface: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        serial = interface == "rs232" if interface else _is_serial(self.link.address)
        self._outx = 0 if serial else 1
        self._end = b"\r" if serial else b"\n"

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """A VISA resource: GPIB (or a GPIB adapter's socket), answers ending with LF; serial, with CR."""
        return VisaLink(address, timeout_s=timeout_s, termination="\r" if _is_serial(address) else "\n")

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        (identity,) = self._query(f"OUTX {self._outx}", "*IDN?")
        if not identity.startswith("Stanford_Research_Systems,SR830,"):
            raise WrongInstrument(f"{self.name}: {self.link.address} is no SR830, it says {identity!r}")
        sensitivity, time_constant, _ = self._query("*CLS", "SENS?", "OFLT?", "LIAS?")
        self.sensitivity.update(self._choice(SENSITIVITIES_V, sensitivity))
        self.time_constant.update(self._choice(TIME_CONSTANTS_S, time_constant))
        return identity

    def refresh(self) -> None:
        x, y, status = read_twice(self._snapshot)
        self.x.update(x)
        self.y.update(y)
        self.overload.update(1 if status & OVERLOADS else 0)
        self.fault.update("reference unlocked" if status & UNLOCKED else "")

    def make_safe(self) -> None:
        """A lock-in drives nothing that could do harm: every state is safe."""

    def _snapshot(self) -> tuple[float, float, int]:
        """X and Y at one instant, and what has happened since it was last asked."""
        snapshot, status = self._ask("SNAP? 1,2", "LIAS?")
        try:
            x, y = (scpi.number(part.strip()) for part in snapshot.split(","))
            return x, y, scpi.integer(status)
        except ValueError as error:
            raise Garbled(f"{self.name}: {snapshot!r}, {status!r} in answer to SNAP? 1,2;LIAS?") from error

    def _write_sensitivity(self, volts: float) -> None:
        self._choose("SENS", SENSITIVITIES_V, self.sensitivity, volts)

    def _write_time_constant(self, seconds: float) -> None:
        self._choose("OFLT", TIME_CONSTANTS_S, self.time_constant, seconds)

    def _choose(self, mnemonic: str, choices: tuple[float, ...], setting: Setting, value: float) -> None:
        """Set, and read back with the errors: a set command is silent, also when it is refused."""
        command = f"{mnemonic} {choices.index(value)}"
        found, events = self._ask(command, f"{mnemonic}?", "*ESR?")
        if self._integer(events) & (EXECUTION_ERROR | COMMAND_ERROR):
            raise Refused(f"{self.name}: {command} refused, *ESR? says {events}")
        taken = self._choice(choices, found)
        setting.update(taken)
        if taken != value:
            raise Refused(f"{self.name}: {command} was to give {value:g}, the instrument keeps {taken:g}")

    def _choice(self, choices: tuple[float, ...], index: str) -> float:
        number = self._integer(index)
        if not 0 <= number < len(choices):
            raise Garbled(f"{self.name}: index {index!r} is none of its {len(choices)} ranges")
        return choices[number]

    def _integer(self, field: str) -> int:
        try:
            return scpi.integer(field)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error}") from error

    def _query(self, *units: str) -> list[str]:
        return read_twice(lambda: self._ask(*units))

    def _ask(self, *units: str) -> list[str]:
        message = scpi.message(*units)
        queries = sum("?" in unit for unit in units)
        reply = exchange(self.link, message, scpi.lines(queries, self._end))
        try:
            return scpi.fields(reply, queries)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to {message!r}") from error


def _is_serial(address: str) -> bool:
    return address.upper().startswith("ASRL")
