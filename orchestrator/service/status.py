"""The campaign's progress, from its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from orchestrator.campaign.fronts import front_of
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import Mode
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, OpenStep, best, fold
from orchestrator.journal import JournalError, SqliteJournal
from orchestrator.service.budget import as_changed, enough
from orchestrator.service.forecast import Forecast, expected, forecast
from orchestrator.service.history import NO_HISTORY, History
from orchestrator.service.progress import Progress, StationStatus

__all__ = ["Progress", "StationStatus", "progress_of", "status"]


def status(
    state: CampaignState,
    campaign: Campaign,
    now: float,
    waiting_on: Mapping[str, str] = MappingProxyType({}),
    *,
    lab: LabSpec | None = None,
    history: History = NO_HISTORY,
) -> Progress:
    """Progress after the entries folded into `state`, at lab time `now`; `waiting_on` is what stations said last.

    What a step under way is expected to take is told if the `lab` is known.
    """
    top = best(state, campaign.objective.direction)
    stations = {
        station: at_work
        for step in state.open_steps.values()
        for at_work in [_at_work(step, state, now, waiting_on, lab, history)]
        for station in step.intent.claims
    }
    return Progress(
        campaign=campaign.name,
        mode=state.mode.value,
        now=now,
        started_at=state.started_at,
        samples_budget=campaign.budget.samples,
        suggested=len(state.samples),
        deposited=state.films_made,
        valid=state.count("valid"),
        censored=state.count("censored"),
        failed=state.count("failed"),
        best=None if top is None else top.model_dump(include=_BEST),
        stations=stations,
        predicted_finish=_predicted_finish(state, campaign, now),
        needs=state.needs,
        end=state.ended.end if state.ended else "",
        version=state.version,
        command=state.commands[-1].as_dict() if state.commands else None,
        faults={str(fault): times for fault, times in state.faults.items()},
        earlier=sum(len(data) for data in campaign.prior_data),
        concerns=_concerns(state),
        lab_hours_budget=campaign.budget.lab_hours,
        rejected=sum(sample.rejected is not None for sample in state.samples.values()),
        vetoed=len(state.search.vetoed),
        queue=tuple(own.as_dict() for own in state.search.queue),
        front=tuple(front_of(state)),
        limits=tuple(str(limit) for limit in state.terms.limits),
    )


def _at_work(
    step: OpenStep,
    state: CampaignState,
    now: float,
    waiting_on: Mapping[str, str],
    lab: LabSpec | None,
    history: History,
) -> StationStatus:
    told = expected(step, lab, state, history) if lab is not None else None
    return StationStatus(
        step.intent.plan,
        step.intent.sample,
        step.since,
        waiting_on.get(step.intent.station, ""),
        told.typical_s if told else None,
        told.late_s if told else None,
        step.held_by(state.held_since, now),
    )


_BEST = {"sample", "composition", "settings", "value", "sigma", "unit", "outcomes"}


def _concerns(state: CampaignState) -> tuple[str, ...]:
    latest = next(reversed(state.assessments.values()), None)
    return tuple(str(concern.get("text", "")) for concern in latest.concerns) if latest else ()


def progress_of(journal: Path) -> Progress:
    """How the night stands whose journal is in the file `journal`: by its last entry, whether a daemon runs or not."""
    state = fold(SqliteJournal(journal).read())
    if state.started is None:
        raise JournalError(f"{journal}: tells of no campaign yet")
    campaign = as_changed(Campaign.model_validate(state.started.campaign), state)
    lab = _lab_of(state)
    now = status(state, campaign, state.time, lab=lab)
    return with_forecast(now, forecast(state, campaign, lab, state.time)) if lab else now


def with_forecast(progress: Progress, told: Forecast | None) -> Progress:
    """`progress` with the end that was foreseen; as it is if none was."""
    if told is None:
        return progress
    return replace(progress, predicted_finish=told.likely, finish_early=told.early, finish_late=told.late)


def _lab_of(state: CampaignState) -> LabSpec | None:
    """The lab that the campaign began in; None if its journal has another form of one."""
    assert state.started is not None
    try:
        return LabSpec.model_validate(state.started.lab)
    except ValueError:
        return None


def _predicted_finish(state: CampaignState, campaign: Campaign, now: float) -> float | None:
    """Lab time at which the last observation is due, at the pace of the observations so far."""
    if not state.observations or state.ended or state.mode is Mode.ABORTING:
        return None
    per_film = (state.observed_at - state.started_at) / len(state.observations)
    if enough(state, campaign, now):
        return max(now, state.observed_at + per_film * len(state.pending))
    films_to_come = campaign.budget.samples - len(state.observations)
    by_samples = state.observed_at + per_film * films_to_come
    by_hours = state.started_at + 3600 * campaign.budget.lab_hours + per_film
    return max(now, min(by_samples, by_hours))
