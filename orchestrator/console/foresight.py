"""When the night is done, as the page is told: `orchestrator.service.forecast`, asked no more often than need be.

A forecast plays out the rest of the night, which takes tens of milliseconds: the journal may grow faster than that.
The history of earlier homes is not at hand here; `nightshift status` does without it too, so that both say the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import HOLDS
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.console.shapes import Finish
from orchestrator.service.budget import enough
from orchestrator.service.forecast import forecast
from orchestrator.service.history import Basis

log = logging.getLogger(__name__)

EVERY_S = 1.0
"""Real seconds between two forecasts."""
BASES: dict[Basis, str] = {
    "this campaign": "what its steps took so far",
    "earlier nights": "earlier nights in this lab",
    "dry runs": "dry runs",
    "the plans": "the plans' own figures, until enough steps have been timed",
}
"""Basis of a forecast -> in words."""


def finish(state: CampaignState, campaign: Campaign, lab: LabSpec, now: float) -> Finish | None:
    """When the campaign will be over; None in a hold, when a person is needed, and where nobody can say."""
    if state.mode in HOLDS:
        return None
    told = forecast(state, campaign, lab, now)
    if told is None:
        return None
    return Finish(
        low=told.early,
        middle=told.likely,
        high=told.late,
        films_to_come=len(state.pending) if enough(state, campaign, now) else told.films,
        basis=BASES[told.basis],
        open_ended=told.open_ended,
    )


class Foresight:
    """The last forecast of one campaign, and when it was made by the real clock `now`; on one thread."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._made: tuple[float, object] | None = None
        self._told: Finish | None = None

    def finish(self, state: CampaignState, campaign: Campaign, lab: LabSpec, now: float) -> Finish | None:
        """As `finish`, of what was so up to `EVERY_S` ago; what people and troubles change counts at once."""
        fixed = state.mode, state.stop_wanted, bool(state.needs), bool(state.ended), campaign.budget
        if self._made is None or self._made[1] != fixed or self._now() - self._made[0] >= EVERY_S:
            self._told = _guarded(state, campaign, lab, now)
            self._made = self._now(), fixed
        return self._told


def _guarded(state: CampaignState, campaign: Campaign, lab: LabSpec, now: float) -> Finish | None:
    try:
        return finish(state, campaign, lab, now)
    except Exception:  # edge: a night that cannot be played out must not keep its state and its buttons from a page
        log.exception("the end is not foreseen")
        return None
