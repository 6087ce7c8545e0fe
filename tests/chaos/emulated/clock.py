"""Virtual time and the one thing that runs in it: strands, each a thread to those who started it.

Exactly one strand runs at a time, until it waits; when every strand waits, time jumps to the next moment at which
one of them wakes.  Nothing is preempted and nothing takes time but waiting, so a night is the same every time it
is run, and takes as long as its arithmetic.  A seed lets strands that are ready at the same moment take turns in
another order.
"""

from __future__ import annotations

import heapq
from asyncio import _get_running_loop, _set_running_loop
from collections import deque
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet

FIRST_IDENT = 1 << 40


class Stuck(Exception):
    """Nobody will ever wake up again."""


class Endless(Exception):
    """Time ran out: the strands go on for ever."""


class Owner:
    """What dies together: the strands of one process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False


class Strand(greenlet):
    """One line of execution.  `owner` is inherited from whoever starts it."""

    def __init__(self, run: Callable[[], Any], owner: Owner, ident: int) -> None:
        super().__init__(run)
        self.owner = owner
        self.ident = ident
        self.wait = 0  # counts its waits, so that what should end an earlier one ends no other
        self.sentinel: Any = None  # a lock to release when it ends


class Scheduler:
    """`now` is in seconds; `limit` is the time at which `run` gives up with `Endless`."""

    def __init__(self, now: float, *, seed: int | None = None, limit: float = float("inf")) -> None:
        self.now = now
        self.limit = limit
        self.switches = 0
        self._rng = None if seed is None else Random(seed)
        self._ready: deque[tuple[Strand, int, Any]] = deque()
        self._timers: list[tuple[float, int, Strand | None, Any]] = []
        self._order = count()
        self._idents = count(FIRST_IDENT)
        self._root: Any = None
        self._kept: list[Strand] = []  # a strand that nobody knows any more must not be unwound

    # --- for whoever starts it ------------------------------------------------------------------------

    def run(self, function: Callable[[], Any], owner: Owner) -> Any:
        """Run `function` as a strand until it returns; its value.  Raises what it raises, `Stuck` or `Endless`."""
        outcome: list[Any] = []

        def main() -> None:
            try:
                outcome.append((True, function()))
            except BaseException as error:  # noqa: BLE001 - raised again below
                outcome.append((False, error))

        self._root = getcurrent()
        self.spawn(main, owner)
        while not outcome:
            strand, answer = self._next()
            strand.switch(answer)
        well, value = outcome[0]
        if not well:
            raise value
        return value

    # --- for strands ----------------------------------------------------------------------------------

    def spawn(self, function: Callable[[], Any], owner: Owner | None = None) -> Strand:
        strand = Strand(lambda _: function(), owner or current_owner(), next(self._idents))
        strand.parent = self._root
        self._kept.append(strand)
        self._ready.append((strand, 0, None))
        return strand

    def park(self, timeout: float | None = None, late: Any = False) -> Any:
        """Wait until woken, or for `timeout` seconds; what the waker said, or `late`."""
        strand = self.current()
        if timeout is not None:
            due = self.now + max(0.0, timeout)
            heapq.heappush(self._timers, (due, next(self._order), strand, (strand.wait, late)))
        loop = _get_running_loop()
        if loop is not None:
            _set_running_loop(None)
        try:
            upcoming, answer = self._next()
        except (Stuck, Endless) as end:
            self._root.throw(end)
            raise
        if upcoming is not strand:
            self.switches += 1
            answer = upcoming.switch(answer)
        if loop is not None:
            _set_running_loop(loop)
        return answer

    def current(self) -> Strand:
        strand = getcurrent()
        if not isinstance(strand, Strand):
            raise Stuck("only a strand can wait")
        return strand

    def wake(self, strand: Strand, wait: int, answer: Any = True) -> bool:
        """End the wait number `wait` of `strand`; False if it is over."""
        if strand.wait != wait or strand.owner.dead:
            return False
        strand.wait += 1
        self._ready.append((strand, wait, answer))
        return True

    def at(self, due: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call `call` at `due`, on no strand; it must not wait.  Returns how to cancel that."""
        alive = [call]
        heapq.heappush(self._timers, (due, next(self._order), None, alive))
        return alive.clear

    def pass_by(self, seconds: float) -> None:
        """Time that whoever runs now spends without waiting; who is due meanwhile comes a little late."""
        self.now += seconds

    # --- time -----------------------------------------------------------------------------------------

    def _next(self) -> tuple[Strand, Any]:
        """The strand whose turn it is; time passes if none is ready."""
        ready = self._ready
        while True:
            if ready:
                if self._rng is not None and len(ready) > 1:
                    ready.rotate(-self._rng.randrange(len(ready)))
                strand, _, answer = ready.popleft()
                if not strand.owner.dead:
                    return strand, answer
            elif self._timers:
                due, _, sleeper, what = first = self._timers[0]
                if sleeper is None or (sleeper.wait == what[0] and not sleeper.owner.dead):
                    self._advance(due)
                    if not self._timers or self._timers[0] is not first:
                        continue  # much may have happened on the way
                heapq.heappop(self._timers)
                if sleeper is not None:
                    self.wake(sleeper, *what)
                else:
                    for call in what:
                        call()
            else:
                raise Stuck("every strand waits for another")

    def _advance(self, due: float) -> None:
        if due > self.limit:
            raise Endless(f"no end after {self.limit:.0f} s of virtual time")
        self.now = max(self.now, due)


running = Scheduler(0.0)
_nobody = Owner("nobody")


def scheduler() -> Scheduler:
    """The one that runs now."""
    return running


def begin(new: Scheduler) -> Scheduler:
    """From here on, time and strands are those of `new`; the old strands never run again."""
    global running
    _abandoned.append(running)
    running = new
    return new


_abandoned: list[Scheduler] = []


def current_owner() -> Owner:
    strand = getcurrent()
    return strand.owner if isinstance(strand, Strand) else _nobody
