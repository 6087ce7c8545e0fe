"""What the SR830 and the SR860 have in common on the wire: the grammar, the registers, switches and dials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Protocol

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument

UNLOCKED = 1 << 3  # LIAS?
EXECUTION_ERROR, COMMAND_ERROR, POWER_ON = 1 << 4, 1 << 5, 1 << 7  # *ESR?


class Detector(Protocol):
    """The part of the world at its input; the output filter is the detector's."""

    time_constant_s: float

    def read(self) -> tuple[float, float]: ...


class SrsLockIn(SimulatedInstrument):
    """A wrong command is silent, and sets a bit of ``*ESR?``.  Subclasses give the model's tables, `_line`, `_answers`
    and `_outputs`."""

    framing = staticmethod(scpi.any_end)

    command: ClassVar[re.Pattern[str]]  # mnemonic, question mark, argument
    fixed: ClassVar[Mapping[str, str]]  # query -> its only answer
    switches: ClassVar[Mapping[str, tuple[int, int]]]  # mnemonic: highest index, at power-up
    dials: ClassVar[Mapping[str, tuple[float, float, float]]]  # mnemonic: lowest, highest, at power-up
    dial_format: ClassVar[str]
    time_constants_s: ClassVar[tuple[float, ...]]
    autos: ClassVar[tuple[str, ...]]  # commands that are taken and change nothing here

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector
        self._events = POWER_ON
        self._latched = 0
        self._reset()

    def unlock(self) -> None:
        """The reference is lost."""
        self._latched |= UNLOCKED

    def answer(self, message: bytes) -> bytes:
        try:
            line = self._line(scpi.text(message).upper())
        except Malformed:
            return b""
        units = [unit.strip() for unit in line.split(";")]
        return self._answers([answer for unit in units if unit and (answer := self._obey(unit))])

    def _line(self, text: str) -> str:
        """`text` as it reads it."""
        return text

    def _answers(self, answers: list[str]) -> bytes:
        """What goes out."""
        raise NotImplementedError

    def _outputs(self, mnemonic: str, wanted: list[str]) -> str:
        """The outputs of the indices `wanted`, by OUTP or SNAP."""
        raise NotImplementedError

    def _obey(self, unit: str) -> str:
        found = self.command.fullmatch(unit)
        if found is None:
            self._events |= COMMAND_ERROR
            return ""
        mnemonic, query, argument = found[1], bool(found[2]), found[3].strip()
        if query:
            return self._tell(mnemonic, argument)
        if mnemonic == "*CLS":
            self._events = self._latched = 0
        elif mnemonic == "*RST":
            self._reset()
        elif mnemonic in self.switches or mnemonic in self.dials:
            self._set(mnemonic, argument)
        elif mnemonic not in self.autos:
            self._events |= COMMAND_ERROR
        return ""

    def _tell(self, mnemonic: str, argument: str) -> str:
        match mnemonic:
            case "*ESR":
                events, self._events = self._events, 0
                return str(events)
            case "LIAS":
                latched, self._latched = self._latched, 0
                return str(latched)
            case "OUTP" | "SNAP":
                return self._outputs(mnemonic, [index.strip() for index in argument.split(",")])
            case _ if mnemonic in self.fixed:
                return self.fixed[mnemonic]
            case _ if mnemonic in self.switches:
                return str(self._switches[mnemonic])
            case _ if mnemonic in self.dials:
                return format(self._dials[mnemonic], self.dial_format)
        self._events |= COMMAND_ERROR
        return ""

    def _set(self, mnemonic: str, argument: str) -> None:
        try:
            value = scpi.number(argument)
        except Malformed:
            self._events |= EXECUTION_ERROR
            return
        low, high = self.dials[mnemonic][:2] if mnemonic in self.dials else (0, self.switches[mnemonic][0])
        if not low <= value <= high:
            self._events |= EXECUTION_ERROR
        elif mnemonic in self.dials:
            self._dials[mnemonic] = value
        else:
            self._switches[mnemonic] = int(value)
            if mnemonic == "OFLT":
                self.detector.time_constant_s = self.time_constants_s[int(value)]

    def _reset(self) -> None:
        self._switches = {mnemonic: start for mnemonic, (_, start) in self.switches.items()}
        self._dials = {mnemonic: start for mnemonic, (_, _, start) in self.dials.items()}
        self.detector.time_constant_s = self.time_constants_s[self._switches["OFLT"]]
