"""What virtual stations are to do: which process calculates what next, and what came of it.

Films come first: a calculation never delays one, but for the head start that the campaign gives.  A station of which
`GIVEN_UP` calculations in a row failed is not asked any more; the films go on without it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.campaign.faults import FAULTS, Fault
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import Mode
from orchestrator.campaign.quantities import from_unit
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, observations_for_model
from orchestrator.service.happenings import Answer, CalculationCame, Happening, StationTurned
from orchestrator.service.stations import OnEnd, Station
from orchestrator.service.suggestions import CalculationQuestion, Suggestions

log = logging.getLogger(__name__)

GIVEN_UP = 3


class Known(NamedTuple):
    """How much was known when it was asked what to calculate."""

    observed: int
    results: int
    failed: int
    under_way: int


def known(state: CampaignState) -> Known:
    told = state.calculations
    return Known(len(state.observations), len(told.results), len(told.failed), len(told.under_way))


@dataclass(frozen=True)
class Budget:
    """What may be calculated now: virtual station -> its free processes, and price."""

    lanes: Mapping[str, tuple[str, ...]]
    prices: Mapping[str, float]


def budget(state: CampaignState, campaign: Campaign, lanes: Mapping[str, str], dead: frozenset[str]) -> Budget:
    """`lanes`: process -> virtual station, of which those `dead` have no worker."""
    busy, free = state.calculations.lanes, {}
    for name, use in campaign.virtual.items():
        failed = state.calculations.failed_in_a_row.get(name, 0)
        idle = tuple(
            lane for lane, station in lanes.items() if station == name and lane not in busy and lane not in dead
        )
        if idle and failed < GIVEN_UP and state.calculations.count(name) < use.calculations:
            free[name] = idle
    return Budget(free, {name: campaign.virtual[name].cost for name in free})


def head_start(state: CampaignState, campaign: Campaign) -> bool:
    """Whether the first film waits for calculations, as long as any can be made."""
    if state.samples:
        return False
    wanted = [min(use.head_start, use.calculations) for use in campaign.virtual.values()]
    return len(state.calculations.results) < sum(wanted)


def ended(campaign: Campaign, intent: e.CalculationIntended, answer: Answer) -> e.CalculationEnded:
    """What came of a calculation, by its worker's final word."""
    outcome, unit = answer.get("outcome") or {}, campaign.objective.unit
    common: dict[str, Any] = {"calculation": intent.calculation, "unit": unit, "composition": intent.composition}
    if answer["state"] == "done":
        try:
            return e.CalculationEnded(**{**common, **_told(campaign, outcome)}, end="done")
        except (ValidationError, LookupError, TypeError, ValueError) as error:
            wrong = f"the outcome of the calculation cannot be used: {error!r}"
            return e.CalculationEnded(**common, end="failed", fault="protocol", error=wrong)
    if answer["state"] in ("failed", "refused"):
        fault: Fault = next((known for known in FAULTS if known == answer.get("fault")), "protocol")
        return e.CalculationEnded(
            **common, end="failed", fault=fault, error=str(answer.get("error") or "no reason told")
        )
    return e.CalculationEnded(**common, end="interrupted", error=str(answer.get("error") or answer["state"]))


def _told(campaign: Campaign, outcome: Mapping[str, Any]) -> dict[str, Any]:
    objective = campaign.objective
    said = outcome["quantities"][objective.quantity]
    value, sigma = (
        objective.to_unit(from_unit(objective.quantity, said[name], said["unit"])) for name in ("value", "sigma")
    )
    kept = {name: outcome[name] for name in ("fidelity", "composition", "seconds", "remembered", "quantities")}
    return {**kept, "value": value, "sigma": sigma}


class Calculating:
    """The virtual stations of a campaign: `stations` are their processes, by name."""

    def __init__(self, lab: LabSpec, campaign: Campaign, stations: Mapping[str, Station], asked: Suggestions) -> None:
        self._lanes = {lane: name for lane, name in lab.lanes(campaign.virtual).items() if lane in stations}
        self._stations = stations
        self._suggestions = asked
        self._dead: frozenset[str] = frozenset()
        self._asking = False
        self._declined: Known | None = None
        self._put: Callable[[Happening], None] = lambda _: None

    def watch(self, put: Callable[[Happening], None]) -> None:
        """Take happenings to `put` from now on."""
        self._put = put
        for station in self._stations.values():
            station.watch(put)

    def owns(self, lane: str) -> bool:
        return lane in self._stations

    def turned(self, came: StationTurned) -> None:
        """A process is lost, back or given up: no film depends on it, and so nobody is called."""
        log.warning("%s is %s: %s", came.station, came.turn, came.reason)
        self._dead = self._dead - {came.station} if came.turn == "back" else self._dead | {came.station}

    def settle(self, state: CampaignState, on_end: OnEnd) -> None:
        """Ask what became of calculations that were begun before our time."""
        for intent in state.calculations.under_way.values():
            if intent.lane in self._stations:
                self._stations[intent.lane].settle(intent.step, on_end)

    def waiting(self, state: CampaignState, campaign: Campaign) -> bool:
        """Whether the first film is to wait for a calculation: one is wanted, and can be made."""
        if not head_start(state, campaign) or self._declined == known(state):
            return False
        alive = set(self._stations) - self._dead
        live = any(intent.lane in alive for intent in state.calculations.under_way.values())
        return live or self._asking or bool(budget(state, campaign, self._lanes, self._dead).lanes)

    def consider(self, state: CampaignState, campaign: Campaign) -> None:
        """Ask what to calculate, if a process is free and anything new is known since nothing was worth it."""
        if self._asking or state.mode is not Mode.RUNNING or state.needs or self._declined == known(state):
            return
        free = budget(state, campaign, self._lanes, self._dead)
        if not free.lanes:
            return
        self._asking, now = True, known(state)
        pending: dict[str, list[dict[str, Any]]] = {}
        for intent in state.calculations.under_way.values():
            made = {"composition": dict(intent.composition), "settings": dict(intent.settings)}
            pending.setdefault(intent.station, []).append(made)
        question = CalculationQuestion(
            state.calculations.intended + 1, observations_for_model(state), dict(free.prices), pending
        )
        self._suggestions.ask_calculation(question, lambda found: self._put(CalculationCame(found, now)))

    def came(self, came: CalculationCame, state: CampaignState, campaign: Campaign) -> e.CalculationIntended | None:
        """What is to be journaled and then begun."""
        self._asking = False
        if came.suggestion is None:
            self._declined = came.known
            return None
        told = came.suggestion
        lanes = budget(state, campaign, self._lanes, self._dead).lanes.get(str(told["station"]))
        if state.mode is not Mode.RUNNING or not lanes:
            return None
        number = state.calculations.intended + 1
        return e.CalculationIntended(
            calculation=number,
            step=f"{campaign.name}-calculation-{number}-{state.version + 1}",
            station=str(told["station"]),
            lane=lanes[0],
            composition=told["composition"],
            settings=told["settings"],
            method=str(told["method"]),
            observed=came.known.observed,
            calculated=came.known.results,
            worth=told.get("worth"),
        )

    def begin(self, intent: e.CalculationIntended, on_end: OnEnd) -> None:
        """Once it is journaled."""
        order = {"uid": intent.step, "plan": "calculate", "kwargs": {"composition": dict(intent.composition)}}
        self._stations[intent.lane].start(order, on_end)

    def let_go(self, state: CampaignState, campaign: Campaign, reason: str) -> list[e.CalculationEnded]:
        """No result is wanted any more: end what is under way; what nobody can end is ended here."""
        gone = []
        for intent in list(state.calculations.under_way.values()):
            station = self._stations.get(intent.lane)
            if station is None or intent.lane in self._dead:
                lost: Answer = {"state": "interrupted", "error": f"{intent.lane} has no worker"}
                gone.append(ended(campaign, intent, lost))
                continue
            try:
                station.abort(reason)
            except rpc.RpcError as error:  # asked again at the next look
                log.warning("%s does not take an abort: %s", intent.lane, error)
        return gone
