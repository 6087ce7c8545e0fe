"""Which alerts nobody has acknowledged, and when somebody else is told: pure.  `now` is real seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orchestrator.service.alerts.alert import Alert


class Escalation:
    """Critical alerts wait here for a person; after `after_s` they are taken for the second group, once."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._due: dict[str, tuple[Alert, float]] = {}

    def raised(self, alert: Alert, now: float, since_s: float = 0.0) -> list[Alert]:
        """There is `alert`, for `since_s` already; those that it replaces."""
        replaced = self.drop(alert.replaces)
        if alert.severity == "critical":
            self._due[alert.name] = alert, now + max(0.0, self._after_s - since_s)
        return replaced

    def drop(self, pointless: Callable[[Alert], bool]) -> list[Alert]:
        """Take out those of which nobody need hear any more; they."""
        dropped = [alert for alert, _ in self._due.values() if pointless(alert)]
        for alert in dropped:
            del self._due[alert.name]
        return dropped

    @property
    def waiting(self) -> bool:
        return bool(self._due)

    def due_in(self, now: float) -> float | None:
        """Seconds until the next is due; None if nothing waits."""
        return max(0.0, min(at for _, at in self._due.values()) - now) if self._due else None

    def take(self, now: float) -> list[Alert]:
        """Those that are due, in words for the second group."""
        due = [alert for alert, at in self._due.values() if at <= now]
        self._due = {name: told for name, told in self._due.items() if told[0] not in due}
        minutes = f"{self._after_s / 60:g} min"
        return [replace(alert, text=f"Nobody has acknowledged this for {minutes}: {alert.text}") for alert in due]
