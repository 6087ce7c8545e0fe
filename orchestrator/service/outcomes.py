"""From a step's outcome to the facts that the journal keeps: pure.

An outcome is what a station's worker says of a step that ended.  Nothing in it is believed beyond what the
plan that made it measured: what is missing, or is no number, makes the sample's state unknown or its
measurement failed, never a made-up value.  A step that a death of ours cut off is settled by evidence
(`orchestrator.service.settle`) or is unknown.
"""

from __future__ import annotations

from typing import Any, cast

from pydantic import ValidationError

from orchestrator.campaign import entries as e
from orchestrator.campaign.faults import AIDS, FAULTS, Action, Fault
from orchestrator.campaign.lifecycle import Mode, Phase
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.service import reference, rules, settle
from orchestrator.service.happenings import Answer
from orchestrator.service.observations import NoValue, failed_observation, observation

POLICY = "recovery policy"


def facts(state: CampaignState, campaign: Campaign, step: e.StepIntended, answer: Answer) -> list[e.Entry]:
    """The entries that follow from `answer`, a worker's final word on `step`; `StepEnded` among them.

    `answer` has "state" (done, failed, aborted, unknown, never begun, refused), "outcome", "error", "fault",
    "run_uids", and may have "marks" and "evidence".
    """
    if answer["state"] in ("never begun", "refused"):
        answer = {**answer, "outcome": _NOTHING[step.plan]}
    match step.plan:
        case "transfer":
            return _transferred(state, campaign, step, answer)
        case "retire":
            return _retired(state, campaign, step, answer)
        case "deposit":
            return _deposited(state, campaign, step, answer)
        case "measure" if step.sample == e.REFERENCE:
            return _checked(state, campaign, step, answer)
        case "measure":
            return _measured(state, campaign, step, answer)


_NOTHING: dict[e.Plan, dict[str, Any]] = {
    "transfer": {"moved": False, "holding": False},
    "retire": {},
    "deposit": {"begun": False},
    "measure": {},
}
"""What came of a step that was never begun."""


# --- transfers ----------------------------------------------------------------------------------------


def _transferred(state: CampaignState, campaign: Campaign, step: e.StepIntended, answer: Answer) -> list[e.Entry]:
    source, destination = str(step.kwargs["source"]), str(step.kwargs["destination"])
    try:
        place = _place_after(step, answer)
    except settle.Unsettled as why:
        return _lost(state, step, answer, f"on its way from {source} to {destination}", str(why))
    moves = [] if place == source else [e.SampleMoved(sample=step.sample, source=source, destination=place)]
    ended = _ended(state, campaign, step, answer)
    if place == destination or ended.end != "failed":
        return [*moves, ended]
    return [*moves, ended, *_not_arrived(state, campaign, step, place, ended)]


def _place_after(step: e.StepIntended, answer: Answer) -> e.Place:
    """Raises `settle.Unsettled`."""
    if answer["state"] in ("never begun", "refused"):
        return str(step.kwargs["source"])
    if answer["state"] == "done":
        if _outcome(answer).get("moved") is True:
            return str(step.kwargs["destination"])
        raise settle.Unsettled("it is done, and does not say that it moved anything")
    return settle.transfer(step.kwargs, answer)


def _lost(state: CampaignState, step: e.StepIntended, answer: Answer, route: str, why: str) -> list[e.Entry]:
    said = f"{why}; {_error(answer)}"
    quarantined = state.specimen(step.sample).phase is Phase.QUARANTINED
    return [
        _unknown_end(step, answer, said),
        *([] if quarantined else [e.SampleQuarantined(sample=step.sample, reason=f"lost {route}: {said}")]),
        e.OperatorNeeded(reason=f"sample {step.sample} was {route} ({said}): find it, and put it back into its slot"),
    ]


def _not_arrived(
    state: CampaignState, campaign: Campaign, step: e.StepIntended, place: e.Place, ended: e.StepEnded
) -> list[e.Entry]:
    """What policy asks for after a transfer that failed and left the sample at `place`, for sure."""
    sample, action = state.specimen(step.sample), _action(state, campaign, step, ended)
    if action in AIDS:
        return []
    at_rest = place == sample.place and sample.at_home
    if at_rest and sample.finished and action == "skip":
        return []  # it was given up, or vetoed, on its way, and is where it belongs
    given_up = at_rest and sample.phase in _CAN_BE_GIVEN_UP
    if action == "skip" and given_up:
        return [e.SampleDiscarded(sample=sample.number, by=POLICY, reason=f"cannot be moved: {ended.error}")]
    return [called(action, f"sample {sample.number} cannot be moved from {place}: {ended.error}")]


_CAN_BE_GIVEN_UP = (Phase.SUGGESTED, Phase.DEPOSITED)


def _retired(state: CampaignState, campaign: Campaign, step: e.StepIntended, answer: Answer) -> list[e.Entry]:
    """The arm is out of the way, or is tried again, or a person has to move it."""
    ended = _ended(state, campaign, step, answer)
    if ended.end != "failed" or (action := _action(state, campaign, step, ended)) in AIDS:
        return [ended]
    return [ended, called(action, f"the arm cannot be moved out of the way: {ended.error}")]


# --- depositions --------------------------------------------------------------------------------------


def _deposited(state: CampaignState, campaign: Campaign, step: e.StepIntended, answer: Answer) -> list[e.Entry]:
    calibrated = _calibrated(state, _outcome(answer))
    try:
        outcome = settle.deposit(answer) if answer["state"] == "unknown" else _outcome(answer)
        film = _film(step, answer, outcome)
    except settle.Unsettled as why:
        return [*calibrated, *_unknown(step, answer, str(why))]
    ended = _ended(state, campaign, step, answer)
    told = [*calibrated, ended] if film is None else [*calibrated, film, ended, *_broken_off(state, campaign, film)]
    return [*told, *_not_deposited(state, campaign, step, ended, film)]


def _not_deposited(
    state: CampaignState, campaign: Campaign, step: e.StepIntended, ended: e.StepEnded, film: e.FilmDeposited | None
) -> list[e.Entry]:
    """What policy asks for after a deposition that failed.  A substrate that has a film gets no further attempt."""
    if ended.end != "failed" or (action := _action(state, campaign, step, ended)) in AIDS:
        return []
    if action != "skip":
        return [called(action, f"sample {step.sample} could not be deposited: {ended.error}")]
    if film is not None:
        return []
    return [e.SampleDiscarded(sample=step.sample, by=POLICY, reason=f"could not be deposited: {ended.error}")]


def _film(step: e.StepIntended, answer: Answer, outcome: dict[str, Any]) -> e.FilmDeposited | None:
    """The film that was made; None if none was begun.  Raises `settle.Unsettled` if that is not known."""
    begun = outcome.get("begun")
    if begun not in (True, False) or (answer["state"] == "done" and not begun):
        raise settle.Unsettled("unknown whether a film was begun")
    if not begun:
        return None
    try:
        return e.FilmDeposited(sample=step.sample, **{key: outcome[key] for key in _FILM if key in outcome})
    except ValidationError as error:
        raise settle.Unsettled(f"a film of unknown composition was begun: {error}") from error


_FILM = set(e.FilmDeposited.model_fields) - {"v", "kind", "sample"}


def _broken_off(state: CampaignState, campaign: Campaign, film: e.FilmDeposited) -> list[e.Entry]:
    """What policy asks for of a film that was not finished."""
    if film.finished or campaign.recovery.interrupted_film == "measure" or state.mode is Mode.ABORTING:
        return []
    return [e.SampleDiscarded(sample=film.sample, by=POLICY, reason="its film was broken off")]


def _unknown(step: e.StepIntended, answer: Answer, why: str) -> list[e.Entry]:
    reason = f"{why}: {_error(answer)}"
    return [_unknown_end(step, answer, reason), e.SampleQuarantined(sample=step.sample, reason=reason)]


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
    sample = state.samples[step.sample]
    ended = _ended(state, campaign, step, answer)
    if ended.end in ("aborted", "interrupted"):
        return [ended]  # measuring does no harm to a film: it is simply made again
    reason, fault = outcome.get("reason") or _error(answer), ended.fault or "protocol"
    again = outcome.get("again") is not False
    if end == "done" and outcome.get("validity") == "failed":
        fault = "measurement"
    if end == "done" and outcome.get("validity") in ("valid", "censored"):
        try:
            return [observation(campaign, sample, outcome), ended]
        except NoValue as none:
            reason, fault, again = str(none), "measurement", none.again
        except (ValidationError, LookupError, TypeError) as error:
            reason, fault = f"the outcome of the measurement cannot be used: {error!r}", "protocol"
    ended = ended.model_copy(update={"end": "failed", "fault": fault, "error": reason})
    action = _action(state, campaign, step, ended)
    if action in AIDS and not again and state.mode is not Mode.ABORTING:
        action = campaign.recovery.faults.of(fault).actions[-1]
    if action in AIDS:
        return [ended]
    if action == "skip":
        return [failed_observation(campaign, sample, outcome, reason), ended]
    return [ended, called(action, f"sample {sample.number} could not be measured: {reason}")]


def _checked(state: CampaignState, campaign: Campaign, step: e.StepIntended, answer: Answer) -> list[e.Entry]:
    """What the reference specimen says of the magnetometer, and of the samples that were measured since it last did.

    Without it no value can be trusted: when it cannot be measured, or shows a drift again and again, the operator is
    called.  A drift takes back all that was observed since the magnetometer was last known to be right.
    """
    ended = _ended(state, campaign, step, answer)
    if ended.end in ("aborted", "interrupted"):
        return [ended]
    fault = ended.fault or "measurement"
    try:
        found = reference.measured(state, _outcome(answer)) if answer["state"] == "done" else _error(answer)
    except (ValueError, LookupError, TypeError) as error:
        found, fault = f"the outcome of the measurement cannot be used: {error!r}", "protocol"
    if isinstance(found, str):
        ended = ended.model_copy(update={"end": "failed", "fault": fault, "error": found})
        if _action(state, campaign, step, ended) in AIDS:
            return [ended]
        return [ended, e.OperatorNeeded(reason=f"the reference specimen could not be measured: {found}")]
    again = rules.action(campaign.recovery, ["measurement"] * (state.drifts + 1)) in AIDS
    if found.verdict == "good" or again or state.mode is Mode.ABORTING:
        return [found, ended]
    return [found, ended, *reference.drifted(state, found)]


# --- all ----------------------------------------------------------------------------------------------


def called(action: Action, reason: str) -> e.CommandGiven | e.OperatorNeeded:
    """A hold until somebody resumes, or, whatever else was asked for, somebody is needed now."""
    if action == "hold":
        return e.CommandGiven(command="hold", by=POLICY, reason=reason, after_steps=True)
    return e.OperatorNeeded(reason=reason)


def _action(state: CampaignState, campaign: Campaign, step: e.StepIntended, ended: e.StepEnded) -> Action:
    """What policy says to a step that has failed; while the campaign is aborted, nothing: there is no next attempt."""
    if state.mode is Mode.ABORTING:
        return "retry"
    before = state.specimen(step.sample).failures.get(step.plan, [])
    action = rules.action(campaign.recovery, [*before, ended.fault or "protocol"])
    return "wake" if action == "hold" and state.needs else action


def _fault(answer: Answer) -> Fault:
    """The class of what went wrong, as the worker told it; what it did not live to tell is a death."""
    told = answer.get("fault")
    if told in FAULTS:
        return cast(Fault, told)
    return "protocol" if answer["state"] in ("failed", "refused", "done") else "death"


def _outcome(answer: Answer) -> dict[str, Any]:
    outcome = answer.get("outcome")
    return outcome if isinstance(outcome, dict) else {}


def _error(answer: Answer) -> str:
    return str(answer.get("error") or f"it ended as {answer['state']}")


def _ended(state: CampaignState, campaign: Campaign, step: e.StepIntended, answer: Answer) -> e.StepEnded:
    """The end of a step of which is known what came of it."""
    error = str(answer.get("error") or "")
    match answer["state"]:
        case "done" | "failed" as end:
            return _end_as(step, answer, end, error)
        case "refused":
            return _end_as(step, answer, "failed", error)
        case "aborted" if state.mode is Mode.ABORTING:
            return _end_as(step, answer, "aborted", error)
    times = state.specimen(step.sample).interruptions.get(step.plan, 0) + 1
    if times > campaign.recovery.interruptions:
        return _end_as(step, answer, "failed", f"cut off {times} times; {error}")
    return _end_as(step, answer, "interrupted", error)


def _unknown_end(step: e.StepIntended, answer: Answer, reason: str) -> e.StepEnded:
    return _end_as(step, answer, "unknown", reason)


def _end_as(step: e.StepIntended, answer: Answer, end: e.StepEnd, error: str) -> e.StepEnded:
    looked_at = answer.get("evidence") or ({} if answer["state"] == "unknown" else None)
    evidence = None
    if looked_at is not None:
        evidence = {**looked_at, "marks": answer.get("marks") or [], "recorded": _outcome(answer)}
    return e.StepEnded(
        step=step.step,
        end=end,
        fault="" if end in ("done", "aborted") else _fault(answer),
        error=error,
        run_uids=answer.get("run_uids") or [],
        evidence=evidence,
    )
