"""What one channel is still to be told, and when: pure.

A burst becomes one message: after each, nothing is sent for a while, and what came meanwhile goes together.  A
channel that is down is tried again, ever more rarely, for as long as an alert matters.  `now` is real seconds of a
clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.service.alerts.alert import RANKS, Alert

GATHER_S = 0.5
"""From the first alert that waits to its message: what one transaction or one death brings comes together."""
GAP_S = 10.0
"""Between two messages to a channel."""
FIRST_RETRY_S, LONGEST_RETRY_S = 2.0, 300.0
SOON = 15
"""Tries at the shortest distance: a channel that flaps is caught within 30 s while it is well."""
MOST = 20
"""Alerts in one message; the others follow, a `GAP_S` later."""
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

    def next(self) -> list[Alert]:
        """What the next message tells: the worst of what waits, in the order in which it came."""
        worst = sorted(self.waiting, key=lambda alert: RANKS[alert.severity], reverse=True)[:MOST]
        return [alert for alert in self.waiting if alert in worst]

    def due_in(self, now: float, quiet_s: float = 0.0) -> float | None:
        """Seconds until what waits is to be sent; None if nothing waits.  For `quiet_s` nobody is to be woken, but for
        what is critical; that takes all along."""
        if not self.waiting:
            return None
        return max(0.0, self._not_before - now, 0.0 if self.urgent else quiet_s)

    @property
    def urgent(self) -> bool:
        """Whether anything critical waits."""
        return any(alert.severity == "critical" for alert in self.waiting)

    def sent(self, alerts: Sequence[Alert], now: float) -> None:
        self.waiting = [alert for alert in self.waiting if alert not in alerts]
        self._failures, self._not_before = 0, now + GAP_S

    def failed(self, now: float) -> None:
        self._failures = min(self._failures + 1, SOON + 32)
        self._not_before = now + min(FIRST_RETRY_S * 2.0 ** max(0, self._failures - SOON), LONGEST_RETRY_S)
