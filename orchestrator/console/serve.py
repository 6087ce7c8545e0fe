"""The console beside a daemon: a thread of its own, whose failures end nothing but itself.

An address that is not this machine's own needs a certificate, its key, and people who log in.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orchestrator.console.access import Access
from orchestrator.console.past import left
from orchestrator.console.source import Source
from orchestrator.console.users import ConsoleError, Role, Users, folder, signing_key

if TYPE_CHECKING:
    import uvicorn

    from orchestrator.console.checking import Check
    from orchestrator.console.hub import Hub

log = logging.getLogger(__name__)

HOST, PORT = "127.0.0.1", 8765
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
NEXT_PORTS = 20
"""Ports tried after one that was not asked for by name."""
RETRY_S = 1.0
RETRY_PORT_S = 0.1
CLOSE_S = 5.0
BACKLOG = 128


@dataclass(frozen=True)
class Address:
    """Where the console is served.  `exact`: there and nowhere else; `login`: people log in, also on loopback.

    `name`: a reverse proxy on this machine serves it to others by that name, and is believed whence they come.
    """

    host: str = HOST
    port: int = PORT
    exact: bool = False
    certificate: Path | None = None
    key: Path | None = None
    login: bool = False
    name: str = ""

    @classmethod
    def of(
        cls,
        text: str,
        certificate: Path | None = None,
        key: Path | None = None,
        login: bool = False,
        name: str = "",
    ) -> Address:
        """From ``HOST:PORT``, ``HOST`` or ``:PORT``; "" is the default.  Raises `ConsoleError`."""
        host, port = _split(text)
        if name and not NAME.fullmatch(name):
            raise ConsoleError(f"--console-name {name}: give the name alone, such as lab.example.org")
        return cls(host or HOST, PORT if port is None else port, port is not None, certificate, key, login, name)

    @property
    def guarded(self) -> bool:
        """Whether people log in: everywhere but where only this machine's accounts can be."""
        return self.login or bool(self.name) or not self.loopback

    @property
    def loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def names(self) -> set[str]:
        """The names that a browser may know it by; an address always being one."""
        proxied = {self.name} if self.name else set()
        if self.loopback:
            return {"localhost"} | proxied
        return proxied | {self.host, socket.gethostname(), socket.getfqdn()}


def _split(text: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":")
    if not colon or (text.count(":") > 1 and not host.startswith("[")):  # a name, or an IPv6 address without a port
        host, port = text, ""
    if port and not (port.isdecimal() and int(port) < 65536):
        raise ConsoleError(f"--console {text}: give HOST:PORT, such as {HOST}:{PORT}")
    return host.strip("[]"), int(port) if port else None


class Console:
    """Serves the page at `address` from `open` to `close`; until a campaign is `attached` it has nothing to show."""

    def __init__(
        self,
        address: Address,
        owner: str,
        where: Path | None = None,
        *,
        stays: bool = False,
        check: Check | None = None,
    ) -> None:
        """`owner` is who commands where nobody logs in; `where` is the folder of the users' file.  `stays`: a campaign
        that has ended is shown until `close`.  `check` draws up the night contract of the one that is shown."""
        self.boot = secrets.token_hex(8)
        self._address, self._owner, self._stays, self._check_night = address, owner, stays, check
        self._where = where or folder()
        self._source: Source | None = None
        self._listening: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._reason: str | None = None
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        assert self._listening is not None, "open it first"
        host = "localhost" if self._address.loopback else self._address.host
        if self._address.host in ("0.0.0.0", "::"):
            host = socket.getfqdn()
        port = self._listening.getsockname()[1]
        return f"{'https' if self._address.certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/"

    def open(self, patience_s: float = 0.0) -> Self:
        """Take the port and begin to serve; for `patience_s` real seconds whoever has the port may let go of it.

        Raises `ConsoleError`.
        """
        access = self._check()
        self._listening = self._take_port(time.monotonic() + patience_s)
        self._access = access
        self._thread.start()
        return self

    def close(self, reason: str = "the daemon has ended") -> None:
        """Tell every page, and end; idempotent, and never for long."""
        self._reason = self._reason or reason
        loop, ending = self._loop, self._ending
        if loop is not None and ending is not None:
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(ending.set)
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)
        if self._listening is not None:
            self._listening.close()
        if self._source is not None:
            self._source.journal.close()

    @contextmanager
    def attached(self, source: Source) -> Iterator[None]:
        """Meanwhile show `source`; afterwards what its daemon left, if this console stays."""
        self._source = source
        try:
            yield
        finally:
            if self._stays and source.state.ended:
                self._source = left(source)
            else:
                self.close("the campaign's daemon has ended")

    def __enter__(self) -> Self:
        return self if self._listening is not None else self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    @property
    def stays(self) -> bool:
        """Whether a campaign that has ended is shown on."""
        return self._stays

    @property
    def shows(self) -> bool:
        """Whether it has a campaign to show."""
        return self._source is not None

    @property
    def login(self) -> bool:
        """Whether people log in there."""
        return self._address.guarded

    # --- opening --------------------------------------------------------------------------------------

    def _check(self) -> Access:
        at = self._address
        if bool(at.certificate) != bool(at.key):
            raise ConsoleError("a certificate and its key go together: give --console-cert and --console-key")
        if at.certificate and at.key:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(at.certificate, at.key)
            except (OSError, ssl.SSLError) as error:
                raise ConsoleError(f"{at.certificate}, {at.key}: no certificate and key ({error})") from error
        login = self.login
        if not at.loopback and not at.certificate:
            raise ConsoleError(
                f"--console {at.host}: others can reach that; give --console-cert and --console-key, or use "
                f"{HOST} and an ssh tunnel"
            )
        users = Users(self._where) if login else None
        if users is not None and not any(Role.of(user.role) >= Role.OPERATOR for user in users.all().values()):
            raise ConsoleError(f"{users.path}: names no operator; add one with `nightshift user add NAME`")
        return Access(self._signing_key(login), self._owner, users)

    def _signing_key(self, login: bool) -> bytes:
        try:
            return signing_key(self._where)
        except ConsoleError as error:
            if login:
                raise
            log.warning("%s; open pages must be reloaded after a restart", error)
            return secrets.token_bytes(32)

    def _take_port(self, until: float) -> socket.socket:
        while True:
            try:
                return self._free_port()
            except ConsoleError:
                if time.monotonic() >= until:
                    raise
            threading.Event().wait(RETRY_PORT_S)

    def _free_port(self) -> socket.socket:
        at = self._address
        ports = [at.port] if at.exact else range(at.port, min(at.port + NEXT_PORTS, 65536))
        family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
        refusal: OSError | None = None
        for port in ports:
            listening = socket.socket(family, socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((at.host, port))
                listening.listen(BACKLOG)
            except OSError as error:
                listening.close()
                refusal = error
            else:
                listening.setblocking(False)
                return listening
        assert refusal is not None
        where = f"{at.host}:{at.port}" if at.exact else f"{at.host}, ports {ports[0]} to {ports[-1]}"
        raise ConsoleError(f"{where}: cannot be served there ({refusal.strerror}); give another --console HOST:PORT")

    # --- the thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        while self._reason is None:
            try:
                asyncio.run(self._serve())
            except BaseException:  # process edge: whatever is wrong with the page, the night goes on; uvicorn may exit
                log.exception("the console failed; it is started again")
            if self._reason is None:
                threading.Event().wait(RETRY_S)

    async def _serve(self) -> None:
        import uvicorn  # and with it FastAPI: nobody else waits for them

        from orchestrator.console.door import Door, Line
        from orchestrator.console.hub import Hub
        from orchestrator.console.server import application

        assert self._listening is not None
        at, hub = self._address, Hub(self.boot, lambda: self._source)
        config = uvicorn.Config(
            application(hub, self._access, at.names, loopback=at.loopback, check=self._check_night),
            http=Door,
            ws=Line,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(at.name),
            forwarded_allow_ips="127.0.0.1,::1",
            ssl_certfile=at.certificate,
            ssl_keyfile=at.key,
            ws_max_size=4096,
            ws_per_message_deflate=False,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        self._ending = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        listening = self._listening.dup()
        serving = asyncio.create_task(server.serve([listening]))
        ending = asyncio.create_task(self._ended(hub, server))
        async with hub:
            try:
                await serving
            finally:
                ending.cancel()
                listening.close()
                self._ending = self._loop = None

    async def _ended(self, hub: Hub, server: uvicorn.Server) -> None:
        """Once the end is near, tell the pages, and let the server end."""
        assert self._ending is not None
        if self._reason is None:
            await self._ending.wait()
        await hub.close(self._reason or "")
        server.should_exit = True
