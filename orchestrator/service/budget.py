"""When enough is enough: budget, stopping rules and the circuit breaker: pure.

Each answers with the reason in words, or "" to go on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from orchestrator.campaign.cost import Cost
from orchestrator.campaign.entries import ObservationMade
from orchestrator.campaign.lifecycle import Mode, Phase
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import ASSESSMENTS, CampaignState, best

IN_A_ROW = ASSESSMENTS
"""Decisions, each with more observations than the one before, that must agree: one may be luck of a new fit."""
DOUBTS = frozenset({"constant", "noise", "uninformed", "over-confident"})
"""Concerns about the model as a whole: with one of them its bounds are no reason to end a night."""


def as_changed(campaign: Campaign, state: CampaignState) -> Campaign:
    """`campaign` with the budget, and the weights of its objectives, that operators gave it since it began."""
    asked = {"samples": state.search.samples, "lab_hours": state.search.lab_hours}
    changes = {name: value for name, value in asked.items() if value is not None}
    update: dict[str, Any] = {"budget": campaign.budget.model_copy(update=changes)} if changes else {}
    if weights := state.search.weights:
        update["objectives"] = tuple(
            objective.model_copy(update={"weight": weights.get(objective.quantity, objective.weight)})
            for objective in campaign.objectives
        )
    return campaign.model_copy(update=update) if update else campaign


def enough(state: CampaignState, campaign: Campaign, now: float) -> str:
    """Why no further sample is to be suggested.  `now` is lab time."""
    budget = campaign.budget
    if state.films_planned >= budget.samples:
        return f"budget: {budget.samples} samples"
    if budget.substrates is not None and len(state.slots_used) >= budget.substrates:
        return f"budget: {budget.substrates} substrates"
    if (
        campaign.cost is not None
        and campaign.cost.budget is not None
        and spent(state, campaign.cost) >= campaign.cost.budget
    ):
        return f"budget: a cost of {campaign.cost.budget:g}"
    return over(state, campaign, now)


def spent(state: CampaignState, cost: Cost) -> float:
    """What the films cost that are planned or made, by what was asked for."""
    planned = [s.suggestion for s in state.samples.values() if s.film is not None or s.phase is not Phase.DISCARDED]
    return sum(cost.of(told.composition, told.settings) for told in planned)


def over(state: CampaignState, campaign: Campaign, now: float) -> str:
    """Why no further film is to be begun, not even on a substrate that a composition was suggested for."""
    if state.mode is Mode.STOPPING:
        return "stop"
    if (now - state.started_at) / 3600 >= campaign.budget.lab_hours:
        return f"budget: {campaign.budget.lab_hours:g} lab hours"
    top = best(state, campaign.objective.direction)
    if top is None:
        return ""
    return _target_reached(top, campaign) or _no_improvement(state, campaign) or little_to_gain(state, campaign)


def _target_reached(top: ObservationMade, campaign: Campaign) -> str:
    target = campaign.stopping.target
    if target is None or len(campaign.objectives) > 1 or top.value is None:
        return ""
    reached = top.value >= target if campaign.objective.direction == "max" else top.value <= target
    return f"target reached: {top.value:g} {top.unit} by sample {top.sample}" if reached else ""


def _no_improvement(state: CampaignState, campaign: Campaign) -> str:
    limit = campaign.stopping.no_improvement_samples
    since = state.valid_since_best(campaign.objective.direction)
    if campaign.terms.several and limit is not None and since >= limit:
        return f"{since} valid samples in a row that others are better than"
    return f"no improvement in {since} valid samples" if limit is not None and since >= limit else ""


def little_to_gain(state: CampaignState, campaign: Campaign) -> str:
    """By the model, after `IN_A_ROW` numbers of observations one after the other, none of them in doubt."""
    stopping = campaign.stopping
    recent = list(state.assessments.values())[-IN_A_ROW:]
    if not stopping.by_model or len(recent) < IN_A_ROW or state.count("valid") < stopping.min_samples:
        return ""
    if any(concern.get("kind") in DOUBTS for told in recent for concern in told.concerns):
        return ""
    unit, n = campaign.objective.unit, recent[-1].observed
    if (most := _largest(told.regret for told in recent)) < (stopping.regret or 0.0):
        return f"little to gain: at most {most:.3g} {unit} by the model of {n} observations"
    if (most := _largest(told.improvement_probability for told in recent)) < (stopping.improvement_probability or 0.0):
        better = f"{stopping.improvement:g} {unit} better" if stopping.improvement else "better"
        return f"little to gain: no film is {better} with more than {100 * most:.2g} % by the model of {n} observations"
    return ""


def _largest(told: Iterable[float | None]) -> float:
    """Of what may not have been told, which is no reason to stop."""
    return max(math.inf if each is None else each for each in told)


def breaker(state: CampaignState, campaign: Campaign) -> str:
    """Why no more is to be tried: too many samples in a row came to nothing, or a class of fault comes too often."""
    recovery = campaign.recovery
    if state.failures_in_a_row >= recovery.failures_in_a_row:
        limit = recovery.failures_in_a_row
        return f"{state.failures_in_a_row} failed samples in a row (the limit is {limit}): look at the journal"
    for fault, times in state.faults.items():
        if times > (limit := recovery.faults.of(fault).budget):
            return f"{times} faults of class {fault} (the budget is {limit}): look at the journal"
    return ""
