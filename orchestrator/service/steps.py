"""What a plan is told: the arguments of each step, from the campaign and the sample: pure."""

from __future__ import annotations

from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.spec import Campaign, Recovery
from orchestrator.campaign.state import CampaignState, Sample, Specimen
from orchestrator.service import rules
from orchestrator.service.schedule import Step


def intent_of(step: Step, state: CampaignState, campaign: Campaign, uid: str) -> e.StepIntended:
    """What is said of `step` before it is begun, as `uid`."""
    specimen = state.specimen(step.sample)
    faults = specimen.failures.get(step.plan, [])
    aid = rules.aid(campaign.recovery, faults)
    return e.StepIntended(
        step=uid,
        plan=step.plan,
        sample=specimen.number,
        attempt=len(faults) + 1,
        station=step.station,
        claims=list(step.claims),
        kwargs=step_kwargs(step, specimen, state, campaign, aid),
        aid=aid,
    )


def step_kwargs(
    step: Step, specimen: Specimen, state: CampaignState, campaign: Campaign, aid: str = ""
) -> dict[str, Any]:
    """JSON-able arguments of the plan that carries `step` out.  After a *recalibrate* no rate counts as known."""
    match step.plan:
        case "transfer":
            return {"source": specimen.place, "destination": step.destination}
        case "retire":
            return {}
        case "deposit":
            sample = _sample(specimen)
            settings = {**campaign.film.constants(), **sample.suggestion.settings}
            composition = sample.suggestion.composition
            known = {} if aid == "recalibrate" else state.rates
            rates = {element: rate for element, rate in known.items() if composition.get(element, 0) > 0}
            return {"composition": composition, "rates": rates, **settings}
        case "measure":
            loop = campaign.measurement.model_dump(mode="json", exclude_none=True)
            if specimen.number == e.REFERENCE:
                return {**loop, "reference": True}
            film = _sample(specimen).film
            assert film is not None
            return {**loop, "thickness_nm": film.thickness_nm, "thickness_sigma_nm": film.thickness_sigma_nm}


def _sample(specimen: Specimen) -> Sample:
    assert isinstance(specimen, Sample), "the reference specimen is no sample"
    return specimen


def _hold_limit_s(recovery: Recovery) -> float:
    """For how long a deposition waits in a hold before it lets go of its plasma."""
    return recovery.hold_limit_s if recovery.hold_plasma == "keep" else 0.0


def order_of(intent: e.StepIntended, campaign: Campaign) -> dict[str, Any]:
    """The step that a station is asked to carry out, as it is told."""
    return {
        "uid": intent.step,
        "plan": intent.plan,
        "kwargs": intent.kwargs,
        "hold_limit_s": _hold_limit_s(campaign.recovery) if intent.plan == "deposit" else None,
        "interlock_wait_s": campaign.recovery.interlock_wait_s,
        "reconnect": intent.aid == "reconnect",
        "metadata": {
            "campaign": campaign.name,
            "sample": intent.sample,
            "suggestion": intent.sample,
            "attempt": intent.attempt,
        },
    }
