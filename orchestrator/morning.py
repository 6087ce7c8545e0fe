"""The morning report of a home: gathered from its files, and written by a process of its own.

::

    python -m orchestrator.morning HOME [--output FILE] [--world FILE]

Drawing takes memory and seconds, and may meet a journal that nobody thought of: the daemon only starts a process that
does it, with a low priority, and goes on whatever becomes of it.  At any moment of a night the report is that of
the journal so far.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from orchestrator.campaign.state import fold
from orchestrator.journal import SqliteJournal
from orchestrator.service.home import Home
from orchestrator.witness import account, read_world

if TYPE_CHECKING:
    from orchestrator.report.consumables import Gas

log = logging.getLogger(__name__)

PATIENCE_S = 300.0
"""Real seconds that a report may take, on the slowest machine."""

NICENESS = 5
WORLD = "world.jsonl"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def write_apart(home: Home, output: Path | None = None, world: Path | None = None) -> str:
    """Have the report of `home` written by a process of its own; "" if it was, else why not.

    `output` is the file, by default the home's own; `world` the simulated lab's log, if it is not in the home.
    """
    command = [sys.executable, "-m", "orchestrator.morning", str(home.path)]
    command += ["--output", str(output)] if output else []
    command += ["--world", str(world)] if world else []
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE_S,
            env={**os.environ, **_ONE_THREAD},
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"it took longer than {PATIENCE_S:.0f} s"
    except OSError as error:
        why = f"no process could be started ({error.strerror})"
    else:
        if done.returncode == 0:
            return ""
        why = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
        log.error("the report's process said:\n%s", done.stderr.strip())
    log.error("no report of %s: %s", home.path, why)
    return why


def write_report_of(home: Home, output: Path | None = None, world: Path | None = None) -> Path:
    """Write the report of the night in `home`, here and now; where it is.

    Raises `HomeError` or `JournalError` if there is no journal that can be read, `LifecycleError` if it tells of what
    cannot happen, `WitnessError` if the world log cannot be read, and `OSError` if the file cannot be written.
    """
    from orchestrator.report import write_report  # loads what draws

    journal = SqliteJournal(home.need_journal())
    try:
        entries = list(journal.read())
    finally:
        journal.close()
    state = fold(entries)
    target, told = output or home.report, world or home.path / WORLD
    seen = account(read_world(told), state) if told.exists() else None
    write_report(
        entries,
        target,
        simulated=seen is not None or home.rehearsed,
        hazards=seen.hazards if seen else None,
        gas=gas_of(home, state.started.lab if state.started else {}),
    )
    return target


def gas_of(home: Home, lab: dict[str, Any]) -> Gas | None:
    """The median flow that was read while films grew, from the documents of the stations of `home`; None if there is no
    reading."""
    from orchestrator.report.consumables import Gas

    flows: list[float] = []
    for station, told in (lab.get("stations") or {}).items():
        controllers = [
            name for name, device in ((told or {}).get("devices") or {}).items() if device.get("role") == "gas"
        ]
        flows += _flows(home.path / f"{station}.documents.db", controllers)
    return Gas(median(flows), len(flows)) if flows else None


def _flows(documents: Path, controllers: list[str]) -> list[float]:
    """What the flow `controllers` told in every event of `documents`, sccm."""
    if not controllers or not documents.exists():
        return []
    query = "SELECT json_extract(body, '$.data') FROM documents WHERE name = 'event'"
    try:
        with closing(sqlite3.connect(f"{documents.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)) as db:
            read = [json.loads(data) for (data,) in db.execute(query) if data]
    except (sqlite3.Error, ValueError) as error:
        log.warning("%s: no flow can be read (%s)", documents, error)
        return []
    told = [data.get(f"{name}_actual_flow") for data in read for name in controllers]
    return [float(flow) for flow in told if isinstance(flow, int | float) and flow > 0]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the morning report of HOME.")
    parser.add_argument("home", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--world", type=Path)
    asked = parser.parse_args()
    os.nice(NICENESS)
    write_report_of(Home(asked.home), asked.output, asked.world)


if __name__ == "__main__":
    main()
