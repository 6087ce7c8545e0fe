"""What a station worker costs over bare Bluesky, on the same devices and the same wire.

    python -m benchmarks.overhead [--events 300] [--runs 50]

The devices are the magnetometer's gaussmeter (pty) and lock-in (VISA socket) of `campaigns/labs/vsm.toml`,
served by the simulated lab.  Every event asks both instruments and records both.

bare              `RunEngine` as it comes, `bluesky.plan_stubs.trigger_and_read`, no document kept
bare + JSON lines the same, documents written to a JSON-lines file (not synced)
worker            our engine, gates and synced document log, with the messages that our plans use

The gap between one film's end and the next one's start is printed by `python -m benchmarks.overlap HOME`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky import RunEngine
from bluesky.utils import Msg

from orchestrator.campaign.labspec import load_lab
from orchestrator.execution.documents import DocumentLog, plain
from orchestrator.execution.engine import Engine
from orchestrator.execution.gate import Gates
from orchestrator.execution.interlocks import Interlocks
from orchestrator.execution.lifecycle import Lifecycle
from orchestrator.execution.orders import Orders
from orchestrator.lab import SimulatedLab, build_station
from protocols.gates import in_run, take_event

LAB = Path("campaigns/labs/vsm.toml")
REPEATS = 5

Run = Callable[[int], None]
"""Carries out one run of so many events."""


def bare(devices: list[Any], keep: Callable[..., None] | None = None) -> Run:
    engine = RunEngine({}, context_managers=[])
    if keep is not None:
        engine.subscribe(keep)

    def plan(events: int) -> Iterator[Msg]:
        @bpp.run_decorator()
        def inner() -> Iterator[Msg]:
            for _ in range(events):
                yield from bps.trigger_and_read(devices)

        yield from inner()

    return lambda events: engine(plan(events)) and None


def worker(station: Any, clock: Any, devices: list[Any], path: Path) -> Run:
    orders = Orders()
    log = DocumentLog(path)
    interlocks = Interlocks(station, clock, lambda _: "")
    gates = Gates(clock, orders, interlocks, lifecycle=Lifecycle(), mark=lambda *_: None, refreshed=lambda *_: None)
    engine = Engine(gates, orders, log.append)

    def plan(events: int) -> Iterator[Msg]:
        for _ in range(events):
            yield Msg("gate", None, 0.0, 0.0, "")
            yield Msg("refresh", None, *devices)
            yield from take_event(devices)

    def run(events: int) -> None:
        gates.begin()
        engine.run(in_run(plan(events)), {"plan_name": "overhead"})

    return run


def exchange_ms(devices: list[Any], events: int) -> float:
    """The wire alone: both instruments asked, on their own threads, ms."""
    begun = time.perf_counter()
    for _ in range(events):
        for future in [device.port.submit(device.refresh) for device in devices]:
            future.result()
    return 1e3 * (time.perf_counter() - begun) / events


def timed(run: Run, events: int, runs: int) -> tuple[float, float]:
    """Median ms for an event and for an empty run."""
    run(1)
    per_run, per_event = [], []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        for _ in range(runs):
            run(0)
        empty = (time.perf_counter() - begun) / runs
        begun = time.perf_counter()
        run(events)
        per_run.append(1e3 * empty)
        per_event.append(1e3 * (time.perf_counter() - begun - empty) / events)
    return statistics.median(per_event), statistics.median(per_run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--runs", type=int, default=50)
    args = parser.parse_args()
    lab = load_lab(LAB)
    with tempfile.TemporaryDirectory() as folder, SimulatedLab(lab, 1, Path(folder) / "simulators.log") as simulated:
        addresses = simulated.addresses()
        clock = simulated.start_clock(1.0)
        station = build_station(lab, lab.station("magnetometry")[0], addresses, clock)
        devices = [station.field_meter, station.signal]
        with (Path(folder) / "documents.jsonl").open("w") as lines:

            def keep(name: str, document: dict[str, Any]) -> None:
                lines.write(json.dumps([name, plain(document)]) + "\n")

            cases = {
                "bare": bare(devices),
                "bare + JSON lines": bare(devices, keep),
                "worker": worker(station, clock, devices, Path(folder) / "documents.db"),
            }
            print(f"wire alone: {exchange_ms(devices, args.events):.2f} ms for both instruments\n")
            print(f"{'':18} {'ms an event':>11} {'ms a run':>9}")
            for name, run in cases.items():
                event, empty = timed(run, args.events, args.runs)
                print(f"{name:18} {event:11.2f} {empty:9.2f}")
        for device in (station.magnet, *devices):
            device.port.close()


if __name__ == "__main__":
    main()
