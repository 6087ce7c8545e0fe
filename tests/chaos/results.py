"""The results of a run, written as they come: a first line that says what was asked for, then a line a night."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.chaos.plan import Options


class OtherRun(Exception):
    """The folder has the results of something else."""


class Results:
    """In the file ``results.jsonl`` of `folder`; nights that are there already are not run again."""

    def __init__(self, folder: Path, options: Options) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "results.jsonl"
        asked = json.loads(json.dumps({"run": asdict(options)}))
        lines = list(_whole_lines(self.path))
        if lines and lines[0] != asked:
            raise OtherRun(f"{self.path} is of another run ({json.dumps(lines[0])}): choose another --out")
        self.nights: list[dict[str, Any]] = lines[1:]
        if not lines:
            self._write(asked)

    @property
    def kills(self) -> int:
        return sum(night["kills"] for night in self.nights)

    def add(self, night: dict[str, Any]) -> None:
        self._write(night)
        self.nights.append(night)

    def _write(self, line: dict[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """A last line that was cut off is dropped, in the file too."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        path.write_bytes(whole)
    for line in whole.splitlines():
        yield json.loads(line)
