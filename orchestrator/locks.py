"""Who lives here: a file that a process holds for as long as it lives, and that the system lets go when it dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

RETRY_S = 0.1


class Held(Exception):
    """Another process holds the file; `pid` is what it says of itself, None if it says nothing."""

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(f"{path} is held by process {pid or '?'}")
        self.pid = pid


class FileLock:
    """The file at `path`, held from here on until `release` or our death.  Raises `Held`, after `patience_s` real
    seconds."""

    def __init__(self, path: Path, patience_s: float = 0.0) -> None:
        self.path = path
        self._file = path.open("a+")
        deadline = time.monotonic() + patience_s
        while not self._take():
            if time.monotonic() >= deadline:
                holder = self._holder()
                self._file.close()
                raise Held(path, holder)
            time.sleep(RETRY_S)
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Idempotent."""
        self._file.close()

    def __enter__(self) -> FileLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> int | None:
        self._file.seek(0)
        return _pid(self._file.read())


def holder(path: Path) -> int | None:
    """Who holds the file at `path`: 0 if it does not say, None if nobody does.  Holds it itself for a moment."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _pid(path.read_text()) or 0
    return None


def _pid(text: str) -> int | None:
    return int(text) if text.isdigit() else None
