"""A process in reserve, its imports done: what takes a second or two of every start is over before it is needed."""

from __future__ import annotations

import threading
from pathlib import Path

from orchestrator.service.children import Child, ChildError

START_S = 60.0


class Spares:
    """Children of one module that say ``{"started": true}`` and then wait for their configuration."""

    def __init__(self, module: str, log: Path) -> None:
        self._module, self._log = module, log
        self._lock = threading.Lock()
        self._ready: Child | None = None
        self._closed = False

    def prepare(self) -> None:
        """Launch one that is not there yet; returns at once."""
        with self._lock:
            if self._ready is None and not self._closed:
                self._ready = self._launch()

    def take(self) -> Child:
        """One that has started; another is prepared.  Raises `ChildError`."""
        with self._lock:
            child, self._ready = self._ready, None
        if child is None or child.exit_code is not None:
            child = self._launch()
        try:
            child.hear(START_S)
        except ChildError:
            child.kill()
            raise
        self.prepare()
        return child

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            self._closed = True
            child, self._ready = self._ready, None
        if child is not None:
            child.kill()

    def _launch(self) -> Child:
        return Child("spare worker", [self._module], self._log)
