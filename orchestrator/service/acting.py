"""What follows from an operator's action on the search, or why nothing does: pure.

`decide` says it for every action: the entry that tells of it, or the earlier action by which it is so already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.campaign import actions as a
from orchestrator.campaign import entries as e
from orchestrator.campaign.commands import Given
from orchestrator.campaign.fit import misfits
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import CommandRefused, Mode, Phase
from orchestrator.campaign.own import Candidate, candidate
from orchestrator.campaign.problems import Findings
from orchestrator.campaign.sample import Sample
from orchestrator.campaign.search import Acted, check_seen
from orchestrator.campaign.spec import Budget, Campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.service import budget
from orchestrator.service.schedule import Layout


@dataclass(frozen=True)
class Site:
    """Where something is asked for: `campaign` with its budget as it is now; `now` is lab time."""

    state: CampaignState
    campaign: Campaign
    lab: LabSpec
    layout: Layout
    now: float


def decide(request: a.SearchRequest, site: Site) -> e.Act | Acted:
    """The entry that tells of what `request` asks for, or the action by which it is so already.

    Raises `CommandRefused`, with why and with what would be taken.
    """
    state, action = site.state, request.action
    # What was told to stop goes on stopping once it is resumed.
    ending = state.stop_wanted and state.mode in a.SEARCHING
    check_mode(action, Mode.STOPPING if ending else state.mode, state.commands)
    if isinstance(action, a.OfSample):
        _check_sample(action, state)
    if (before := _so_already(action, site)) is not None:
        return before
    check_seen(request, state.search)
    _check_observation_seen(request, state)
    told: dict[str, Any] = {"by": request.by, "reason": request.reason, "key": request.key, "seen": request.seen}
    if action.why and not request.reason:
        raise CommandRefused(f"{action.name}: say why, for the journal: it is not taken without a reason")
    match action:
        case a.OwnSample():
            return _own_sample(action, site, told)
        case a.Reorder(queued=number):
            return e.QueueReordered(queued=number, order=_reordered(action, site), **told)
        case a.Withdraw(queued=number):
            _place_of(number, site)
            return e.OwnSampleWithdrawn(queued=number, **told)
        case a.Veto(sample=number):
            return e.SuggestionVetoed(sample=number, **told)
        case a.Reject(sample=number):
            return e.ObservationRejected(sample=number, **told)
        case a.Accept(sample=number):
            if state.samples[number].rejected is None:
                raise CommandRefused(f"sample {number} is not rejected: there is nothing to take back")
            return e.ObservationRestored(sample=number, **told)
        case a.Repeat(sample=number):
            return e.MeasurementRequested(sample=number, **told)
        case a.Note(sample=number, text=text):
            return e.SampleNoted(sample=number, text=text, **told)
        case a.ChangeBudget():
            return _budget(action, site, told)
        case a.ChangeWeights():
            _check_weights(action, site.campaign)
            return e.WeightsChanged(weights=action.weights, **told)
    raise NotImplementedError(action.name)


# --- in which state -----------------------------------------------------------------------------------


def check_mode(action: a.SearchAction, mode: Mode, given: tuple[Given, ...] = ()) -> None:
    """Raises `CommandRefused` if `action` makes no sense in `mode`."""
    if mode in action.modes:
        return
    first = next((one for one in reversed(given) if one.changed), None)
    before = f"; before you came {first}" if first else ""
    raise CommandRefused(f"the campaign is {mode}: cannot {action.name}; {_WHY_NOT[mode]}{before}")


_WHY_NOT = {
    Mode.STOPPING: "it finishes the films in flight and begins no more",
    Mode.ABORTING: "it begins and measures nothing more",
    Mode.NEEDS_OPERATOR: "recover it first",
    Mode.STOPPED: "it is over",
}


def _check_sample(action: a.OfSample, state: CampaignState) -> None:
    """Raises `CommandRefused` if there is no such sample, or if it is not in a phase in which `action` makes sense."""
    sample = state.samples.get(action.sample)
    if sample is None:
        raise CommandRefused(f"there is no sample {action.sample}: {len(state.samples)} were suggested so far")
    if sample.phase not in action.phases:
        raise CommandRefused(
            f"sample {sample.number} is {sample.phase}: cannot {action.name} it; {_hint(action, sample)}"
        )
    if isinstance(action, a.Reject | a.Accept) and (sample.observation is None or sample.observation.value is None):
        raise CommandRefused(f"sample {sample.number} has no value: cannot {action.name} it")


def _hint(action: a.OfSample, sample: Sample) -> str:
    match action, sample.phase:
        case _, Phase.DISCARDED | Phase.VETOED | Phase.QUARANTINED:
            return sample.note
        case a.Veto(), Phase.DEPOSITING:
            return "its film may have been begun"
        case a.Veto(), _:
            return "it has a film, which is measured; reject its value then"
        case a.Repeat(), Phase.DEPOSITED | Phase.MEASURING:
            return "it is going to be measured anyway"
        case _, Phase.DEPOSITED | Phase.MEASURING:
            return "it is not measured yet"
    return "it has no film yet"


def _check_observation_seen(request: a.SearchRequest, state: CampaignState) -> None:
    """A value is judged by who has seen it."""
    if not isinstance(action := request.action, a.Reject | a.Accept | a.Repeat) or request.seen is None:
        return
    if (since := state.samples[action.sample].observed_in) > request.seen:
        raise CommandRefused(
            f"sample {action.sample} was measured since, entry {since}; you had seen entry {request.seen}: "
            f"look again, then {action.name}"
        )


def _so_already(action: a.SearchAction, site: Site) -> Acted | None:
    """The action by which it is already as `action` wants it."""
    search = site.state.search
    last = search.last_on(action.subject)
    match action:
        case a.Veto(sample=number) if site.state.samples[number].phase is Phase.VETOED:
            return last
        case a.Reject(sample=number):
            return site.state.samples[number].rejected
        case a.Accept() if last is not None and last.action == "accept":
            return last
        case a.Withdraw(queued=number):
            done = (one for one in search.did if (one.action, one.number) == ("withdraw", number))
            return next(done, None)
        case a.Reorder() if last is not None and _reordered(action, site) == [own.number for own in search.queue]:
            return last
        case a.ChangeBudget(samples=samples, lab_hours=hours) if last is not None and last.action == "budget":
            now = site.campaign.budget
            same = samples in (None, now.samples) and hours in (None, now.lab_hours)
            return last if same else None
        case a.ChangeWeights(weights=weights) if last is not None and last.action == "weights":
            told = {objective.quantity: objective.weight for objective in site.campaign.objectives}
            return last if weights.items() <= told.items() else None
    return None


# --- own samples --------------------------------------------------------------------------------------


def _own_sample(action: a.OwnSample, site: Site, told: dict[str, Any]) -> e.OwnSampleQueued:
    composition, settings = what_is_asked_for(action, site.campaign)
    if reason := no_room(site):
        raise CommandRefused(reason)
    number = site.state.search.queued + 1
    return e.OwnSampleQueued(queued=number, composition=composition, settings=settings, **told)


def what_is_asked_for(action: a.OwnSample, campaign: Campaign) -> Candidate:
    """Composition and settings as the campaign has them.  Raises `CommandRefused` if it has not; to say what is nearest
    may take a second."""
    try:
        return candidate(campaign, action.composition, action.settings)
    except Findings as findings:
        raise CommandRefused(f"this cannot be made here: {'; '.join(str(findings).splitlines())}") from None


def no_room(site: Site) -> str:
    """Why no further own sample can come to its turn, or ""."""
    state, campaign, waiting = site.state, site.campaign, len(site.state.search.queue)
    if over := budget.over(state, campaign, site.now):
        return f"no more films are begun: {over}"
    raise_it = "raise the budget, or withdraw one that is queued"
    if state.films_planned + waiting >= campaign.budget.samples:
        planned = f"{state.films_planned} films and {waiting} queued"
        return f"the budget of {campaign.budget.samples} samples is used up by {planned}: {raise_it}"
    slots = site.layout.slots
    bare = None if slots is None else sum(slot not in state.slots_used for slot in slots)
    if campaign.budget.substrates is not None:
        left = campaign.budget.substrates - len(state.slots_used)
        bare = left if bare is None else min(bare, left)
    if bare is not None and waiting >= bare:
        return f"no bare substrate is left for it: {bare} left, {waiting} queued"
    return ""


def _place_of(number: int, site: Site) -> int:
    """Where own sample `number` is in the queue, from 0.  Raises `CommandRefused` if it is not there."""
    search = site.state.search
    waiting = [own.number for own in search.queue]
    if number in waiting:
        return waiting.index(number)
    taken = next((s for s in site.state.samples.values() if s.own is not None and s.own.number == number), None)
    if taken is not None:
        raise CommandRefused(f"own sample {number} is no longer queued: it is sample {taken.number}, {taken.phase}")
    gone = next((one for one in search.did if (one.action, one.number) == ("withdraw", number)), None)
    queued = f"queued: {', '.join(map(str, waiting))}" if waiting else "the queue is empty"
    raise CommandRefused(f"own sample {number} is not queued: {f'before you came {gone}; ' if gone else ''}{queued}")


def _reordered(action: a.Reorder, site: Site) -> list[int]:
    """The queue with that own sample at its new place; at the end, if that is beyond it."""
    place = _place_of(action.queued, site)
    order = [own.number for own in site.state.search.queue]
    order.insert(min(action.position, len(order)) - 1, order.pop(place))  # an index has fewer digits than a number may
    return order


# --- the weights --------------------------------------------------------------------------------------


def _check_weights(action: a.ChangeWeights, campaign: Campaign) -> None:
    """Raises `CommandRefused`."""
    now = {objective.quantity: objective.weight for objective in campaign.objectives}
    if len(now) == 1:
        raise CommandRefused(f"the campaign has one objective, {next(iter(now))}: there is nothing to weigh it against")
    if unknown := [quantity for quantity in action.weights if quantity not in now]:
        raise CommandRefused(f"{', '.join(unknown)} is no objective: give one of {', '.join(now)}")
    if action.weights.items() <= now.items():
        raise CommandRefused(f"they have the {a.weights_of(action.weights)} already")


# --- the budget ---------------------------------------------------------------------------------------


def _budget(action: a.ChangeBudget, site: Site, told: dict[str, Any]) -> e.BudgetChanged:
    state, now = site.state, site.campaign.budget
    asked = {"samples": action.samples, "lab_hours": action.lab_hours}
    changes = {name: value for name, value in asked.items() if value not in (None, getattr(now, name))}
    if not changes:
        raise CommandRefused(f"the budget is {a.budget_of(now.samples, now.lab_hours)} already")
    planned = state.films_planned + len(state.search.queue)
    if changes.get("samples") is not None and changes["samples"] < planned:
        raise CommandRefused(
            f"{planned} films are made, begun, suggested or queued: give at least {planned}, or veto or withdraw some"
        )
    gone = (site.now - state.started_at) / 3600
    if changes.get("lab_hours") is not None and changes["lab_hours"] <= gone:
        raise CommandRefused(f"{gone:.2f} lab hours are gone: give more, or `stop`")
    revised = site.campaign.model_copy(update={"budget": Budget.model_validate({**now.model_dump(), **changes})})
    if now.substrates is not None and revised.budget.samples > now.substrates:
        raise CommandRefused(
            f"{now.substrates} substrates are all that the campaign may use: give at most as many samples"
        )
    if problems := misfits(revised, site.lab):
        raise CommandRefused("; ".join(problem.text() for problem in problems))
    return e.BudgetChanged(samples=action.samples, lab_hours=action.lab_hours, **told)
