"""Calls between our own processes, over Pyro5.

Every object served is reached through one exposed method, whose argument and result are JSON text.  So only
plain values cross (dicts with string keys, lists, numbers, strings, booleans, None; a tuple arrives as a
list), whatever is not plain fails at its source, and an exception crosses as its class name and message
instead of as a class that the other side may not have.

A server listens on loopback unless told otherwise, and takes no call from a client that does not present
the token in Pyro5's handshake.

    server = serve({"counter": Counter()}, token)      # one process
    server.loop()

    counter = connect(uri, token, timeout_s=5.0)       # another; usable from any thread
    counter.add(amount=2)

::

    RpcError
    ├── Unreachable    nobody answers there, or not in time; nothing was asked of them
    ├── Denied         somebody answers and refuses the token
    ├── CallLost       the call was sent and its answer did not come: it may have been carried out
    └── RemoteError    the call was carried out and raised; `kind` is the class name over there
"""

from __future__ import annotations

import hmac
import json
import logging
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

import Pyro5.api
import Pyro5.errors

log = logging.getLogger(__name__)

Pyro5.config.SOCK_NODELAY = True  # small messages, each waiting for its answer
LOOPBACK = "127.0.0.1"


class RpcError(Exception):
    """Base of what a call to another process can raise."""


class Unreachable(RpcError):
    """Nobody answers at that address; the call was not sent."""


class Denied(RpcError):
    """The other side refuses this client's token."""


class CallLost(RpcError):
    """The connection broke, or the time ran out, after the call was sent."""


class RemoteError(RpcError):
    """The called method raised.  `kind` and `message` are its class name and text, `trace` its traceback."""

    def __init__(self, kind: str, message: str, trace: str = "") -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.trace = trace


class Server:
    """Objects being served.  `uris` has the address of each by name."""

    def __init__(self, objects: Mapping[str, object], token: str, host: str, port: int) -> None:
        self._daemon = _Daemon(token, host=host, port=port)
        self._thread: threading.Thread | None = None
        self.uris = {name: str(self._daemon.register(_Endpoint(target), name)) for name, target in objects.items()}

    def loop(self) -> None:
        """Answer calls, each connection in a thread of its own, until `close`."""
        self._daemon.requestLoop()

    def start(self) -> None:
        """`loop` in a thread of its own."""
        self._thread = threading.Thread(target=self.loop, name="rpc", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering and drop every connection.  Not to be called from a served method."""
        self._daemon.shutdown()
        self._daemon.drop_clients()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(objects: Mapping[str, object], token: str, *, host: str = LOOPBACK, port: int = 0) -> Server:
    """Offer the public methods of each object to clients that know `token`.

    `objects` maps the name in the address to the object.  Port 0 takes any free port.  A method may be
    called from several threads at once.
    """
    if not token:
        raise ValueError("a server needs a token that is not empty")
    return Server(objects, token, host, port)


def connect(uri: str, token: str, *, timeout_s: float | None = None) -> Remote:
    """The object at `uri`, its methods callable like its own, from any thread.

    `timeout_s` (real seconds) bounds connecting and each call; None waits for ever.  Connects at once.
    Raises `Unreachable` or `Denied`.
    """
    pool = _Connections(uri, token)
    pool.give_back(pool.take(timeout_s))
    return Remote(pool, timeout_s)


class Remote:
    """An object in another process.

    Threads that call at the same time get a connection each, so a long call never delays another thread's.
    """

    def __init__(self, connections: _Connections, timeout_s: float | None) -> None:
        self._connections = connections
        self._timeout_s = timeout_s

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("_"):
            raise AttributeError(method)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(method, args, kwargs)

        return call

    def _call(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        request = json.dumps({"method": method, "args": args, "kwargs": kwargs})
        reply = json.loads(self._connections.exchange(method, request, self._timeout_s))
        if "error" in reply:
            raise RemoteError(**reply["error"])
        return reply["result"]

    def within(self, timeout_s: float | None) -> Remote:
        """The same object, with another time-out for its calls: ``worker.within(60).wait(uid, 50)``."""
        return Remote(self._connections, timeout_s)

    def close(self) -> None:
        """Close the connections that are not in a call; idempotent."""
        self._connections.close()

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_config(stdin: IO[str] | None = None) -> dict[str, Any]:
    """A child process's configuration: one JSON object on the first line of standard input."""
    line = (stdin or sys.stdin).readline()
    if not line:
        raise EOFError("standard input ended before the configuration line came")
    config = json.loads(line)
    if not isinstance(config, dict):
        raise ValueError(f"the configuration line must be a JSON object, not {line.strip()!r}")
    return config


def announce(server: Server, stdout: IO[str] | None = None) -> None:
    """Tell the parent process where we are: one JSON line ``{"uri": ..., "uris": {name: uri}}``."""
    tell_parent({"uri": next(iter(server.uris.values())), "uris": server.uris}, stdout)


def tell_parent(message: Mapping[str, Any], stdout: IO[str] | None = None) -> None:
    """Write `message` as one JSON line to standard output, where the parent process listens."""
    stream = stdout or sys.stdout
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def await_orphaned(stdin: Iterable[str] | None = None) -> None:
    """Block until standard input ends, which it does when the parent process dies or lets us go."""
    for line in stdin or sys.stdin:
        log.warning("ignored on standard input: %r", line)


class _Endpoint:
    """The one method that Pyro5 sees of a served object."""

    def __init__(self, target: object) -> None:
        self._target = target

    @Pyro5.api.expose  # type: ignore[untyped-decorator]
    def call(self, request: str) -> str:
        try:
            asked = json.loads(request)
            method = _public_method(self._target, asked["method"])
            return json.dumps({"result": method(*asked["args"], **asked["kwargs"])})
        except Exception as error:  # process edge: whatever was raised crosses as text
            log.debug("a call raised", exc_info=True)
            trace = traceback.format_exc()
            return json.dumps({"error": {"kind": type(error).__name__, "message": str(error), "trace": trace}})


def _public_method(target: object, name: str) -> Callable[..., Any]:
    method = None if name.startswith("_") else getattr(target, name, None)
    if not callable(method):
        raise AttributeError(f"{type(target).__name__} has no method {name!r} to call")
    return method  # type: ignore[no-any-return]


class _Daemon(Pyro5.api.Daemon):  # type: ignore[misc]
    """A Pyro5 daemon that wants a token, and can drop its clients."""

    def __init__(self, token: str, *, host: str, port: int) -> None:
        super().__init__(host=host, port=port)
        self._token = token.encode()
        self._clients: set[Any] = set()

    def validateHandshake(self, conn: Any, data: Any) -> str:  # noqa: N802 - Pyro5's name
        if not (isinstance(data, str) and hmac.compare_digest(data.encode(), self._token)):
            raise Pyro5.errors.SecurityError(_WRONG_TOKEN)
        self._clients.add(conn)
        return "welcome"

    def clientDisconnect(self, conn: Any) -> None:  # noqa: N802 - Pyro5's name
        self._clients.discard(conn)

    def drop_clients(self) -> None:
        for conn in list(self._clients):
            conn.close()


_WRONG_TOKEN = "wrong token"


class _Connections:
    """Idle connections to one object.  A Pyro5 proxy serves one thread at a time: take, use, give back."""

    def __init__(self, uri: str, token: str) -> None:
        self.uri = uri
        self._token = token
        self._idle: deque[Any] = deque()

    def exchange(self, method: str, request: str, timeout_s: float | None) -> str:
        """Send one request and return its answer.  Raises `Unreachable`, `Denied` or `CallLost`."""
        proxy = self.take(timeout_s)
        try:
            answer: str = proxy.call(request)
        except Pyro5.errors.CommunicationError as error:
            proxy._pyroRelease()
            raise CallLost(f"{self.uri}: no answer to {method!r} ({error}); it may have been done") from error
        except BaseException:
            proxy._pyroRelease()  # an interrupted exchange leaves an answer on the wire
            raise
        self.give_back(proxy)
        return answer

    def take(self, timeout_s: float | None) -> Any:
        try:
            proxy = self._idle.pop()
        except IndexError:
            return self._open(timeout_s)
        proxy._pyroClaimOwnership()
        proxy._pyroTimeout = timeout_s
        return proxy

    def give_back(self, proxy: Any) -> None:
        self._idle.append(proxy)

    def close(self) -> None:
        while self._idle:
            proxy = self._idle.pop()
            proxy._pyroClaimOwnership()
            proxy._pyroRelease()

    def _open(self, timeout_s: float | None) -> Any:
        try:
            proxy = Pyro5.api.Proxy(self.uri)
        except Pyro5.errors.PyroError as error:
            raise Unreachable(f"{self.uri!r} is no address of a process of ours ({error})") from error
        proxy._pyroSerializer = "json"
        proxy._pyroHandshake = self._token
        proxy._pyroTimeout = timeout_s
        try:
            proxy._pyroBind()
        except Pyro5.errors.CommunicationError as error:
            if _WRONG_TOKEN in str(error):
                raise Denied(f"{self.uri} refuses our token; is it another lab's?") from error
            raise Unreachable(f"{self.uri}: cannot connect ({error}); is that process running?") from error
        return proxy
