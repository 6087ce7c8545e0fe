"""Whether the tables in an SQLite file are those that this version of the program writes.

``CREATE TABLE IF NOT EXISTS`` leaves a table as another version made it.  It is better found when the file is opened
than in the middle of a night, by the first statement that names a column which is not there.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

ADVICE = "go on with the version that made it, or begin the campaign anew in another --home"


def check_tables(db: sqlite3.Connection, schema: str) -> None:
    """Raise `sqlite3.DatabaseError` unless each table of `schema` has the same columns in `db`."""
    with closing(sqlite3.connect(":memory:")) as ours:
        ours.executescript(schema)
        tables = [name for (name,) in ours.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found = [
            difference
            for table in tables
            for difference in _differences(table, _columns(ours, table), _columns(db, table))
        ]
    if found:
        raise sqlite3.DatabaseError(f"it is of another version of Nightshift: {'; '.join(found)}; {ADVICE}")


def _differences(table: str, wanted: dict[str, str], there: dict[str, str]) -> list[str]:
    lacks = [name for name in wanted if name not in there]
    beyond = [name for name in there if name not in wanted]
    other = [name for name in wanted if name in there and wanted[name] != there[name]]
    told = [("lacks", lacks), ("also has", beyond), ("has in another form", other)]
    return [f"its table {table} {what} {', '.join(names)}" for what, names in told if names]


def _columns(db: sqlite3.Connection, table: str) -> dict[str, str]:
    """Name -> how it is declared."""
    rows = db.execute('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)', (table,))
    return {name: str(form) for name, *form in rows}
