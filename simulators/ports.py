"""Simulated instruments on real ports: pseudo-terminals and TCP sockets, on one event loop."""

from __future__ import annotations

import asyncio
import os
import termios
import tty

from simulators.faults import Disconnected
from simulators.instrument import SimulatedInstrument
from simulators.lab import SimulatedLab

DEAD_LINE_S = 1.0
MOST_AT_ONCE = 64  # unasked messages sent in one go before others get their turn


class InstrumentPort:
    """Bytes of one port to and from one instrument, and what the instrument says unasked."""

    def __init__(self, instrument: SimulatedInstrument, lab: SimulatedLab) -> None:
        self._instrument, self._lab = instrument, lab
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, message: bytes) -> None:
        raise NotImplementedError

    def hang_up(self) -> None:
        """The line drops."""
        raise NotImplementedError

    def connected(self) -> None:
        self.send(self._instrument.greeting())
        self.attend()

    def received(self, message: bytes) -> None:
        try:
            reply = self._instrument.receive(message)
        except Disconnected:
            self.hang_up()
            return
        if reply:
            self.send(reply)
        self.attend()

    def attend(self) -> None:
        """Say what is due, and wake up for what is due later; call again when the clock is restarted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for _ in range(MOST_AT_ONCE):
            due = self._instrument.due()
            if due is None:
                return
            wait_s = self._lab.clock.real_s(due - self._lab.clock.now())
            if wait_s > 0:
                self._timer = self._loop.call_later(wait_s, self.attend)
                return
            self.send(self._instrument.speak())
        self._timer = self._loop.call_later(0.001, self.attend)

    def rest(self) -> None:
        """Nobody is connected."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class PtyPort(InstrumentPort):
    """A serial line.  Whether anybody is at the other end cannot be known: what nobody reads is lost."""

    def __init__(self, instrument: SimulatedInstrument, lab: SimulatedLab) -> None:
        super().__init__(instrument, lab)
        self._ours, self._theirs = os.openpty()  # theirs is kept open, so that clients may come and go
        for end in (self._ours, self._theirs):
            tty.setraw(end)
        os.set_blocking(self._ours, False)
        self.address = os.ttyname(self._theirs)
        self._loop.add_reader(self._ours, self._readable)
        self.connected()

    def send(self, message: bytes) -> None:
        try:
            os.write(self._ours, message)
        except BlockingIOError:
            termios.tcflush(self._theirs, termios.TCIFLUSH)  # an overrun serial buffer loses bytes

    def hang_up(self) -> None:
        self._loop.remove_reader(self._ours)
        self.rest()
        self._loop.call_later(DEAD_LINE_S, self._come_back)

    def close(self) -> None:
        self.rest()
        if self._ours >= 0:
            self._loop.remove_reader(self._ours)
            os.close(self._ours)
            os.close(self._theirs)
            self._ours = -1

    def _readable(self) -> None:
        try:
            message = os.read(self._ours, 4096)
        except BlockingIOError:
            return
        self.received(message)

    def _come_back(self) -> None:
        if self._ours < 0:
            return
        try:
            while os.read(self._ours, 4096):
                pass
        except BlockingIOError:
            self._loop.add_reader(self._ours, self._readable)
            self.connected()


class TcpPort(InstrumentPort):
    """A socket on loopback with one client at a time: who comes last has the instrument."""

    def __init__(self, instrument: SimulatedInstrument, lab: SimulatedLab) -> None:
        super().__init__(instrument, lab)
        self._transport: asyncio.Transport | None = None
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen; the port's number."""
        self._server = await self._loop.create_server(lambda: _Client(self), "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def send(self, message: bytes) -> None:
        if self._transport is not None:
            self._transport.write(message)

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        self.rest()
        if self._server is not None:
            self._server.close()
        self.hang_up()

    def came(self, transport: asyncio.Transport) -> None:
        self.hang_up()
        self._transport = transport
        self.connected()

    def said(self, transport: asyncio.Transport, message: bytes) -> None:
        if transport is self._transport:
            self.received(message)

    def went(self, transport: asyncio.Transport) -> None:
        if transport is self._transport:
            self._transport = None
            self.rest()


class _Client(asyncio.Protocol):
    def __init__(self, port: TcpPort) -> None:
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port.came(transport)

    def data_received(self, data: bytes) -> None:
        self._port.said(self._transport, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._port.went(self._transport)
