"""Outcomes of searches, kept as JSON lines so that a comparison grows from run to run and can be interrupted.

A line is written whole and at once, under a lock, so that several processes may add to the same file; each
reads what the others have added whenever it looks.  One file an agent: `FOLDER/nightshift.jsonl`.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from os import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.optimizer.process import Took
from benchmarks.optimizer.search import Mode, Outcome, Plan

FOLDER = Path.home() / ".cache" / "nightshift" / "optimizer-results"
DIGITS = 4  # of the seconds kept


@dataclass(frozen=True)
class Key:
    """Everything that an outcome depends on.  `pool` is the digest of its content."""

    pool: str
    agent: str
    version: str
    seed: int
    plan: Plan


class Cache:
    """Outcomes by key."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._outcomes: dict[Key, Outcome] = {}
        self._read: dict[Path, int] = {}

    def get(self, key: Key) -> Outcome | None:
        """What became of the search, if any process has made it."""
        if key not in self._outcomes:
            self._catch_up(self._file(key.agent))
        return self._outcomes.get(key)

    def put(self, key: Key, outcome: Outcome) -> None:
        """Keep `outcome`."""
        line = json.dumps({"key": asdict(key), "outcome": _rounded(outcome)}) + "\n"
        file = self._file(key.agent)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab+") as lines:
            fcntl.flock(lines, fcntl.LOCK_EX)
            lines.write(_after(lines) + line.encode())
        self._outcomes[key] = outcome

    def _file(self, agent: str) -> Path:
        return self._folder / f"{agent}.jsonl"

    def _catch_up(self, file: Path) -> None:
        """Read the lines that have come since the last time; a torn last one waits for its end."""
        if not file.exists():
            return
        with file.open("rb") as lines:
            lines.seek(self._read.get(file, 0))
            text = lines.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read[file] = self._read.get(file, 0) + len(whole)
        self._outcomes.update(_entries(whole))


def _after(lines: BinaryIO) -> bytes:
    """What ends the line of a process that was killed while it wrote."""
    if not lines.seek(0, SEEK_END):
        return b""
    lines.seek(-1, SEEK_END)
    return b"" if lines.read(1) == b"\n" else b"\n"


def _entries(text: bytes) -> Iterator[tuple[Key, Outcome]]:
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # the torn end of a process that was killed while it wrote
            continue
        yield _key(entry["key"]), _outcome(entry["outcome"])


def _key(entry: dict[str, Any]) -> Key:
    plan = entry.pop("plan")
    return Key(**entry, plan=Plan(**{**plan, "mode": Mode(**plan["mode"])}))


def _outcome(entry: dict[str, Any]) -> Outcome:
    decisions = tuple(Took(*took) for took in entry["decisions"])
    return Outcome(entry["experiments"], tuple(entry["rows"]), decisions, entry["error"])


def _rounded(outcome: Outcome) -> dict[str, Any]:
    decisions = [[float(f"{s:.{DIGITS}g}") for s in (took.wall, took.cpu)] for took in outcome.decisions]
    return {**asdict(outcome), "decisions": decisions}
