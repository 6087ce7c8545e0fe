"""Looking out beside the daemon, and keeping a dead-man service quiet: each on a thread of its own."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from orchestrator.service.alerts.alerting import Alerting
from orchestrator.service.alerts.courier import scrubbed
from orchestrator.service.alerts.lookout import Lookout
from orchestrator.service.alerts.outbox import Outbox
from orchestrator.service.status import Progress

log = logging.getLogger(__name__)

LOOK_S = 2.0
PING_S = 10.0
"""Longest wait for the dead-man service."""
WELL_S = 60.0
"""A daemon that has decided nothing for so long is not well, and does not say that it is."""


class Sentry:
    """Shows `lookout` the campaign's progress every `look_s` real seconds, and lets `alerting` tell what it sees.

    Use it as a context; `progressed` takes each progress, at once, on any thread.
    """

    def __init__(
        self,
        lookout: Lookout,
        alerting: Alerting,
        folder: Path,
        *,
        civil_now: Callable[[], datetime] = datetime.now,
        look_s: float = LOOK_S,
    ) -> None:
        self._lookout, self._alerting, self._folder = lookout, alerting, folder
        self._civil_now, self._look_s = civil_now, look_s
        self._latest: Progress | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)

    def progressed(self, progress: Progress) -> None:
        self._latest = progress

    def look(self) -> None:
        """Look once."""
        if self._latest is None:
            return
        for told in self._lookout.look(self._latest, self._free_bytes(), self._civil_now(), time.monotonic()):
            self._alerting.tell(told.severity, told.text, told.about, told.name)

    def _free_bytes(self) -> float | None:
        try:
            return float(shutil.disk_usage(self._folder).free)
        except OSError as error:
            log.warning("%s: nobody knows how full its disk is (%s)", self._folder, error.strerror)
            return None

    def _run(self) -> None:
        while not self._over.wait(self._look_s):
            self.look()

    def __enter__(self) -> Sentry:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


class Ping:
    """Asks the dead-man service at `url` every `every_s` real seconds, the first time at once, for as long as
    `decided_s`, the age of the daemon's last decision, says that it lives.  Use it as a context."""

    def __init__(
        self,
        url: str | None,
        every_s: float,
        outbox: Outbox,
        decided_s: Callable[[], float],
        *,
        ask: Callable[[str], None] | None = None,
    ) -> None:
        self._url, self._every_s, self._outbox, self._decided_s = url, every_s, outbox, decided_s
        self._ask = ask or get
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dead man", daemon=True)

    def ping(self) -> None:
        """Say that all is well, once, if it is."""
        if self._url is None or self._decided_s() > WELL_S:
            return
        try:
            self._ask(self._url)
        except (OSError, ValueError) as error:
            why = scrubbed(str(error.reason if isinstance(error, URLError) else error), self._url)
            log.warning("the dead-man service was not reached: %s", why)
            self._outbox.failed("dead man", why)

    def _run(self) -> None:
        self.ping()
        while not self._over.wait(self._every_s):
            self.ping()

    def __enter__(self) -> Ping:
        if self._url is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Returns at once; a call that is under way ends with our process."""
        self._over.set()


def get(url: str) -> None:
    """Ask for `url`, and read no answer.  Raises `OSError`, `ValueError`."""
    with urlopen(Request(url, headers={"User-Agent": "nightshift"}), timeout=PING_S):
        pass
