"""What became of each alert, by channel: JSON lines that survive us.

An alert follows from the journal, so that it is never lost; this file says which channels need not be told of it
any more.  A line is written after a channel has taken an alert.  Whoever dies in between tells it once more: at
least once, not exactly once.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from orchestrator.service.alerts.alert import Alert

log = logging.getLogger(__name__)

Fate = Literal["delivered", "outdated", "too old", "acknowledged"]


class Outbox:
    """The file at `path`, made if need be.  May be used from several threads.

    What cannot be written is kept in mind: a full disk costs a message told twice after our death, and no alert.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self._now = now
        self._lock = Lock()
        self._raised: dict[str, tuple[Alert, float]] = {}
        self._settled: set[tuple[str, str]] = set()
        for line in lines_of(path):
            if "raised" in line:
                alert = Alert(**line["raised"])
                self._raised[alert.name] = alert, float(line["at"])
            elif "fate" in line:
                self._settled.add((line["channel"], line["alert"]))

    def raised(self, alert: Alert) -> None:
        """There is `alert`; idempotent."""
        with self._lock:
            if alert.name not in self._raised:
                self._raised[alert.name] = alert, self._now()
                self._write({"raised": asdict(alert)})

    def raised_s(self, alert: Alert) -> float:
        """For how long there has been `alert`, civil seconds; 0 if it was never raised, or the clock was set back."""
        with self._lock:
            since = self._raised[alert.name][1] if alert.name in self._raised else self._now()
            return max(0.0, self._now() - since)

    def of_no_entry(self) -> list[Alert]:
        """Every alert that follows from no entry, so that no journal would bring it back."""
        with self._lock:
            return [alert for alert, _ in self._raised.values() if not alert.name.isdigit()]

    def settle(self, channel: str, alert: Alert, fate: Fate) -> None:
        """`channel` need not be told of `alert` any more."""
        with self._lock:
            self._settled.add((channel, alert.name))
            self._write({"alert": alert.name, "channel": channel, "fate": fate})

    def failed(self, channel: str, reason: str) -> None:
        """`channel` did not take a message; for whoever reads the file."""
        with self._lock:
            self._write({"channel": channel, "failed": reason})

    def settled(self, channel: str, alert: Alert) -> bool:
        with self._lock:
            return (channel, alert.name) in self._settled

    def _write(self, line: dict[str, Any]) -> None:
        text = json.dumps({"at": self._now(), **line})
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                size = os.fstat(file).st_size
                torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
                os.write(file, ("\n" * torn + text + "\n").encode())
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            log.error("%s: cannot be written (%s)", self.path, error.strerror)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Every line that is whole; a death or a full disk may have torn one."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for text in content.splitlines():
        try:
            found.append(json.loads(text))
        except ValueError:
            log.warning("%s: has a line that is cut off", path)
    return found
