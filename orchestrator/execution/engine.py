"""The run engine of one station, in a thread that is not the main one.

The main thread owns the signals; the run engine installs none.  A plan is ended through the orders that its
gates listen to, so that its finalizer runs undisturbed; `give_up` is for a plan that does not listen.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any

from bluesky import RunEngine
from bluesky.run_engine import TransitionError
from bluesky.utils import Msg

from orchestrator.execution.gate import Gates
from orchestrator.execution.orders import Orders
from protocols.gates import Aborted, Plan

log = logging.getLogger(__name__)

_ALWAYS = ("secure", "record", "close_run")
"""Messages that an abort never stands in the way of."""


class EngineError(Exception):
    """The run engine ended a plan, or cannot take one."""


class Engine:
    """One `RunEngine` with our commands; `run` blocks its caller until the plan has ended."""

    def __init__(self, gates: Gates, orders: Orders, log: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._orders = orders
        self._run_engine = RunEngine({}, context_managers=[], call_returns_result=True, during_task=_UntilDone())
        self.run_uids: list[str] = []
        self.loop = self._run_engine.loop
        gates.install(self._run_engine)
        # An exception in `log` ends the run: what is not committed has not happened.
        self._run_engine.subscribe(log)
        self._run_engine.subscribe(lambda name, document: self.run_uids.append(document["uid"]), "start")

    def run(self, plan: Plan, metadata: Mapping[str, Any]) -> Any:
        """The plan's return value.  Raises what the plan raised, or `EngineError`."""
        self.run_uids = []
        result = self._run_engine(heedful(plan, self._orders), **metadata)
        if result.exit_status != "success":
            raise EngineError(f"the run engine ended the plan: {result.exit_status} ({result.reason})")
        return result.plan_result

    def give_up(self, reason: str) -> None:
        """End a plan that hangs in a message of its own; its finalizer still runs."""
        if self._run_engine.state not in ("idle", "panicked"):
            try:
                self._run_engine.abort(reason)
            except TransitionError:
                log.info("the plan ended by itself before it was given up")

    def close(self, patience_s: float = 2.0) -> None:
        """Stop the loop and its thread; not under a plan that would not end, which keeps them."""
        if self._run_engine.state != "idle":
            return
        self.loop.call_soon_threadsafe(self.loop.stop)
        thread: threading.Thread = self._run_engine._th  # bluesky has no end of a run engine
        thread.join(patience_s)
        if not thread.is_alive():
            self.loop.close()


class _UntilDone:
    """What the calling thread does while a plan runs: nothing else."""

    def block(self, event: threading.Event) -> None:
        event.wait()


def heedful(plan: Plan, orders: Orders) -> Generator[Msg, Any, Any]:
    """`plan`, with an abort delivered between any two of its messages; once, so that a finalizer can run."""
    told = False
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            msg = plan.send(answer) if error is None else plan.throw(error)
            while not told and orders.abort_reason is not None and msg.command not in _ALWAYS:
                told = True
                msg = plan.throw(Aborted(orders.abort_reason))
        except StopIteration as stop:
            return stop.value
        answer, error = None, None
        try:
            answer = yield msg
        except GeneratorExit:
            plan.close()
            raise
        except BaseException as thrown:  # noqa: BLE001 - the plan's to handle
            told = told or isinstance(thrown, Aborted)
            error = thrown
