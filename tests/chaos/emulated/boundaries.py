"""Every moment of a night at which a crash may leave something else behind than at the moment before.

``commit``   before and after each transaction of the journal
``sync``     before and after each synced write to a station's file, ``write`` each unsynced one
``wire``     before a request leaves, and after its instrument has acted, before the answer is read
``gate``     before and after each message of a plan that its station carries out
``call``     hand-overs: before and after each call from process to process
``instant``  in the middle of each stretch of time in which everything waits

Numbered in the order in which they are passed, from 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from orchestrator.execution.documents import StationFile
from orchestrator.execution.gate import Gates
from orchestrator.journal import SqliteJournal
from tests.chaos.emulated.clock import Scheduler
from tests.chaos.emulated.computer import Connections
from tests.chaos.emulated.disk import Disk
from tests.chaos.emulated.wire import EmulatedLink

KINDS = ("commit", "sync", "write", "wire", "gate", "call", "instant")
COMMANDS = ("gate", "held", "apply", "secure", "refresh", "mark", "record")
SHORT_S = 0.01
"""Virtual seconds: a shorter wait has no middle."""


@dataclass(frozen=True)
class Boundary:
    """`side`: before, after or amid."""

    number: int
    kind: str
    side: str
    where: str

    def __str__(self) -> str:
        return f"{self.number} ({self.side} {self.kind} {self.where})"


Words = Callable[[], str]
OnBoundary = Callable[[int, str, str, Words], None]
"""Takes number, kind, side, and where it is in words, for whoever wants to know."""


class Watch:
    """Counts boundaries and shows each to `on_boundary`; keeps `disk` up to date.  One watch at a time."""

    def __init__(self, disk: Disk | None, on_boundary: OnBoundary) -> None:
        self.disk = disk
        self.passed = 0
        self._on_boundary = on_boundary

    def passes(self, kind: str, side: str, where: Words) -> None:
        number = self.passed
        self.passed += 1
        self._on_boundary(number, kind, side, where)


_watch = Watch(None, lambda number, kind, side, where: None)


def watch(new: Watch) -> Watch:
    """From now on, `new` is told."""
    global _watch
    _watch = new
    return new


def install() -> None:
    """Wrap the seams; once."""
    _around_commits()
    _around_writes()
    _around_requests()
    for command in COMMANDS:
        _around_command(command)
    _around_calls()
    _amid_waits()


def _synced(path: Path) -> None:
    if _watch.disk is not None:
        _watch.disk.synced(path)


def _around_commits() -> None:
    made, append = SqliteJournal.__init__, SqliteJournal.append

    @wraps(made)
    def init(self: SqliteJournal, path: Path) -> None:
        made(self, path)
        _synced(path)
        _watch.passes("commit", "after", lambda: "opening")

    @wraps(append)
    def appended(self: SqliteJournal, entries: Any, expected_version: int, at: float) -> int:
        def where() -> str:
            return "+".join(entry.kind for entry in entries)

        _watch.passes("commit", "before", where)
        version = append(self, entries, expected_version, at)
        _synced(self.path)
        _watch.passes("commit", "after", where)
        return version

    SqliteJournal.__init__ = init  # type: ignore[method-assign]
    SqliteJournal.append = appended  # type: ignore[method-assign]


def _around_writes() -> None:
    made, write = StationFile.__init__, StationFile.write

    @wraps(made)
    def init(self: StationFile, path: Path | str, schema: str) -> None:
        made(self, path, schema)
        _synced(self.path)  # SQLite syncs the schema by itself
        _watch.passes("sync", "after", lambda: f"{self.path.name} opening")

    @wraps(write)
    def written(self: StationFile, statement: str, values: tuple[Any, ...], *, synced: bool) -> int:
        def where() -> str:
            named = {"start", "stop", "descriptor", "event"}.intersection(v for v in values[:3] if isinstance(v, str))
            return " ".join([self.path.name.partition(".")[0], *statement.split()[:3], *named])

        kind = "sync" if synced else "write"
        _watch.passes(kind, "before", where)
        rows = write(self, statement, values, synced=synced)
        if synced:
            _synced(self.path)
        _watch.passes(kind, "after", where)
        return rows

    StationFile.__init__ = init  # type: ignore[method-assign]
    StationFile.write = written  # type: ignore[method-assign]


def _around_requests() -> None:
    def telling(side: str) -> Callable[[str, bytes], None]:
        def tell(address: str, request: bytes) -> None:
            _watch.passes("wire", side, lambda: f"{address.partition(':')[2]} {request[:40]!r}")

        return tell

    EmulatedLink.before = staticmethod(telling("before"))
    EmulatedLink.after = staticmethod(telling("after"))


def _around_command(command: str) -> None:
    name = f"_{command}"
    carry_out = getattr(Gates, name)

    @wraps(carry_out)
    async def carried_out(self: Gates, msg: Any) -> Any:
        def where() -> str:
            return f"{command} {_arguments(msg)}"

        _watch.passes("gate", "before", where)
        answer = await carry_out(self, msg)
        _watch.passes("gate", "after", where)
        return answer

    setattr(Gates, name, carried_out)


def _arguments(msg: Any) -> str:
    match msg.command:
        case "gate":
            return str(msg.args[2]) if len(msg.args) > 2 else ""
        case "apply" | "secure":
            return ", ".join(f"{setting.name}={value}" for setting, value in msg.args)
        case "mark":
            return str(msg.args[0])
    return " ".join(str(getattr(arg, "name", "")) for arg in msg.args)


def _around_calls() -> None:
    exchange = Connections.exchange

    @wraps(exchange)
    def exchanged(self: Connections, method: str, request: str, timeout_s: float | None) -> str:
        def where() -> str:
            return f"{self.uri.partition('/')[2]}.{method}"

        _watch.passes("call", "before", where)
        answer = exchange(self, method, request, timeout_s)
        _watch.passes("call", "after", where)
        return answer

    Connections.exchange = exchanged  # type: ignore[method-assign]


def _amid_waits() -> None:
    advance = Scheduler._advance

    @wraps(advance)
    def advanced(self: Scheduler, due: float) -> None:
        if (wait := due - self.now) > SHORT_S:
            advance(self, self.now + wait / 2)
            _watch.passes("instant", "amid", lambda: f"a wait of {wait:.3g} s")
        advance(self, due)

    Scheduler._advance = advanced  # type: ignore[method-assign]
