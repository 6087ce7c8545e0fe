"""The end of a daemon's campaign as those who ask for its status are told it: the forecast, made no more than once a
second, by whoever asks and never by the deciding thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

from orchestrator.campaign.labspec import LabSpec
from orchestrator.service.budget import as_changed
from orchestrator.service.daemon import Daemon
from orchestrator.service.forecast import Forecast, forecast
from orchestrator.service.progress import Progress
from orchestrator.service.status import with_forecast

log = logging.getLogger(__name__)

EVERY_S = 1.0
"""Real seconds between two forecasts: one plays out the rest of the night, which takes tens of milliseconds."""


class Foresight:
    """For one daemon, by the real clock `now`; from any thread."""

    def __init__(self, daemon: Daemon, lab: LabSpec, now: Callable[[], float] = time.monotonic) -> None:
        self._daemon = daemon
        self._lab = lab
        self._now = now
        self._lock = Lock()
        self._made_at: float | None = None
        self._told: Forecast | None = None

    def progress(self) -> Progress:
        """The daemon's progress, with the end that is foreseen."""
        progress = self._daemon.latest
        with self._lock:
            if self._made_at is None or self._now() - self._made_at >= EVERY_S:
                self._told = self._foreseen(progress.now)
                self._made_at = self._now()
            return with_forecast(progress, self._told)

    def _foreseen(self, at: float) -> Forecast | None:
        state = self._daemon.state  # another one after every entry: nobody changes this one
        try:
            return forecast(state, as_changed(self._daemon.campaign, state), self._lab, at)
        except Exception:  # edge: a night that cannot be played out has a status all the same
            log.exception("the end is not foreseen")
            return None
