"""The worker of one process of a virtual station: ``python -m orchestrator.virtual.worker``.

It speaks as the worker of a station with instruments does (see `orchestrator.execution.worker`): ``{"started": true}``,
then one line of configuration (``station``: its process, such as "theory.1"; ``lab``; ``log``; ``token``), then
``{"configured": true}`` and ``{"uri": ...}``.  When standard input ends it ends, and a program that it runs with it.

A calculation harms nobody, so it keeps no log of steps: what a death cut off was "never begun", and what was finished
before is on disk.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator import rpc
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.virtualspec import LANE
from orchestrator.virtual.calculator import CalculationFailed, CalculationStopped, Calculator
from orchestrator.virtual.catalogue import calculator_of, quantities

log = logging.getLogger(__name__)

NAME = "worker"
SILENCE_S = 20.0
"""Real seconds without a call after which the daemon counts as gone; it calls every second."""
LOOK_S = 0.2


class CalculatorBusy(RuntimeError):
    """Another calculation is under way."""


class Worker:
    """What the daemon can ask of a calculator.  Methods may be called on any thread; all but `wait` return at once.

    `make` is given a function that says whether the calculation under way is not wanted any more.
    """

    def __init__(self, name: str, make: Callable[[Callable[[], bool]], Calculator]) -> None:
        self._name = name
        self._stop = threading.Event()
        self._calculator = make(self._stop.is_set)
        self._changed = threading.Condition()
        self._answers: dict[str, dict[str, Any]] = {}
        self._current: str | None = None
        self._since = 0.0
        self._heard_at = time.monotonic()
        self.closed = threading.Event()

    def start(self, step: Mapping[str, Any]) -> dict[str, Any]:
        """Begin the calculation ``step["kwargs"]["composition"]``, unless its uid is known.  Returns its `wait` answer.
        Raises `CalculatorBusy`."""
        self._heard_at = time.monotonic()
        uid = str(step["uid"])
        with self._changed:
            if uid not in self._answers:
                if self._current is not None:
                    raise CalculatorBusy(f"{self._name} is busy with {self._current}; {uid} was not begun")
                self._stop.clear()
                self._current, self._since = uid, time.monotonic()
                self._answers[uid] = _answer("running")
                composition = dict(step["kwargs"]["composition"])
                threading.Thread(target=self._carry_out, args=(uid, composition), name=uid, daemon=True).start()
        return self._answers[uid]

    def wait(self, uid: str, timeout_s: float) -> dict[str, Any]:
        """What came of a step, after at most `timeout_s` real seconds; "never begun" if it was not begun here."""
        self._heard_at = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._current != uid, timeout_s)
        return self._answers.get(uid) or _answer(
            "never begun", error=f"{self._name} knows no step {uid}", fault="death"
        )

    def _carry_out(self, uid: str, composition: dict[str, float]) -> None:
        try:
            found = self._calculator.calculate(composition)
            outcome = {
                "fidelity": self._calculator.fidelity,
                "composition": dict(found.composition),
                "seconds": found.seconds,
                "remembered": found.remembered,
                "quantities": {**quantities(found), "calculation": dict(found.details)},
            }
            answer = _answer("done", outcome)
        except CalculationStopped as stopped:
            answer = _answer("aborted", error=str(stopped))
        except CalculationFailed as failure:
            answer = _answer("failed", error=f"{type(failure).__name__}: {failure}", fault=failure.fault)
        except Exception as error:  # process edge: a bug of a calculator ends its calculation, not the worker
            log.exception("step %s", uid)
            answer = _answer("failed", error=f"{type(error).__name__}: {error}", fault="protocol")
        with self._changed:
            self._answers[uid] = answer
            self._current = None
            self._changed.notify_all()

    def status(self) -> dict[str, Any]:
        """As a station's: nothing of a calculator ever hangs unseen, for its program has a time-out."""
        self._heard_at = time.monotonic()
        current = self._current
        return {
            "station": self._name,
            "state": "safe" if current is None else "running",
            "step": None if current is None else {"uid": current, "plan": "calculate"},
            "since_s": 0.0 if current is None else time.monotonic() - self._since,
            "readings": {},
            "faults": [],
            "waiting_on": "",
            "blocked": [],
        }

    @property
    def unheard_s(self) -> float:
        """Real seconds since the daemon last called."""
        return time.monotonic() - self._heard_at

    def abort(self, reason: str) -> str:
        """End the calculation under way.  Returns the state."""
        self._heard_at = time.monotonic()
        log.info("aborted: %s", reason)
        with self._changed:
            if self._current is not None:
                self._stop.set()
        return str(self.status()["state"])

    def shutdown(self) -> None:
        """Ask the process to end."""
        self.closed.set()

    def close(self) -> None:
        """End the calculation under way, and wait for that."""
        self.abort("shut down")
        with self._changed:
            self._changed.wait_for(lambda: self._current is None, 10.0)


def _answer(state: str, outcome: Mapping[str, Any] | None = None, error: str = "", fault: str = "") -> dict[str, Any]:
    return {
        "state": state,
        "outcome": dict(outcome or {}),
        "error": error,
        "fault": fault,
        "run_uids": [],
        "marks": [],
        "evidence": None,
    }


def main() -> None:
    """Serve one process of a virtual station until standard input ends or a signal comes."""
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    rpc.tell_parent({"started": True})
    config = rpc.read_config()
    rpc.tell_parent({"configured": True})
    lane = str(config["station"])
    spec = LabSpec.model_validate(config["lab"]).virtual[lane.split(LANE)[0]]
    folder = Path(config["log"]).parent / "calculations"
    worker = Worker(lane, lambda stopped: calculator_of(spec, folder, stopped))
    ended: list[str] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda n, _: ended.append(signal.Signals(n).name))
    with rpc.serve({NAME: worker}, config["token"]) as server:
        rpc.announce(server)
        threading.Thread(target=_listen, args=(worker.closed,), name="stdin", daemon=True).start()
        while not ended and not worker.closed.wait(LOOK_S):
            if worker.unheard_s > config.get("silence_s", SILENCE_S):
                worker.abort("the daemon is silent")
        worker.close()


def _listen(closed: threading.Event) -> None:
    rpc.await_orphaned()
    closed.set()


if __name__ == "__main__":
    main()
