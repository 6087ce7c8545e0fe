"""A forecast asked for by whoever wants to show it, and made no more often than need be.

A forecast plays out the rest of the night, which takes tens of milliseconds: those who ask, and the journal, may be
quicker than that.  The deciding thread never asks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState

log = logging.getLogger(__name__)
T = TypeVar("T")

EVERY_S = 1.0
"""Real seconds between two forecasts."""

Foresee = Callable[[CampaignState, Campaign, LabSpec, float], T | None]
"""What is foreseen at a lab time; None where nobody can say."""


class Foresight(Generic[T]):
    """What `foresee` said last of one campaign, and when it did by the real clock `now`; from any thread."""

    def __init__(self, foresee: Foresee[T], now: Callable[[], float] = time.monotonic) -> None:
        self._foresee, self._now = foresee, now
        self._lock = Lock()
        self._made: tuple[float, object] | None = None
        self._told: T | None = None

    def told(self, state: CampaignState, campaign: Campaign, lab: LabSpec, at: float) -> T | None:
        """What is foreseen at lab time `at`, or was up to `EVERY_S` ago; what people and troubles change counts at
        once."""
        fixed = state.mode, state.stop_wanted, bool(state.needs), bool(state.ended), campaign.budget
        with self._lock:
            if self._made is None or self._made[1] != fixed or self._now() - self._made[0] >= EVERY_S:
                self._told = self._guarded(state, campaign, lab, at)
                self._made = self._now(), fixed
            return self._told

    def _guarded(self, state: CampaignState, campaign: Campaign, lab: LabSpec, at: float) -> T | None:
        try:
            return self._foresee(state, campaign, lab, at)
        except Exception:  # edge: a night that cannot be played out has a state, and buttons, all the same
            log.exception("the end is not foreseen")
            return None
