"""The daemon's side of a station: its worker process, and one thread that carries a step to its end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator import rpc
from orchestrator.service.children import Child, ChildError

log = logging.getLogger(__name__)

START_S = 60.0
CALL_S = 10.0
WAIT_S = 30.0

Answer = dict[str, Any]


class Station:
    """One station's worker: launched here, then `await_started`, `configure`, `connect`.

    A step ends in `on_end(step uid, answer)`, called on a thread of ours.  A worker that dies under a step
    has the state ``unknown`` answered for it.
    """

    def __init__(self, name: str, folder: Path, token: str, on_end: Callable[[str, Answer], None]) -> None:
        self.name = name
        self._token = token
        self._on_end = on_end
        self._child = Child(f"station {name}", ["orchestrator.execution.worker"], folder / f"{name}.log")
        self._documents = folder / f"{name}.documents.db"
        self._worker: Any = None

    def await_started(self) -> None:
        """Wait until the worker has imported what it needs.  Raises `ChildError` if it cannot start."""
        self._child.hear(START_S)

    def configure(self, config: dict[str, Any]) -> None:
        """Hand over lab, addresses and clock; the worker connects to its instruments."""
        self._child.tell({"station": self.name, "token": self._token, "log": str(self._documents), **config})

    def connect(self) -> None:
        """Wait until the worker can be reached.  Raises `ChildError` if it cannot start."""
        message = self._child.hear(START_S)
        if "error" in message:
            raise ChildError(message["error"])
        self._worker = rpc.connect(message["uri"], self._token, timeout_s=CALL_S)

    @property
    def alive(self) -> bool:
        return self._child.exit_code is None

    def start(self, step: dict[str, Any]) -> None:
        """Begin `step` and return; it ends in `on_end`.  Starting the same uid twice is starting it once."""
        threading.Thread(target=self._carry, args=(step,), name=f"step {step['uid']}", daemon=True).start()

    def status(self) -> dict[str, Any]:
        """The worker's own word.  Raises `rpc.RpcError`."""
        status: dict[str, Any] = self._worker.status()
        return status

    def hold(self, reason: str) -> None:
        self._worker.hold(reason)

    def resume(self) -> None:
        self._worker.resume()

    def abort(self, reason: str) -> None:
        self._worker.abort(reason)

    def make_safe(self, reason: str) -> None:
        """Put every device into its safe state, and wait for it.  Raises `rpc.RpcError`."""
        self._worker.within(60.0).safe(reason)

    def close(self) -> None:
        """End the worker; it makes the station safe as it goes.  Idempotent."""
        if self._worker is not None:
            self._worker.close()
        self._child.close(patience_s=30.0)

    def _carry(self, step: Answer) -> None:
        try:
            self._worker.start(step)
            answer = self._await_end(step["uid"])
        except rpc.RpcError as error:
            log.exception("station %s, step %s", self.name, step["uid"])
            answer = {"state": "unknown", "outcome": {}, "error": f"station {self.name}: {error}", "run_uids": []}
        self._on_end(step["uid"], answer)

    def _await_end(self, uid: str) -> Answer:
        """The worker's final word on a step.  A call that is lost is made again while the worker lives."""
        patient = self._worker.within(WAIT_S + CALL_S)
        while True:
            try:
                answer: Answer = patient.wait(uid, WAIT_S)
            except rpc.CallLost:
                if not self.alive:
                    raise
                log.warning("station %s: asking again for step %s", self.name, uid, exc_info=True)
            else:
                if answer["state"] != "running":
                    return answer
