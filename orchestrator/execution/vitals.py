"""Whether a worker that answers can also work: its run engine's loop turns, and no driver's call hangs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

TICK_S = 0.2
LOOP_S = 3.0
"""A loop that has not turned for this long, real seconds, is blocked."""
CALL_S = 2.0
"""A call that has shown no life for this long beyond its link's time-out hangs."""


class Vitals:
    """Looks at the loop and the ports; never waits for either."""

    def __init__(self, loop: asyncio.AbstractEventLoop, devices: Iterable[Any]) -> None:
        self._loop = loop
        self._ports = {device.name: device.port for device in devices}
        self._turned_at = time.monotonic()
        self._stopping = False
        loop.call_soon_threadsafe(self._turn)

    def stop(self) -> None:
        self._stopping = True

    @property
    def loop_age_s(self) -> float:
        """Real seconds since the loop last turned."""
        return time.monotonic() - self._turned_at

    def oldest(self) -> dict[str, float]:
        """Device -> for how long its conversation under way has lasted, real seconds; idle ones are left out."""
        ages = {name: getattr(port, "busy_s", 0.0) for name, port in self._ports.items()}
        return {name: age for name, age in ages.items() if age > 0}

    def blocked(self) -> list[str]:
        """What hangs, in words; empty when all is well."""
        hangs = []
        if self.loop_age_s > LOOP_S:
            hangs.append(f"its run engine's loop has not turned for {self.loop_age_s:.1f} s")
        for name, port in self._ports.items():
            still_s = getattr(port, "still_s", 0.0)
            if still_s > getattr(port.link, "timeout_s", 1.0) + CALL_S:
                hangs.append(f"a call to {name} hangs since {still_s:.1f} s")
        return hangs

    def _turn(self) -> None:
        self._turned_at = time.monotonic()
        if not self._stopping:
            self._loop.call_later(TICK_S, self._turn)
