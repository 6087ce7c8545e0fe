"""The queue daemon: state -> next steps -> claim -> carry out -> facts, until the night is over.

One thread decides.  It takes happenings (a step ended, a suggestion came, an operator commands) from one
inbox, appends what follows to the journal, folds it into the state, and starts what the schedule says.
A step is started only after its intent is committed.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from drivers.clock import Clock, RealClock
from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import Command, CommandRefused, Mode, next_mode
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, fold, observation_for_model
from orchestrator.journal import Journal
from orchestrator.service import outcomes, policy
from orchestrator.service.schedule import Layout, Step, next_steps
from orchestrator.service.stations import Answer, Station
from orchestrator.service.status import Progress, status
from orchestrator.service.steps import step_kwargs
from orchestrator.service.suggestions import Question, Suggestions

log = logging.getLogger(__name__)

TICK_S = 0.25
"""Real seconds between looks at the stations when nothing happens."""


@dataclass(frozen=True)
class StepCame:
    """A station's final word on a step."""

    step: str
    answer: Answer


@dataclass(frozen=True)
class SuggestionCame:
    number: int
    suggestion: dict[str, Any]


@dataclass(frozen=True)
class CommandCame:
    command: Command
    by: str
    reason: str
    reply: Future[str]


@dataclass(frozen=True)
class Asked:
    """What the optimizer was told when it was asked: observations, and the numbers of pending samples."""

    observed: int
    pending: list[int]


Happening = StepCame | SuggestionCame | CommandCame


class Daemon:
    """Runs one campaign in one lab.  `folder` is the campaign's home; its journal must be new.

    Starting is in steps, so that all processes import at the same time: the constructor launches them,
    `await_workers` waits for them, `connect` gives them addresses and clock, `run` runs the campaign.
    `on_progress` is called with a `Progress` after every change (on the deciding thread; it must not block).
    """

    def __init__(
        self,
        campaign: Campaign,
        lab: LabSpec,
        journal: Journal,
        folder: Path,
        *,
        by: str,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.campaign = campaign
        self.lab = lab
        self.journal = journal
        self.by = by
        self.clock: Clock = RealClock()
        self.state: CampaignState = fold(journal.read())
        self.layout = Layout(
            deposition=lab.station("deposition")[0],
            magnetometry=lab.station("magnetometry")[0],
            transfer=lab.station("transfer")[0],
            slots=lab.cassette.bare,
        )
        self._inbox: SimpleQueue[Happening] = SimpleQueue()  # may be put to from a signal
        self._on_progress = on_progress
        self._asked: Asked | None = None
        self.latest: Progress = self._progress()
        token = secrets.token_hex(16)
        self._stations = {
            name: Station(name, folder, token, lambda step, answer: self._inbox.put(StepCame(step, answer)))
            for name in (self.layout.deposition, self.layout.magnetometry, self.layout.transfer)
        }
        self._suggestions = Suggestions(campaign, folder, token, lambda n, s: self._inbox.put(SuggestionCame(n, s)))

    # --- from any thread ------------------------------------------------------------------------------

    def command(self, command: Command, by: str, reason: str) -> Future[str]:
        """Ask for `command`; the future has the campaign's mode, or `CommandRefused`."""
        reply: Future[str] = Future()
        self._inbox.put(CommandCame(command, by, reason, reply))
        return reply

    # --- the deciding thread --------------------------------------------------------------------------

    def await_workers(self) -> None:
        """Wait until every process of ours has started.  Raises `ChildError`."""
        for station in self._stations.values():
            station.await_started()
        self._suggestions.connect()

    def connect(self, addresses: dict[str, str], clock: Clock, clock_spec: dict[str, Any] | None) -> None:
        """Let every station connect to its instruments (device name -> address).  Raises `ChildError`.

        `clock_spec` is what the workers build the same clock from; None for real time.
        """
        self.clock = clock
        lab = self.lab.model_dump(mode="json")
        for station in self._stations.values():
            station.configure({"lab": lab, "addresses": addresses, "clock": clock_spec})
        for station in self._stations.values():
            station.connect()

    def run(self) -> e.CampaignEnded:
        """Run the campaign to its end; the lab is then in its safe state."""
        self._append(
            e.CampaignStarted(
                campaign=self.campaign.model_dump(mode="json"),
                lab=self.lab.model_dump(mode="json"),
                by=self.by,
            )
        )
        while self.state.ended is None:
            self._decide()
            if self.state.ended is None:
                self._take_next()
        return self.state.ended

    def close(self) -> None:
        """End every process of ours; idempotent."""
        for waiting in self._drain_commands():
            waiting.reply.set_exception(CommandRefused(f"the campaign is {self.state.mode}"))
        for station in self._stations.values():
            station.close()
        self._suggestions.close()

    def _drain_commands(self) -> Iterator[CommandCame]:
        while not self._inbox.empty():
            if isinstance(happening := self._inbox.get(), CommandCame):
                yield happening

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
            case CommandCame():
                self._command_came(happening)
        self._report_progress()

    def _decide(self) -> None:
        """Start whatever the state asks for."""
        self._mark_lost()
        if self.state.mode is Mode.HOLDING and self._at_rest():
            self._append(e.CampaignHeld())
        while verdicts := policy.verdicts(self.state, self.campaign, self.clock.now(), self.by):
            self._append(*verdicts)
        for step in next_steps(self.state, self.layout):
            self._claim(step)
        if self._asked is not None and self.state.mode is not Mode.ABORTING:
            return
        if policy.wants_sample(self.state, self.campaign, self.layout, self.clock.now()):
            self._ask()
        elif end := policy.conclusion(self.state, self.campaign, self.layout, self.clock.now()):
            self._end(end)

    # --- suggestions ----------------------------------------------------------------------------------

    def _ask(self) -> None:
        state = self.state
        self._asked = Asked(len(state.observations), [sample.number for sample in state.pending])
        self._suggestions.ask(
            Question(
                number=len(state.samples) + 1,
                observations=[observation_for_model(state.samples[o.sample]) for o in state.observations],
                pending=[sample.suggestion.composition for sample in state.pending],
                made=[sample.suggestion.composition for sample in state.samples.values()],
            )
        )

    def _suggestion_came(self, came: SuggestionCame) -> None:
        asked, self._asked = self._asked, None
        assert asked is not None, "nobody asked"
        if self.state.mode not in (Mode.RUNNING, Mode.HOLDING, Mode.HELD):
            return  # stopping or worse: no new sample
        free = [slot for slot in self.lab.cassette.bare if slot not in self.state.slots_used]
        self._append(
            e.SampleSuggested.model_validate(
                {
                    **{key: came.suggestion[key] for key in _DECISION if key in came.suggestion},
                    "sample": came.number,
                    "slot": free[0],
                    "observed": asked.observed,
                    "pending": asked.pending,
                }
            )
        )

    # --- steps ----------------------------------------------------------------------------------------

    def _claim(self, step: Step) -> None:
        sample = self.state.samples[step.sample]
        attempt = sample.failures.get(step.plan, 0) + 1
        intent = e.StepIntended(
            step=f"{self.campaign.name}-{sample.number}-{step.plan}-{self.state.version + 1}",
            plan=step.plan,
            sample=sample.number,
            attempt=attempt,
            station=step.station,
            claims=list(step.claims),
            kwargs=step_kwargs(step, sample, self.state, self.campaign),
        )
        self._append(intent)
        self._stations[step.station].start(
            {
                "uid": intent.step,
                "plan": intent.plan,
                "kwargs": intent.kwargs,
                "metadata": {
                    "campaign": self.campaign.name,
                    "sample": sample.number,
                    "suggestion": sample.number,
                    "attempt": attempt,
                },
            }
        )

    def _step_came(self, came: StepCame) -> None:
        intent = self.state.open_steps[came.step].intent
        self._append(*outcomes.facts(self.state, self.campaign, intent, came.answer))

    # --- commands -------------------------------------------------------------------------------------

    def _command_came(self, came: CommandCame) -> None:
        before = self.state.mode
        try:
            after = next_mode(before, came.command)
        except CommandRefused as refusal:
            came.reply.set_exception(refusal)
            return
        if after is not before or came.command is Command.STOP:
            self._append(e.CommandGiven(command=came.command.value, by=came.by, reason=came.reason))
            self._tell_stations(came.command, came.reason)
        came.reply.set_result(self.state.mode.value)

    def _tell_stations(self, command: Command, reason: str) -> None:
        for station in self._stations.values():
            try:
                match command:
                    case Command.HOLD:
                        station.hold(reason)
                    case Command.RESUME:
                        station.resume()
                    case Command.ABORT:
                        station.abort(reason)
                    case Command.STOP:
                        station.resume()  # a held station finishes its film, then stops
            except rpc.RpcError as error:
                self._lost(station.name, f"did not take {command}: {error}")

    def _at_rest(self) -> bool:
        """Every station with a step under way is held at a gate."""
        for name in {step.intent.station for step in self.state.open_steps.values()}:
            try:
                if self._stations[name].status()["state"] not in ("held", "idle", "safe"):
                    return False
            except rpc.RpcError as error:
                self._lost(name, str(error))
        return True

    # --- ends -----------------------------------------------------------------------------------------

    def _mark_lost(self) -> None:
        for name, station in self._stations.items():
            if not station.alive:
                self._lost(name, "its worker died")

    def _lost(self, name: str, reason: str) -> None:
        if name in self.state.lost_stations:
            return
        needed = f"station {name} is lost ({reason}): see that it is safe, then start again"
        self._append(e.StationLost(station=name, reason=reason), e.OperatorNeeded(reason=needed))

    def _end(self, end: e.CampaignEnded) -> None:
        """Make every station safe, then say that it is over."""
        for name, station in self._stations.items():
            try:
                station.make_safe(end.reason)
            except rpc.RpcError as error:
                self._lost(name, f"could not be made safe: {error}")
            else:
                self._append(e.StationMadeSafe(station=name, reason=end.reason))
        self._append(end)

    def _append(self, *entries: e.Entry) -> None:
        self.journal.append(entries, self.state.version, self.clock.now())
        for recorded in self.journal.read(self.state.version):
            self.state.apply(recorded)
            log.info("%d %s", recorded.version, recorded.entry.kind)

    def _report_progress(self) -> None:
        self.latest = self._progress()
        self._on_progress(self.latest)

    def _progress(self) -> Progress:
        return status(self.state, self.campaign, self.clock.now())


_DECISION = (
    "composition",
    "method",
    "mean",
    "sigma",
    "acquisition",
    "runner_up",
    "hyperparameters",
    "replicate",
    "seconds",
)
