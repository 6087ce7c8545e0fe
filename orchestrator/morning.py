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
import sqlite3
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from orchestrator import apart
from orchestrator.campaign.state import fold
from orchestrator.journal import SqliteJournal
from orchestrator.service.home import Home
from orchestrator.witness import account, read_world

if TYPE_CHECKING:
    from orchestrator.report.consumables import Gas

log = logging.getLogger(__name__)

PATIENCE_S = 300.0
"""Real seconds that a report may take, on the slowest machine."""

WORLD = "world.jsonl"


def write_apart(home: Home, output: Path | None = None, world: Path | None = None) -> str:
    """Have the report of `home` written by a process of its own; "" if it was, else why not.

    `output` is the file, by default the home's own; `world` the simulated lab's log, if it is not in the home.
    """
    options = ["--output", str(output)] if output else []
    options += ["--world", str(world)] if world else []
    try:
        apart.run("orchestrator.morning", str(home.path), *options, patience_s=PATIENCE_S)
    except apart.NotDone as why:
        if why.said:
            log.error("the report's process said:\n%s", why.said)
        log.error("no report of %s: %s", home.path, why)
        return str(why)
    return ""


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
    apart.step_back()
    write_report_of(Home(asked.home), asked.output, asked.world)


if __name__ == "__main__":
    main()
