"""When a campaign will be over: pure.

The rest of the night is played, with the very rules that will decide it (`policy`, `schedule`, `steps`), each step
taking as long as such steps take in this lab (`history`).  It is played three times: with what is likely, and with
steps that are all faster or all slower, by as much as their mean over the rest of the night may be off one time in ten.

What may end a campaign before its budget is spent (a target, no improvement, the model) is not foreseen, only said.
"""

from __future__ import annotations

import heapq
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import count, cycle
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import HOLDS, LifecycleError, Mode, Phase
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, OpenStep
from orchestrator.service import policy
from orchestrator.service.history import BETWEEN, NO_HISTORY, PLANS, Z90, Basis, Expected, History
from orchestrator.service.schedule import Layout, layout_of, next_steps
from orchestrator.service.steps import intent_of

log = logging.getLogger(__name__)

PLAYED = 40
"""Films to come that are played out; of more, the rest follows at the pace of the last half of these."""
RIPENS_S = 30.0
"""A step that has failed waits: looked at again after so long."""
LATE_SHARE = 0.05
"""What is left of a step that has taken longer than expected, as a share of what was expected."""


@dataclass(frozen=True)
class Forecast:
    """Lab times at which the campaign will be over: likely, and with one chance in ten each before and after.

    `steps` are what a step of each kind takes.  `films` are those to come, `basis` the least trusted source among the
    kinds that fill the night.  `open_ended`: a stopping rule may end it earlier.
    """

    early: float
    likely: float
    late: float
    films: int
    basis: Basis
    open_ended: bool
    steps: Mapping[e.Plan, Expected] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def forecast(
    state: CampaignState, campaign: Campaign, lab: LabSpec, now: float, history: History = NO_HISTORY
) -> Forecast | None:
    """How the campaign of `state` goes on from lab time `now`; None if it does not without a person, or is over.

    A hold counts as lifted now: its clock stands still.  None too where the journal ends amid a step, so that nobody
    can play on from there.
    """
    if state.started is None or state.ended or state.needs or state.given_up or state.mode is Mode.ABORTING:
        return None
    films = campaign.budget.samples - len(state.observations)
    steps = {plan: history.expected(plan, _typical(plan, campaign, lab), lab, state) for plan in PLANS}
    try:
        ends = [_Play(state, campaign, lab, now, history, _off(steps, films, way)).finish() for way in (-1.0, 0.0, 1.0)]
    except LifecycleError as error:
        log.info("the end is not foreseen: %s", error)
        return None
    early, likely, late = sorted(ends)
    trust = list(BETWEEN)
    basis = max((steps[plan].basis for plan in ("deposit", "measure")), key=trust.index)
    stopping = campaign.stopping
    open_ended = stopping.by_model or stopping.target is not None or stopping.no_improvement_samples is not None
    return Forecast(early, likely, late, max(0, films), basis, open_ended, steps)


def before(campaign: Campaign, lab: LabSpec, now: float, history: History = NO_HISTORY) -> Forecast:
    """The same of a campaign that would begin at lab time `now`."""
    state = CampaignState()
    reference = None if lab.reference is None else lab.reference.model_dump(mode="json")
    started = e.CampaignStarted(campaign={}, lab={"reference": reference}, by="forecast")
    state.apply(e.Recorded(1, now, started))
    found = forecast(state, campaign, lab, now, history)
    assert found is not None, "a campaign that has just begun goes on"
    return found


def expected(step: OpenStep, lab: LabSpec, state: CampaignState, history: History = NO_HISTORY) -> Expected:
    """How long the step that is under way takes in all."""
    return history.expected(step.intent.plan, step.intent.kwargs, lab, state)


def _off(steps: Mapping[e.Plan, Expected], films: int, way: float) -> dict[e.Plan, float]:
    """Kind of step -> by which factor the mean of those to come differs from the typical one, in one of ten nights."""
    factors = {}
    for plan, told in steps.items():
        scatter = told.sigma_s / told.typical_s if told.typical_s > 0 else 0.0
        seen = told.steps or math.inf
        off = math.hypot(scatter * math.sqrt(1 / max(1, films) + 1 / seen), BETWEEN[told.basis])
        if told.basis == "the plans":
            off = max(off, scatter)  # nobody knows: all steps may be off together
        factors[plan] = math.exp(way * Z90 * off)
    return factors


def _typical(plan: e.Plan, campaign: Campaign, lab: LabSpec) -> dict[str, Any]:
    """What a step of this kind is told for the film in the middle of what the campaign searches."""
    match plan:
        case "deposit":
            return {"composition": middle(campaign), **campaign.film.constants(), **_middling(campaign)}
        case "measure":
            return campaign.measurement.model_dump(mode="json", exclude_none=True)
    return {}


def middle(campaign: Campaign) -> dict[str, float]:
    """The composition in the middle of the ranges, of as many elements as a film may have."""
    shares = {element: (low + high) / 2 for element, (low, high) in campaign.ranges().items()}
    chosen = sorted(shares, key=lambda element: shares[element], reverse=True)[: campaign.at_most]
    total = sum(shares[element] for element in chosen)
    return {element: shares[element] / total for element in chosen}


FAR = 0.7
"""Of the way from the middle to the most of one element: how far compositions to come are spread."""
ENOUGH_SEEN, LAST_SEEN = 3, 8
"""With so many compositions suggested, those to come are taken to be like the last of them."""


def to_come(state: CampaignState, campaign: Campaign) -> list[dict[str, float]]:
    """Compositions that stand for those to come: how long a film grows depends on its elements' rates, and pure ones
    grow slowest."""
    seen = [dict(sample.suggestion.composition) for sample in state.samples.values()]
    if len(seen) >= ENOUGH_SEEN:
        return seen[-LAST_SEEN:]
    centre = middle(campaign)
    return [centre, *(_towards(element, centre, campaign) for element in centre if len(centre) > 1)]


def _towards(element: str, centre: dict[str, float], campaign: Campaign) -> dict[str, float]:
    """`centre`, moved `FAR` of the way to as much of `element` as a film may have."""
    most = min(1.0, campaign.ranges()[element][1] / 100)
    share = centre[element] + FAR * max(0.0, most - centre[element])
    rest = 1 - centre[element]
    return {name: share if name == element else x * (1 - share) / rest for name, x in centre.items()}


def _middling(campaign: Campaign) -> dict[str, float]:
    return {name: sum(campaign.extremes(name)) / 2 for name in campaign.searched()}


class _Play:
    """The rest of one night, on a copy of `state`; each kind of step takes `off` times what is typical."""

    def __init__(
        self,
        state: CampaignState,
        campaign: Campaign,
        lab: LabSpec,
        now: float,
        history: History,
        off: Mapping[e.Plan, float],
    ) -> None:
        self.state = state.copy()
        self.campaign, self.played = campaign, self._shortened(campaign, state)
        self.lab, self.history, self.off = lab, history, off
        self.layout: Layout = layout_of(lab)
        self.now = max(now, state.time)
        self._known = state  # whose steps tell how long a step takes: what is played is no evidence
        self._seconds: dict[tuple[Any, ...], float] = {}
        self._ends: list[tuple[float, int, str]] = []
        self._order = count()
        self._compositions = cycle(to_come(state, campaign))
        self._observed_at: list[float] = []

    @staticmethod
    def _shortened(campaign: Campaign, state: CampaignState) -> Campaign:
        most = min(campaign.budget.samples, state.films_planned + PLAYED)
        budget = campaign.budget.model_copy(update={"samples": most})
        return campaign.model_copy(update={"budget": budget})

    def finish(self) -> float:
        """Lab time at which it ends."""
        begun_at, held_since = self.now, self.state.held_since
        for uid, step in self.state.open_steps.items():
            took, whole = begun_at - step.since - step.held_by(held_since, begun_at), self._takes(step.intent)
            self._due(begun_at + max(whole - took, LATE_SHARE * whole), uid)
        self.state.lost_stations.clear()  # their new workers are on their way
        if self.state.mode in HOLDS:
            self._take(e.CommandGiven(command="resume", by="forecast", reason=""))
        while self._goes_on():
            pass
        return self._beyond()

    def _beyond(self) -> float:
        """The end, with the films that were not played."""
        more = self.campaign.budget.samples - self.played.budget.samples
        half = self._observed_at[len(self._observed_at) // 2 :]
        if more <= 0 or len(half) < 2:
            return self.now
        pace = (half[-1] - half[0]) / (len(half) - 1)
        by_hours = self.state.started_at + 3600 * self.campaign.budget.lab_hours + pace
        return max(self.now, min(self.now + more * pace, by_hours))

    def _goes_on(self) -> bool:
        """Decide, then let the next step end; False when nothing more will happen."""
        state, campaign = self.state, self.played
        while verdicts := policy.verdicts(state, campaign, self.now, "forecast"):
            self._take(*verdicts)
        if policy.wants_sample(state, campaign, self.layout, self.now):
            self._suggest()
        steps = next_steps(state, self.layout)
        ripe = [step for step in steps if policy.ripe(step, state, campaign, self.now)]
        for step in ripe:
            intent = intent_of(step, state, campaign, f"forecast {next(self._order)}")
            self._take(intent)
            self._due(self.now + self._takes(intent), intent.step)
        if self._ends:
            self.now, _, uid = heapq.heappop(self._ends)
            self._done(uid)
            return True
        if steps and not state.needs:
            self.now += RIPENS_S
            return True
        return policy.wants_sample(state, campaign, self.layout, self.now)

    def _due(self, at: float, uid: str) -> None:
        heapq.heappush(self._ends, (at, next(self._order), uid))

    def _takes(self, intent: e.StepIntended) -> float:
        told = intent.kwargs
        settings = tuple(sorted((name, value) for name, value in told.items() if isinstance(value, float | int)))
        composition = told.get("composition")
        parts = tuple(sorted(composition.items())) if isinstance(composition, dict) else ()
        key = (intent.plan, settings, parts)
        if key not in self._seconds:
            self._seconds[key] = self.history.expected(intent.plan, told, self.lab, self._known).typical_s
        return self._seconds[key] * self.off[intent.plan]

    # --- what comes of it -----------------------------------------------------------------------------

    def _take(self, *entries: e.Entry) -> None:
        for entry in entries:
            self.state.apply(e.Recorded(self.state.version + 1, self.now, entry))

    def _suggest(self) -> None:
        self._take(
            e.SampleSuggested(
                sample=len(self.state.samples) + 1,
                slot=policy.free_slot(self.state, self.layout),
                composition=next(self._compositions),
                settings=_middling(self.campaign),
                method="forecast",
                observed=len(self.state.observations),
                pending=[],
                seconds=0.0,
            )
        )

    def _done(self, uid: str) -> None:
        """The step and what came of it, unless that is told already: `state` may be between two entries of one
        transaction."""
        intent = self.state.open_steps[uid].intent
        number = intent.sample
        specimen = self.state.specimen(number)
        match intent.plan:
            case "transfer" if specimen.bound_for is not None:
                source, destination = str(intent.kwargs["source"]), str(intent.kwargs["destination"])
                self._take(e.SampleMoved(sample=number, source=source, destination=destination))
            case "deposit" if specimen.phase is Phase.DEPOSITING:
                self._take(self._film(number, intent.kwargs))
            case "measure" if specimen.phase is Phase.MEASURING and number == e.REFERENCE:
                self._take(_GOOD)
            case "measure" if specimen.phase is Phase.MEASURING:
                self._observed_at.append(self.now)
                self._take(self._observation(number))
        self._take(e.StepEnded(step=uid, end="done"))

    def _film(self, number: int, kwargs: Mapping[str, Any]) -> e.FilmDeposited:
        return e.FilmDeposited(
            sample=number,
            finished=True,
            composition=self.state.samples[number].suggestion.composition,
            composition_sigma={},
            thickness_nm=float(kwargs["thickness_nm"]),
            thickness_sigma_nm=0.0,
            doses={},
            shutter_open_s=0.0,
        )

    def _observation(self, number: int) -> e.ObservationMade:
        """Without a value that a stopping rule could go by."""
        sample = self.state.samples[number]
        assert sample.film is not None
        return e.ObservationMade(
            sample=number,
            composition=sample.film.composition,
            composition_sigma={},
            value=0.0,
            sigma=0.0,
            unit=self.campaign.objective.unit,
            validity="censored",
            bound="lower",
            quantities={},
        )


_GOOD = e.ReferenceMeasured(
    value=1.0, sigma=0.0, unit="", expected=1.0, expected_sigma=0.0, ratio=1.0, ratio_sigma=0.0, verdict="good"
)
