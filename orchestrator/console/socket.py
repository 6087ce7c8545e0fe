"""One page's WebSocket: what is new, as soon as it can take it.

A page that is slow gets fewer and larger messages: each is made when the one before has gone.  One that takes nothing
for `SLOW_S` is dropped; it comes back with `after`, and misses nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from orchestrator.console.hub import Hub

log = logging.getLogger(__name__)

SLOW_S = 10.0
PACE_S = 0.09
GOING_AWAY, NOT_ALLOWED, TOO_SLOW = 1001, 1008, 1013


async def attend(
    socket: WebSocket, hub: Hub, after: int | None, let_in: Callable[[], bool], slow_s: float = SLOW_S
) -> None:
    """Serve `socket` to its end, or until it is no longer `let_in`: looked at with every beat."""
    await socket.accept()
    hub.watchers += 1
    listening = asyncio.create_task(_listen(socket))
    telling = asyncio.create_task(_tell(socket, hub, after, let_in, slow_s))
    try:
        done, _ = await asyncio.wait({listening, telling}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except (WebSocketDisconnect, ConnectionError):
        pass
    except TimeoutError:
        log.info("a page that takes nothing is dropped")
        await _close(socket, TOO_SLOW)
    finally:
        hub.watchers -= 1
        for task in (listening, telling):
            task.cancel()
        await asyncio.gather(listening, telling, return_exceptions=True)


async def _listen(socket: WebSocket) -> None:
    """Until the page goes; it has nothing to say here."""
    while True:
        await socket.receive_text()


async def _tell(socket: WebSocket, hub: Hub, after: int | None, let_in: Callable[[], bool], slow_s: float) -> None:
    async def send(message: str) -> None:
        await asyncio.wait_for(socket.send_text(message), slow_s)

    beats, _ = hub.beat
    message, seen = await hub.hello(after)
    await send(message)
    while True:
        await hub.news(seen, beats)
        while hub.sheet.seq > seen:
            message, seen = await hub.update(seen)
            await send(message)
        if hub.closing is not None:
            await send(hub.bye())
            await _close(socket, GOING_AWAY)
            return
        if hub.beat[0] > beats:
            if not let_in():
                await _close(socket, NOT_ALLOWED)
                return
            beats, message = hub.beat
            await send(message)
        await asyncio.sleep(PACE_S)


async def _close(socket: WebSocket, code: int) -> None:
    if socket.application_state is WebSocketState.CONNECTED:
        with suppress(TimeoutError):  # it takes not even that: `orchestrator.console.door` drops it
            await asyncio.wait_for(socket.close(code), 1.0)
