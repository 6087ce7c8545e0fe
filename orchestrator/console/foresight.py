"""When the night is done, as the page is told: what `orchestrator.service.forecast` says.

The history of earlier homes is not at hand here; `nightshift status` does without it too, so that both say the same.
"""

from __future__ import annotations

from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import HOLDS
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.console.shapes import Finish
from orchestrator.service.budget import enough
from orchestrator.service.forecast import forecast
from orchestrator.service.history import Basis

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
