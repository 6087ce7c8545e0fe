"""The station's step log: each step under its uid, once, whoever dies when.

The same SQLite file holds the documents.  A step that is found *running* when the worker starts was cut off:
nobody can say how far it came, so it becomes *unknown*; its marks say which acts it was about to begin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from orchestrator.execution.documents import StationFile, plain

_SCHEMA = """
CREATE TABLE IF NOT EXISTS steps (
    uid      TEXT PRIMARY KEY,
    step     TEXT NOT NULL,
    state    TEXT NOT NULL,
    outcome  TEXT NOT NULL DEFAULT '{}',
    error    TEXT NOT NULL DEFAULT '',
    run_uids TEXT NOT NULL DEFAULT '[]',
    begun    REAL NOT NULL,
    ended    REAL
) STRICT;
CREATE TABLE IF NOT EXISTS marks (
    number INTEGER PRIMARY KEY,
    uid    TEXT NOT NULL REFERENCES steps,
    mark   TEXT NOT NULL,
    facts  TEXT NOT NULL,
    time   REAL NOT NULL
) STRICT;
"""


class StepState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


class StepLog:
    """Times are lab time, seconds since the epoch."""

    def __init__(self, path: Path | str) -> None:
        self._file = StationFile(path, _SCHEMA)

    def interrupt(self, now: float) -> list[str]:
        """At start-up: steps found running become unknown.  Returns their uids."""
        cut_off = [uid for (uid,) in self._file.rows("SELECT uid FROM steps WHERE state = 'running'")]
        for uid in cut_off:
            marks = ", ".join(mark["mark"] for mark in self.marks(uid)) or "nothing irreversible"
            error = f"the station's worker died during this step; it had set out to: {marks}"
            self.end(uid, StepState.UNKNOWN, {}, error, [], now)
        return cut_off

    def begin(self, step: Mapping[str, Any], now: float) -> bool:
        """Enter `step` as running, synced.  False if a step with its uid is there already."""
        inserted = self._file.write(
            "INSERT INTO steps (uid, step, state, begun) VALUES (?, ?, 'running', ?) ON CONFLICT DO NOTHING",
            (step["uid"], json.dumps(plain(step)), now),
            synced=True,
        )
        return inserted == 1

    def mark(self, uid: str, mark: str, facts: Mapping[str, Any], now: float) -> None:
        """The step is about to begin an act; synced."""
        self._file.write(
            "INSERT INTO marks (uid, mark, facts, time) VALUES (?, ?, ?, ?)",
            (uid, mark, json.dumps(plain(facts)), now),
            synced=True,
        )

    def end(
        self,
        uid: str,
        state: StepState,
        outcome: Mapping[str, Any],
        error: str,
        run_uids: list[str],
        now: float,
    ) -> None:
        """How the step ended, synced."""
        self._file.write(
            "UPDATE steps SET state = ?, outcome = ?, error = ?, run_uids = ?, ended = ? WHERE uid = ?",
            (state, json.dumps(plain(outcome)), error, json.dumps(run_uids), now, uid),
            synced=True,
        )

    def marks(self, uid: str) -> list[dict[str, Any]]:
        rows = self._file.rows("SELECT mark, facts, time FROM marks WHERE uid = ? ORDER BY number", (uid,))
        return [{"mark": mark, "time": time, **json.loads(facts)} for mark, facts, time in rows]

    def answer(self, uid: str) -> dict[str, Any] | None:
        """The step's state, outcome, error, run uids and marks; None if there is no such step."""
        query = "SELECT state, outcome, error, run_uids FROM steps WHERE uid = ?"
        for state, outcome, error, run_uids in self._file.rows(query, (uid,)):
            return {
                "state": state,
                "outcome": json.loads(outcome),
                "error": error,
                "run_uids": json.loads(run_uids),
                "marks": self.marks(uid),
            }
        return None

    def close(self) -> None:
        self._file.close()
