"""Velleman K8090 / VM8090 relay card: eight relays.

USB serial, 19200 8N1.  The card answers a command only if a relay really changed, and speaks unasked when somebody
presses a button; so nothing is concluded from an answer to a command: the status is asked.

Source: Velleman K8090 protocol manual as driven by PyMeasure ``VellemanK8090``, and its tests.
Unverified on hardware.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from drivers.errors import Garbled, NoReply, WrongInstrument
from drivers.link import Link, SerialLink
from drivers.relays import RelayBox
from drivers.wire import k8090
from drivers.wire.errors import Malformed

T = TypeVar("T")

ON, OFF, QUERY, FIRMWARE = 0x11, 0x12, 0x18, 0x71
STATUS = 0x51
UNASKED = 8
"""Events of buttons and of earlier switching to pass over before the answer."""


class VellemanK8090(RelayBox):
    """The whole card."""

    driver = "velleman-k8090"
    framing = staticmethod(k8090.framing)
    count = k8090.RELAYS

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=19200, timeout_s=timeout_s)

    def identify(self) -> str:
        """Firmware, and which relays are on.  `WrongInstrument`, `LinkError`."""
        try:
            year, week = self._asked(FIRMWARE, FIRMWARE, lambda packet: (packet.p1, packet.p2))
        except Garbled as error:
            raise WrongInstrument(f"{error}; is this a K8090?") from error
        self.refresh()
        return f"Velleman K8090, firmware 20{year:02d} week {week}, relays on: {self.energised.get() or 'none'}"

    def _read_energised(self) -> frozenset[int]:
        return self._asked(QUERY, STATUS, lambda packet: k8090.numbers(packet.p1))

    def _drive(self, number: int, on: bool) -> None:
        self.link.drain()
        self.link.send(k8090.pack(k8090.Packet(ON if on else OFF, k8090.mask([number]))))

    def _asked(self, command: int, answered: int, read: Callable[[k8090.Packet], T]) -> T:
        """`read` of the first packet of kind `answered`; buttons may have been pressed meanwhile."""
        request = k8090.pack(k8090.Packet(command))
        packet = self._ask(request, k8090.unpack)
        for _ in range(UNASKED):
            if packet.command == answered:
                return read(packet)
            packet = self._next(request)
        raise Garbled(f"{self.name}: no answer of kind {answered:#04x} to {request!r}, the last was {packet}")

    def _next(self, request: bytes) -> k8090.Packet:
        try:
            return k8090.unpack(self.link.receive(self.framing))
        except NoReply as error:
            raise NoReply(f"{self.name}: {error} after {request!r}") from error
        except Malformed as error:
            raise Garbled(f"{self.name}: after {request!r}: {error}") from error
