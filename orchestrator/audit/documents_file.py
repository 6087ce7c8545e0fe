"""Reading STATION.documents.db: the runs, the steps and the marks of one station."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from orchestrator.audit.records import Mark, Misread, Run, Setting, StationLog, StepRecord
from orchestrator.audit.sqlite_file import Unreadable, faults, opened, rows, tables

SUFFIX = ".documents.db"

R = TypeVar("R")


def read_stations(home: Path) -> dict[str, StationLog]:
    """Every station's log in `home`.  One that cannot be read is there, and says so."""
    return {path.name.removesuffix(SUFFIX): read_station(path) for path in sorted(home.glob(f"*{SUFFIX}"))}


def read_station(path: Path) -> StationLog:
    name = path.name.removesuffix(SUFFIX)
    try:
        with opened(path) as db:
            return _Reading(path.name, name, db).log()
    except Unreadable as error:
        return StationLog(name, misread=(Misread(str(error)),))


class _Reading:
    """One pass through a station's file."""

    def __init__(self, file: str, station: str, db: sqlite3.Connection) -> None:
        self._file, self._station, self._db = file, station, db
        self._wrong = faults(db)
        self._looked = 0
        self._limits: dict[str, dict[str, tuple[float, float]]] = {}  # by descriptor

    def log(self) -> StationLog:
        runs: dict[str, _RunSoFar] = {}
        for run, name, body in self._rows("documents", "number, run, name, body", "number", self._document):
            runs.setdefault(run, _RunSoFar()).add(name, body, self._limits)
        return StationLog(
            station=self._station,
            runs={uid: run.whole(uid) for uid, run in runs.items()},
            steps={step.uid: step for step in self._rows("steps", self._step_columns(), "rowid", _step)},
            marks=tuple(self._rows("marks", "number, uid, mark, time", "number", _mark)),
            looked=self._looked,
            misread=tuple(Misread(f"{self._file}: {why}") for why in self._wrong),
        )

    def _step_columns(self) -> str:
        """What `_step` takes; version 0.1 kept no evidence."""
        columns = {name for _, name, *_ in self._db.execute("PRAGMA table_info(steps)")}
        return _STEP if "evidence" in columns else _STEP.replace("evidence", "NULL")

    def _rows(self, table: str, columns: str, order: str, read: Callable[..., R]) -> Iterator[R]:
        """What `read` makes of every row of `table`; why not of one that it cannot make anything of is noted."""
        if table not in tables(self._db):
            return
        for row in rows(self._db, f"SELECT {columns} FROM {table} ORDER BY {order}", self._wrong):
            self._looked += 1
            try:
                yield read(*row)
            except (ValueError, TypeError, LookupError) as error:
                self._wrong.append(f"row {row[0]} of {table} cannot be read ({error!r})")

    def _document(self, number: int, run: str, name: str, text: str) -> tuple[str, str, dict[str, Any]]:
        body = _table(json.loads(text))
        if name == "descriptor":
            self._limits[str(body["uid"])] = _limits_of(body)
        elif name == "event":
            _table(body["data"])
        elif name == "stop" and not all(isinstance(n, int) for n in _table(body["num_events"]).values()):
            raise ValueError("it does not count its events")
        return run, name, body


class _RunSoFar:
    """The documents of one run, as they come."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.bodies: dict[str, dict[str, Any]] = {}
        self.settings: list[Setting] = []

    def add(self, name: str, body: dict[str, Any], limits: Mapping[str, Mapping[str, tuple[float, float]]]) -> None:
        self.names.append(name)
        self.bodies.setdefault(name, body)
        if name == "event":
            for signal, (low, high) in limits.get(str(body.get("descriptor")), {}).items():
                if isinstance(value := body["data"].get(signal), int | float):
                    self.settings.append(Setting(signal, float(value), low, high))

    def whole(self, uid: str) -> Run:
        return Run(uid, self.bodies.get("start"), self.bodies.get("stop"), tuple(self.names), tuple(self.settings))


_STEP = "uid, step, state, outcome, run_uids, begun, ended, evidence"


def _step(
    uid: str,
    step: str,
    state: str,
    outcome: str,
    run_uids: str,
    begun: float,
    ended: float | None,
    evidence: str | None,
) -> StepRecord:
    runs = json.loads(run_uids)
    if not isinstance(runs, list):
        raise ValueError("its runs are no list")
    return StepRecord(
        uid=uid,
        step=_table(json.loads(step)),
        state=state,
        outcome=_table(json.loads(outcome)),
        run_uids=tuple(map(str, runs)),
        begun=float(begun),
        ended=None if ended is None else float(ended),
        evidence={} if evidence is None else _table(json.loads(evidence)),
    )


def _mark(_: int, uid: str, mark: str, time: float) -> Mark:
    return Mark(uid, mark, float(time))


def _limits_of(descriptor: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """The signals of a descriptor that have limits."""
    limits = {}
    for name, key in _table(descriptor["data_keys"]).items():
        match key:
            case {"lower_ctrl_limit": float() | int() as low, "upper_ctrl_limit": float() | int() as high}:
                limits[name] = (float(low), float(high))
    return limits


def _table(value: Any) -> dict[str, Any]:
    """Raises `ValueError` if `value` is no JSON object."""
    if not isinstance(value, dict):
        raise ValueError(f"{value!r:.60} is no table")
    return value
