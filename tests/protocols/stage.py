"""Performs a plan message by message, without a run engine, in a lab time that only moves when told to.

What the messages do is what `orchestrator.execution.gate` makes of them; here it is deterministic, and an
order can be given before any message.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from bluesky.utils import Msg

from protocols.gates import Aborted, Applied, Passed, Secured

EXCHANGE_S = 0.2


class Died(BaseException):
    """Whoever carried out the plan is dead; the plan never hears of it."""


@dataclass
class Stage:
    """`orders` maps the index of a message to what is ordered just before it: "hold" or "abort".  Message `last` is
    carried out, and no other."""

    clock: Any
    orders: dict[int, str] = field(default_factory=dict)
    messages: list[Msg] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    marks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)
    holding: bool = False
    holds: int = 0
    aborted: bool = False
    stop: dict[str, Any] = field(default_factory=dict)
    last: float = math.inf

    def perform(self, plan) -> Any:
        """The plan's result; raises what it does not catch, or `Died`."""
        answer: Any = None
        error: BaseException | None = None
        while True:
            try:
                msg = plan.send(answer) if error is None else plan.throw(error)
            except StopIteration as end:
                return end.value
            match self.orders.get(len(self.messages)):
                case "hold":
                    self.holding = True
                case "abort":
                    self.aborted = True
            self.messages.append(msg)
            answer, error = None, None
            try:
                answer = getattr(self, f"_{msg.command}")(msg)
            except Exception as raised:  # noqa: BLE001 - thrown into the plan, as a run engine does
                error = raised
            if len(self.messages) > self.last:
                raise Died

    def _check(self) -> None:
        if self.aborted:
            raise Aborted("asked for")

    def _gate(self, msg: Msg) -> Passed:
        self._check()
        if not self.holding:
            assert 0 <= msg.args[0] <= 5.0
            before = self.clock.now()
            self.clock.advance(msg.args[0])
            assert self.clock.now() > before or not msg.args[0], "no clock could tell that this wait is over"
        return Passed(self.clock.now(), "hold" if self.holding else "go")

    def _held(self, msg: Msg) -> float:
        self._check()
        self.holds += 1
        self.clock.advance(60.0)
        self.holding = False
        return self.clock.now()

    def _apply(self, msg: Msg) -> Applied:
        self._check()
        begun = self.clock.now()
        self.clock.advance(EXCHANGE_S / 2)
        for setting, value in msg.args:
            _finish(setting.set(value))
        self.clock.advance(EXCHANGE_S / 2)
        return Applied(begun, self.clock.now())

    def _secure(self, msg: Msg) -> Secured:
        begun, problems = self.clock.now(), []
        self.clock.advance(EXCHANGE_S / 2)
        for setting, value in msg.args:
            try:
                _finish(setting.set(value))
            except Exception as error:  # noqa: BLE001 - reported, like in the gates
                problems.append(f"{setting.name}: {error}")
        self.clock.advance(EXCHANGE_S / 2)
        return Secured(begun, self.clock.now(), tuple(problems))

    def _refresh(self, msg: Msg) -> float:
        self._check()
        for device in msg.args:
            _finish(device.trigger())
        return self.clock.now()

    def _mark(self, msg: Msg) -> float:
        self._check()
        self.marks.append((msg.args[0], msg.kwargs))
        return self.clock.now()

    def _record(self, msg: Msg) -> None:
        (self.outcome,) = msg.args

    def _open_run(self, msg: Msg) -> None:
        pass

    _clear_checkpoint = _save = _open_run

    def _close_run(self, msg: Msg) -> None:
        self.stop = msg.kwargs

    def _create(self, msg: Msg) -> None:
        self.events.append({})

    def _read(self, msg: Msg) -> None:
        self.events[-1].update({name: reading["value"] for name, reading in msg.obj.read().items()})


def _finish(status: Any) -> None:
    if (error := status.exception(timeout=5)) is not None:
        raise error
