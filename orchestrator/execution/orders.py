"""What the operator, or the daemon on his behalf, has ordered while a plan runs."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Orders:
    """Hold, resume and abort, given on any thread and looked at by the gates.

    `permit` is held while a gate lets a setting through and while an abort is given: once `abort` has
    returned, no setting of the plan's own is sent any more.
    """

    def __init__(self) -> None:
        self.permit = threading.RLock()
        self.hold_reason: str | None = None
        self.abort_reason: str | None = None
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every order, on the thread that gave it."""
        self._listeners.append(listener)

    def hold(self, reason: str) -> None:
        self.hold_reason = reason or "asked for"
        self._tell()

    def resume(self) -> None:
        self.hold_reason = None
        self._tell()

    def abort(self, reason: str) -> None:
        """The first reason stays."""
        with self.permit:
            self.abort_reason = self.abort_reason or reason or "asked for"
        self._tell()

    def clear(self) -> None:
        """Forget everything, for the next plan."""
        with self.permit:
            self.hold_reason = self.abort_reason = None

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
