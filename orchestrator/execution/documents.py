"""The station's document log: every Bluesky document, committed before anything else sees it.

One SQLite file holds the documents and the steps (`orchestrator.execution.steps`).  A start or stop document
is synced to disk with all that came before it; the documents between them survive the death of the process,
and at worst a power cut loses the events of the run in progress.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from orchestrator.tables import check_tables

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY,
    run    TEXT NOT NULL,
    name   TEXT NOT NULL,
    body   TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS documents_of_run ON documents (run, number);
"""

SYNCED = ("start", "stop")


class DocumentLogError(Exception):
    """The log cannot be opened, written or read; the message has its path."""


class Logged(NamedTuple):
    """One document; `number` counts up from 1 over all runs."""

    number: int
    name: str  # "start", "descriptor", "event", "stop"...
    document: dict[str, Any]


class StationFile:
    """The SQLite file of one station, shared by threads.  Write-ahead log; `synced` says what reaches the disk."""

    def __init__(self, path: Path | str, schema: str) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            self._db = _opened(self.path, schema)
        except sqlite3.Error as error:
            raise DocumentLogError(f"{self.path}: cannot be opened as a station's log ({error})") from error

    def write(self, statement: str, values: tuple[Any, ...], *, synced: bool) -> int:
        """Commit one statement; how many rows it changed.  Synced, everything committed before is on disk too."""
        with self._lock:
            try:
                self._db.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
                return self._db.execute(statement, values).rowcount
            except sqlite3.Error as error:
                raise DocumentLogError(f"{self.path}: cannot be written ({error}); is the disk full?") from error

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise DocumentLogError(f"{self.path}: cannot be read ({error})") from error

    def close(self) -> None:
        with self._lock:
            self._db.close()


def _opened(path: Path, schema: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=5.0)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(schema)
        check_tables(db, schema)
    except sqlite3.Error:
        db.close()
        raise
    return db


class DocumentLog:
    """Append documents, read them back."""

    def __init__(self, path: Path | str) -> None:
        self._file = StationFile(path, _SCHEMA)
        self._runs: dict[str, str] = {}  # descriptor uid -> start uid, for the runs of this process

    def append(self, name: str, document: Mapping[str, Any]) -> None:
        """Commit one document.  Fit to be subscribed to a run engine: an error here ends the run."""
        body = plain(document)
        self._file.write(
            "INSERT INTO documents (run, name, body) VALUES (?, ?, ?)",
            (self._run_of(name, body), name, json.dumps(body, allow_nan=False)),
            synced=name in SYNCED,
        )

    def read(self, after: int = 0, limit: int = -1) -> Iterator[Logged]:
        """Documents with a number greater than `after`, in the order in which they were emitted."""
        query = "SELECT number, name, body FROM documents WHERE number > ? ORDER BY number LIMIT ?"
        for number, name, body in self._file.rows(query, (after, limit)):
            yield Logged(number, name, json.loads(body))

    def run(self, uid: str) -> Iterator[Logged]:
        """The documents of the run whose start document has `uid`."""
        query = "SELECT number, name, body FROM documents WHERE run = ? ORDER BY number"
        for number, name, body in self._file.rows(query, (uid,)):
            yield Logged(number, name, json.loads(body))

    def close(self) -> None:
        self._file.close()

    def _run_of(self, name: str, document: Mapping[str, Any]) -> str:
        if name == "start":
            return str(document["uid"])
        if name == "descriptor":
            self._runs[document["uid"]] = document["run_start"]
        if name == "stop":
            self._runs = {key: run for key, run in self._runs.items() if run != document["run_start"]}
        return str(document.get("run_start") or self._runs.get(document.get("descriptor", ""), ""))


def plain(value: Any) -> Any:
    """`value` as JSON has it: numpy's numbers and arrays as Python's, tuples as lists, and what is not a
    finite number as None, since a reading that is missing must not look like one."""
    match value:
        case bool() | int() | str() | None:
            return value
        case float():
            return float(value) if math.isfinite(value) else None
        case Mapping():
            return {str(key): plain(entry) for key, entry in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(entry) for entry in value]
        case np.ndarray() | np.generic():
            return plain(value.tolist())
    raise TypeError(f"{value!r} ({type(value).__name__}) cannot be kept in a document")
