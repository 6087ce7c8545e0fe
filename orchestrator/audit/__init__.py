"""The independent checker: a night's files against the invariants of the design, fact by fact.

It reads the files with its own eyes, and shares no code with the programs that wrote them but the types of the
entries.  ``sqlite_file``, ``journal_file``, ``documents_file`` and ``world_file`` read; ``records`` is what they
read; ``order``, ``samples``, ``calculations``, ``campaign``, ``acts``, ``documents``, ``world_films`` and
``world_acts`` are checks, pure; ``table`` lists them.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.audit.documents_file import read_stations
from orchestrator.audit.journal_file import read_journal
from orchestrator.audit.records import Records, stalled_versions
from orchestrator.audit.report import Report, examine
from orchestrator.audit.sqlite_file import Unreadable
from orchestrator.audit.world_clock import clocks_off
from orchestrator.audit.world_file import read_world

__all__ = ["Report", "Unreadable", "audit", "read_home"]

WORLD = "world.jsonl"


def read_home(home: Path, world: Path | None = None) -> Records:
    """Everything that `home` holds, and the world log at `world` (by default the one in `home`, if there is one).

    Raises `Unreadable` if there is no journal to audit, or no world log where one was named.
    """
    facts, rows, misread, unknown = read_journal(home / "journal.db")
    log = world or home / WORLD
    return Records(
        facts=tuple(facts),
        stalled=stalled_versions(facts),
        rows=rows,
        misread=tuple(misread),
        unknown=tuple(unknown),
        stations=read_stations(home),
        world=read_world(log) if world is not None or log.exists() else None,
    )


def audit(home: Path, world: Path | None = None) -> Report:
    """Audit the night in `home`.  Raises `Unreadable`."""
    records = read_home(home, world)
    over = records.over
    notes = [
        f"The clock of the daemon that began with entry {version} is {seconds:+.0f} s off the world's."
        for version, seconds in clocks_off(records).items()
        if seconds
    ]
    if (home / "daemon.json").exists():
        notes.append("A daemon runs here, or died here: while it runs, what it writes just now may look like a breach.")
    if records.stalled:
        over_entries = f"from entry {min(records.stalled)} to entry {max(records.stalled)}"
        notes.append(f"The journal's clock stood still for {len(records.stalled)} entries, {over_entries}.")
    return Report(str(home), records.rows, over.entry.end if over else None, tuple(notes), examine(records))
