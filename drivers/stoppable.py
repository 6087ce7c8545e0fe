"""Instruments whose acts take long, and give way when the safe state is asked for."""

from __future__ import annotations

import threading
from typing import Any

from ophyd.status import DeviceStatus

from drivers.errors import Interrupted
from drivers.instrument import Instrument


class Stoppable(Instrument):
    """A ramp or a motion occupies the port's thread, so a safe request cannot simply queue behind it.

    `safe` announces itself before it queues; acts call `give_way` between their steps and end there.  Acts
    queued before the request end too, those queued after it run.  `make_safe` itself never gives way.
    """

    safe_timeout_s = 60.0
    """Lab seconds in which the safe state must be reached."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._safe_requests = 0
        self._counting = threading.Lock()
        super().__init__(*args, **kwargs)

    def safe(self) -> DeviceStatus:
        self._count(1)
        return self.act(self._answer_safe_request, timeout_s=self.safe_timeout_s)

    def give_way(self, act: str) -> None:
        """Raises `Interrupted` if a safe request waits."""
        if self._safe_requests:
            raise Interrupted(f"{self.name}: {act} broken off: the safe state was asked for")

    def _answer_safe_request(self) -> None:
        try:
            self.make_safe()
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._counting:
            self._safe_requests += change
