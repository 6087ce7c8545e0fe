"""Connections, before anything is asked on them and while somebody does not take an answer: uvicorn waits for ever.

The server is a thread of the daemon, and whoever reaches it may be nobody who logs in.  So there are so many
connections and no more, and each is dropped that says nothing, or takes nothing, for too long: what it costs is a few
buffers, for a while.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MOST = 256
"""Connections at once, all pages together (a page keeps one, and a browser opens up to six more for a moment)..."""
FROM_ONE = 64
"""...and from one address; a proxy on this machine, or a tunnel, may have all of them."""
ASK_S = 20.0
"""Real seconds in which a request has come whole, from its connection's or its own first byte on."""
TAKE_S = 12.0
"""Real seconds in which a client takes something of what it is sent: longer than a page's socket is given, which says
why it closes (`orchestrator.console.socket`)."""


class _Taking(asyncio.Protocol):
    """Drops a client that takes nothing."""

    loop: asyncio.AbstractEventLoop
    transport: Any
    _stuck: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self._stuck or self.loop.call_later(TAKE_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._taken()

    def connection_lost(self, exc: Exception | None) -> None:
        self._taken()
        super().connection_lost(exc)

    def _taken(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None


class Line(_Taking, WebSocketsSansIOProtocol):
    """A page's socket."""


class Door(_Taking, H11Protocol):
    """Requests and their answers."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self._too_many():
            transport.abort()
        else:
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        asking = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if asking and self in self.connections:  # else it is a page's socket by now
            self._await_request()
        else:
            self._came()

    def _await_request(self) -> None:
        self._late = self._late or self.loop.call_later(ASK_S, self.transport.abort)

    def _came(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_many(self) -> bool:
        if len(self.connections) > MOST:
            return True
        host = _host(self)
        if host in ("127.0.0.1", "::1", ""):
            return False
        return sum(_host(other) == host for other in self.connections) > FROM_ONE


def _host(connection: Any) -> str:
    """Whence it comes; "" where that is no address."""
    return str(connection.client[0]) if connection.client else ""
