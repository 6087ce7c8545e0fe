"""An Arduino Mega as relay box and interlock reader, with the firmware of a published sputter tool.

USB serial, 9600 8N1, lines of text.  Opening the port resets the board: it needs seconds to answer, and says lines
that nobody asked for (``ARDUINO_READY``, ``AUTO_SAFETY: ...``).  Its four inputs read 1 when safe, so that a broken
wire reads unsafe; the first three (door, water, load-lock arm) make the firmware itself drop relay 1, the mains.

Source: ``relay_controller.ino`` of HelloThereMatey/mag_sputter_tool.  Unverified on hardware.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from ophyd import Component as Cpt

from drivers.errors import Garbled, NoReply, Refused, WrongInstrument
from drivers.instrument import Reading
from drivers.link import Link, SerialLink, listen_out
from drivers.relays import RelayBox
from drivers.wire.framing import until

T = TypeVar("T")

LINE = until(b"\n")
INPUTS = ("door", "water", "load-lock arm", "input 4")
MAINS = 1
"""The relay that the firmware drops by itself; nothing here switches it."""
UNASKED = 60
"""Lines that nobody asked for to pass over before the answer: its start alone has about thirty."""
ALARMS = ("AUTO_SAFETY", "CRITICAL_SAFETY_ERROR", "ARDUINO_SAFETY_HALT")


class ArduinoRelays(RelayBox):
    """`watched` inputs (a text such as "1 2 3") are an interlock: one that is open is a fault.

    `boot_s`: real seconds that the board may need after its port was opened.
    """

    driver = "arduino-relays"
    framing = staticmethod(LINE)
    count = 23

    inputs = Cpt(Reading, value="")

    def __init__(self, *args: Any, watched: str = "1 2 3", boot_s: float = 4.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watched = [int(number) for number in str(watched).split()]
        self._boot_s = boot_s
        self._alarm = ""
        self._open: list[str] = []

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=9600, timeout_s=timeout_s)

    def identify(self) -> str:
        """Relays and inputs, once it has started.  `WrongInstrument`, `LinkError`."""
        started_by = time.monotonic() + self._boot_s
        while True:
            try:
                self.refresh()
                break
            except NoReply:
                if time.monotonic() > started_by:
                    raise
            except (Garbled, Refused) as error:
                raise WrongInstrument(f"{error}; is this the relay box?") from error
        on = self.energised.get() or "none"
        return f"Arduino relay box, {self.count} relays, on: {on}, inputs {self.inputs.get()}"

    def refresh(self) -> None:
        safe = self._bits("GET_DIGITAL_INPUTS", "DIGITAL_INPUTS:", len(INPUTS))
        self.inputs.update(" ".join("safe" if bit else "open" for bit in safe))
        self._open = [INPUTS[number - 1] for number in self._watched if not safe[number - 1]]
        super().refresh()

    def _complaint(self) -> str:
        """What the firmware said of an interlock holds until somebody has switched the mains on again."""
        if MAINS in (self._energised or ()):
            self._alarm = ""
        words = [f"interlock open: {', '.join(self._open)}"] if self._open else []
        return "; ".join([*words, *([self._alarm] if self._alarm else [])])

    def claim(self, number: int) -> None:
        if number == MAINS:
            raise Refused(f"{self.name}: relay {MAINS} is the mains, which its firmware drops; give another")
        super().claim(number)

    def _read_energised(self) -> frozenset[int]:
        bits = self._bits("STATUS", "STATUS:", self.count)
        return frozenset(number for number, on in enumerate(bits, 1) if on)

    def _drive(self, number: int, on: bool) -> None:
        if number == MAINS:
            raise Refused(f"{self.name}: relay {MAINS} is the mains, which is not switched from here")
        command = f"RELAY_{number}_{'ON' if on else 'OFF'}"
        self.link.drain()
        self.link.send(command.encode("ascii") + b"\n")
        if (answer := self._line(command, ("OK", "ERROR"))) != "OK":
            raise Refused(f"{self.name}: {command!r} was refused with {answer!r}")

    # --- wire -----------------------------------------------------------------------------------------

    def _bits(self, command: str, head: str, count: int) -> list[bool]:
        def converse() -> list[bool]:
            self.link.drain()
            self.link.send(command.encode("ascii") + b"\n")
            line = self._line(command, (head, "ERROR"))
            if not re.fullmatch(f"{head}[01](,[01]){{{count - 1}}}", line):
                kind = Refused if line == "ERROR" else Garbled
                raise kind(f"{self.name}: answer to {command!r}: {line!r} is not {count} bits")
            return [bit == "1" for bit in line.removeprefix(head).split(",")]

        return self._again(converse)

    def _again(self, converse: Callable[[], T]) -> T:
        try:
            return converse()
        except NoReply:
            pass
        except Garbled:
            listen_out(self.link)
        return converse()

    def _line(self, command: str, heads: tuple[str, ...]) -> str:
        """The first line that begins with one of `heads`; alarms among those before are remembered."""
        said = ""
        for _ in range(UNASKED):
            try:
                said = self.link.receive(LINE).decode("ascii", "replace").strip("\r\n \0\ufffd")
            except NoReply as error:
                raise NoReply(f"{self.name}: {error} after {command.encode()!r}") from error
            if said.startswith(heads):
                return said
            if said.startswith(ALARMS):
                self._alarm = said
        raise Garbled(f"{self.name}: no answer to {command.encode()!r}, the last line was {said!r}")
