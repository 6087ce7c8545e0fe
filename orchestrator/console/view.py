"""From a campaign's state and history to what the page shows: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.fronts import front_of
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import CAMPAIGN_TRANSITIONS, Command, Mode, Phase
from orchestrator.campaign.spec import Campaign, Objective
from orchestrator.campaign.state import CampaignState, OpenStep, Sample, best
from orchestrator.console import shapes as s
from orchestrator.console.foresight import BASES
from orchestrator.console.history import History
from orchestrator.console.why import why
from orchestrator.console.words import step_words
from orchestrator.service.budget import as_changed
from orchestrator.service.forecast import expected

TRANSITIONAL = (Mode.HOLDING, Mode.STOPPING, Mode.ABORTING)


def view(
    state: CampaignState,
    campaign: Campaign,
    lab: LabSpec,
    history: History,
    *,
    simulated: bool,
    read_only: str = "",
    finish: s.Finish | None = None,
) -> s.View:
    """The page's view after the entries folded into `state`, which `history` knows too.

    `read_only` says why nothing can be commanded; "": it can.  `finish` is when it will be over, if that is foreseen.
    """
    campaign = as_changed(campaign, state)
    objective, budget = campaign.objective, campaign.budget
    ended = state.ended
    command = state.commands[-1] if state.commands else None
    return s.View(
        campaign=campaign.name,
        lab=lab.name,
        simulated=simulated,
        objective=_objective(objective, campaign),
        objectives=[_objective(each, campaign) for each in campaign.objectives],
        limits=[str(limit) for limit in state.terms.limits],
        elements=list(campaign.ranges()),
        settings=list(campaign.searched()),
        budget=s.Budget(
            samples=budget.samples,
            lab_hours=budget.lab_hours,
            substrates=budget.substrates,
            ends_at=state.started_at + 3600 * budget.lab_hours,
        ),
        mode=state.mode.value,
        words=f"{read_only[0].upper()}{read_only[1:]}." if read_only and not ended else mode_words(state),
        transitional=state.mode in TRANSITIONAL,
        may=[]
        if ended or read_only
        else [c.value for c in Command if (state.mode, c) in CAMPAIGN_TRANSITIONS and _sense(c, state)],
        read_only=read_only or None,
        stop_wanted=state.stop_wanted,
        held_by_policy=state.held_by_policy,
        end=ended.end if ended else None,
        end_reason=ended.reason if ended else None,
        needs=need(state),
        last_command=None
        if command is None
        else s.CommandView(
            seq=command.version,
            time=command.time,
            command=command.command.value,
            by=command.by,
            reason=command.reason,
            changed=command.changed,
        ),
        time=state.time,
        started_at=state.started_at,
        counts=counts(state, campaign),
        finish=None if read_only else finish,
        best=_best(state, campaign, history),
        front=[s.FrontFilm(**{**told, "outcomes": _outcomes(told["outcomes"])}) for told in front_of(state)],
        best_so_far=[
            s.BestPoint(sample=i.sample, count=i.count, time=i.time, value=i.value, sigma=i.sigma)
            for i in history.improvements
        ],
        stations={name: station(name, state, lab) for name in lab.instruments},
        next=_next(state, campaign, history),
        model=_model(state, history),
        reference=_reference(state),
        targets={
            element: s.Target(used_kwh=target.used_kwh + state.energy_kwh.get(element, 0.0), life_kwh=target.life_kwh)
            for element, target in lab.targets.items()
        },
        faults={
            str(fault): s.FaultCount(times=times, budget=campaign.recovery.faults.of(fault).budget)
            for fault, times in state.faults.items()
        },
        slots=len(lab.cassette.bare),
        slots_used=len(state.slots_used),
        last_loop=history.last_loop,
        contract=_contract(history),
    )


def _objective(objective: Objective, campaign: Campaign) -> s.Objective:
    return s.Objective(
        quantity=objective.quantity,
        direction=objective.direction,
        unit=objective.unit,
        target=campaign.stopping.target if objective is campaign.objective else None,
        weight=objective.weight,
    )


def _outcomes(told: Mapping[str, Mapping[str, Any]]) -> dict[str, s.Outcome]:
    return {quantity: s.Outcome.model_validate(each) for quantity, each in told.items()}


def _sense(command: Command, state: CampaignState) -> bool:
    """Whether a command that the table allows would change anything a person means by it."""
    if command is Command.RECOVER:
        return bool(state.needs)
    return command is not Command.RESUME or state.mode is not Mode.RUNNING


def mode_words(state: CampaignState) -> str:
    """The campaign's mode as a sentence."""
    if state.ended is not None:
        return f"Ended, {state.ended.end}: {state.ended.reason}."
    match state.mode:
        case Mode.HOLDING if state.finishing:
            return "Holding: what is under way is finished first."
        case Mode.HOLDING:
            return "Holding at the next gate, shutters closed."
        case Mode.HELD:
            return "Held: every station is at rest until somebody resumes."
        case Mode.STOPPING:
            return "Stopping: the films in flight are finished and measured."
        case Mode.ABORTING:
            return "Aborting: every station goes to its safe state."
        case Mode.NEEDS_OPERATOR:
            return "Waiting for the operator."
        case Mode.STOPPED:
            return "Stopped."
        case Mode.RUNNING:
            return "Running."


def need(state: CampaignState) -> s.Need | None:
    """Why a person is needed; None if nobody is."""
    if state.needs:
        return s.Need(text=state.needs, command=None if state.ended else "recover", seq=state.needed_at)
    if state.ended is not None and state.ended.end == "needs operator":
        return s.Need(text=state.ended.reason, command=None, seq=state.version)
    if state.held_by_policy and state.mode in (Mode.HOLDING, Mode.HELD):
        hold = next(given for given in reversed(state.commands) if given.command is Command.HOLD)
        return s.Need(text=hold.reason, command="resume", seq=hold.version)
    return None


def counts(state: CampaignState, campaign: Campaign) -> s.Counts:
    phases = [sample.phase for sample in state.samples.values()]
    return s.Counts(
        suggested=len(phases),
        deposited=state.films_made,
        valid=state.count("valid"),
        censored=state.count("censored"),
        failed=state.count("failed"),
        discarded=phases.count(Phase.DISCARDED),
        quarantined=phases.count(Phase.QUARANTINED),
        pending=len(state.pending),
        earlier=sum(len(table) for table in campaign.prior_data),
    )


def station(name: str, state: CampaignState, lab: LabSpec) -> s.StationView:
    """What `name` does by the journal."""
    own = next((step for step in state.open_steps.values() if step.intent.station == name), None)
    lost, given_up = name in state.lost_stations, name in state.given_up
    if given_up:
        told = "given up"
    elif lost:
        told = "lost"
    elif own is not None:
        told = "running"
    else:
        told = "claimed" if name in state.occupied else "idle"
    return s.StationView(
        kind=lab.instruments[name].kind,
        devices={device: spec.role for device, spec in lab.instruments[name].devices.items()},
        state=told,  # type: ignore[arg-type]  # one of its words
        step=None if own is None else _step(own, state, lab),
        lost=lost,
        given_up=given_up,
    )


def _step(step: OpenStep, state: CampaignState, lab: LabSpec) -> s.Step:
    intent = step.intent
    usual = expected(step, lab, state)
    moving = intent.plan == "transfer"
    return s.Step(
        uid=intent.step,
        plan=intent.plan,
        sample=intent.sample,
        attempt=intent.attempt,
        aid=intent.aid,
        since=step.since,
        source=str(intent.kwargs["source"]) if moving else None,
        destination=str(intent.kwargs["destination"]) if moving else None,
        expected_s=usual.typical_s,
        expected_late_s=usual.late_s,
        expected_basis=BASES[usual.basis],
        words=step_words(intent),
    )


def _best(state: CampaignState, campaign: Campaign, history: History) -> s.Best | None:
    top = best(state, campaign.objective.direction)
    if top is None or top.value is None or top.sigma is None:
        return None
    return s.Best(
        sample=top.sample,
        value=top.value,
        sigma=top.sigma,
        unit=top.unit,
        composition=top.composition,
        settings=top.settings,
        time=history.observed_at.get(top.sample),
        outcomes=_outcomes(top.outcomes),
    )


def _contract(history: History) -> s.ContractView | None:
    if history.contract is None:
        return None
    at, signed = history.contract
    lines = contract_lines(signed.lines)
    told = [line.verdict for line in lines]
    return s.ContractView(
        time=at,
        by=signed.by,
        armed=signed.armed,
        green=told.count("green"),
        amber=told.count("amber"),
        red=told.count("red"),
        lines=lines,
    )


def contract_lines(lines: Iterable[Mapping[str, Any]]) -> list[s.ContractLine]:
    """As they are in the journal, where nothing says what a line has; one without a known verdict is amber."""
    return [
        s.ContractLine(
            subject=str(line.get("subject", "")),
            verdict=line["verdict"] if line.get("verdict") in ("green", "amber", "red") else "amber",
            found=str(line.get("found", "")),
            do=str(line.get("do", "")),
        )
        for line in lines
    ]


def _next(state: CampaignState, campaign: Campaign, history: History) -> s.Why | None:
    waiting = [sample for sample in state.pending if sample.phase in (Phase.SUGGESTED, Phase.DEPOSITING)]
    return why(waiting[-1], state, campaign, history) if waiting else None


def _model(state: CampaignState, history: History) -> s.Model | None:
    latest = next(reversed(state.assessments.values()), None)
    if latest is None:
        return None
    return s.Model(
        seq=history.assessed_at,
        **{name: getattr(latest, name) for name in e.ModelAssessed.model_fields if name not in ("v", "kind")},
    )


def _reference(state: CampaignState) -> s.ReferenceView | None:
    reference = state.reference
    if reference is None:
        return None
    return s.ReferenceView(
        phase=reference.phase.value,
        place=reference.place,
        checked_at=state.reference_at or None,
        awaited=state.reference_awaited,
        unchecked=state.unchecked,
        drifts=state.drifts,
    )


def row(sample: Sample, history: History) -> s.SampleRow:
    """One line of the table of samples."""
    told, film, observation = sample.suggestion, sample.film, sample.observation
    chosen = history.chosen.get(sample.number)
    return s.SampleRow(
        number=sample.number,
        phase=sample.phase.value,  # type: ignore[arg-type]  # no sample is the reference
        slot=sample.slot,
        place=sample.place,
        bound_for=sample.bound_for,
        composition=told.composition,
        settings=told.settings,
        method=told.method,
        mean=told.mean,
        sigma_predicted=told.sigma,
        achieved=None
        if film is None
        else s.Achieved(
            composition=film.composition,
            composition_sigma=film.composition_sigma,
            thickness_nm=film.thickness_nm,
            thickness_sigma_nm=film.thickness_sigma_nm,
            finished=film.finished,
        ),
        value=observation.value if observation else None,
        sigma=observation.sigma if observation else None,
        unit=observation.unit if observation else None,
        validity=observation.validity if observation else None,
        bound=observation.bound if observation else None,
        reason=(observation.reason if observation else "") or sample.note,
        suggested_at=chosen.time if chosen else None,
        observed_at=history.observed_at.get(sample.number),
        has_loop=sample.number in history.loops,
        replicate=told.replicate,
        outcomes=_outcomes(observation.outcomes) if observation else {},
        broken=_broken(observation, history),
        rejected=None if sample.rejected is None else str(sample.rejected),
    )


def _broken(observation: e.ObservationMade | None, history: History) -> list[str]:
    if observation is None or observation.validity != "valid":
        return []
    return [str(limit) for limit in history.terms.broken(observation)]
