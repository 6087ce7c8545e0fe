"""What the lock-in amplifiers of Stanford Research Systems have in common.

Set commands are silent, also when they are refused: each is followed in the same message by its own query and by
``*ESR?``.  Overloads are latched in ``LIAS?`` until it is read.
"""

from __future__ import annotations

from typing import ClassVar

from ophyd import Component as Cpt

from drivers.errors import Garbled, Refused, WrongInstrument
from drivers.instrument import Reading, Setting
from drivers.link import read_twice
from drivers.scpi_asking import ScpiAsking
from drivers.wire import scpi
from drivers.wire.framing import Framing

EXECUTION_ERROR, COMMAND_ERROR = 1 << 4, 1 << 5  # *ESR? bits


class SrsLockIn(ScpiAsking):
    """Subclasses give the model's tables, and the settings `sensitivity` and `time_constant` with their choices."""

    role = "signal"
    model: ClassVar[str]
    sensitivities_v: ClassVar[tuple[float, ...]]
    time_constants_s: ClassVar[tuple[float, ...]]
    sensitivity_command: ClassVar[str]
    snapshot_query: ClassVar[str]
    overloads: ClassVar[int]  # LIAS? bits
    unlocked: ClassVar[int]

    x = Cpt(Reading, units="V", precision=9)
    y = Cpt(Reading, units="V", precision=9)
    overload = Cpt(Reading, value=0, precision=0)
    fault = Cpt(Reading, value="")

    end = b"\n"

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        (identity,) = self._query(*self._first_words(), "*IDN?")
        if not identity.startswith(f"Stanford_Research_Systems,{self.model},"):
            raise WrongInstrument(f"{self.name}: {self.link.address} is no {self.model}, it says {identity!r}")
        sensitivity, time_constant, _ = self._query("*CLS", f"{self.sensitivity_command}?", "OFLT?", "LIAS?")
        self.sensitivity.update(self._choice(self.sensitivities_v, sensitivity))
        self.time_constant.update(self._choice(self.time_constants_s, time_constant))
        return identity

    def refresh(self) -> None:
        x, y, status = read_twice(self._snapshot)
        self.x.update(x)
        self.y.update(y)
        self.overload.update(1 if status & self.overloads else 0)
        self.fault.update("reference unlocked" if status & self.unlocked else "")

    def make_safe(self) -> None:
        """A lock-in drives nothing that could do harm: every state is safe."""

    def _first_words(self) -> tuple[str, ...]:
        """What must be said before the first query is answered here."""
        return ()

    def _snapshot(self) -> tuple[float, float, int]:
        """X and Y at one instant, and what has happened since it was last asked."""
        snapshot, status = self._ask(self.snapshot_query, "LIAS?")
        try:
            x, y = (scpi.number(part.strip()) for part in snapshot.split(","))
            return x, y, scpi.integer(status)
        except ValueError as error:
            asked = f"{self.snapshot_query};LIAS?"
            raise Garbled(f"{self.name}: {snapshot!r}, {status!r} in answer to {asked}") from error

    def _write_sensitivity(self, volts: float) -> None:
        self._choose(self.sensitivity_command, self.sensitivities_v, self.sensitivity, volts)

    def _write_time_constant(self, seconds: float) -> None:
        self._choose("OFLT", self.time_constants_s, self.time_constant, seconds)

    def _choose(self, mnemonic: str, choices: tuple[float, ...], setting: Setting, value: float, *further: str) -> None:
        """Set (and what goes with it), and read back with the errors."""
        command = f"{mnemonic} {choices.index(value)}"
        found, events = self._ask(command, *further, f"{mnemonic}?", "*ESR?")
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

    def _framing(self, queries: int) -> Framing:
        return scpi.answers(queries, self.end)


def is_serial(address: str) -> bool:
    """Whether a VISA resource is a serial port."""
    return address.upper().startswith("ASRL")
