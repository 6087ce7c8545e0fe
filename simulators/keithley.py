"""What Keithley's simulated instruments have in common: tables of SCPI headers, and an error queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument

OUT_OF_RANGE = (-222, "Parameter data out of range")
CONFLICT = (-221, "Settings conflict")
UNDEFINED = (-113, "Undefined header")


class Wrong(Exception):
    """A unit that cannot be carried out, by number and words."""


class Keithley(SimulatedInstrument):
    """Subclasses call `_understand` once, and take what goes wrong from `_errors`."""

    framing = staticmethod(scpi.LF)

    def __init__(self) -> None:
        super().__init__()
        self._errors: deque[tuple[int, str]] = deque()

    def _understand(
        self, queries: Mapping[str, Callable[[], str]], commands: Mapping[str, Callable[[str], None]]
    ) -> None:
        """Headers as the manual writes them -> what is done; in all their spellings."""
        self._queries = {form: act for name, act in queries.items() for form in scpi.spellings(name)}
        self._commands = {form: act for name, act in commands.items() for form in scpi.spellings(name)}

    def answer(self, message: bytes) -> bytes:
        if not message.strip():
            return b""
        answers = []
        try:
            for unit in scpi.units(message):
                try:
                    answers += self._obey(unit)
                except Wrong as wrong:
                    self._errors.append(wrong.args[0])
                except Malformed:
                    self._errors.append((-104, "Data type error"))
        except Malformed:
            self._errors.append((-102, "Syntax error"))
        return (";".join(answers) + "\n").encode("ascii") if answers else b""

    def _obey(self, unit: scpi.Unit) -> list[str]:
        if unit.header not in (self._queries if unit.query else self._commands):
            raise Wrong(UNDEFINED)
        if unit.query:
            return [self._queries[unit.header]()]
        self._commands[unit.header](unit.argument)
        return []


def switch(argument: str) -> bool:
    """Raises `Malformed`."""
    if argument.upper() not in ("0", "1", "ON", "OFF"):
        raise Malformed(f"no switch: {argument!r}")
    return argument.upper() in ("1", "ON")
