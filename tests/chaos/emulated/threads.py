"""What Python's threads, locks, clocks and event loops are, for strands: `install` before importing anything else.

`threading`, `queue`, `concurrent.futures` and `asyncio` are written in Python over a handful of primitives; with
those replaced, the production code and its libraries run unchanged.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent

from tests.chaos.emulated import clock
from tests.chaos.emulated.clock import Strand

_real_ident = threading.get_ident
Waiting = deque[tuple[Strand, int]]


def get_ident() -> int:
    strand = getcurrent()
    return strand.ident if isinstance(strand, Strand) else _real_ident()


def monotonic() -> float:
    return clock.running.now


def sleep(seconds: float) -> None:
    clock.running.park(seconds)


class Lock:
    """Handed to whoever has waited longest."""

    __slots__ = ("_held", "_waiting")

    def __init__(self) -> None:
        self._held = False
        self._waiting: Waiting | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not self._held:
            self._held = True
            return True
        if not blocking:
            return False
        if self._waiting is None:
            self._waiting = deque()
        strand = clock.running.current()
        self._waiting.append((strand, strand.wait))
        return bool(clock.running.park(None if timeout < 0 else timeout))

    def release(self) -> None:
        if not self._held:
            raise RuntimeError("release unlocked lock")
        while self._waiting:
            if clock.running.wake(*self._waiting.popleft()):
                return
        self._held = False

    def locked(self) -> bool:
        return self._held

    def __enter__(self) -> bool:
        if self._held:
            return self.acquire()
        self._held = True
        return True

    def __exit__(self, *_: object) -> None:
        if self._waiting:
            self.release()
        else:
            self._held = False

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]


class RLock:
    __slots__ = ("_block", "_count", "_owner")

    def __init__(self) -> None:
        self._block = Lock()
        self._owner: Any = None
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        me = getcurrent()
        if self._owner is me:
            self._count += 1
            return True
        block = self._block
        if not block._held:
            block._held = True
        elif not block.acquire(blocking, timeout):
            return False
        self._owner, self._count = me, 1
        return True

    __enter__ = acquire

    def release(self) -> None:
        if self._owner is not getcurrent():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = None
            self._block.__exit__()

    def __exit__(self, *_: object) -> None:
        self.release()

    # What threading.Condition asks of it.

    def _is_owned(self) -> bool:
        return self._owner is getcurrent()

    def _release_save(self) -> tuple[int, Any]:
        state = (self._count, self._owner)
        self._count, self._owner = 0, None
        self._block.release()
        return state

    def _acquire_restore(self, state: tuple[int, Any]) -> None:
        self._block.acquire()
        self._count, self._owner = state

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]


class Event:
    __slots__ = ("_flag", "_waiting")

    def __init__(self) -> None:
        self._flag = False
        self._waiting: Waiting = deque()

    def is_set(self) -> bool:
        return self._flag

    isSet = is_set  # noqa: N815 - Python's name

    def set(self) -> None:
        self._flag = True
        while self._waiting:
            clock.running.wake(*self._waiting.popleft())

    def clear(self) -> None:
        self._flag = False

    def wait(self, timeout: float | None = None) -> bool:
        if self._flag:
            return True
        strand = clock.running.current()
        self._waiting.append((strand, strand.wait))
        clock.running.park(timeout)
        return self._flag

    def _at_fork_reinit(self) -> None:
        self._waiting.clear()


class SimpleQueue:
    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._waiting: Waiting = deque()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        self._items.append(item)
        while self._waiting and not clock.running.wake(*self._waiting.popleft()):
            """That one has given up."""

    put_nowait = put

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        deadline = None if timeout is None else clock.running.now + timeout
        while not self._items:
            left = None if deadline is None else deadline - clock.running.now
            if not block or (left is not None and left <= 0):
                raise queue.Empty
            strand = clock.running.current()
            self._waiting.append((strand, strand.wait))
            clock.running.park(left)
        return self._items.popleft()

    def get_nowait(self) -> Any:
        return self.get(block=False)

    def empty(self) -> bool:
        return not self._items

    def qsize(self) -> int:
        return len(self._items)


def start_new_thread(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> int:
    def run() -> None:
        try:
            function(*args, **(kwargs or {}))
        finally:
            if (sentinel := strand.sentinel) is not None and sentinel.locked():
                sentinel.release()

    strand = clock.running.spawn(run)
    return strand.ident


def set_sentinel() -> Lock:
    """The lock that is released when the calling strand ends."""
    lock = Lock()
    strand = getcurrent()
    if isinstance(strand, Strand):
        strand.sentinel = lock
    return lock


class Loop(asyncio.BaseEventLoop):
    """An event loop without files: it waits for its timers, and for calls from other strands."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self  # type: ignore[assignment]
        self._woken = False
        self._waiting: tuple[Strand, int] | None = None

    def time(self) -> float:
        return clock.running.now

    def select(self, timeout: float | None) -> list[Any]:
        if not self._woken and (timeout is None or timeout > 0):
            strand = clock.running.current()
            self._waiting = (strand, strand.wait)
            clock.running.park(timeout)
            self._waiting = None
        self._woken = False
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        self._woken = True
        if self._waiting is not None:
            clock.running.wake(*self._waiting)


class OwnedLock(Lock):
    """One of the interpreter's own, which processes here share and real ones do not."""

    __slots__ = ("_owner",)

    def __init__(self) -> None:
        super().__init__()
        self._owner: Any = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        taken = super().acquire(blocking, timeout)
        self._owner = getcurrent() if taken else self._owner
        return taken

    __enter__ = acquire


def _own() -> None:
    threading._active_limbo_lock = RLock()  # type: ignore[attr-defined]
    threading._shutdown_locks_lock = OwnedLock()  # type: ignore[attr-defined]


def _shared() -> tuple[Any, ...]:
    return (pools._global_shutdown_lock, threading._active_limbo_lock, threading._shutdown_locks_lock)  # type: ignore[attr-defined]


def forget() -> None:
    """Nobody of before will release what the interpreter's own modules hold."""
    for lock in _shared():
        lock._at_fork_reinit()


def bury() -> None:
    """What the dead hold of the interpreter's own is let go: a real process has its own interpreter."""
    for lock in _shared():
        owner = lock._owner
        if isinstance(owner, Strand) and owner.owner.dead:
            block = lock._block if isinstance(lock, RLock) else lock
            lock._owner = None
            if block.locked():
                block.release()


def install() -> None:
    """Replace the primitives; once, before the modules that use them are imported."""
    threading.Lock = threading._allocate_lock = Lock  # type: ignore[assignment,misc,attr-defined]
    threading.RLock = threading._RLock = RLock  # type: ignore[assignment,misc,attr-defined]
    threading.Event = Event  # type: ignore[assignment,misc]
    _own()
    os.register_at_fork(after_in_child=_own)  # after that of `threading`, which makes new ones
    threading._start_new_thread = start_new_thread  # type: ignore[attr-defined]
    threading._set_sentinel = set_sentinel  # type: ignore[attr-defined]
    threading.get_ident = get_ident
    threading._time = monotonic  # type: ignore[attr-defined]
    queue.time = monotonic  # type: ignore[attr-defined]
    queue.SimpleQueue = SimpleQueue  # type: ignore[assignment,misc]
    time.monotonic = monotonic
    time.sleep = sleep
    asyncio.new_event_loop = Loop  # type: ignore[assignment]
    global pools
    from concurrent.futures import thread as pools

    pools._global_shutdown_lock = OwnedLock()  # type: ignore[attr-defined]
