"""Reading journal.db: the entries as typed facts, and what is wrong with file and entries."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from orchestrator.audit.records import Fact, Misread
from orchestrator.audit.sqlite_file import Unreadable, faults, opened, rows, tables
from orchestrator.campaign import entries as e

MARK = 0x4E534A4C
"""The application id of a journal: "NSJL"."""

_KINDS: dict[str, type[BaseModel]] = {
    kind.model_fields["kind"].default: kind for kind in get_args(get_args(e.Entry)[0])
}


def read_journal(path: Path) -> tuple[list[Fact[e.Entry]], int, list[Misread], list[Misread]]:
    """The facts, how many rows there were, and what is wrong with the file and with single entries.

    A file without any table is a journal in which nothing was written yet.  Raises `Unreadable`.
    """
    with opened(path) as db:
        if not (there := tables(db)):
            return [], 0, [], []
        if "journal" not in there:
            raise Unreadable(f"{path}: is the database of something else; name a campaign's folder")
        wrong = [*_mark(db), *faults(db)]
        facts, unknown, count = [], [], 0
        for version, time, text in rows(db, "SELECT version, time, entry FROM journal ORDER BY version", wrong):
            count += 1
            try:
                entry, doubt = _entry(text)
            except (ValueError, TypeError) as error:
                unknown.append(Misread(f"cannot be read: {_short(error)}", version))
                continue
            unknown += [Misread(doubt, version)] if doubt else []
            facts.append(Fact(int(version), float(time), entry))
    return facts, count, [Misread(f"{path.name}: {why}") for why in wrong], unknown


def _mark(db: sqlite3.Connection) -> list[str]:
    (mark,) = db.execute("PRAGMA application_id").fetchone()
    return [] if mark == MARK else [f"it is marked {mark:#x}, not {MARK:#x}, so that our own programs refuse it"]


def _entry(text: str) -> tuple[e.Entry, str]:
    """The entry that `text` holds, and what is wrong with its values.  Raises `ValueError` if it has no such form.

    One that has the form of its kind but values that it may not have is kept, so that every check can look at it.
    """
    try:
        return e.from_json(text), ""
    except ValidationError as error:
        if any(wrong["type"] != "value_error" for wrong in error.errors()):
            raise
        told: dict[str, Any] = json.loads(text)
        return _KINDS[told["kind"]].model_construct(**told), _short(error)  # type: ignore[return-value]


def _short(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, w['loc'][1:])) or 'it'}: {w['msg']}" for w in error.errors()[:3])
