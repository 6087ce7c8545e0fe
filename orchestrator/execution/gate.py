"""The run engine's side of `protocols.gates`: the commands between a plan and its station.

Everything here runs on the run engine's event loop.  Settings are carried out by the devices on threads of
their own; the loop only waits for them, and while it waits it listens to orders and looks at interlocks.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from bluesky import RunEngine
from bluesky.utils import Msg

from drivers.clock import Clock
from drivers.errors import InstrumentError
from orchestrator.execution.lifecycle import Happening, Lifecycle, State
from orchestrator.execution.orders import Orders
from protocols.gates import SLICE_S, Aborted, Applied, HeldTooLong, InterlockTripped, Passed, Secured


class Interlocks(Protocol):
    """What a gate asks of the interlocks; see `orchestrator.execution.interlocks`."""

    def ordered(self, setting: Any, value: Any) -> None:
        """A plan has brought `setting` to `value`."""

    def tripped(self, now: float) -> list[str]:
        """Why the plan may not go on, in words; empty when all is well."""

    def may_clear(self, now: float) -> bool:
        """Whether all that is tripped may clear by itself."""


class Gates:
    """The commands, for the plans of one station."""

    def __init__(
        self,
        clock: Clock,
        orders: Orders,
        interlocks: Interlocks,
        *,
        lifecycle: Lifecycle | None = None,
        mark: Callable[[str, dict[str, Any]], None] = lambda name, facts: None,
        record: Callable[[dict[str, Any], bool], None] = lambda outcome, synced: None,
        refreshed: Callable[[Any], None] = lambda device: None,
    ) -> None:
        self._clock = clock
        self._orders = orders
        self._interlocks = interlocks
        self._lifecycle = lifecycle or Lifecycle()
        self._write_mark = mark
        self._write_record = record
        self._refreshed = refreshed
        self._bell: asyncio.Future[None] | None = None
        self._waiting = False
        self._hold_limit_s = math.inf
        self._interlock_wait_s = 0.0
        self._tripped_at: float | None = None
        self.waiting_on = ""
        self.progress: tuple[float | None, str] = (None, "")
        self.outcome: dict[str, Any] = {}

    def install(self, run_engine: RunEngine) -> None:
        """Teach `run_engine` the commands."""
        self._loop = run_engine.loop
        self._orders.listen(lambda: self._loop.call_soon_threadsafe(self._ring))
        for command in ("gate", "held", "apply", "secure", "refresh", "mark", "record"):
            run_engine.register_command(command, getattr(self, f"_{command}"))

    def begin(self, hold_limit_s: float = math.inf, interlock_wait_s: float = 0.0) -> None:
        """Forget the last plan.  The next one may be held for `hold_limit_s` lab seconds at a time, and waits for
        `interlock_wait_s` for an interlock that may clear by itself."""
        self._hold_limit_s, self._interlock_wait_s = hold_limit_s, interlock_wait_s
        self._tripped_at, self.waiting_on = None, ""
        self.progress, self.outcome, self._waiting = (None, ""), {}, False

    # --- commands -------------------------------------------------------------------------------------

    async def _gate(self, msg: Msg) -> Passed:
        """``Msg("gate", None, slice_s, fraction, text, waiting=False)``"""
        if len(msg.args) > 1:
            self.progress = msg.args[1:]
        if (waiting := "waiting" in msg.kwargs) is not self._waiting:
            self._waiting = waiting
            self._lifecycle.happened(Happening.WAITING if waiting else Happening.WENT_ON)
        slice_s = msg.args[0]
        if slice_s > 0 and self._orders.hold_reason is None and self._orders.abort_reason is None:
            await self._rest(self._clock.real_s(slice_s))
        now = self._clock.now()
        self._check_orders()
        waits = self._waits_on_interlock(now)
        return Passed(now, "hold" if waits or self._orders.hold_reason is not None else "go")

    async def _held(self, msg: Msg) -> float:
        """``Msg("held")``: until nobody holds, and no interlock is tripped."""
        watch_s = self._clock.real_s(max(SLICE_S, self._clock.resolution_s))
        self._waiting = False
        since: float | None = None
        while True:
            self._check_orders()
            now = self._clock.now()
            waits = self._waits_on_interlock(now)
            if self._orders.hold_reason is not None:
                since = now if since is None else since
                self._held_since(since, now)
            elif waits:
                since = None
                self._lifecycle.happened(Happening.WAITING)
            else:
                break
            await self._rest(watch_s)
        if self._lifecycle.state is State.WAITING:
            self._lifecycle.happened(Happening.WENT_ON)
        return now

    def _held_since(self, since: float, now: float) -> None:
        """Raises `HeldTooLong`."""
        if now - since >= self._hold_limit_s:
            after = f" after {self._hold_limit_s:.0f} s" if self._hold_limit_s else ""
            raise HeldTooLong(f"held ({self._orders.hold_reason}); policy lets go of the plasma{after}")
        if self._lifecycle.state is State.HOLDING:
            self._lifecycle.happened(Happening.HOLD_REACHED)

    async def _apply(self, msg: Msg) -> Applied:
        """``Msg("apply", None, (setting, value), ...)``"""
        begun = self._clock.now()
        self._check(begun)
        with self._orders.permit:  # from here on, an abort comes after these settings
            self._check_orders()
            for setting, value in msg.args:
                setting.check_value(value)
            statuses = [setting.set(value) for setting, value in msg.args]
        await self._finish(statuses, watch=True)
        done = self._clock.now()
        for status in statuses:
            if (error := status.exception(timeout=0)) is not None:
                raise error
        for setting, value in msg.args:
            self._interlocks.ordered(setting, value)
        return Applied(begun, done)

    async def _secure(self, msg: Msg) -> Secured:
        """``Msg("secure", None, (setting, value), ...)``"""
        begun = self._clock.now()
        problems, statuses = [], []
        for setting, value in msg.args:
            self._interlocks.ordered(setting, value)
            try:
                statuses.append((setting, value, setting.set(value)))
            except InstrumentError as error:
                problems.append(f"{setting.name} not {value}: {error}")
        await self._finish([status for _, _, status in statuses], watch=False)
        done = self._clock.now()
        for setting, value, status in statuses:
            if (error := status.exception(timeout=0)) is not None:
                problems.append(f"{setting.name} not {value}: {_words(error)}")
        return Secured(begun, done, tuple(problems))

    async def _refresh(self, msg: Msg) -> float:
        """``Msg("refresh", None, device, ...)``"""
        self._check_orders()
        for device in msg.args:
            self._refreshed(device)
        statuses = [device.trigger() for device in msg.args]
        await self._finish(statuses, watch=True)
        for status in statuses:
            if (error := status.exception(timeout=0)) is not None:
                raise error
        return self._clock.now()

    async def _mark(self, msg: Msg) -> float:
        """``Msg("mark", None, name, **facts)``"""
        self._check_orders()
        (name,) = msg.args
        self._write_mark(name, msg.kwargs)
        return self._clock.now()

    async def _record(self, msg: Msg) -> None:
        """``Msg("record", None, outcome, synced=False)``"""
        (self.outcome,) = msg.args
        self._write_record(self.outcome, "synced" in msg.kwargs)

    # --- waiting and looking --------------------------------------------------------------------------

    def _check(self, now: float) -> None:
        if self._orders.abort_reason is not None:
            self._check_orders()
        if reasons := self._interlocks.tripped(now):
            raise InterlockTripped("; ".join(reasons))

    def _waits_on_interlock(self, now: float) -> bool:
        """Whether an interlock is tripped that is still waited for.  Raises `InterlockTripped` if it is not."""
        reasons = self._interlocks.tripped(now)
        self.waiting_on = "; ".join(reasons)
        if not reasons:
            self._tripped_at = None
            return False
        if self._tripped_at is None:
            self._tripped_at = now
        waited_s = now - self._tripped_at
        if not self._interlock_wait_s or waited_s > self._interlock_wait_s or not self._interlocks.may_clear(now):
            raise InterlockTripped(self.waiting_on)
        return True

    def _check_orders(self) -> None:
        if (reason := self._orders.abort_reason) is not None:
            raise Aborted(reason)

    def _ring(self) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    async def _rest(self, real_s: float) -> None:
        """Wait `real_s`, or until something rings: an order, or the last of the statuses waited for."""
        self._bell = self._loop.create_future()
        timer = self._loop.call_later(real_s, self._ring)
        try:
            await self._bell
        finally:
            timer.cancel()

    async def _finish(self, statuses: Sequence[Any], *, watch: bool) -> None:
        """Wait until all `statuses` are done, well or badly; they have time-outs of their own.

        While it watches, an abort or an interlock ends the wait.
        """
        left = {id(status) for status in statuses}

        def finished(status: Any) -> None:
            left.discard(id(status))
            if not left:
                self._ring()

        for status in statuses:
            status.add_callback(lambda s: self._loop.call_soon_threadsafe(finished, s))
        watch_s = self._clock.real_s(max(SLICE_S, self._clock.resolution_s)) if watch else 3600.0
        while left:
            await self._rest(watch_s)
            if watch and left:
                self._check_while_sent()

    def _check_while_sent(self) -> None:
        try:
            self._check(self._clock.now())
        except (Aborted, InterlockTripped) as stopped:
            stopped.sent = True
            raise


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
