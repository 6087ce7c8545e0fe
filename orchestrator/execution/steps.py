"""The station's step log: each step under its uid, once, whoever dies when.

The same SQLite file holds the documents.  A step that is found *running* when the worker starts was cut off.  It
becomes *unknown*, and keeps what may tell how far it came: its marks, which say which acts it was about to begin,
the outcome it last recorded, and what the devices showed before and after they were made safe.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from orchestrator.execution.documents import StationFile, plain

SYNC_S = 1.0
"""Real seconds: records come as often as a rehearsal's clock makes them, and a sync takes a few milliseconds."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS steps (
    uid      TEXT PRIMARY KEY,
    step     TEXT NOT NULL,
    state    TEXT NOT NULL,
    outcome  TEXT NOT NULL DEFAULT '{}',
    error    TEXT NOT NULL DEFAULT '',
    fault    TEXT NOT NULL DEFAULT '',
    run_uids TEXT NOT NULL DEFAULT '[]',
    evidence TEXT,
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
        self._synced_at = time.monotonic()

    def cut_off(self) -> list[str]:
        """At start-up: uids of the steps that are running for all we know, and are not."""
        return [uid for (uid,) in self._file.rows("SELECT uid FROM steps WHERE state = 'running'")]

    def witness(self, uid: str, look: Mapping[str, Any]) -> None:
        """Keep what the devices show before anything is changed, synced: one look for each start until
        `interrupt`."""
        evidence = self._evidence(uid) or {"before": []}
        evidence["before"].append(plain(look))
        self._file.write("UPDATE steps SET evidence = ? WHERE uid = ?", (json.dumps(evidence), uid), synced=True)

    def interrupt(self, uid: str, evidence: Mapping[str, Any], now: float) -> None:
        """The step becomes unknown; `evidence` is added to what was witnessed.  Its outcome stays as recorded."""
        marks = ", ".join(mark["mark"] for mark in self.marks(uid)) or "nothing irreversible"
        error = f"the station's worker died during this step; it had set out to: {marks}"
        kept = json.dumps({**(self._evidence(uid) or {}), **plain(evidence)})
        self._file.write(
            "UPDATE steps SET state = ?, error = ?, fault = 'death', evidence = ?, ended = ? WHERE uid = ?",
            (StepState.UNKNOWN, error, kept, now, uid),
            synced=True,
        )

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

    def record(self, uid: str, outcome: Mapping[str, Any], *, synced: bool = False) -> None:
        """The outcome as it stands.  It survives the death of the process; unless synced, a power cut may take what
        was recorded in the last `SYNC_S`."""
        synced = synced or time.monotonic() - self._synced_at >= SYNC_S
        values = (json.dumps(plain(outcome)), uid)
        self._file.write("UPDATE steps SET outcome = ? WHERE uid = ? AND state = 'running'", values, synced=synced)
        if synced:
            self._synced_at = time.monotonic()

    def end(
        self,
        uid: str,
        state: StepState,
        outcome: Mapping[str, Any],
        error: str,
        run_uids: list[str],
        now: float,
        evidence: Mapping[str, Any] | None = None,
        fault: str = "",
    ) -> None:
        """How the step ended, synced; `evidence` is what was looked at after it ended badly, `fault` the class of
        what went wrong."""
        kept = None if evidence is None else json.dumps(plain(evidence))
        self._file.write(
            "UPDATE steps SET state = ?, outcome = ?, error = ?, fault = ?, run_uids = ?, ended = ?, evidence = ? "
            "WHERE uid = ?",
            (state, json.dumps(plain(outcome)), error, fault, json.dumps(run_uids), now, kept, uid),
            synced=True,
        )

    def marks(self, uid: str) -> list[dict[str, Any]]:
        rows = self._file.rows("SELECT mark, facts, time FROM marks WHERE uid = ? ORDER BY number", (uid,))
        return [{"mark": mark, "time": time, **json.loads(facts)} for mark, facts, time in rows]

    def answer(self, uid: str) -> dict[str, Any] | None:
        """The step's state, outcome, error, fault, run uids, marks and evidence; None if there is no such step."""
        query = "SELECT state, outcome, error, fault, run_uids, evidence FROM steps WHERE uid = ?"
        for state, outcome, error, fault, run_uids, evidence in self._file.rows(query, (uid,)):
            return {
                "state": state,
                "outcome": json.loads(outcome),
                "error": error,
                "fault": fault,
                "run_uids": json.loads(run_uids),
                "marks": self.marks(uid),
                "evidence": None if evidence is None else json.loads(evidence),
            }
        return None

    def _evidence(self, uid: str) -> dict[str, Any] | None:
        ((evidence,),) = self._file.rows("SELECT evidence FROM steps WHERE uid = ?", (uid,))
        return None if evidence is None else json.loads(evidence)

    def close(self) -> None:
        self._file.close()
