"""The journal in one SQLite file: write-ahead log, synced at every commit."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock

from orchestrator.campaign.entries import Entry, Recorded, from_json, to_json
from orchestrator.journal.base import Conflict, JournalError
from orchestrator.tables import check_tables

APPLICATION_ID = 0x4E534A4C
"""Marks the file as ours ("NSJL", at byte 68 of the file), so that no other database is taken for a journal."""

PAGE = 1000
"""Entries that are read at a time: a long journal is never in memory as a whole."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    version INTEGER PRIMARY KEY,
    time    REAL NOT NULL,
    entry   TEXT NOT NULL
) STRICT
"""


class SqliteJournal:
    """A `Journal` in the file at `path`, made if it is not there.  May be used from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        try:
            self._db = _opened(path)
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"{path}: cannot be opened as a journal ({error})") from error

    def append(self, entries: Sequence[Entry], expected_version: int, at: float) -> int:
        rows = [(expected_version + i, at, to_json(entry)) for i, entry in enumerate(entries, 1)]
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    version = self._version()
                    if version != expected_version:
                        raise Conflict(f"{self.path}: is at version {version}, not {expected_version}")
                    self._db.executemany("INSERT INTO journal VALUES (?, ?, ?)", rows)
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise JournalError(f"{self.path}: cannot be written ({error}); nothing was appended") from error
        return expected_version + len(rows)

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Recorded]:
        left = sys.maxsize if limit is None else limit
        while left > 0:
            rows = self._rows(after, min(left, PAGE))
            for version, time, text in rows:
                if version != after + 1:
                    raise JournalError(f"{self.path}: entry {after + 1} is missing; the file was damaged or edited")
                try:
                    entry = from_json(text)
                except ValueError as error:
                    raise JournalError(f"{self.path}: entry {version} is not one we know: {error}") from error
                yield Recorded(version, time, entry)
                after = version
            if len(rows) < PAGE:
                return
            left -= len(rows)

    def _rows(self, after: int, most: int) -> list[tuple[int, float, str]]:
        with self._lock:
            try:
                return self._db.execute(
                    "SELECT version, time, entry FROM journal WHERE version > ? ORDER BY version LIMIT ?",
                    (after, most),
                ).fetchall()
            except sqlite3.Error as error:
                raise JournalError(f"{self.path}: cannot be read ({error})") from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _version(self) -> int:
        (version,) = self._db.execute("SELECT coalesce(max(version), 0) FROM journal").fetchone()
        return int(version)


def _opened(path: Path) -> sqlite3.Connection:
    """A connection to the journal at `path`, durable at every commit."""
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=5.0)
    try:
        _make_ours(db)
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise sqlite3.OperationalError("its file system cannot hold a write-ahead log; use a local folder")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(_SCHEMA)
        check_tables(db, _SCHEMA)
        _sync_folder(path.parent)
    except BaseException:
        db.close()
        raise
    return db


def _make_ours(db: sqlite3.Connection) -> None:
    """Mark a new database as a journal.  Raises `sqlite3.Error` for one that is something else."""
    # Tables first: whoever makes the same journal at this moment marks it before there are any.
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (mark,) = db.execute("PRAGMA application_id").fetchone()
    if mark == APPLICATION_ID:
        return
    if mark or tables:
        raise sqlite3.DatabaseError("it is the database of something else")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _sync_folder(folder: Path) -> None:
    """Make the file's entry in its folder survive a power cut, which SQLite leaves to us."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
