"""An Arduino Mega with the relay firmware of a published sputter tool, as seen from the wire.

Source: ``relay_controller.ino`` of HelloThereMatey/mag_sputter_tool.  Not simulated: the analogue inputs' values.
"""

from __future__ import annotations

import re
from typing import Protocol

from drivers.wire.framing import until
from simulators.instrument import SimulatedInstrument


class Panel(Protocol):
    """What hangs on its relays, and its switches: True when closed, which is safe."""

    inputs: list[bool]

    def set_relay(self, number: int, on: bool) -> None: ...


RELAYS = 23
MAINS = 1


class ArduinoRelays(SimulatedInstrument):
    """`mains`: whether the mains relay is on at the start."""

    framing = staticmethod(until(b"\n"))

    def __init__(self, panel: Panel, *, mains: bool = True) -> None:
        super().__init__()
        self.panel = panel
        self.on = dict.fromkeys(range(1, RELAYS + 1), False)
        self.on[MAINS] = mains

    def greeting(self) -> bytes:
        """It starts when the port is opened, and keeps its relays."""
        super().greeting()
        states = [f"RELAY_{number}:{'ON' if on else 'OFF'}" for number, on in self.on.items()]
        return _lines("ARDUINO_READY", "INIT_STATUS_START", *states, "INIT_STATUS_END")

    def answer(self, message: bytes) -> bytes:
        safety = self._enforce()
        command = message.decode("ascii", "replace").strip()
        return safety + (_lines(*self._obey(command)) if command else b"")

    def _enforce(self) -> bytes:
        """The firmware drops the mains itself."""
        if all(self.panel.inputs[:3]) or not self.on[MAINS]:
            return b""
        self.on[MAINS] = False
        return _lines("AUTO_SAFETY: Mains power disabled - interlock violation detected")

    def _obey(self, command: str) -> list[str]:
        match command:
            case "STATUS":
                return ["STATUS:" + ",".join(str(int(on)) for on in self.on.values())]
            case "ALL_OFF":
                for number in self.on:
                    self._switch(number, False)
                return ["OK"]
            case "GET_DIGITAL_INPUTS":
                bits = ",".join(str(int(safe)) for safe in self.panel.inputs)
                return [f"DIGITAL_INPUTS:{bits}", "DEBUG - Raw pin readings: Pin45=0 Pin47=0 Pin49=0 Pin51=0 "]
            case "GET_ANALOG_INPUTS":
                return ["ANALOG_INPUTS:0,0,0,0"]
        found = re.fullmatch(r"RELAY_(\d+)_(ON|OFF)", command)
        if not found or not 1 <= int(found[1]) <= RELAYS:
            return ["ERROR"]
        return self._relay(int(found[1]), found[2] == "ON")

    def _relay(self, number: int, on: bool) -> list[str]:
        if number == MAINS and on and not all(self.panel.inputs[:3]):
            return ["MAINS_DEBUG: Rejected - interlocks not satisfied", "ERROR"]
        self._switch(number, on)
        return ["OK"]

    def _switch(self, number: int, on: bool) -> None:
        if self.on[number] != on:
            self.on[number] = on
            self.panel.set_relay(number, on)


def _lines(*said: str) -> bytes:
    return "".join(f"{line}\r\n" for line in said).encode("ascii")
