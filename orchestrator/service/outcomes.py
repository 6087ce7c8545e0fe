"""From a step's outcome to the facts that the journal keeps: pure.

An outcome is what a station's worker says of a step that ended.  Nothing in it is believed beyond what the
plan that made it measured: what is missing, or is no number, makes the sample's state unknown or its
measurement failed, never a made-up value.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import Mode
from orchestrator.campaign.quantities import from_unit
from orchestrator.campaign.sample import Sample
from orchestrator.campaign.spec import Campaign, RecoveryRule
from orchestrator.campaign.state import CampaignState

Answer = dict[str, Any]


def facts(state: CampaignState, campaign: Campaign, step: e.StepIntended, answer: Answer) -> list[e.Entry]:
    """The entries that follow from `answer`, a worker's final word on `step`; `StepEnded` among them.

    `answer` has "state" (done, failed, aborted, unknown), "outcome", "error" and "run_uids".
    """
    match step.plan:
        case "transfer":
            return _transferred(state, campaign, step, answer)
        case "deposit":
            return _deposited(state, step, answer)
        case "measure":
            return _measured(state, campaign, step, answer)


# --- transfers ----------------------------------------------------------------------------------------


def _transferred(state: CampaignState, campaign: Campaign, step: e.StepIntended, answer: Answer) -> list[e.Entry]:
    outcome, end = _outcome(answer), answer["state"]
    source, destination = str(step.kwargs["source"]), str(step.kwargs["destination"])
    said = _error(answer)
    if outcome.get("moved") is True and end != "unknown":
        moved = e.SampleMoved(sample=step.sample, source=source, destination=destination)
        if end == "done":
            return [moved, _ended(step, answer)]
        need = f"sample {step.sample} is at {destination}, but the arm may still be in its way ({said}): move it out"
        return [moved, _ended(step, answer), e.OperatorNeeded(reason=need)]
    if outcome.get("moved") is False and outcome.get("holding") is False and end in ("failed", "aborted"):
        return [_ended(step, answer), *_not_moved(state, campaign, step, said)]
    route = f"on its way from {source} to {destination}"
    return [
        _ended(step, answer, "unknown", said),
        e.SampleQuarantined(sample=step.sample, reason=f"lost {route}: {said}"),
        e.OperatorNeeded(reason=f"sample {step.sample} was {route} ({said}): find it, and put it back into its slot"),
    ]


def _not_moved(state: CampaignState, campaign: Campaign, step: e.StepIntended, said: str) -> list[e.Entry]:
    """What policy asks for after a transfer that left the sample where it was."""
    sample, rule = state.samples[step.sample], campaign.recovery.transfer
    if state.mode is Mode.ABORTING or _again(rule, sample, "transfer"):
        return []
    if rule.then == "discard" and sample.at_home and not sample.finished:
        return [e.SampleDiscarded(sample=sample.number, by="recovery policy", reason=f"cannot be moved: {said}")]
    return [e.OperatorNeeded(reason=f"sample {sample.number} cannot be moved from {sample.place}: {said}")]


# --- depositions --------------------------------------------------------------------------------------


def _deposited(state: CampaignState, step: e.StepIntended, answer: Answer) -> list[e.Entry]:
    outcome, end = _outcome(answer), answer["state"]
    calibrated = _calibrated(state, outcome)
    begun = outcome.get("begun")
    if end == "unknown" or begun not in (True, False) or (end == "done" and not begun):
        return [*calibrated, *_unknown(step, answer, f"unknown whether a film was begun: {_error(answer)}")]
    if not begun:
        return [*calibrated, _ended(step, answer)]
    try:
        film = e.FilmDeposited(sample=step.sample, **{key: outcome[key] for key in _FILM if key in outcome})
    except ValidationError as error:
        return [*calibrated, *_unknown(step, answer, f"a film of unknown composition was begun: {error}")]
    return [*calibrated, film, _ended(step, answer)]


_FILM = set(e.FilmDeposited.model_fields) - {"v", "kind", "sample"}


def _unknown(step: e.StepIntended, answer: Answer, reason: str) -> list[e.Entry]:
    return [_ended(step, answer, "unknown", reason), e.SampleQuarantined(sample=step.sample, reason=reason)]


def _calibrated(state: CampaignState, outcome: dict[str, Any]) -> list[e.Entry]:
    """What was learnt of rates, and what the targets were given, however the step ended."""
    rates, given = outcome.get("rates") or {}, outcome.get("energy_kwh") or {}
    if not rates and not given:
        return []
    try:
        total = {element: state.energy_kwh.get(element, 0.0) + kwh for element, kwh in given.items()}
        return [e.RatesCalibrated(rates=rates, energy_kwh=total)]
    except (ValidationError, TypeError, AttributeError):
        return []  # the next film measures its rates again


# --- measurements -------------------------------------------------------------------------------------


def _measured(state: CampaignState, campaign: Campaign, step: e.StepIntended, answer: Answer) -> list[e.Entry]:
    outcome, end = _outcome(answer), answer["state"]
    sample, rule = state.samples[step.sample], campaign.recovery.measurement
    if end == "aborted" and state.mode is Mode.ABORTING:
        return [_ended(step, answer)]
    reason = outcome.get("reason") or _error(answer)
    if end == "done" and outcome.get("validity") in ("valid", "censored"):
        try:
            return [_observation(campaign, sample, outcome), _ended(step, answer)]
        except (ValidationError, LookupError, TypeError) as error:
            reason = f"the outcome of the measurement cannot be used: {error!r}"
    if _again(rule, sample, "measure"):
        # Measuring does no harm to a film, so an unknown measurement is simply made again.
        return [_ended(step, answer, "failed", reason)]
    if rule.then == "hold":
        need = f"sample {sample.number} could not be measured: {reason}"
        return [_ended(step, answer, "failed", reason), e.OperatorNeeded(reason=need)]
    return [_failed_observation(campaign, sample, outcome, reason), _ended(step, answer, "failed", reason)]


def _observation(campaign: Campaign, sample: Sample, outcome: dict[str, Any]) -> e.ObservationMade:
    """Raises `ValidationError`, `LookupError` or `TypeError` if a value or its unit is missing."""
    objective = campaign.objective
    measured = outcome["quantities"][objective.quantity]
    value, sigma = (
        objective.to_unit(from_unit(objective.quantity, measured[key], measured["unit"])) for key in ("value", "sigma")
    )
    return e.ObservationMade(
        sample=sample.number,
        **_made(sample),
        value=value,
        sigma=sigma,
        unit=objective.unit,
        validity=outcome["validity"],
        reason=outcome.get("reason") or "",
        quantities=outcome["quantities"],
        loop=outcome.get("loop"),
    )


def _failed_observation(campaign: Campaign, sample: Sample, outcome: dict[str, Any], reason: str) -> e.ObservationMade:
    """That there is no value, with whatever was measured if it can be kept."""
    failed = e.ObservationMade(
        sample=sample.number,
        **_made(sample),
        value=None,
        sigma=None,
        unit=campaign.objective.unit,
        validity="failed",
        reason=reason,
        quantities={},
    )
    try:
        measured = {"quantities": outcome.get("quantities") or {}, "loop": outcome.get("loop")}
        return e.ObservationMade.model_validate({**failed.model_dump(), **measured})
    except ValidationError:
        return failed


def _made(sample: Sample) -> dict[str, Any]:
    """The composition that was made, of a sample that has a film."""
    assert sample.film is not None
    return {"composition": sample.film.composition, "composition_sigma": sample.film.composition_sigma}


# --- all ----------------------------------------------------------------------------------------------


def _again(rule: RecoveryRule, sample: Sample, plan: e.Plan) -> bool:
    """Whether policy allows a further attempt after the one that has just failed."""
    return sample.failures.get(plan, 0) < rule.retries


def _outcome(answer: Answer) -> dict[str, Any]:
    outcome = answer.get("outcome")
    return outcome if isinstance(outcome, dict) else {}


def _error(answer: Answer) -> str:
    return str(answer.get("error") or f"it ended as {answer['state']}")


def _ended(step: e.StepIntended, answer: Answer, end: e.StepEnd | None = None, error: str = "") -> e.StepEnded:
    return e.StepEnded(
        step=step.step,
        end=end or answer["state"],
        error=error or str(answer.get("error") or ""),
        run_uids=answer.get("run_uids") or [],
    )
