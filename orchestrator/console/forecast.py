"""How long steps take and when the night is done, from what this night has shown: pure.

Nothing is guessed: before there is anything to go by, the answer is None.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import HOLDS, Mode
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, OpenStep
from orchestrator.console.history import History, kind_of
from orchestrator.console.shapes import Finish
from orchestrator.service.budget import enough

FEWEST_STEPS = 5
FEWEST_FILMS = 3
SHARE_Z = 1.645
"""Of a normal distribution, 90 % lie within so many standard deviations."""


@dataclass(frozen=True)
class Expected:
    """Median, and the 10 % and 90 % quantiles, lab seconds."""

    middle_s: float
    low_s: float
    high_s: float


def of_step(step: OpenStep, state: CampaignState, lab: LabSpec, history: History) -> Expected | None:
    """How long a step that is under way takes in all; None where nobody can say."""
    return expected(history.durations.get(kind_of(step.intent), ()))


def of_campaign(state: CampaignState, campaign: Campaign, lab: LabSpec, history: History, now: float) -> Finish | None:
    """When the campaign's last observation is due; None where nobody can say, and where there is none to come."""
    return finish(state, campaign, history.between, now)


def expected(durations: Sequence[float]) -> Expected | None:
    """How long the next step of a kind takes whose steps so far took `durations`; None for fewer than five."""
    if len(durations) < FEWEST_STEPS:
        return None
    deciles = statistics.quantiles(durations, n=10, method="inclusive")
    return Expected(statistics.median(durations), deciles[0], deciles[-1])


def finish(state: CampaignState, campaign: Campaign, between: Sequence[float], now: float) -> Finish | None:
    """When the last observation is due, if the films to come follow each other as those before did.

    `between` are lab seconds from one observation to the next.  None before there are three, in a hold, and for a
    campaign that is ending without its films.
    """
    if state.ended or state.needs or state.mode in (*HOLDS, Mode.ABORTING) or len(between) < FEWEST_FILMS:
        return None
    stopping = bool(enough(state, campaign, now))
    by_samples = len(state.pending)
    if not stopping:
        by_samples += max(0, campaign.budget.samples - state.films_planned)
    if not by_samples:
        return None
    begun = state.observed_at
    deadline = state.started_at + 3600 * campaign.budget.lab_hours
    mean = statistics.fmean(between)
    films, by = by_samples, "stop" if state.mode is Mode.STOPPING else "samples"
    if not stopping and begun + mean * by_samples > deadline:  # a film begun in time is finished
        films = min(by_samples, max(len(state.pending), math.ceil((deadline - begun) / mean) + 1))
        by = "lab hours"
    spread = statistics.stdev(between) * math.sqrt(films + films**2 / len(between))
    middle = begun + mean * films
    return Finish(
        low=max(now, middle - SHARE_Z * spread),
        middle=max(now, middle),
        high=max(now, middle + SHARE_Z * spread),
        films_to_come=films,
        from_films=len(between) + 1,
        limited_by=by,  # type: ignore[arg-type]  # one of its words
    )
