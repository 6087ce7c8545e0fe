"""What no request passes: a Host or Origin of another site, a body that is too large; and what every answer carries.

A page of another site that has its name resolve to this machine (DNS rebinding) sends its own name as Host; one that
posts here or opens the socket sends its own Origin, which CORS does not keep it from doing.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY = 64 * 1024
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Around `app`; `names` are the hosts that it is known by, an address always being one."""

    def __init__(self, app: ASGIApp, names: Iterable[str], *, loopback: bool) -> None:
        self._app = app
        self._names = {name.lower() for name in names}
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if scope["type"] == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            return
        if refusal is not None:
            await _whole(receive)  # a connection closed on an unread body is reset, and the refusal lost with it
            await _refuse(send, *refusal)
            return
        await self._bounded(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._known(hosts[0]):
            return 421, "wrong_host", "this server is not known by that name"
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"{_scheme(scope)}://{hosts[0].lower()}":
            return 403, "wrong_origin", "a page of another site may not ask this"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BODY:
            return 413, "too_large", f"a body has at most {MOST_BODY} bytes"
        return None

    def _known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._loopback

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole(receive)
        if body is None:
            await _refuse(send, 413, "too_large", f"a body has at most {MOST_BODY} bytes")
            return
        unread = [body]

        async def again() -> Message:
            return unread.pop() if unread else await receive()

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**HEADERS, "cache-control": "no-store"}.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, again, told)


async def _whole(receive: Receive) -> Message | None:
    """The body as one message, or that the client has gone; None if it is too large."""
    parts = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return message
        parts += message.get("body", b"")
        if len(parts) > MOST_BODY:
            return None
        if not message.get("more_body", False):
            return {"type": "http.request", "body": parts, "more_body": False}


def _scheme(scope: Scope) -> str:
    return "https" if scope["scheme"] in ("https", "wss") else "http"


async def _refuse(send: Send, status: int, code: str, detail: str) -> None:
    body = json.dumps({"code": code, "detail": detail}).encode()
    headers = {**HEADERS, "content-type": "application/json", "cache-control": "no-store", "connection": "close"}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
