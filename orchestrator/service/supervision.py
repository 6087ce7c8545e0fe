"""Keeping a process of ours alive: telling busy, blocked and dead apart, and putting another in its place.

``dead``: the process has ended.  ``blocked``: it does not answer, or answers that something in it hangs.  Anything
else, however long it takes, is busy.  What is blocked is killed and then counts as dead.  All times are real.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Literal

from orchestrator import rpc
from orchestrator.service.children import Child, ChildError

log = logging.getLogger(__name__)

LOOK_S = 0.25
"""Between looks whether the process has ended."""
BEAT_S = 1.0
"""Between questions whether it is well."""
CALL_S = 1.5
SILENT_S = 3.5
"""A process that has not answered for this long, nor twice in a row, is blocked."""

Turn = Literal["lost", "back", "given up"]


class Restarts:
    """How often and how fast a process may be started again: with growing delays, `limit` times in `window_s`."""

    def __init__(self, limit: int = 3, window_s: float = 600.0, first_delay_s: float = 1.0) -> None:
        self._limit, self._window_s, self._first_delay_s = limit, window_s, first_delay_s
        self._at: list[float] = []

    def delay_s(self, now: float) -> float | None:
        """Book one restart at `now` and say how long to wait for it; None if it is one too many."""
        self._at = [at for at in self._at if now - at < self._window_s]
        if len(self._at) >= self._limit:
            return None
        self._at.append(now)
        before = len(self._at) - 1
        return 0.0 if before == 0 else self._first_delay_s * 2.0 ** (before - 1)


class Supervisor:
    """One process, and its successors.

    `launch` gives a new child, `take_up` makes it work and connects to it, `probe` asks it how it is and says what
    hangs ("" if nothing).  They raise `ChildError` or `rpc.RpcError`.  `on_turn(turn, reason)` is told, on our
    thread, when the process is lost, when another is in its place, and when no other is tried any more.
    """

    def __init__(
        self,
        name: str,
        launch: Callable[[], Child],
        take_up: Callable[[Child], rpc.Remote],
        probe: Callable[[rpc.Remote], str],
        restarts: Restarts | None = None,
    ) -> None:
        self.name = name
        self._launch, self._take_up, self._probe = launch, take_up, probe
        self._restarts = restarts or Restarts()
        self._changed = threading.Condition()
        self._child: Child = launch()
        self._remote: rpc.Remote | None = None
        self._generation = 0
        self._given_up = False
        self._closing = threading.Event()
        self._on_turn: Callable[[Turn, str], None] = lambda turn, reason: None
        self._thread: threading.Thread | None = None
        self._answered_at = 0.0
        self._unanswered = 0

    # --- for whoever needs the process ----------------------------------------------------------------

    @property
    def child(self) -> Child:
        return self._child

    @property
    def remote(self) -> rpc.Remote:
        """The process as it can be called now.  Raises `rpc.Unreachable` while there is none."""
        with self._changed:
            if self._remote is None:
                raise rpc.Unreachable(f"{self.name} {'is given up' if self._given_up else 'is being started again'}")
            return self._remote

    def await_remote(self, after: int = -1, timeout_s: float | None = None) -> tuple[rpc.Remote, int] | None:
        """The process, of a generation later than `after`, and its generation.

        None once it is given up or closed, or after `timeout_s`.
        """

        def settled() -> bool:
            there = self._remote is not None and self._generation > after
            return there or self._given_up or self._closing.is_set()

        with self._changed:
            self._changed.wait_for(settled, timeout_s)
            if self._remote is None or self._generation <= after:
                return None
            return self._remote, self._generation

    # --- for whoever starts and ends it ---------------------------------------------------------------

    def connect(self) -> None:
        """Make the first process work.  Raises `ChildError` or `rpc.RpcError` if it does not."""
        self._put(self._take_up(self._child))

    def watch(self, on_turn: Callable[[Turn, str], None]) -> None:
        """From now on keep it alive."""
        self._on_turn = on_turn
        self._answered_at = time.monotonic()
        self._thread = threading.Thread(target=self._keep, name=f"supervise {self.name}", daemon=True)
        self._thread.start()

    def close(self, patience_s: float = 10.0) -> None:
        """End the process, within `patience_s` by itself; idempotent."""
        self._closing.set()
        with self._changed:
            remote, self._remote = self._remote, None
            self._changed.notify_all()
        if remote is not None:
            remote.close()
        self._child.close(patience_s)
        if self._thread is not None:
            self._thread.join()
            self._child.close(patience_s)  # it may have launched another meanwhile

    # --- the thread -----------------------------------------------------------------------------------

    def _keep(self) -> None:
        beat_at = time.monotonic()
        while not self._closing.wait(LOOK_S):
            trouble = ""
            if (code := self._child.exit_code) is not None:
                trouble = f"its process died (exit code {code})"
            elif time.monotonic() >= beat_at:
                trouble = self._beat()
                beat_at = time.monotonic() + (BEAT_S if not self._unanswered else 0.0)
            if trouble and not self._closing.is_set():
                self._replace(trouble)
                beat_at = time.monotonic()

    def _beat(self) -> str:
        """Ask how it is: what is wrong with it, or ""."""
        try:
            hangs = self._probe(self.remote.within(CALL_S))
        except rpc.RpcError as error:
            self._unanswered += 1
            silent_s = time.monotonic() - self._answered_at
            log.info("%s did not answer (%s)", self.name, error)
            blocked = self._unanswered >= 2 and silent_s >= SILENT_S
            return f"it has not answered for {silent_s:.1f} s" if blocked else ""
        self._answered_at, self._unanswered = time.monotonic(), 0
        return hangs

    def _replace(self, reason: str) -> None:
        log.warning("%s is lost: %s", self.name, reason)
        with self._changed:
            lost, self._remote = self._remote, None
        if lost is not None:
            lost.close()
        self._child.kill()
        self._on_turn("lost", reason)
        while (delay_s := self._restarts.delay_s(time.monotonic())) is not None:
            if self._closing.wait(delay_s):
                return
            try:
                self._child = self._launch()
                remote = self._take_up(self._child)
            except (ChildError, rpc.RpcError) as error:
                if self._closing.is_set():
                    return
                log.warning("%s could not be started again: %s", self.name, error)
                reason = f"{reason}; {error}"
                self._child.kill()
                continue
            self._on_turn("back", reason)
            self._put(remote)
            return
        with self._changed:
            self._given_up = True
            self._changed.notify_all()
        self._on_turn("given up", reason)
        self._closing.wait()

    def _put(self, remote: rpc.Remote) -> None:
        with self._changed:
            self._remote = remote
            self._generation += 1
            self._answered_at, self._unanswered = time.monotonic(), 0
            self._changed.notify_all()
