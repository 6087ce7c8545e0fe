"""What one channel is still to be told, and when: pure.

A burst becomes one message: after each, nothing is sent for a while, and what came meanwhile goes together.  A
channel that is down is tried again, ever more rarely, for as long as an alert matters.  `now` is real seconds of a
clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.service.alerts.alert import Alert

GATHER_S = 0.5
"""From the first alert that waits to its message: what one transaction or one death brings comes together."""
GAP_S = 10.0
"""Between two messages to a channel."""
FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 300.0
MATTERS_S = 24 * 3600.0
"""Lab seconds after which nobody need hear of an alert any more."""


class Line:
    def __init__(self) -> None:
        self.waiting: list[Alert] = []
        self._not_before = float("-inf")
        self._failures = 0

    def put(self, alert: Alert, now: float) -> list[Alert]:
        """`alert` is to be told; those that it replaces."""
        replaced = self.drop(alert.replaces)
        if not self.waiting:
            self._not_before = max(self._not_before, now + GATHER_S)
        self.waiting.append(alert)
        return replaced

    def drop(self, pointless: Callable[[Alert], bool]) -> list[Alert]:
        """Take out those of which nobody need hear; they."""
        dropped = [alert for alert in self.waiting if pointless(alert)]
        self.waiting = [alert for alert in self.waiting if alert not in dropped]
        return dropped

    def due_in(self, now: float) -> float | None:
        """Seconds until what waits is to be sent; None if nothing waits."""
        return max(0.0, self._not_before - now) if self.waiting else None

    def sent(self, alerts: Sequence[Alert], now: float) -> None:
        self.waiting = [alert for alert in self.waiting if alert not in alerts]
        self._failures, self._not_before = 0, now + GAP_S

    def failed(self, now: float) -> None:
        self._not_before = now + min(FIRST_RETRY_S * 2.0**self._failures, LONGEST_RETRY_S)
        self._failures = min(self._failures + 1, 32)
