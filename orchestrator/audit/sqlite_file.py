"""Reading an SQLite file that another program writes, and that may be damaged, without changing it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

BROKEN = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged file may raise; the second where the damage is in the words of the complaint itself."""


class Unreadable(Exception):
    """There is nothing to audit; the message names the file and says why."""


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file at `path`, read only.  Raises `Unreadable` if it is not there or is no database.

    A file without a write-ahead log is opened as one that cannot change, so that nothing is written beside it.
    """
    if not path.is_file():
        raise Unreadable(f"{path}: is not there")
    log = path.with_name(path.name + "-wal")
    how = "mode=ro" if log.is_file() and log.stat().st_size else "immutable=1"
    try:
        db = sqlite3.connect(f"file:{quote(str(path.absolute()))}?{how}", uri=True, timeout=5.0)
        db.text_factory = lambda text: text.decode(errors="replace")
        try:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            yield db
        finally:
            db.close()
    except BROKEN as error:
        raise Unreadable(f"{path}: cannot be read as a database ({error}); see whether it was damaged") from error


def faults(db: sqlite3.Connection) -> list[str]:
    """What SQLite itself finds wrong with the file."""
    try:
        said = [str(line) for (line,) in db.execute("PRAGMA integrity_check(20)")]
    except BROKEN as error:
        return [str(error)]
    return [] if said == ["ok"] else said


def rows(db: sqlite3.Connection, query: str, wrong: list[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of `query` as far as they can be read; why not all is appended to `wrong`."""
    try:
        yield from db.execute(query)
    except BROKEN as error:
        wrong.append(f"not all of it can be read ({error})")


def tables(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
