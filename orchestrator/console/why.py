"""Why a sample was chosen, as the page is told: what `orchestrator.campaign.why` finds, by what was known then."""

from __future__ import annotations

import math
from dataclasses import asdict

from orchestrator.campaign import why as choices
from orchestrator.campaign.search import Queued
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, Sample
from orchestrator.console.history import History
from orchestrator.console.shapes import Neighbour, Why


def why(sample: Sample, state: CampaignState, campaign: Campaign, history: History) -> Why:
    """All that is known of the choice of `sample`."""
    chosen = history.chosen[sample.number]
    known = [o for o in state.observations if history.observed_at.get(o.sample, math.inf) <= chosen.time]
    told = choices.why(sample.suggestion, chosen.time, known, chosen.best, campaign)
    plain = {name: value for name, value in asdict(told).items() if name in Why.model_fields}
    near = [
        Neighbour.model_validate({name: getattr(film, name) for name in Neighbour.model_fields})
        for film in told.nearest
    ]
    if sample.own is not None:
        plain["words"] = own_words(sample.own)
    return Why(**plain | {"phase": sample.phase.value, "nearest": near})


def own_words(own: Queued) -> str:
    """Who wanted it, where no optimizer was asked."""
    return f"{own.by} queued it{f': {own.reason}' if own.reason else ''}."
