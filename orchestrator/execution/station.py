"""What the daemon can ask of a station: steps, orders, the safe state.

Whatever a worker before us left, the station is safe before this one takes a step.  Steps that were cut off
become unknown; what the devices showed before they were made safe, and after, is kept with them.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Mapping
from typing import Any

from drivers.clock import Clock
from drivers.roles import Station, TransferStation, devices
from orchestrator.execution import evidence, plans, safety
from orchestrator.execution.documents import DocumentLog, DocumentLogError, plain
from orchestrator.execution.engine import Engine
from orchestrator.execution.faults import fault_of
from orchestrator.execution.gate import Gates
from orchestrator.execution.interlocks import Interlocks
from orchestrator.execution.lifecycle import Happening, Lifecycle, State
from orchestrator.execution.monitor import Monitor
from orchestrator.execution.orders import Orders
from orchestrator.execution.steps import StepLog, StepState
from orchestrator.execution.vitals import Vitals
from protocols.gates import Aborted, HeldTooLong

log = logging.getLogger(__name__)

ABORT_PATIENCE_S = 5.0
"""Real seconds that an aborted plan has to end by itself before it is ended, and the station made safe anyway."""

LOG_PATIENCE_S = 60.0
LOG_RETRY_S = 0.5


class NotSafe(RuntimeError):
    """The station could not be made safe; the message says which device, and what to do."""


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
        self._take_over()
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
            record=self._record,
            refreshed=self._monitor.postpone,
        )
        self._engine = Engine(self._gates, self._orders, self._documents.append)
        self._vitals = Vitals(self._engine.loop, devices(station))
        self._changed = threading.Condition()
        self._making_safe = threading.Lock()
        self._current: Mapping[str, Any] | None = None
        self._thread: threading.Thread | None = None
        self._faults: list[str] = []
        self._unlogged: dict[str, dict[str, Any]] = {}
        self._closing = False
        self._heard_at = time.monotonic()
        self._lifecycle.happened(Happening.MADE_SAFE)
        self._monitor.start()
        self.closed = threading.Event()

    def _take_over(self) -> None:
        """Witness what a worker before us left, make it safe, and see what is so afterwards.  Raises `NotSafe`."""
        cut_off = self._steps.cut_off()
        if cut_off:
            seen = evidence.look(self._station, self._clock)
            for uid in cut_off:
                self._steps.witness(uid, seen)
        begun = self._clock.now()
        if faults := safety.make_safe(self._station):
            raise NotSafe(f"station {self._station.name}: {'; '.join(faults)}")
        if cut_off:
            safe = {"begun": begun, "done": self._clock.now()}
            after = evidence.look_at_rest(self._station, self._clock)
            for uid in cut_off:
                self._steps.interrupt(uid, {"safe": safe, "after": after}, self._clock.now())

    # --- steps ----------------------------------------------------------------------------------------

    def start(self, step: dict[str, Any]) -> dict[str, Any]:
        """Begin `step`, unless its uid is known: then nothing is begun.  Returns the step's `wait` answer.

        Raises `StationBusy`, or `plans.BadStep` if the step cannot be begun at all.
        """
        self._heard_at = time.monotonic()
        plans.check(step, self._station)
        with self._changed:
            if (known := self._steps.answer(step["uid"])) is not None:
                return known
            if (doing := self._occupied()) is not None:
                raise StationBusy(f"station {self._station.name} {doing}; step {step['uid']} was not begun")
            self._steps.begin(step, self._clock.now())
            self._current = step
            self._orders.clear()
            limit_s = step.get("hold_limit_s")
            self._gates.begin(math.inf if limit_s is None else limit_s, step.get("interlock_wait_s") or 0.0)
            self._faults = []
            self._lifecycle.happened(Happening.STARTED)
            self._thread = threading.Thread(
                target=self._carry_out, args=(step,), name=f"step {step['uid']}", daemon=True
            )
            self._thread.start()
        return self._answer(step["uid"])

    def wait(self, uid: str, timeout_s: float) -> dict[str, Any]:
        """State, outcome, error, fault, run uids, marks and evidence of a step; after at most `timeout_s` real seconds.

        The state of a step that was never begun here is ``never begun``.
        """
        self._heard_at = time.monotonic()
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
            return {
                "state": "never begun",
                "outcome": {},
                "error": error,
                "fault": "death",
                "run_uids": [],
                "marks": [],
                "evidence": None,
            }
        if uid in self._unlogged:
            return {**answer, **self._unlogged[uid]}
        return answer

    def _carry_out(self, step: Mapping[str, Any]) -> None:
        state, outcome, error, fault = StepState.FAILED, {}, "", ""
        try:
            if step.get("reconnect"):
                safety.reconnect(self._station)
            plan = plans.make(step, self._station, self._clock)
            outcome = self._engine.run(plan, plans.metadata(step, self._station, self._clock))
            outcome = plans.conclude(step, self._station, outcome or {})
            state = StepState.DONE
        except (Aborted, HeldTooLong) as stopped:
            state, error = StepState.ABORTED, str(stopped)
        except Exception as failure:  # process edge: whatever a plan raises ends its step, not the worker
            error, fault = f"{type(failure).__name__}: {failure}", fault_of(failure)
            if (reason := self._orders.abort_reason) is not None:
                state, error = StepState.ABORTED, f"{reason}; {error}"
            log.exception("step %s", step["uid"])
        if state is not StepState.DONE:
            outcome = self._gates.outcome
        self._end(step, state, outcome, error, fault)

    def _end(self, step: Mapping[str, Any], state: StepState, outcome: dict[str, Any], error: str, fault: str) -> None:
        ended_well = state is StepState.DONE
        now_in = self._lifecycle.happened(Happening.FINISHED if ended_well else Happening.FAILED)
        seen = None
        if now_in is State.ABORTING:
            self._make_safe()
            self._lifecycle.happened(Happening.MADE_SAFE)
            if isinstance(self._station, TransferStation):  # where is the sample now?
                seen = {"after": evidence.look_at_rest(self._station, self._clock)}
        self._log_end(step["uid"], state, outcome, error, seen, fault)
        with self._changed:
            self._current = None
            self._changed.notify_all()

    def _log_end(
        self,
        uid: str,
        state: StepState,
        outcome: dict[str, Any],
        error: str,
        seen: dict[str, Any] | None,
        fault: str,
    ) -> None:
        """Log how a step ended; a disk that is full may be emptied, so this is tried for `LOG_PATIENCE_S`."""
        deadline = time.monotonic() + LOG_PATIENCE_S
        while True:
            try:
                self._steps.end(uid, state, outcome, error, self._engine.run_uids, self._clock.now(), seen, fault)
                return
            except DocumentLogError as unwritten:
                log.exception("step %s", uid)
                told = f"{error or state}, but its end could not be logged: {unwritten}"
                if time.monotonic() >= deadline or self._closing:
                    break
                time.sleep(LOG_RETRY_S)
        # Without its end in the log nobody can rely on this step: it is unknown, now and after a restart.
        self._unlogged[uid] = {
            "state": "unknown",
            "outcome": plain(outcome),
            "error": told,
            "fault": "storage",
            "evidence": seen,
        }

    def _mark(self, mark: str, facts: Mapping[str, Any]) -> None:
        assert self._current is not None
        self._steps.mark(self._current["uid"], mark, facts, self._clock.now())

    def _record(self, outcome: Mapping[str, Any], synced: bool) -> None:
        assert self._current is not None
        self._steps.record(self._current["uid"], outcome, synced=synced)

    # --- orders ---------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """state, step, progress, readings, faults, the reasons of a hold or abort, the interlock waited on, and
        whether anything hangs."""
        self._heard_at = time.monotonic()
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
            "waiting_on": self._gates.waiting_on,
            "blocked": self._vitals.blocked(),
            "loop_age_s": self._vitals.loop_age_s,
            "conversations_s": self._vitals.oldest(),
            "lab_time": self._clock.now(),
        }

    @property
    def unheard_s(self) -> float:
        """Real seconds since the daemon last called."""
        return time.monotonic() - self._heard_at

    def hold(self, reason: str) -> str:
        """Ask the running step to hold at its next gate.  Returns the station's state."""
        self._heard_at = time.monotonic()
        with self._changed:
            if self._current is not None:
                self._lifecycle.happened(Happening.HOLD_ASKED)
                self._orders.hold(reason)
            return str(self._lifecycle.state)

    def resume(self) -> str:
        """Lift a hold.  Returns the station's state."""
        self._heard_at = time.monotonic()
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
        self._heard_at = time.monotonic()
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
        self._vitals.stop()
        self._engine.close()
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
