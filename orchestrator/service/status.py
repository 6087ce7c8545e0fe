"""The campaign's progress, from its state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from orchestrator.campaign.lifecycle import Mode
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, best, fold
from orchestrator.journal import JournalError, SqliteJournal
from orchestrator.service.budget import as_changed, enough
from orchestrator.service.progress import Progress, StationStatus

__all__ = ["Progress", "StationStatus", "progress_of", "status"]


def status(
    state: CampaignState, campaign: Campaign, now: float, waiting_on: Mapping[str, str] = MappingProxyType({})
) -> Progress:
    """Progress after the entries folded into `state`, at lab time `now`; `waiting_on` is what stations said last."""
    top = best(state, campaign.objective.direction)
    stations = {
        station: StationStatus(
            step.intent.plan, step.intent.sample, step.since, waiting_on.get(step.intent.station, "")
        )
        for step in state.open_steps.values()
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
    )


_BEST = {"sample", "composition", "settings", "value", "sigma", "unit"}


def _concerns(state: CampaignState) -> tuple[str, ...]:
    latest = next(reversed(state.assessments.values()), None)
    return tuple(str(concern.get("text", "")) for concern in latest.concerns) if latest else ()


def progress_of(journal: Path) -> Progress:
    """How the night stands whose journal is in the file `journal`: by its last entry, whether a daemon runs or not."""
    state = fold(SqliteJournal(journal).read())
    if state.started is None:
        raise JournalError(f"{journal}: tells of no campaign yet")
    return status(state, as_changed(Campaign.model_validate(state.started.campaign), state), state.time)


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
