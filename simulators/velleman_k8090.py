"""A Velleman K8090 relay card as seen from the wire.

Source: Velleman K8090 protocol manual as driven by PyMeasure, and its tests.  Not simulated: timers and jumpers.
"""

from __future__ import annotations

from typing import Protocol

from drivers.wire import k8090
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Panel(Protocol):
    """What hangs on its relays."""

    def set_relay(self, number: int, on: bool) -> None: ...


FIRMWARE = 0x71
RELAY_EVENT, BUTTON_EVENT = 0x51, 0x50
YEAR, WEEK = 10, 1


class K8090(SimulatedInstrument):
    """It tells of a change of relays, and is silent about a command that changes none."""

    framing = staticmethod(k8090.framing)

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self.panel = panel
        self.on = 0
        self.stuck: set[int] = set()

    def answer(self, message: bytes) -> bytes:
        try:
            asked = k8090.unpack(message)
        except Malformed:
            return b""
        match asked.command:
            case 0x11:
                return self._switch(self.on | asked.mask)
            case 0x12:
                return self._switch(self.on & ~asked.mask)
            case 0x14:
                return self._switch(self.on ^ asked.mask)
            case 0x18:
                return self._event(self.on)
            case 0x71:
                return k8090.pack(k8090.Packet(FIRMWARE, 0xFF, YEAR, WEEK))
        return b""

    def press(self, number: int) -> bytes:
        """Somebody presses the button of a relay: what the card says unasked."""
        bit = k8090.mask([number])
        pressed = k8090.pack(k8090.Packet(BUTTON_EVENT, bit, bit, 0))
        return pressed + self._switch(self.on ^ bit) + k8090.pack(k8090.Packet(BUTTON_EVENT, 0, 0, bit))

    def _switch(self, wanted: int) -> bytes:
        before = self.on
        for number in sorted(k8090.numbers(before ^ wanted)):
            if number not in self.stuck:
                self.on ^= k8090.mask([number])
                self.panel.set_relay(number, bool(self.on & k8090.mask([number])))
        return self._event(before) if self.on != before else b""

    def _event(self, before: int) -> bytes:
        return k8090.pack(k8090.Packet(RELAY_EVENT, before, self.on, 0))
