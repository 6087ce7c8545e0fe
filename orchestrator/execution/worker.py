"""The worker of one station, a process of its own: ``python -m orchestrator.execution.worker``.

Prints one JSON line ``{"started": true}`` once everything is imported, reads one JSON line on standard input,
prints one JSON line ``{"uri": ...}``, and serves the object `Worker`.
When standard input ends the parent is dead: abort, make safe, exit.  SIGTERM and SIGINT mean the same.

The configuration: ``station``, ``lab`` (a LabSpec as a dict), ``addresses``, ``clock``, ``log`` (the SQLite
file of documents and steps), ``token``, and ``builder``, a "module:function" that builds the station from
(lab, station name, addresses, clock); its module also has ``open_clock(spec)``.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from drivers.clock import Clock
from drivers.roles import Station, devices
from orchestrator import rpc
from orchestrator.campaign.labspec import LabSpec
from orchestrator.execution import plans, safety
from orchestrator.execution.documents import DocumentLog, DocumentLogError, plain
from orchestrator.execution.engine import Engine
from orchestrator.execution.gate import Gates
from orchestrator.execution.interlocks import Interlocks
from orchestrator.execution.lifecycle import Happening, Lifecycle, State
from orchestrator.execution.monitor import Monitor
from orchestrator.execution.orders import Orders
from orchestrator.execution.steps import StepLog, StepState
from protocols.gates import Aborted

log = logging.getLogger(__name__)

NAME = "worker"
DEFAULT_BUILDER = "orchestrator.lab:build_station"
ABORT_PATIENCE_S = 5.0
"""Real seconds that an aborted plan has to end by itself before it is ended, and the station made safe anyway."""
SIGNAL_POLL_S = 0.2


class StationBusy(RuntimeError):
    """Another step is running."""


class Worker:
    """What the daemon can ask of a station.  Every method may be called on any thread.

    All but `wait` and `safe` return at once.
    """

    def __init__(
        self,
        station: Station,
        clock: Clock,
        path: str,
        *,
        poll_s: Mapping[str, float] | None = None,
    ) -> None:
        self._station = station
        self._clock = clock
        self._steps = StepLog(path)
        self._documents = DocumentLog(path)
        self._steps.interrupt(clock.now())
        self._lifecycle = Lifecycle()
        self._orders = Orders()
        self._monitor = Monitor(devices(station), clock, poll_s)
        self._interlocks = Interlocks(station, clock, self._monitor.trouble)
        self._gates = Gates(
            clock,
            self._orders,
            self._interlocks,
            lifecycle=self._lifecycle,
            mark=self._mark,
            refreshed=self._monitor.postpone,
        )
        self._engine = Engine(self._gates, self._orders, self._documents.append)
        self._changed = threading.Condition()
        self._making_safe = threading.Lock()
        self._current: Mapping[str, Any] | None = None
        self._thread: threading.Thread | None = None
        self._faults: list[str] = []
        self._unlogged: dict[str, str] = {}
        self._closing = False
        self._monitor.start()
        self.closed = threading.Event()

    # --- steps ----------------------------------------------------------------------------------------

    def start(self, step: dict[str, Any]) -> dict[str, Any]:
        """Begin `step`, unless its uid is known: then nothing is begun.  Returns the step's `wait` answer.

        Raises `StationBusy`, or `plans.BadStep` if the step cannot be begun at all.
        """
        plans.check(step, self._station)
        with self._changed:
            if (known := self._steps.answer(step["uid"])) is not None:
                return known
            if (doing := self._occupied()) is not None:
                raise StationBusy(f"station {self._station.name} {doing}; step {step['uid']} was not begun")
            self._steps.begin(step, self._clock.now())
            self._current = step
            self._orders.clear()
            self._gates.begin()
            self._faults = []
            self._lifecycle.happened(Happening.STARTED)
            self._thread = threading.Thread(
                target=self._carry_out, args=(step,), name=f"step {step['uid']}", daemon=True
            )
            self._thread.start()
        return self._answer(step["uid"])

    def wait(self, uid: str, timeout_s: float) -> dict[str, Any]:
        """State, outcome, error, run uids and marks of a step; after at most `timeout_s` real seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._current is None or self._current["uid"] != uid, timeout_s)
        return self._answer(uid)

    def _occupied(self) -> str | None:
        if self._closing:
            return "is closing"
        if self._current is not None:
            return f"is busy with step {self._current['uid']}"
        return "is being made safe" if self._making_safe.locked() else None

    def _answer(self, uid: str) -> dict[str, Any]:
        answer = self._steps.answer(uid)
        if answer is None:
            error = f"station {self._station.name} knows no step {uid}; it was never begun here"
            return {"state": "unknown", "outcome": {}, "error": error, "run_uids": [], "marks": []}
        if uid in self._unlogged:
            return {**answer, "state": "unknown", "error": self._unlogged[uid]}
        return answer

    def _carry_out(self, step: Mapping[str, Any]) -> None:
        state, outcome, error = StepState.FAILED, {}, ""
        try:
            plan = plans.make(step, self._station, self._clock)
            outcome = self._engine.run(plan, plans.metadata(step, self._station, self._clock))
            outcome = plans.conclude(step, self._station, outcome or {})
            state = StepState.DONE
        except Aborted as aborted:
            state, error = StepState.ABORTED, str(aborted)
        except Exception as failure:  # process edge: whatever a plan raises ends its step, not the worker
            error = f"{type(failure).__name__}: {failure}"
            if (reason := self._orders.abort_reason) is not None:
                state, error = StepState.ABORTED, f"{reason}; {error}"
            log.exception("step %s", step["uid"])
        if state is not StepState.DONE:
            outcome = self._gates.outcome
        self._end(step, state, outcome, error)

    def _end(self, step: Mapping[str, Any], state: StepState, outcome: dict[str, Any], error: str) -> None:
        ended_well = state is StepState.DONE
        now_in = self._lifecycle.happened(Happening.FINISHED if ended_well else Happening.FAILED)
        if now_in is State.ABORTING:
            self._make_safe()
            self._lifecycle.happened(Happening.MADE_SAFE)
        try:
            self._steps.end(step["uid"], state, outcome, error, self._engine.run_uids, self._clock.now())
        except DocumentLogError as unwritten:
            # Without its end in the log nobody can rely on this step: it is unknown, now and after a restart.
            log.exception("step %s", step["uid"])
            self._unlogged[step["uid"]] = f"{error or state}, but its end could not be logged: {unwritten}"
        with self._changed:
            self._current = None
            self._changed.notify_all()

    def _mark(self, mark: str, facts: Mapping[str, Any]) -> None:
        assert self._current is not None
        self._steps.mark(self._current["uid"], mark, facts, self._clock.now())

    # --- orders ---------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """state, step, progress, readings, faults, and the reasons of a hold or abort."""
        step = self._current
        fraction, text = self._gates.progress
        return {
            "station": self._station.name,
            "state": str(self._lifecycle.state),
            "step": None if step is None else {"uid": step["uid"], "plan": step["plan"]},
            "progress": {"fraction": fraction, "text": text} if step is not None else None,
            "readings": plain(plans.readings(self._station)),
            "faults": [*self._faults, *(f"{n}: {t}" for n, t in self._monitor.troubles().items())],
            "hold_reason": self._orders.hold_reason,
            "abort_reason": self._orders.abort_reason,
            "lab_time": self._clock.now(),
        }

    def hold(self, reason: str) -> str:
        """Ask the running step to hold at its next gate.  Returns the station's state."""
        with self._changed:
            if self._current is not None:
                self._lifecycle.happened(Happening.HOLD_ASKED)
                self._orders.hold(reason)
            return str(self._lifecycle.state)

    def resume(self) -> str:
        """Lift a hold.  Returns the station's state."""
        with self._changed:
            if self._current is not None:
                self._lifecycle.happened(Happening.RESUMED)
                self._orders.resume()
            return str(self._lifecycle.state)

    def abort(self, reason: str) -> str:
        """End the running step; its film or loop stays as it is.  Returns the station's state."""
        with self._changed:
            if self._current is not None and self._orders.abort_reason is None:
                self._lifecycle.happened(Happening.ABORT_ASKED)
                self._orders.abort(reason)
                watch = threading.Thread(target=self._insist, args=(self._current, reason), daemon=True)
                watch.start()
            return str(self._lifecycle.state)

    def safe(self, reason: str) -> dict[str, Any]:
        """Abort what runs, and put every device into its safe state; returns when that is done, or cannot be."""
        self.abort(reason)
        with self._changed:
            self._changed.wait_for(lambda: self._current is None, ABORT_PATIENCE_S)
            stuck = self._current is not None
        self._make_safe()
        with self._changed:
            if self._current is None:  # else the step says so when it ends, if it does
                self._lifecycle.happened(Happening.MADE_SAFE)
        return {"safe": not self._faults, "faults": list(self._faults), "stuck": stuck}

    def shutdown(self) -> None:
        """Ask the process to end; it makes the station safe as it goes."""
        self.closed.set()

    def close(self, reason: str) -> None:
        """Abort, wait for the plan, make safe, stop reading.  On the main thread, at the end."""
        with self._changed:
            self._closing = True
        self.abort(reason)
        if self._thread is not None:
            self._thread.join(2 * ABORT_PATIENCE_S)
        self._make_safe()
        self._monitor.stop()
        self._documents.close()
        self._steps.close()

    def _insist(self, step: Mapping[str, Any], reason: str) -> None:
        """See that an aborted plan ends, and that the station is safe even if it does not."""
        with self._changed:
            if self._changed.wait_for(lambda: self._current is not step, ABORT_PATIENCE_S):
                return
        log.error("step %s does not end after an abort: ending it", step["uid"])
        threading.Thread(target=self._engine.give_up, args=(reason,), daemon=True).start()
        self._make_safe()

    def _make_safe(self) -> None:
        with self._making_safe:
            self._interlocks.forget()
            self._faults = safety.make_safe(self._station)


def build(config: Mapping[str, Any]) -> tuple[Station, Clock, dict[str, float]]:
    """The station of `config`, its clock, and how often each device is read."""
    module_name, _, function = config.get("builder", DEFAULT_BUILDER).partition(":")
    module = import_module(module_name)
    clock: Clock = module.open_clock(config["clock"])
    lab = LabSpec.model_validate(config["lab"])
    name = config["station"]
    station: Station = getattr(module, function)(lab, name, config["addresses"], clock)
    return station, clock, {device: spec.poll_s for device, spec in lab.stations[name].devices.items()}


def main() -> None:
    """Serve one station until standard input ends or a signal comes."""
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    rpc.tell_parent({"started": True})
    config = rpc.read_config()
    try:
        station, clock, poll_s = build(config)
    except Exception as error:  # process edge: whoever started us is told, then it is raised
        rpc.tell_parent({"error": str(error)})
        raise
    worker = Worker(station, clock, config["log"], poll_s=poll_s)
    reasons: list[str] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # Nothing but this: the handler may interrupt a wait that holds the lock an event would want.
        signal.signal(number, lambda n, _: reasons.append(f"signal {signal.Signals(n).name}"))
    with rpc.serve({NAME: worker}, config["token"]) as server:
        rpc.announce(server)
        sys.stdout = sys.stderr  # bluesky prints; standard output is for the parent
        threading.Thread(target=_listen, args=(reasons, worker.closed), name="stdin", daemon=True).start()
        while not reasons and not worker.closed.wait(SIGNAL_POLL_S):
            pass
        worker.close(reasons[0] if reasons else "shut down")
    for device in devices(station):
        device.port.close()  # type: ignore[attr-defined]


def _listen(reasons: list[str], closed: threading.Event) -> None:
    rpc.await_orphaned()
    reasons.append("the daemon is gone")
    closed.set()


if __name__ == "__main__":
    main()
