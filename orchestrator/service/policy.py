"""What the daemon decides without a step: samples given up, the operator called, the campaign ended: pure."""

from __future__ import annotations

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import HOLDS, Mode, Phase
from orchestrator.campaign.search import OPERATOR
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.service import budget, outcomes, rules
from orchestrator.service.schedule import CHAMBER, Layout, Step, all_home, next_steps, wants_suggestion


def verdicts(state: CampaignState, campaign: Campaign, now: float, by: str) -> list[e.Entry]:
    """Samples to give up now, or why the operator is needed.  `now` is lab time, `by` who runs the campaign."""
    if state.mode not in (Mode.RUNNING, Mode.STOPPING) or state.needs:
        return []
    if tripped := budget.breaker(state, campaign):
        return [outcomes.called(campaign.recovery.breaker, tripped)]
    if reason := budget.over(state, campaign, now):
        bare = [sample for sample in state.pending if sample.phase is Phase.SUGGESTED]
        return [e.SampleDiscarded(sample=s.number, by=by, reason=f"not begun: {reason}") for s in bare]
    return []


def ripe(step: Step, state: CampaignState, campaign: Campaign, now: float) -> bool:
    """Whether `step` may begin at lab time `now`: after a failure it waits, longer after each."""
    sample = state.specimen(step.sample)
    faults = sample.failures.get(step.plan, [])
    return not faults or now - sample.failed_at >= rules.wait_s(campaign.recovery, faults)


def enough(state: CampaignState, campaign: Campaign, layout: Layout, now: float) -> str:
    """Why no further sample is to be suggested, or ""."""
    if layout.slots is not None and all(slot in state.slots_used for slot in layout.slots):
        return budget.enough(state, campaign, now) or "the cassette holds no more bare substrates"
    return budget.enough(state, campaign, now)


def wants_sample(state: CampaignState, campaign: Campaign, layout: Layout, now: float) -> bool:
    """Whether the optimizer is to be asked for the next sample."""
    if state.mode is not Mode.RUNNING or state.needs or enough(state, campaign, layout, now):
        return False
    in_chamber = state.at(CHAMBER)
    if in_chamber is not None and in_chamber.phase is Phase.QUARANTINED and in_chamber.bound_for is not None:
        return False  # perhaps there: nobody but the operator finds it
    return wants_suggestion(state, campaign.budget.samples)


def free_slot(state: CampaignState, layout: Layout) -> int:
    """The first cassette slot whose bare substrate is no sample's.  Raises `LookupError` if there is none."""
    slots = layout.slots if layout.slots is not None else range(1, len(state.samples) + 2)
    for slot in slots:
        if slot not in state.slots_used:
            return slot
    raise LookupError("the cassette holds no more bare substrates")


def own_sample(state: CampaignState, campaign: Campaign, layout: Layout, now: float) -> e.SampleSuggested | None:
    """The next sample, if an operator's own is waiting and the time for one has come."""
    if not state.search.queue or not wants_sample(state, campaign, layout, now):
        return None
    first = state.search.queue[0]
    return e.SampleSuggested(
        sample=len(state.samples) + 1,
        slot=free_slot(state, layout),
        composition=first.composition,
        settings=first.settings,
        method=OPERATOR,
        observed=len(state.observations),
        pending=[sample.number for sample in state.pending],
        seconds=0.0,
    )


def conclusion(state: CampaignState, campaign: Campaign, layout: Layout, now: float) -> e.CampaignEnded | None:
    """How the campaign ends now that no suggestion is awaited; None if it goes on."""
    # A step of a station that is given up stays open: its next worker knows what became of it.
    at_work = [step for step in state.open_steps.values() if step.intent.station not in state.given_up]
    coming_back = state.lost_stations - state.given_up
    held = state.mode in HOLDS and not (state.held_by_policy and state.needs)
    if at_work or coming_back or held or state.ended:
        return None
    if state.mode is Mode.ABORTING:
        return e.CampaignEnded(end="aborted", reason=f"abort{_unchecked(state)}")
    if state.needs:
        return e.CampaignEnded(end="needs operator", reason=f"{state.needs}{_unchecked(state)}")
    if wants_sample(state, campaign, layout, now) or next_steps(state, layout):
        return None
    if not all_home(state):
        return e.CampaignEnded(end="needs operator", reason=_stuck(state))
    set_aside = [str(s.number) for s in state.samples.values() if s.phase is Phase.QUARANTINED]
    if set_aside:
        return e.CampaignEnded(end="needs operator", reason=f"quarantined: samples {', '.join(set_aside)}")
    if state.mode is Mode.STOPPING:
        return e.CampaignEnded(end="stopped", reason="stop")
    return e.CampaignEnded(end="done", reason=enough(state, campaign, layout, now))


def _unchecked(state: CampaignState) -> str:
    """Of an end that leaves the reference specimen unmeasured."""
    told = ", ".join(map(str, state.unchecked))
    return f" (not checked against the reference specimen since they were measured: samples {told})" if told else ""


def _stuck(state: CampaignState) -> str:
    out = [
        f"{s.number} ({s.phase}, at {s.place})"
        for s in state.samples.values()
        if s.phase is not Phase.QUARANTINED and not (s.finished and s.at_home)
    ]
    if state.reference is not None and not state.reference.at_home:
        out.append(f"the reference (at {state.reference.place})")
    return f"no step is possible, with samples {', '.join(out)} still out"
