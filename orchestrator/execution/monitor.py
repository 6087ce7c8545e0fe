"""One thread that keeps readings fresh, so that gates need not ask the wire.

It never waits for an instrument: it hands `refresh` to the device's port thread, and hands the next one over
only a period after the last has come back.  A slow or silent instrument therefore delays nobody else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any

from drivers.clock import Clock


@dataclass
class Watched:
    """One device and how its refreshes went."""

    device: Any
    period: float  # real s
    due: float = 0.0  # monotonic, real s
    outstanding: bool = False
    failures: int = 0  # in a row
    failed: int = 0  # in all
    trouble: str = ""  # class and text of the last failure; "" when the last refresh went well


class Monitor:
    """Refreshes each device every `poll_s[name]` lab seconds, or as often as is useful under a scaled clock."""

    def __init__(self, devices: Iterable[Any], clock: Clock, poll_s: Mapping[str, float] | None = None) -> None:
        self._watched = {
            device.name: Watched(device, clock.real_s(max((poll_s or {}).get(device.name, 1.0), clock.resolution_s)))
            for device in devices
        }
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Hand over no more refreshes; idempotent."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def postpone(self, device: Any) -> None:
        """Somebody else is refreshing `device` now."""
        if (watched := self._watched.get(device.name)) is not None:
            watched.due = time.monotonic() + watched.period

    def trouble(self, name: str) -> str:
        """Why the last refresh of a device failed, and how many in a row; "" when it went well."""
        watched = self._watched.get(name)
        if watched is None or not watched.trouble:
            return ""
        return f"{watched.trouble}, {watched.failures} in a row"

    def troubles(self) -> dict[str, str]:
        """`trouble` of each device that has any."""
        return {name: trouble for name in self._watched if (trouble := self.trouble(name))}

    def _run(self) -> None:
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                idle = [watched for watched in self._watched.values() if not watched.outstanding]
                for watched in idle:
                    if watched.due <= now:
                        self._submit(watched)
                due = [watched.due for watched in idle if not watched.outstanding]
                self._changed.wait(max(min(due) - now, 1e-3) if due else None)

    def _submit(self, watched: Watched) -> None:
        watched.outstanding = True
        try:
            future = watched.device.port.submit(watched.device.refresh)
        except RuntimeError as error:  # the port was closed; the worker is going down
            self._book(watched, error)
            return
        future.add_done_callback(lambda done: self._came_back(watched, done))

    def _came_back(self, watched: Watched, future: Future[Any]) -> None:
        error = CancelledError("port closed") if future.cancelled() else future.exception()
        with self._changed:
            self._book(watched, error)
            self._changed.notify()

    def _book(self, watched: Watched, error: BaseException | None) -> None:
        watched.outstanding = False
        watched.due = time.monotonic() + watched.period
        if error is None:
            watched.failures, watched.trouble = 0, ""
        else:
            watched.failures += 1
            watched.failed += 1
            watched.trouble = f"{type(error).__name__}: {error}"
