"""Faults of the machine under a night: its disk, its database, its power.

Each changes something outside our own processes and can take it back.  What cannot be done on this machine
raises `Impossible`, with the reason.
"""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import struct
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from random import Random

from tests.chaos.family import Family

DISK_MB = 16
Undo = Callable[[], None]


class Impossible(Exception):
    """This fault cannot be made here; the message says why."""


# --- the disk -----------------------------------------------------------------------------------------


class Disk:
    """A small file system of its own for a night's home, if this machine lets us; else a plain folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.mounted = os.geteuid() == 0 and _run("mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", folder)

    def full(self, family: Family) -> Undo:
        """No room for another byte, until undone."""
        if not self.mounted:
            return _writes_refused(family)
        ballast = self.folder / "ballast"
        _fill(ballast)
        return lambda: ballast.unlink(missing_ok=True)

    def read_only(self) -> Undo:
        """Nothing can be written; nobody may have a file open for writing.  Raises `Impossible`."""
        if self.mounted:
            if not _run("mount", "-o", "remount,ro", self.folder):
                raise Impossible("the home could not be made read-only: is a file open?")
            return lambda: _must("mount", "-o", "remount,rw", self.folder)
        if os.geteuid() == 0:
            raise Impossible("root may write to anything, and no file system can be mounted here")
        return _permissions_taken(self.folder)

    def close(self, keep: Path | None = None) -> None:
        """Unmount, after copying what is there to `keep`."""
        if self.mounted:
            self.mounted = False
            _run("mount", "-o", "remount,rw", self.folder)
            (self.folder / "ballast").unlink(missing_ok=True)
            if keep is not None:
                shutil.copytree(self.folder, keep, dirs_exist_ok=True)
            _run("umount", "--lazy", self.folder)


def _run(*command: object) -> bool:
    try:
        return subprocess.run([str(c) for c in command], capture_output=True, timeout=10, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _must(*command: object) -> None:
    if not _run(*command):
        raise Impossible(f"{' '.join(map(str, command))} failed")


def _fill(ballast: Path) -> None:
    for size in (1 << 20, 1 << 12, 1):
        with suppress(OSError), ballast.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(size))


def _writes_refused(family: Family) -> Undo:
    """Every write to a file fails in every process of the family, and in those that they start."""
    limits = {}
    for member in family.members():
        with suppress(ProcessLookupError, PermissionError):
            limits[member.pid] = resource.prlimit(member.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(member.pid, resource.RLIMIT_FSIZE, (0, limits[member.pid][1]))
    if not limits:
        raise Impossible("no process of the night let its file size be limited")

    def undo() -> None:
        for member in family.members():
            with suppress(ProcessLookupError, PermissionError):
                hard = resource.prlimit(member.pid, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(member.pid, resource.RLIMIT_FSIZE, (hard, hard))

    return undo


def _permissions_taken(folder: Path) -> Undo:
    before = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")]}
    for path in reversed(before):
        path.chmod(before[path] & 0o555)

    def undo() -> None:
        for path, mode in before.items():
            path.chmod(mode)

    return undo


# --- the database -------------------------------------------------------------------------------------


def lock(database: Path) -> Undo:
    """Take the write lock of `database` from outside, until undone."""
    if not database.exists():
        raise Impossible("there was no journal yet")
    connection = sqlite3.connect(database, isolation_level=None, timeout=2.0, check_same_thread=False)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        connection.close()
        raise Impossible(f"the journal could not be locked ({error})") from error
    return connection.close


# --- the power ----------------------------------------------------------------------------------------

HEADER, FRAME = 32, 24
SYNCED = {
    "steps": "SELECT * FROM steps",
    "marks": "SELECT * FROM marks",
    "documents": "SELECT number FROM documents WHERE name IN ('start', 'stop')",
}
"""What a station has on the disk for certain when it has been committed; the rest a power cut may take."""


def power_cut(home: Path, rng: Random) -> dict[str, int]:
    """Treat the databases in `home`, which nobody has open, as a power cut may: unsynced commits are lost, and
    the write that was under way is torn.  By file name, how many frames of its write-ahead log are gone.
    """
    lost = {}
    for database in sorted(home.glob("*.db")):
        log = database.with_name(database.name + "-wal")
        database.with_name(database.name + "-shm").unlink(missing_ok=True)
        if log.exists() and log.stat().st_size > HEADER:
            lost[database.name] = _tear(database, log, rng)
    return lost


def _tear(database: Path, log: Path, rng: Random) -> int:
    content = log.read_bytes()
    ends = commits(content)
    keep = len(ends) - 1
    if database.name != "journal.db":  # every commit of the journal is synced
        while (
            keep > 0
            and rng.random() < 0.8
            and _synced(database, content[: ends[keep - 1]]) == _synced(database, content)
        ):
            keep -= 1
    if not ends:
        return 0
    page = struct.unpack(">I", content[8:12])[0] or 65536
    torn = content[HEADER : HEADER + FRAME] + rng.randbytes(page)
    log.write_bytes(content[: ends[keep]] + torn[: rng.randrange(len(torn))])
    return len(ends) - 1 - keep


def commits(content: bytes) -> list[int]:
    """Where each committed transaction ends in the write-ahead log `content`, in bytes."""
    page = struct.unpack(">I", content[8:12])[0] or 65536
    salts, step = content[16:24], FRAME + page
    ends = []
    for start in range(HEADER, len(content) - step + 1, step):
        if content[start + 8 : start + 16] != salts:
            break  # left over from before the last checkpoint
        if struct.unpack(">I", content[start + 4 : start + 8])[0]:
            ends.append(start + step)
    return ends


def _synced(database: Path, log: bytes) -> dict[str, list[tuple[object, ...]]]:
    """What must survive, as it would be read with this write-ahead log."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / database.name
        shutil.copyfile(database, copy)
        copy.with_name(copy.name + "-wal").write_bytes(log)
        found = {}
        with closing(sqlite3.connect(copy)) as db:
            for name, query in SYNCED.items():
                with suppress(sqlite3.OperationalError):  # no such table yet
                    found[name] = db.execute(query).fetchall()
        return found
