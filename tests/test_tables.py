"""Whether a file has the tables that we write."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from orchestrator.tables import check_tables

OURS = "CREATE TABLE a (n INTEGER PRIMARY KEY, x REAL NOT NULL) STRICT; CREATE TABLE b (y TEXT) STRICT;"


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        (OURS, ""),
        (OURS + "CREATE TABLE c (z TEXT)", ""),
        (OURS.replace(", x REAL NOT NULL", ""), "its table a lacks x"),
        (OURS.replace("y TEXT", "y TEXT, z TEXT"), "its table b also has z"),
        (OURS.replace("REAL NOT NULL", "REAL"), "its table a has in another form x"),
        (OURS.replace("y TEXT", "y BLOB"), "its table b has in another form y"),
        ("CREATE TABLE a (n INTEGER PRIMARY KEY, x REAL NOT NULL)", "its table b lacks y"),
    ],
)
def test_tables_of_another_version(theirs, told):
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(theirs)
        if not told:
            check_tables(db, OURS)
            return
        with pytest.raises(sqlite3.DatabaseError, match=f"{told}; go on with the version that made it"):
            check_tables(db, OURS)
