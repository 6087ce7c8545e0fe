"""The worker of one station, a process of its own: ``python -m orchestrator.execution.worker``.

Prints one JSON line ``{"started": true}`` once everything is imported, reads one JSON line on standard input, answers
``{"configured": true}`` at once and ``{"uri": ...}`` or ``{"error": ...}`` when the station is connected and safe, and
serves the object `Worker`.
When standard input ends the parent is dead: abort, make safe, exit.  SIGTERM and SIGINT mean the same.  A parent
that is silent for `SILENCE_S` may be stopped: abort, make safe, and wait for it.

One worker at a time has a station: it holds the file beside its log.  One that finds an earlier worker still there,
being made safe by the death of its own daemon, waits for it, and ends it if it does not go.

The configuration: ``station``, ``lab`` (a LabSpec as a dict), ``addresses``, ``clock``, ``log`` (the SQLite
file of documents and steps), ``token``, and ``builder``, a "module:function" that builds the station from
(lab, station name, addresses, clock); its module also has ``open_clock(spec)``.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from drivers.clock import Clock
from drivers.roles import Station, devices
from orchestrator import rpc
from orchestrator.campaign.labspec import LabSpec
from orchestrator.execution.station import StationBusy, Worker
from orchestrator.locks import FileLock, Held

__all__ = ["StationBusy", "Worker", "build", "main"]

log = logging.getLogger(__name__)

NAME = "worker"
DEFAULT_BUILDER = "orchestrator.lab:build_station"
SIGNAL_POLL_S = 0.2
SILENCE_S = 20.0
"""Real seconds without a call after which the daemon counts as gone; it calls every second."""
GOING_S = 25.0
"""Real seconds that an earlier worker has to make its station safe and go."""


def build(config: Mapping[str, Any]) -> tuple[Station, Clock, dict[str, float]]:
    """The station of `config`, its clock, and how often each device is read."""
    module_name, _, function = config.get("builder", DEFAULT_BUILDER).partition(":")
    module = import_module(module_name)
    clock: Clock = module.open_clock(config["clock"])
    lab = LabSpec.model_validate(config["lab"])
    name = config["station"]
    station: Station = getattr(module, function)(lab, name, config["addresses"], clock)
    return station, clock, {device: spec.poll_s for device, spec in lab.instruments[name].devices.items()}


def claim(path: Path) -> FileLock:
    """The station whose log is at `path`, ours alone.  Raises `Held`."""
    lock = path.with_suffix(".lock")
    try:
        return FileLock(lock, GOING_S)
    except Held as held:
        if held.pid is None or not _is_worker(held.pid):
            raise
        log.warning("ending an earlier worker, process %d, which does not go", held.pid)
        os.kill(held.pid, signal.SIGKILL)
        return FileLock(lock, GOING_S)


def _is_worker(pid: int) -> bool:
    """Whether process `pid` is one of this program; a number is soon another's."""
    try:
        return __spec__.name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def main() -> None:
    """Serve one station until standard input ends or a signal comes."""
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    rpc.tell_parent({"started": True})
    config = rpc.read_config()
    rpc.tell_parent({"configured": True})
    try:
        lock = claim(Path(config["log"]))
        station, clock, poll_s = build(config)
        worker = Worker(station, clock, config["log"], poll_s=poll_s)
    except Exception as error:  # process edge: whoever started us is told, then it is raised
        rpc.tell_parent({"error": str(error)})
        raise
    reasons: list[str] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # Nothing but this: the handler may interrupt a wait that holds the lock an event would want.
        signal.signal(number, lambda n, _: reasons.append(f"signal {signal.Signals(n).name}"))
    with rpc.serve({NAME: worker}, config["token"]) as server:
        rpc.announce(server)
        sys.stdout = sys.stderr  # bluesky prints; standard output is for the parent
        threading.Thread(target=_listen, args=(reasons, worker.closed), name="stdin", daemon=True).start()
        while not reasons and not worker.closed.wait(SIGNAL_POLL_S):
            if worker.unheard_s > config.get("silence_s", SILENCE_S):
                log.warning("the daemon is silent: making the station safe")
                worker.safe(f"the daemon was silent for {worker.unheard_s:.0f} s")
        worker.close(reasons[0] if reasons else "shut down")
    for device in devices(station):
        device.port.close()  # type: ignore[attr-defined]
    lock.release()


def _listen(reasons: list[str], closed: threading.Event) -> None:
    rpc.await_orphaned()
    reasons.append("the daemon is gone")
    closed.set()


if __name__ == "__main__":
    main()
