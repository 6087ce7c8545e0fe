"""The simulated lab's wires without a wire: a link speaks to its instrument directly.

An instrument has one client, who comes last.  While somebody is connected it says by itself what is due.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.errors import Gone, NoReply
from drivers.wire.framing import Framing
from simulators.instrument import SimulatedInstrument
from simulators.lab import SimulatedLab
from simulators.serve import DRIVERS
from tests.chaos.emulated.clock import scheduler
from tests.chaos.emulated.computer import here

SCHEME = "emulated:"
LATENCY_S = 1e-5
"""Virtual seconds for a request to arrive: without any, a driver that paces itself by the clock would never end."""


class Socket:
    """The lab's side of one instrument's line."""

    def __init__(self, instrument: SimulatedInstrument, lab: SimulatedLab) -> None:
        self.instrument, self.lab = instrument, lab
        self.client: EmulatedLink | None = None
        self._cancel: Callable[[], None] = lambda: None

    def connect(self, client: EmulatedLink) -> None:
        self.client = client
        client.arrived(self.instrument.greeting())
        self.attend()

    def receive(self, request: bytes) -> None:
        assert self.client is not None
        self.client.arrived(self.instrument.receive(request))
        self.attend()

    def attend(self) -> None:
        """Let it say what is due, and come back for what is due later."""
        self._cancel()
        clock, scheduled = self.lab.clock, scheduler()
        while self.client is not None and (due := self.instrument.due()) is not None:
            wait_s = clock.real_s(due - clock.now()) if due > float("-inf") else 0.0
            if wait_s > 0:
                # What is due is due by then, whatever the rounding.
                self._cancel = scheduled.at(scheduled.now + wait_s * (1 + 1e-12) + 1e-9, self.attend)
                return
            self.client.arrived(self.instrument.speak())

    def hang_up(self) -> None:
        self._cancel()
        self.client = None


class Wires:
    """Every instrument of a simulated lab, by device name."""

    def __init__(self, lab: SimulatedLab, config: dict[str, Any]) -> None:
        self.lab = lab
        self.sockets = {name: Socket(_instrument(lab, name, device), lab) for name, device in config["devices"].items()}
        self.addresses = {name: SCHEME + name for name in self.sockets}

    def hang_up(self) -> None:
        """The computer at the other end of every line is gone."""
        for socket in self.sockets.values():
            socket.hang_up()


def _instrument(lab: SimulatedLab, name: str, device: dict[str, Any]) -> SimulatedInstrument:
    return DRIVERS[device["driver"]].build(lab, name, device.get("settings") or {})


class EmulatedLink:
    """A `drivers.link.Link`.  `before` and `after` are told of every request."""

    before: Callable[[str, bytes], None] = staticmethod(lambda address, request: None)
    after: Callable[[str, bytes], None] = staticmethod(lambda address, request: None)

    def __init__(self, socket: Socket, address: str, timeout_s: float) -> None:
        self.address, self.timeout_s = address, timeout_s
        self._buffer = b""
        self._waiting: Any = None
        self._socket = socket
        here().files.append(self)
        socket.connect(self)

    def send(self, request: bytes) -> None:
        if self._socket.client is not self:
            raise Gone(f"{self.address}: the instrument closed the connection")
        self.before(self.address, request)
        scheduler().pass_by(LATENCY_S)
        self._socket.receive(request)
        self.after(self.address, request)

    def receive(self, framing: Framing, timeout_s: float | None = None) -> bytes:
        patience = self.timeout_s if timeout_s is None else timeout_s
        deadline = scheduler().now + patience
        while (length := framing(self._buffer) if self._buffer else None) is None:
            remaining = deadline - scheduler().now
            if remaining <= 0 or not self._wait(remaining):
                raise NoReply(f"{self.address}: no complete reply within {patience:g} s, received {self._buffer!r}")
        frame, self._buffer = self._buffer[:length], self._buffer[length:]
        return frame

    def drain(self) -> bytes:
        stale, self._buffer = self._buffer, b""
        return stale

    def close(self) -> None:
        if self._socket.client is self:
            self._socket.hang_up()

    def arrived(self, message: bytes) -> None:
        if message:
            self._buffer += message
            if self._waiting is not None:
                scheduler().wake(*self._waiting)

    def _wait(self, seconds: float) -> bool:
        strand = scheduler().current()
        self._waiting = (strand, strand.wait)
        try:
            return bool(scheduler().park(seconds))
        finally:
            self._waiting = None


def install(drivers: dict[str, Any], wires: Callable[[], Wires]) -> None:
    """Let every driver class open links to `wires`."""

    def open_link(address: str, timeout_s: float = 1.0) -> EmulatedLink:
        return EmulatedLink(wires().sockets[address.removeprefix(SCHEME)], address, timeout_s)

    for driver in drivers.values():
        driver.open_link = staticmethod(open_link)
