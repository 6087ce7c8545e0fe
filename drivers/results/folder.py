"""A watched folder: each file in it is taken once, whole, or not at all.

A file is whole when neither its size nor its time of change has moved for `still_s`, when both are the same before
and after it is read, and when its reader finds its end.  It is taken by being renamed into ``taken`` beside it, which
no two can do; what cannot be read although it is still goes to ``refused``, with the reason beside it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from drivers.wire.errors import Malformed

T = TypeVar("T")
Stamp = tuple[int, int, int]

TAKEN, REFUSED = "taken", "refused"
LARGEST = 64 * 2**20
STILL_S = 5.0


class Incomplete(Malformed):
    """The file has no end yet; ask again later."""


@dataclass(frozen=True)
class Taken(Generic[T]):
    """A whole file, and where it lies now."""

    name: str
    path: Path
    result: T


@dataclass(frozen=True)
class Refused:
    """A file that cannot be read, where it lies now, and why."""

    name: str
    path: Path
    reason: str


class WatchedFolder(Generic[T]):
    """`read` makes a result of a file's bytes, and raises `Malformed` or `Incomplete`.  `now` tells real seconds.

    `still_s` must be longer than any pause of the program that writes.
    """

    def __init__(
        self,
        folder: str | Path,
        pattern: str,
        read: Callable[[bytes], T],
        now: Callable[[], float],
        *,
        still_s: float = STILL_S,
    ) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise NotADirectoryError(f"{self.folder}: no such folder; give the one into which the results are written")
        self._pattern, self._read, self._now, self._still_s = pattern, read, now, still_s
        self._seen: dict[str, tuple[Stamp, float]] = {}

    def look(self) -> list[Taken[T] | Refused]:
        """What has become whole since the last look, oldest first.  Reads nothing that is still being written."""
        stamps = {path: stamp for path in self.folder.glob(self._pattern) if (stamp := _stamp(path)) is not None}
        self._seen = {name: seen for name, seen in self._seen.items() if self.folder / name in stamps}
        found = []
        for path, stamp in sorted(stamps.items(), key=lambda item: (item[1][2], item[0].name)):
            if self._is_still(path.name, stamp) and (outcome := self._take(path, stamp)) is not None:
                del self._seen[path.name]
                found.append(outcome)
        return found

    def _is_still(self, name: str, stamp: Stamp) -> bool:
        before, since = self._seen.get(name, (None, 0.0))
        if before != stamp:
            self._seen[name] = (stamp, self._now())
            return False
        return self._now() - since >= self._still_s

    def _take(self, path: Path, stamp: Stamp) -> Taken[T] | Refused | None:
        """None if it is not whole after all, or somebody else has it."""
        if stamp[1] > LARGEST:
            return self._refuse(path, f"{stamp[1]} bytes, {LARGEST} at most are read")
        try:
            content = path.read_bytes()
        except OSError:  # locked by the program that writes it, or gone
            return None
        if _stamp(path) != stamp or len(content) != stamp[1]:
            return None
        try:
            result = self._read(content)
        except Incomplete:
            return None
        except Malformed as error:
            return self._refuse(path, str(error))
        moved = self._move(path, TAKEN)
        return None if moved is None else Taken(path.name, moved, result)

    def _refuse(self, path: Path, reason: str) -> Refused | None:
        moved = self._move(path, REFUSED)
        if moved is None:
            return None
        moved.with_name(moved.name + ".why.txt").write_text(reason + "\n", encoding="utf-8")
        return Refused(path.name, moved, reason)

    def _move(self, path: Path, where: str) -> Path | None:
        """Rename it; a name that is there already gets a number, and nothing is overwritten."""
        shelf = self.folder / where
        shelf.mkdir(exist_ok=True)
        for number in range(10_000):
            target = shelf / (path.name if not number else f"{path.stem}-{number}{path.suffix}")
            with contextlib.suppress(FileExistsError):
                try:
                    os.link(path, target)
                except FileNotFoundError:  # somebody else has taken it
                    return None
                try:
                    os.unlink(path)
                except FileNotFoundError:  # in the same moment: theirs
                    os.unlink(target)
                    return None
                return target
        raise FileExistsError(f"{shelf}: 10000 files are called {path.name}; clear it")


def _stamp(path: Path) -> Stamp | None:
    """Of a plain file: which one, how long, changed when (ns)."""
    try:
        state = path.lstat()
    except OSError:
        return None
    return (state.st_ino, state.st_size, state.st_mtime_ns) if path.is_file() and not path.is_symlink() else None
