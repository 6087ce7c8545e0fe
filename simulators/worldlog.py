"""The independent witness: what really happened in the simulated world, one JSON line an event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TextIO


class WorldLog:
    """Appends ``{"t": lab time, "event": name, ...}`` to `path` (if any), and keeps every entry in memory.

    Each line is flushed when written, so that a killed world has still told all it knew.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.entries: list[dict[str, Any]] = []
        self._file: TextIO | None = None
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - open for the life of the world

    def write(self, event: str, *, t: float, **fields: Any) -> None:
        entry = {"t": round(t, 3), "event": event, **fields}
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    def of(self, event: str) -> list[dict[str, Any]]:
        """All entries of one kind, oldest first."""
        return [entry for entry in self.entries if entry["event"] == event]

    def close(self) -> None:
        """Idempotent; what is written later is kept in memory only."""
        if self._file is not None:
            self._file.close()
            self._file = None
