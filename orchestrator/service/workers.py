"""A station whose worker is a process of its own, watched, and replaced when it dies."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import rpc
from orchestrator.service.children import Child, ChildError
from orchestrator.service.happenings import Answer, StationTurned
from orchestrator.service.spares import START_S, Spares
from orchestrator.service.stations import OnEnd
from orchestrator.service.supervision import Restarts, Supervisor

log = logging.getLogger(__name__)

MODULE = "orchestrator.execution.worker"
CONFIGURED_S = 5.0
"""Real seconds in which a worker that has started takes its configuration; one that hangs does not."""
CALL_S = 10.0
ORDER_S = 2.0
WAIT_S = 30.0
SAFE_S = 60.0
BUSY_S = 1.0


@dataclass(frozen=True)
class Heard:
    """What a worker said of itself (see `Worker.status`), and when: real seconds by the monotonic clock."""

    at: float
    status: Mapping[str, Any]


class WorkerStation:
    """One station's worker: launched here, then `await_started`, `configure`, `connect`, `watch`."""

    def __init__(
        self,
        name: str,
        folder: Path,
        token: str,
        spares: Spares,
        restarts: Restarts | None = None,
        module: str = MODULE,
    ) -> None:
        self.name = name
        self._module = module
        self.waiting_on = ""
        self.heard: Heard | None = None  # replaced as a whole, so it can be read on any thread
        self._token = token
        self._log = folder / f"{name}.log"
        self._config: dict[str, Any] = {}
        self._documents = folder / f"{name}.documents.db"
        self._spares = spares
        self._first = True
        self._process = Supervisor(f"station {name}", self._launch, self._take_up, self._probe, restarts)

    # --- starting and ending --------------------------------------------------------------------------

    def await_started(self) -> None:
        """Wait until the worker has imported what it needs.  Raises `ChildError` if it cannot start."""
        self._process.child.hear(START_S)

    def configure(self, config: dict[str, Any]) -> None:
        """Hand over lab, addresses and clock; the worker connects to its instruments and makes them safe."""
        self._config = {"station": self.name, "token": self._token, "log": str(self._documents), **config}
        self._process.child.tell(self._config)

    def connect(self) -> None:
        """Wait until the worker can be reached.  Raises `ChildError` or `rpc.RpcError` if it cannot."""
        self._process.connect()

    def watch(self, on_turn: Callable[[StationTurned], None]) -> None:
        self._process.watch(lambda turn, reason: on_turn(StationTurned(self.name, turn, reason)))

    def close(self) -> None:
        """End the worker; it makes the station safe as it goes.  Idempotent."""
        self._process.close(patience_s=30.0)

    # --- steps ----------------------------------------------------------------------------------------

    def start(self, step: dict[str, Any], on_end: OnEnd) -> None:
        threading.Thread(target=self._carry, args=(step["uid"], on_end, step), daemon=True).start()

    def settle(self, uid: str, on_end: OnEnd) -> None:
        threading.Thread(target=self._carry, args=(uid, on_end), daemon=True).start()

    def _carry(self, uid: str, on_end: OnEnd, step: dict[str, Any] | None = None) -> None:
        """Carry a step to its end, over the deaths of workers.  If the station is given up it stays open."""
        while (there := self._process.await_remote()) is not None:
            worker, _ = there
            begin, step = step, None  # begun once: a second worker is only asked what became of it
            try:
                if begin is not None:
                    worker.within(CALL_S).start(begin)
                on_end(uid, self._await_end(worker, uid))
                return
            except rpc.RemoteError as refusal:
                on_end(uid, self._refused(refusal))
                return
            except rpc.RpcError:
                log.warning("station %s, step %s: asking again", self.name, uid, exc_info=True)
                time.sleep(BUSY_S / 4)  # the supervisor decides whether it lives

    def _await_end(self, worker: rpc.Remote, uid: str) -> Answer:
        patient = worker.within(WAIT_S + CALL_S)
        while True:
            answer: Answer = patient.wait(uid, WAIT_S)
            if answer["state"] != "running":
                return answer

    def _refused(self, refusal: rpc.RemoteError) -> Answer:
        """The worker did not begin the step: it was in the way of another, or makes no sense."""
        log.error("station %s: %s\n%s", self.name, refusal, refusal.trace)
        state = "refused"
        if refusal.kind == "StationBusy":
            state = "never begun"
            time.sleep(BUSY_S)  # before it is tried again
        fault = "death" if state == "never begun" else "protocol"
        return {"state": state, "outcome": {}, "error": str(refusal), "fault": fault, "run_uids": [], "marks": []}

    # --- orders ---------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        return dict(self._process.remote.within(ORDER_S).status())

    def hold(self, reason: str) -> None:
        self._process.remote.within(ORDER_S).hold(reason)

    def resume(self) -> None:
        self._process.remote.within(ORDER_S).resume()

    def abort(self, reason: str) -> None:
        self._process.remote.within(ORDER_S).abort(reason)

    def make_safe(self, reason: str) -> list[str]:
        there = self._process.await_remote(timeout_s=SAFE_S)
        if there is None:
            raise rpc.Unreachable(f"station {self.name} has no worker")
        worker, generation = there
        try:
            return list(worker.within(SAFE_S).safe(reason)["faults"])
        except rpc.RpcError:
            if self._process.await_remote(generation, SAFE_S) is None:
                raise
            return []  # a new worker has made it safe before it could be reached

    # --- for the supervisor ---------------------------------------------------------------------------

    def _launch(self) -> Child:
        if self._first:
            self._first = False
            return Child(f"station {self.name}", [self._module], self._log)
        child = self._spares.take()
        child.tell(self._config)
        return child

    def _take_up(self, child: Child) -> rpc.Remote:
        child.hear(CONFIGURED_S)
        message = child.hear(START_S)
        if "error" in message:
            raise ChildError(message["error"])
        return rpc.connect(message["uri"], self._token, timeout_s=CALL_S)

    def _probe(self, worker: rpc.Remote) -> str:
        status = worker.status()
        self.heard = Heard(time.monotonic(), status)
        self.waiting_on = status["waiting_on"]
        return "; ".join(status["blocked"])
