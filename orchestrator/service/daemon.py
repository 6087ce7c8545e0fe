"""The queue daemon: state -> next steps -> claim -> carry out -> facts, until the night is over.

One thread decides.  It takes happenings (a step ended, a suggestion came, an operator commands, a station is lost
or back) from one inbox, appends what follows to the journal, folds it into the state, and starts what the schedule
says.  A step is started only after its intent is committed.

A daemon that finds a journal goes on where that ends: whatever step was under way is settled first, by its station.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from drivers.clock import Clock
from orchestrator import rpc
from orchestrator.campaign import commands, search
from orchestrator.campaign import entries as e
from orchestrator.campaign.actions import OwnSample, SearchRequest
from orchestrator.campaign.commands import Request
from orchestrator.campaign.givenup import withheld
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import Command, CommandRefused, Mode, next_mode
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, candidate_of, observations_for_model
from orchestrator.journal import Journal
from orchestrator.service import acting, budget, calculating, outcomes, policy
from orchestrator.service.books import Books, Listener
from orchestrator.service.calculating import Calculating
from orchestrator.service.happenings import (
    AlertsSeen,
    Answer,
    CalculationCame,
    CommandCame,
    Happening,
    OptimizerTurned,
    StationTurned,
    StepCame,
    SuggestionCame,
)
from orchestrator.service.orders import Orders
from orchestrator.service.schedule import Step, layout_of, next_steps
from orchestrator.service.stations import Station
from orchestrator.service.status import Progress, status
from orchestrator.service.steps import intent_of, order_of
from orchestrator.service.suggestions import Question, Suggestions

log = logging.getLogger(__name__)

TICK_S = 0.25
"""Real seconds between looks at the stations when nothing happens."""


@dataclass(frozen=True)
class Asked:
    """What the optimizer was told when it was asked: observations, and the numbers of samples that are pending, and of
    those whose candidates are withheld; `turns` as the state counted them (`orchestrator.campaign.search`)."""

    observed: int
    pending: list[int]
    turns: int
    withheld: list[int]


class Daemon:
    """Runs one campaign in one lab to its end: a new one, or the one that `journal` tells of.

    `stations` and `calculators` (by name) and `suggestions` do the work; whoever made them ends them.  `boot` names
    this boot of the machine, for the journal; `contract` is what its start was signed on.  `on_progress` is called with
    a `Progress` after every change (on the deciding thread; it must not block), and `listener` is told of every
    entry.
    """

    def __init__(
        self,
        campaign: Campaign,
        lab: LabSpec,
        journal: Journal,
        stations: Mapping[str, Station],
        suggestions: Suggestions,
        clock: Clock,
        *,
        by: str,
        boot: str = "",
        contract: e.ContractSigned | None = None,
        on_progress: Callable[[Progress], None] = lambda _: None,
        listener: Listener | None = None,
        calculators: Mapping[str, Station] | None = None,
    ) -> None:
        self._campaign = campaign
        self.lab = lab
        self.by = by
        self.boot = boot
        self._signed = () if contract is None else (contract,)
        self.layout = layout_of(lab)
        self._books = Books(journal, clock, listener)
        self._stations = stations
        self._suggestions = suggestions
        self._orders = Orders(stations)
        self._calculating = Calculating(lab, campaign, calculators or {}, suggestions)
        self._inbox: SimpleQueue[Happening] = SimpleQueue()  # may be put to from a signal
        self._on_progress = on_progress
        self._asked: Asked | None = None
        self._refused: dict[str, CommandRefused] = {}
        self._so_already: dict[str, dict[str, Any]] = {}
        self._acknowledged: dict[str, int] = {}
        self.latest: Progress = self._progress()
        self._decided_at = time.monotonic()

    @property
    def state(self) -> CampaignState:
        """What the journal tells, now."""
        return self._books.state

    @property
    def campaign(self) -> Campaign:
        """What is run, with its budget as it is now."""
        return budget.as_changed(self._campaign, self.state)

    # --- from any thread ------------------------------------------------------------------------------

    @property
    def decided_s(self) -> float:
        """Real seconds since the deciding thread last came by."""
        return time.monotonic() - self._decided_at

    def command(self, request: Request) -> Future[dict[str, Any]]:
        """Ask for a command; the future has what its giver is told, or `CommandRefused`."""
        reply: Future[dict[str, Any]] = Future()
        self._inbox.put(CommandCame(request, reply))
        return reply

    def act(self, request: SearchRequest) -> Future[dict[str, Any]]:
        """Ask for an action on the search; the future has what its giver is told (`search.answer`), or
        `CommandRefused`."""
        reply: Future[dict[str, Any]] = Future()
        try:
            if isinstance(request.action, OwnSample):  # on this thread: it may take a second
                acting.what_is_asked_for(request.action, self._campaign)
        except CommandRefused as refusal:
            reply.set_exception(refusal)
        else:
            self._inbox.put(CommandCame(request, reply))
        return reply

    def acknowledge(self, by: str, reason: str, key: str = "") -> Future[int]:
        """Somebody sees to what was alerted; the future has the version of the entry that says so."""
        reply: Future[int] = Future()
        self._inbox.put(AlertsSeen(by, reason, key, reply))
        return reply

    # --- the deciding thread --------------------------------------------------------------------------

    def run(self, *, recovered: bool = False, abort: bool = False) -> e.CampaignEnded:
        """Run the campaign to its end; the lab is then in its safe state.

        `recovered`: the operator says that what the journal needed him for is done.  `abort`: he wants no more than
        that what was under way is settled.
        """
        for station in self._stations.values():
            station.watch(self._inbox.put)
        self._suggestions.watch(self._inbox.put)
        self._calculating.watch(self._inbox.put)
        self._take_up(recovered, abort)
        while self.state.ended is None:
            self._decide()
            if self.state.ended is None:
                self._take_next()
        return self.state.ended

    def close(self) -> None:
        """Refuse what was asked too late, but for what was taken before."""
        while not self._inbox.empty():
            happening = self._inbox.get()
            if isinstance(happening, AlertsSeen):
                happening.reply.set_exception(CommandRefused(f"the campaign is {self.state.mode}"))
            elif isinstance(happening, CommandCame):
                try:
                    told = self._told_before(happening.request)
                except CommandRefused as refusal:
                    happening.reply.set_exception(refusal)
                    continue
                if told is not None:
                    happening.reply.set_result(told)
                else:
                    happening.reply.set_exception(CommandRefused(f"the campaign is {self.state.mode}"))

    def _take_up(self, recovered: bool, abort: bool) -> None:
        """Begin, or go on where the journal ends: first of all, settle every step that was under way."""
        if self.state.started is None:
            started = e.CampaignStarted(
                campaign=self.campaign.model_dump(mode="json"),
                lab=self.lab.model_dump(mode="json"),
                by=self.by,
            )
            self._books.append(started, e.DaemonStarted(boot=self.boot), *self._signed)
            return
        over = self.state.mode is Mode.STOPPED
        if recovered and not over and (need := self.state.needs or (self.state.ended and self.state.ended.reason)):
            self._books.append(e.CommandGiven(command="recover", by=self.by, reason=need))
        if abort and not over:
            self._books.append(e.CommandGiven(command="abort", by=self.by, reason="not to be gone on with"))
        if self.state.ended is not None:
            return
        self._books.append(e.DaemonStarted(boot=self.boot), *self._signed)
        for uid, step in self.state.open_steps.items():
            self._stations[step.intent.station].settle(uid, self._step_ended)
        self._calculating.settle(self.state, self._step_ended)

    def _take_next(self) -> None:
        try:
            happening = self._inbox.get(timeout=TICK_S)
        except Empty:
            self._report_progress()
            return
        match happening:
            case StepCame():
                self._step_came(happening)
            case SuggestionCame():
                self._suggestion_came(happening)
            case CalculationCame():
                self._calculation_came(happening)
            case CommandCame():
                self._command_came(happening)
            case AlertsSeen():
                self._alerts_seen(happening)
            case StationTurned():
                self._station_turned(happening)
            case OptimizerTurned():
                self._optimizer_turned(happening)
        self._report_progress()

    def _decide(self) -> None:
        """Start whatever the state asks for."""
        if self._at_rest() and self.state.mode is Mode.HOLDING:
            self._books.append(e.CampaignHeld())
        if self.state.mode is Mode.ABORTING:
            self._let_go()
        while verdicts := policy.verdicts(self.state, self.campaign, self._books.now(), self.by):
            self._books.append(*verdicts)
        if own := policy.own_sample(self.state, self.campaign, self.layout, self._books.now()):
            self._books.append(own)
        for step in next_steps(self.state, self.layout):
            if policy.ripe(step, self.state, self.campaign, self._books.now()):
                self._claim(step)
        if not policy.enough(self.state, self.campaign, self.layout, self._books.now()):
            self._calculating.consider(self.state, self.campaign)
        if self._asked is not None and self.state.mode is not Mode.ABORTING:
            return
        if policy.wants_sample(self.state, self.campaign, self.layout, self._books.now()):
            if not self._calculating.waiting(self.state, self.campaign):
                self._ask()
        elif end := policy.conclusion(self.state, self.campaign, self.layout, self._books.now()):
            if gone := self._calculating.let_go(self.state, self.campaign, "the campaign ends"):
                self._books.append(*gone)
            if not self.state.calculations.under_way:
                self._end(end)

    # --- suggestions ----------------------------------------------------------------------------------

    def _ask(self) -> None:
        state = self.state
        pending = [sample.number for sample in state.pending]
        out = withheld(state.samples.values(), self.campaign.optimizer.attempts)
        self._asked = Asked(len(state.observations), pending, state.search.turns, [sample.number for sample in out])
        self._suggestions.ask(
            Question(
                number=len(state.samples) + 1,
                observations=observations_for_model(state),
                pending=[candidate_of(sample) for sample in state.pending],
                made=[candidate_of(sample) for sample in state.samples.values()],
                vetoed=[candidate_of(state.samples[number]) for number in state.search.vetoed],
                withheld=[candidate_of(sample) for sample in out],
                weights=dict(state.search.weights),
            ),
            lambda number, suggestion: self._inbox.put(SuggestionCame(number, suggestion)),
        )

    def _suggestion_came(self, came: SuggestionCame) -> None:
        asked, self._asked = self._asked, None
        assert asked is not None, "nobody asked"
        if self.state.mode not in (Mode.RUNNING, Mode.HOLDING, Mode.HELD):
            return  # stopping or worse: no new sample
        if asked.turns != self.state.search.turns or self.state.search.queue:
            return  # chosen without what is known since, or out of turn: ask again
        if told := came.suggestion.get("assessment"):
            known = {key: told[key] for key in _ASSESSMENT if key in told}
            self._books.append(e.ModelAssessed.model_validate({**known, "observed": asked.observed}))
            if budget.little_to_gain(self.state, self.campaign):
                return  # what was suggested is not worth its film
        self._books.append(
            e.SampleSuggested.model_validate(
                {
                    **{key: came.suggestion[key] for key in _DECISION if key in came.suggestion},
                    "sample": came.number,
                    "slot": policy.free_slot(self.state, self.layout),
                    "observed": asked.observed,
                    "pending": asked.pending,
                    "withheld": asked.withheld,
                }
            )
        )

    def _calculation_came(self, came: CalculationCame) -> None:
        if (intent := self._calculating.came(came, self.state, self.campaign)) is not None:
            self._books.append(intent)
            self._calculating.begin(intent, self._step_ended)

    # --- steps ----------------------------------------------------------------------------------------

    def _claim(self, step: Step) -> None:
        uid = f"{self.campaign.name}-{step.sample}-{step.plan}-{self.state.version + 1}"
        intent = intent_of(step, self.state, self.campaign, uid)
        self._books.append(intent)
        self._stations[step.station].start(order_of(intent, self.campaign), self._step_ended)

    def _step_ended(self, step: str, answer: Answer) -> None:
        self._inbox.put(StepCame(step, answer))

    def _step_came(self, came: StepCame) -> None:
        if (calculation := self.state.calculations.with_step(came.step)) is not None:
            self._books.append(calculating.ended(self.campaign, calculation, came.answer))
            return
        if came.step not in self.state.open_steps:
            log.warning("step %s ended once more: %s", came.step, came.answer["state"])
            return
        intent = self.state.open_steps[came.step].intent
        self._books.append(*outcomes.facts(self.state, self.campaign, intent, came.answer))

    def _at_work(self) -> set[str]:
        """Stations with a step under way that somebody can end."""
        return {step.intent.station for step in self.state.open_steps.values()} - self.state.given_up

    def _at_rest(self) -> bool:
        """See that the stations do what the campaign's mode asks; whether all are at rest at a gate.

        A hold by policy lets them finish: what it is about is another step.
        """
        if self.state.finishing:
            return not self._at_work()
        return self._orders.keep(self.state.mode, self._at_work())

    # --- commands -------------------------------------------------------------------------------------

    def _command_came(self, came: CommandCame) -> None:
        request = came.request
        try:
            if refusal := self._refused.get(request.key):
                raise refusal
            if (told := self._told_before(request)) is None:
                told = self._obey(request) if isinstance(request, Request) else self._do(request)
            came.reply.set_result(told)
        except CommandRefused as refusal:
            if request.key:
                self._refused[request.key] = refusal
            came.reply.set_exception(refusal)

    def _told_before(self, request: Request | SearchRequest) -> dict[str, Any] | None:
        """What the giver of a request that was taken already is told.  Raises `CommandRefused` if its key was
        another's."""
        state = self.state
        if isinstance(request, Request):
            if done := state.search.with_key(request.key):
                raise CommandRefused(f"the key {request.key!r} is that of another request: {done}")
            given = commands.asked_before(state.commands, request)
            return commands.answer_again(given) if given else None
        if given := next((one for one in state.commands if request.key and one.key == request.key), None):
            raise CommandRefused(f"the key {request.key!r} is that of another request: {given}")
        if done := state.search.done_before(request):
            return search.answer(done, state.mode, again=True)
        return self._so_already.get(request.key)

    def _do(self, request: SearchRequest) -> dict[str, Any]:
        """What its giver is told.  Raises `CommandRefused`."""
        site = acting.Site(self.state, self.campaign, self.lab, self.layout, self._books.now())
        decided = acting.decide(request, site)
        if isinstance(decided, search.Acted):
            told = search.answer(decided, self.state.mode, changed=False)
            if request.key:
                self._so_already[request.key] = told
            return told
        self._books.append(decided)
        return search.answer(self.state.search.did[-1], self.state.mode)

    def _obey(self, request: Request) -> dict[str, Any]:
        """What its giver is told.  Raises `CommandRefused`."""
        state, command = self.state, request.command
        commands.check(request, state.mode, state.commands, state.needed_at)
        news = next_mode(state.mode, command) is not state.mode
        news |= command is Command.STOP and not state.stop_wanted
        news |= command is Command.RECOVER and bool(state.needs)
        news |= command is Command.HOLD and state.finishing
        changed = False
        # What changes nothing is kept too, for its key and for its name: a second hold is another one to be lifted.
        if news or (request.key and command is not Command.RECOVER):
            self._books.append(
                e.CommandGiven(
                    command=command.value, by=request.by, reason=request.reason, key=request.key, seen=request.seen
                )
            )
            changed = self.state.commands[-1].changed
        if changed and not self.state.finishing:
            self._orders.give(self.state.mode, request.reason, self._at_work())
        return commands.answer(request, self.state.mode, self.state.commands, changed=changed)

    def _alerts_seen(self, seen: AlertsSeen) -> None:
        """Done once for each key."""
        if not seen.key or seen.key not in self._acknowledged:
            self._books.append(e.AlertsAcknowledged(by=seen.by, reason=seen.reason, key=seen.key))
            self._acknowledged[seen.key] = self.state.version
        seen.reply.set_result(self._acknowledged[seen.key])

    # --- losses and ends ------------------------------------------------------------------------------

    def _station_turned(self, came: StationTurned) -> None:
        if self._calculating.owns(came.station):
            self._calculating.turned(came)
            return
        match came.turn:
            case "lost":
                self._books.append(e.StationLost(station=came.station, reason=came.reason))
            case "back":
                self._books.append(e.StationRestarted(station=came.station, reason=came.reason))
            case "given up":
                need = f"station {came.station} is lost ({came.reason}): see that it is safe, then recover"
                lost = e.StationLost(station=came.station, reason=came.reason, for_good=True)
                self._books.append(lost, e.OperatorNeeded(reason=need))

    def _optimizer_turned(self, came: OptimizerTurned) -> None:
        if came.turn == "back":
            self._books.append(e.OptimizerRestarted(reason=came.reason))
        else:
            self._books.append(e.OptimizerLost(reason=came.reason, for_good=came.turn == "given up"))

    def _let_go(self) -> None:
        """Nobody will settle the steps of a station that is given up, in a campaign that is aborted."""
        for step in list(self.state.open_steps.values()):
            if step.intent.station in self.state.given_up:
                lost: Answer = {"state": "unknown", "error": f"station {step.intent.station} is lost"}
                self._books.append(*outcomes.facts(self.state, self.campaign, step.intent, lost))

    def _end(self, end: e.CampaignEnded) -> None:
        """Make every station safe, then say that it is over."""
        faults = [fault for name in self._stations for fault in self._make_safe(name, end.reason)]
        if faults:
            told = "; ".join([end.reason, *faults])
            end = e.CampaignEnded(end="aborted" if end.end == "aborted" else "needs operator", reason=told)
            self._books.append(e.OperatorNeeded(reason=told))
        self._books.append(end)

    def _make_safe(self, name: str, reason: str) -> list[str]:
        """What could not be made safe, in words."""
        try:
            faults = self._stations[name].make_safe(reason)
        except rpc.RpcError as error:
            faults = [str(error)]
        if faults:
            return [f"station {name} is not known to be safe ({fault})" for fault in faults]
        self._books.append(e.StationMadeSafe(station=name, reason=reason))
        return []

    def _report_progress(self) -> None:
        self._decided_at = time.monotonic()
        self.latest = self._progress()
        self._on_progress(self.latest)

    def _progress(self) -> Progress:
        waiting_on = {name: station.waiting_on for name, station in self._stations.items()}
        return status(self.state, self.campaign, self._books.now(), waiting_on, lab=self.lab)


_ASSESSMENT = tuple(name for name in e.ModelAssessed.model_fields if name not in ("v", "kind", "observed"))
_DECISION = (
    "composition",
    "settings",
    "method",
    "mean",
    "sigma",
    "acquisition",
    "runner_up",
    "hyperparameters",
    "replicate",
    "cut_short",
    "cost",
    "feasibility",
    "outcomes",
    "seconds",
)
