"""Doctoring a night's files behind the backs of the programs that wrote them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Doctor:
    """A copy of a night, and ways to change it."""

    def __init__(self, night: Path, home: Path) -> None:
        self.home = home
        shutil.copytree(night, home)

    # --- the journal ----------------------------------------------------------------------------------

    @contextmanager
    def journal(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.home / "journal.db")) as db, db:
            yield db

    def entries(self) -> list[tuple[int, float, Entry]]:
        with self.journal() as db:
            return [(v, t, json.loads(x)) for v, t, x in db.execute("SELECT * FROM journal ORDER BY version")]

    def find(self, kind: str, number: int = 0, **match: Any) -> tuple[int, float, Entry]:
        """The `number`-th entry of a kind in which every key of `match` has its value."""
        return [
            row
            for row in self.entries()
            if row[2]["kind"] == kind and all(row[2].get(key) == value for key, value in match.items())
        ][number]

    def edit(self, kind: str, change: Callable[[Entry], None], number: int = 0, **match: Any) -> None:
        version, _, entry = self.find(kind, number, **match)
        change(entry)
        with self.journal() as db:
            db.execute("UPDATE journal SET entry = ? WHERE version = ?", (json.dumps(entry), version))

    def retime(self, by_s: float, kind: str, number: int = 0, **match: Any) -> None:
        version, _, _ = self.find(kind, number, **match)
        with self.journal() as db:
            db.execute("UPDATE journal SET time = time + ? WHERE version = ?", (by_s, version))

    def delete(self, kind: str, number: int = 0, *, renumbered: bool = True, **match: Any) -> Entry:
        version, _, entry = self.find(kind, number, **match)
        with self.journal() as db:
            db.execute("DELETE FROM journal WHERE version = ?", (version,))
            if renumbered:
                _shift(db, version, -1)
        return entry

    def insert(self, after: int, *entries: Entry, time: float | None = None) -> None:
        """Put `entries` in after version `after`, by default at its time."""
        with self.journal() as db:
            (at,) = db.execute("SELECT time FROM journal WHERE version = ?", (after,)).fetchone()
            _shift(db, after, len(entries))
            for number, entry in enumerate(entries, after + 1):
                row = (number, at if time is None else time, json.dumps({"v": 1, **entry}))
                db.execute("INSERT INTO journal VALUES (?, ?, ?)", row)

    def last(self) -> int:
        return self.entries()[-1][0]

    # --- a station's log ------------------------------------------------------------------------------

    def station(self, name: str, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.home / f"{name}.documents.db")) as db, db:
            changed = db.execute(statement, values).rowcount
        assert changed, f"{statement} changed nothing"

    # --- the world ------------------------------------------------------------------------------------

    @property
    def world_log(self) -> Path:
        return self.home / "world.jsonl"

    def world(self, change: Callable[[list[Entry]], list[Entry] | None]) -> None:
        """Let `change` edit the list of events, or give another."""
        events = [json.loads(line) for line in self.world_log.read_text().splitlines()]
        changed = change(events)
        lines = (json.dumps(event) + "\n" for event in (events if changed is None else changed))
        self.world_log.write_text("".join(lines))

    def without(self, event: str, substrate: int) -> None:
        """Take every `event` of `substrate` out of the world log."""
        self.world(lambda events: [x for x in events if (x["event"], x["substrate"]) != (event, substrate)])


def seen(events: list[Entry], event: str, substrate: int, number: int = 0) -> Entry:
    """The `number`-th `event` of `substrate`."""
    return [x for x in events if (x["event"], x["substrate"]) == (event, substrate)][number]


def _shift(db: sqlite3.Connection, after: int, by: int) -> None:
    """Renumber what comes after version `after`; twice, since versions are unique at every moment."""
    db.execute("UPDATE journal SET version = -(version + ?) WHERE version > ?", (by, after))
    db.execute("UPDATE journal SET version = -version WHERE version < 0")
