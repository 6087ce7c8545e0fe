"""What is on the disk after a crash: all that was written, or only what was synced.

A commit to SQLite's write-ahead log appends frames to the log; a synced one syncs the log, with all that was
appended before.  The database itself changes only when the log is folded into it, which syncs both.  So the length
of each log at its last sync says what a power cut leaves.
"""

from __future__ import annotations

import shutil
from pathlib import Path

LOSSES = ("kill", "power")
"""``kill``: our processes die, the system lives and has what they wrote.  ``power``: only what was synced is left."""
FOLDED_AT = 1000 * 4096
"""SQLite folds a log that is longer than this; then a length says nothing."""


class Disk:
    """The home of a night, and what of it is safe: to begin with, all that is there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._synced = {database.name: self._length(database) for database in home.glob("*.db")}

    def synced(self, database: Path) -> None:
        """Everything appended to the log of `database` is on the disk."""
        if database.parent == self.home:
            self._synced[database.name] = self._length(database)

    def image(self, loss: str, target: Path) -> None:
        """A copy of the home as the next start finds it."""
        target.mkdir(parents=True)
        for database in self.home.glob("*.db"):
            if loss == "power" and database.name not in self._synced:
                continue  # not even its name had reached the disk
            shutil.copyfile(database, target / database.name)
            log = _log(database)
            if not log.exists():
                continue
            content = log.read_bytes()
            if loss == "power" and len(content) < FOLDED_AT:
                content = content[: self._synced[database.name]]
            (target / log.name).write_bytes(content)
        if loss == "kill":
            for left in ("daemon.json", "daemon.lock"):
                if (self.home / left).exists():
                    shutil.copyfile(self.home / left, target / left)

    @staticmethod
    def _length(database: Path) -> int:
        log = _log(database)
        return log.stat().st_size if log.exists() else 0


def _log(database: Path) -> Path:
    return database.with_name(database.name + "-wal")
