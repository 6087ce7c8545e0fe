"""The campaign's state: a fold over its journal.  Nothing here is remembered that the journal does not say."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.calculations import Calculations, Result
from orchestrator.campaign.commands import Given, unseen_hold
from orchestrator.campaign.faults import Fault
from orchestrator.campaign.lifecycle import (
    HOLDS,
    Command,
    Happening,
    LifecycleError,
    Mode,
    Phase,
    Turn,
    next_mode,
    next_phase,
    turned,
)
from orchestrator.campaign.observed import Direction, Observed
from orchestrator.campaign.sample import Astray, Sample, Specimen, slot_place
from orchestrator.campaign.samples import Samples
from orchestrator.campaign.search import OPERATOR, Search, acted
from orchestrator.campaign.steps import OpenStep, Steps, Timing
from orchestrator.campaign.terms import Terms

__all__ = [
    "Astray",
    "CampaignState",
    "Direction",
    "OpenStep",
    "Sample",
    "Specimen",
    "Timing",
    "best",
    "candidate_of",
    "fold",
    "observation_for_model",
    "observations_for_model",
    "slot_place",
]


COPIED = (dict, list, set, Samples, Observed, Steps, Specimen, Calculations)
"""What a copy of the state does not share with it."""

ASSESSMENTS = 2
"""Of so many numbers of observations the model's assessments are kept: stopping by the model asks for them."""


class CampaignState:
    """State after the entries applied so far; `apply` takes the next one.

    `failures_in_a_row` counts samples that came to nothing since the last one that was measured, and `faults` the
    faults of each class; both begin anew when the operator has lifted a hold of the recovery policy, or recovered.
    `held_by_policy`: such a hold is in force; `finishing`: and what is under way is finished first.  `held_since` is
    the lab time of a hold that stops what is under way, None if there is none.
    `observed_at` is the lab time of the last observation.
    `lost_stations` have no worker now, and those `given_up` get none without the operator.  `astray` tells of an
    arm that a transfer left somewhere, until it has been brought out of the way.  `commands` are all that were given,
    and `needed_at` is the version of the entry that last called the operator.

    `reference` is the lab's reference specimen, if it has one.  `reference_awaited`: nothing may be measured before
    it has shown that the magnetometer is right; `reference_at` is when it last did, `unchecked` lists the samples
    that were observed since, and `drifts` counts the times in a row that it did not.

    `assessments` are those of the model after the last `ASSESSMENTS` numbers of observations, in their order; none
    that took into account what was withdrawn, or is rejected.  Earlier ones are in the journal alone: each tells of
    every sample.

    `search` is what operators changed: their own samples, vetoes, the budget.

    `calculations` are those of virtual stations.
    """

    def __init__(self) -> None:
        self.version = 0
        self.time = 0.0
        self.started: e.CampaignStarted | None = None
        self.started_at = 0.0
        self.ended: e.CampaignEnded | None = None
        self.mode = Mode.RUNNING
        self.stop_wanted = False
        self.commands: tuple[Given, ...] = ()
        self.observed_at = 0.0
        self.rates: dict[str, dict[str, float]] = {}
        self.energy_kwh: dict[str, float] = {}
        self.failures_in_a_row = 0
        self.faults: dict[Fault, int] = {}
        self.held_by_policy = False
        self.finishing = False
        self.held_since: float | None = None
        self.lost_stations: set[str] = set()
        self.given_up: set[str] = set()
        self.astray: Astray | None = None
        self.reference: Specimen | None = None
        self.reference_awaited = False
        self.reference_at = 0.0
        self.unchecked: list[int] = []
        self.drifts = 0
        self.assessments: dict[int, e.ModelAssessed] = {}
        self.needs: str = ""
        self.needed_at = 0
        self.search = Search()
        self.calculations = Calculations()
        self._samples = Samples()
        self._observations = Observed()
        self._steps = Steps()

    # --- questions ------------------------------------------------------------------------------------

    @property
    def occupied(self) -> dict[str, str]:
        """Stations with a step under way -> its uid."""
        return self._steps.occupied

    @property
    def open_steps(self) -> Mapping[str, OpenStep]:
        """Steps under way, by uid."""
        return self._steps.under_way

    @property
    def timings(self) -> Mapping[e.Plan, Sequence[Timing]]:
        """How long the latest steps of each kind took that were done at once."""
        return self._steps.timings

    @property
    def observations(self) -> Sequence[e.ObservationMade]:
        """Those that the model is told of, in order, without their loops: all but those taken back or rejected."""
        return self._observations.made

    @property
    def samples(self) -> Mapping[int, Sample]:
        """By number, in the order in which they were suggested."""
        return self._samples.by_number

    @property
    def slots_used(self) -> Set[int]:
        """Whose substrate is a sample's; that of one that was vetoed is not, once it is back."""
        return self._samples.slots

    @property
    def films_planned(self) -> int:
        """Samples that are films, or may be or become one: all but those given up as bare substrates."""
        return self._samples.planned

    @property
    def films_made(self) -> int:
        """Samples that have a film, finished or not."""
        return self._samples.films

    @property
    def pending(self) -> list[Sample]:
        """Samples suggested whose observation is still to come, in order."""
        return self._samples.awaited

    @property
    def all_settled(self) -> bool:
        """Every sample is finished and in its slot, or set aside."""
        return self._samples.all_settled

    @property
    def terms(self) -> Terms:
        """What films are judged by, with the weights that operators gave the objectives."""
        return self._observations.terms

    @property
    def front(self) -> list[e.ObservationMade]:
        """With several objectives: the films within all limits that no other is better than, the best in the first
        objective first.  Empty with one."""
        return self._observations.front

    def count(self, validity: e.Validity) -> int:
        """How many observations are `validity`."""
        return self._observations.count(validity)

    def valid_since_best(self, direction: Direction) -> int:
        """How many valid observations came after the best one; with several objectives, after the last one that no
        other was better than."""
        return self._observations.valid_since_best(direction)

    def specimen(self, number: int) -> Specimen:
        """The sample `number`, or the reference.  Raises `LifecycleError`."""
        if number == e.REFERENCE and self.reference is not None:
            return self.reference
        if number not in self.samples:
            raise LifecycleError(f"the journal tells of sample {number}, which was never suggested")
        return self.samples[number]

    def at(self, place: e.Place) -> Specimen | None:
        """What is at `place`, on its way there, or perhaps there."""
        if self.reference is not None and place in (self.reference.place, self.reference.bound_for):
            return self.reference
        return self._samples.at(place)

    def copy(self) -> CampaignState:
        """One that can be changed without changing this one."""
        other = CampaignState()
        for name, value in vars(self).items():
            setattr(other, name, value.copy() if isinstance(value, COPIED) else value)
        return other

    # --- the fold -------------------------------------------------------------------------------------

    def apply(self, recorded: e.Recorded) -> None:
        """Take the next entry.  Raises `LifecycleError` if it cannot follow."""
        if recorded.version != self.version + 1:
            raise LifecycleError(f"entry {recorded.version} does not follow {self.version}")
        if (self.started is None) != (recorded.entry.kind == "campaign_started"):
            raise LifecycleError(
                f"entry {recorded.version} is {recorded.entry.kind}: a campaign starts first, and once"
            )
        if self.mode is Mode.STOPPED:
            raise LifecycleError(f"entry {recorded.version} is {recorded.entry.kind}, but the campaign is over")
        self._take(recorded.entry, recorded.time)
        self.version, self.time = recorded.version, recorded.time

    def _take(self, entry: e.Entry, time: float) -> None:
        match entry:
            case e.StepIntended():
                self._step_intended(entry, time)
            case e.StepEnded():
                self._step_ended(entry, time)
            case e.SampleMoved():
                self._moved(entry)
            case e.SampleSuggested():
                self._suggested(entry)
            case e.ModelAssessed():
                self._assessed(entry)
            case e.FilmDeposited():
                self._happened(entry.sample, Happening.FILM_DEPOSITED, entry)
            case e.ObservationMade():
                self._observed(entry, time)
            case e.CalculationIntended():
                self.calculations.begin(entry)
            case e.CalculationEnded():
                self.calculations.end(entry, self.version + 1)
            case e.CampaignStarted():
                self.started, self.started_at = entry, time
                self._equipped(entry)
                self._observations.judge_by(Terms.of(entry.campaign))
            case e.DaemonStarted():
                self.lost_stations.clear()  # its stations have new workers
                self.given_up.clear()
            case e.RatesCalibrated():
                self.rates.update(entry.rates)
                self.energy_kwh.update(entry.energy_kwh)
            case e.ReferenceMeasured():
                self._happened(entry.sample, Happening.REFERENCE_MEASURED)
                self._checked(entry, time)
            case e.ObservationWithdrawn():
                self._withdrawn(entry)
            case e.SampleDiscarded():
                sample = self._happened(entry.sample, Happening.GIVEN_UP)
                sample.note = entry.reason
                self.failures_in_a_row += bool(sample.failures)
            case e.SampleQuarantined():
                self._happened(entry.sample, Happening.SET_ASIDE).note = entry.reason
                self.failures_in_a_row += 1
            case e.CommandGiven():
                was = self._will
                self._commanded(entry)
                self._held_or_forgiven(entry, was[0])
                self._hold_timed(time)
                self._keep(entry, time, changed=self._will != was)
            case (
                e.OwnSampleQueued()
                | e.QueueReordered()
                | e.OwnSampleWithdrawn()
                | e.BudgetChanged()
                | e.WeightsChanged()
                | e.SuggestionVetoed()
                | e.ObservationRejected()
                | e.ObservationRestored()
                | e.MeasurementRequested()
                | e.SampleNoted()
            ):
                self._acted(entry, time)
            case e.CampaignHeld():
                self.mode = turned(self.mode, Turn.AT_REST)
            case e.StationLost():
                self.lost_stations.add(entry.station)
                if entry.for_good:
                    self.given_up.add(entry.station)
            case e.StationRestarted():
                self.lost_stations.discard(entry.station)
                self.given_up.discard(entry.station)
            case e.StationMadeSafe() | e.OptimizerLost() | e.OptimizerRestarted():
                pass
            case e.AlertsAcknowledged() | e.ContractSigned():
                pass
            case e.OperatorNeeded():
                self.needs, self.needed_at = entry.reason, self.version + 1
            case e.CampaignEnded():
                turn = Turn.OPERATOR_NEEDED if entry.end == "needs operator" else Turn.ENDED
                self.mode, self.ended = turned(self.mode, turn), entry

    def _sample(self, number: int) -> Sample:
        """The sample, to be changed."""
        try:
            return self._samples.mine(number)
        except KeyError:
            raise LifecycleError(f"the journal tells of sample {number}, which was never suggested") from None

    def _carried(self, number: int) -> Specimen:
        """The sample, or the reference, to be changed."""
        if number == e.REFERENCE and self.reference is not None:
            return self.reference
        return self._sample(number)

    def _happened(self, number: int, happening: Happening, film: e.FilmDeposited | None = None) -> Specimen:
        specimen = self._carried(number)
        try:
            phase = next_phase(specimen.phase, happening, reference=specimen is self.reference)
        except LifecycleError as error:
            raise LifecycleError(f"sample {number}: {error}") from None
        if specimen is not self.reference:
            return self._samples.turn(number, phase, film)
        specimen.phase = phase
        return specimen

    def _move(self, specimen: Specimen, place: e.Place, bound_for: e.Place | None = None) -> None:
        if specimen is self.reference:
            specimen.place, specimen.bound_for = place, bound_for
        else:
            self._samples.move(specimen.number, place, bound_for)

    def _equipped(self, entry: e.CampaignStarted) -> None:
        match entry.lab.get("reference"):
            case {"slot": int(slot)}:
                self.reference = Specimen(e.REFERENCE, slot, slot_place(slot), Phase.REFERENCE)
                self.reference_awaited = True

    def _checked(self, entry: e.ReferenceMeasured, time: float) -> None:
        self.reference_awaited = entry.verdict == "drifted"
        if entry.verdict == "good":
            self.reference_at, self.drifts = time, 0
            self.unchecked.clear()
        else:
            self.drifts += 1

    def _suggested(self, entry: e.SampleSuggested) -> None:
        if entry.sample in self.samples:
            raise LifecycleError(f"sample {entry.sample} was suggested twice")
        if self.reference is not None and entry.slot == self.reference.slot:
            raise LifecycleError(f"sample {entry.sample}: slot {entry.slot} is the reference specimen's")
        if entry.slot in self._samples.slots:
            raise LifecycleError(f"sample {entry.sample}: the substrate in slot {entry.slot} is another sample's")
        own = self.search.queue[:1]
        if entry.method == OPERATOR:
            self.search = self.search.taken(entry)
        self._samples.add(entry, own[0] if entry.method == OPERATOR else None)

    def _acted(self, entry: e.Act, time: float) -> None:
        """An operator did something about the search."""
        before, self.search = self.search, self.search.after(entry, self.version + 1, time)
        try:
            self._follow(entry, time)
        except LifecycleError:
            self.search = before
            raise

    def _follow(self, entry: e.Act, time: float) -> None:
        match entry:
            case e.SuggestionVetoed():
                why = f": {entry.reason}" if entry.reason else ""
                self._happened(entry.sample, Happening.VETO).note = f"vetoed by {entry.by}{why}"
            case e.ObservationRejected():
                self._rejected(entry, time)
            case e.ObservationRestored():
                self._restored(entry)
            case e.WeightsChanged():
                self._observations.judge_by(self.terms.weighed(entry.weights))
            case e.MeasurementRequested():
                self._forget(entry.sample, Happening.REPEAT_ASKED)
            case e.SampleNoted():
                sample = self._sample(entry.sample)
                sample.remarks = (*sample.remarks, acted(entry, self.version + 1, time))

    def _rejected(self, entry: e.ObservationRejected, time: float) -> None:
        sample = self._sample(entry.sample)
        if sample.observation is None or sample.observation.value is None or sample.rejected is not None:
            raise LifecycleError(f"sample {sample.number} has no value that could be rejected")
        sample.rejected = acted(entry, self.version + 1, time)
        self._observations.withdraw(sample.observation)
        self.assessments.clear()

    def _restored(self, entry: e.ObservationRestored) -> None:
        sample = self._sample(entry.sample)
        if sample.observation is None or sample.rejected is None:
            raise LifecycleError(f"the value of sample {sample.number} is not rejected")
        sample.rejected = None
        before = [self.samples[other.sample].observed_in < sample.observed_in for other in self.observations]
        self._observations.restore(sample.observation, sum(before))
        self.assessments.clear()

    def _assessed(self, entry: e.ModelAssessed) -> None:
        self.assessments.pop(entry.observed, None)
        self.assessments[entry.observed] = entry
        for observed in list(self.assessments)[:-ASSESSMENTS]:
            del self.assessments[observed]

    def _observed(self, entry: e.ObservationMade, time: float) -> None:
        self._happened(entry.sample, Happening.OBSERVATION_MADE)
        sample = self._sample(entry.sample)
        sample.observation, sample.observed_in = self._observations.add(entry), self.version + 1
        self.observed_at = time
        self.failures_in_a_row = self.failures_in_a_row + 1 if entry.validity == "failed" else 0
        if self.reference is not None and entry.validity != "failed":
            self.unchecked.append(entry.sample)

    def _withdrawn(self, entry: e.ObservationWithdrawn) -> None:
        self._forget(entry.sample, Happening.WITHDRAWN)
        self.search = self.search.turned()

    def _forget(self, number: int, happening: Happening) -> None:
        """The observation of a sample is taken back: its film waits to be measured."""
        sample = self._sample(number)
        if sample.observation is None:
            raise LifecycleError(f"sample {sample.number} has no observation that could be taken back")
        self._happened(sample.number, happening)
        if sample.rejected is None:
            self._observations.withdraw(sample.observation)
        self.unchecked = [other for other in self.unchecked if other != sample.number]
        sample.observation = sample.rejected = None
        self.assessments.clear()

    @property
    def _will(self) -> tuple[Mode, bool, bool, str]:
        """What commands can change."""
        return self.mode, self.stop_wanted, self.finishing, self.needs

    def _keep(self, entry: e.CommandGiven, time: float, *, changed: bool) -> None:
        command, version = Command(entry.command), self.version + 1
        given = Given(version, time, command, entry.by, entry.reason, entry.key, self.mode, changed)
        self.commands = (*self.commands, given)

    def _commanded(self, entry: e.CommandGiven) -> None:
        command, before = Command(entry.command), self.mode
        self.mode, self.ended = next_mode(before, command), None
        if command is Command.RECOVER:
            self._recovered()
        self.stop_wanted = self.stop_wanted or command is Command.STOP
        if command is Command.STOP and before in HOLDS and unseen_hold(self.commands, entry.seen):
            self.mode = before
        if self.mode is Mode.RUNNING and self.stop_wanted:
            self.mode = Mode.STOPPING

    def _recovered(self) -> None:
        """The operator has done what was needed: everything may be tried again, and what was lost on its way is
        back in its slot."""
        self.needs = ""
        self._forgive()
        for number, sample in self.samples.items():
            if sample.phase is Phase.QUARANTINED and sample.bound_for is not None:
                self._samples.move(number, slot_place(sample.slot))
        if self.reference is not None and self.reference.phase is Phase.QUARANTINED:
            self._happened(e.REFERENCE, Happening.PUT_BACK)
            self._move(self.reference, slot_place(self.reference.slot))
            self.reference_awaited = True

    def _held_or_forgiven(self, entry: e.CommandGiven, before: Mode) -> None:
        """A hold by policy is in force until the operator lifts it: his word that everything may be tried again."""
        if entry.command == "hold":
            self.finishing = entry.after_steps and (self.finishing or before not in HOLDS)
            self.held_by_policy = self.held_by_policy or entry.after_steps
        elif self.held_by_policy and self.mode not in HOLDS:
            if entry.command != "abort":
                self._forgive()
            self.held_by_policy = self.finishing = False

    def _hold_timed(self, time: float) -> None:
        """A step's clock stands still in a hold that stops it."""
        stopped = self.mode in HOLDS and not self.finishing
        if stopped and self.held_since is None:
            self.held_since = time
        elif not stopped and self.held_since is not None:
            self._steps.held(self.held_since, time)
            self.held_since = None

    def _forgive(self) -> None:
        self.failures_in_a_row = self.drifts = 0
        self.faults.clear()
        for number in (*self.samples, *([e.REFERENCE] if self.reference else [])):
            sample = self._carried(number)
            sample.failures.clear()
            sample.interruptions.clear()

    def _step_intended(self, entry: e.StepIntended, time: float) -> None:
        self._steps.check(entry)
        match entry.plan:
            case "deposit":
                self._happened(entry.sample, Happening.DEPOSIT_INTENDED)
            case "measure":
                self._happened(entry.sample, Happening.MEASURE_INTENDED)
            case "transfer":
                self._set_out(entry)
            case "retire":
                self.specimen(entry.sample)
        self._steps.begin(entry, time)

    def _set_out(self, entry: e.StepIntended) -> None:
        sample, destination = self._carried(entry.sample), str(entry.kwargs["destination"])
        if entry.kwargs["source"] != sample.place:
            raise LifecycleError(f"step {entry.step}: sample {sample.number} is at {sample.place}")
        if self.at(destination) not in (None, sample):
            raise LifecycleError(f"step {entry.step}: {destination} is not free for sample {sample.number}")
        self._move(sample, sample.place, destination)

    def _moved(self, entry: e.SampleMoved) -> None:
        sample = self._carried(entry.sample)
        if entry.source != sample.place or self.at(entry.destination) not in (None, sample):
            raise LifecycleError(
                f"sample {sample.number}, at {sample.place}, cannot have come "
                f"from {entry.source} to {entry.destination}"
            )
        self._move(sample, entry.destination)

    def _step_ended(self, entry: e.StepEnded, time: float) -> None:
        if self.held_since is not None:
            self._steps.held(self.held_since, time)
            self.held_since = time
        intent = self._steps.end(entry.step, time, done=entry.end == "done")
        sample, plan = self._carried(intent.sample), intent.plan
        self._arm_left(intent, entry.end)
        if entry.fault:
            self.faults[entry.fault] = self.faults.get(entry.fault, 0) + 1
        if entry.end == "done":
            self._succeeded(sample, plan)
            return
        # An interruption is ours, and says nothing of the sample.
        if entry.end == "interrupted":
            sample.interruptions[plan] = sample.interruptions.get(plan, 0) + 1
        else:
            sample.failures.setdefault(plan, []).append(entry.fault or "protocol")
            sample.failed_at = time
        if plan == "retire":
            return
        if sample.phase is Phase.MEASURING:
            self._happened(sample.number, Happening.NOT_MEASURED)
        elif entry.end != "unknown":  # an unknown deposit or transfer stays as it is until it is settled
            self._move(sample, sample.place)
            if sample.phase is Phase.DEPOSITING:
                self._happened(sample.number, Happening.FILM_NOT_BEGUN)

    def _arm_left(self, intent: e.StepIntended, end: e.StepEnd) -> None:
        """A transfer or a retreat that is not done leaves the arm where it is."""
        if intent.plan in ("transfer", "retire"):
            self.astray = None if end == "done" else Astray(intent.sample, tuple(intent.claims))

    def _succeeded(self, sample: Specimen, plan: e.Plan) -> None:
        open_ended = sample.phase in (Phase.DEPOSITING, Phase.MEASURING) or sample.bound_for is not None
        if open_ended and plan != "retire":
            raise LifecycleError(f"sample {sample.number}: its {plan} is done, but what came of it is not told")
        sample.failures.pop(plan, None)
        sample.interruptions.pop(plan, None)


def fold(entries: Iterable[e.Recorded]) -> CampaignState:
    """The state that `entries`, from the first, lead to.  Raises `LifecycleError`."""
    state = CampaignState()
    with _no_collection():
        for recorded in entries:
            state.apply(recorded)
    return state


@contextmanager
def _no_collection() -> Iterator[None]:
    """What a fold makes is kept or freed at once: to look through it for cycles, again and again while it grows, takes
    longer than the fold."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def best(state: CampaignState, direction: Direction) -> e.ObservationMade | None:
    """The best valid observation so far of a film within all limits, by measured value, and the first of those that are
    as good; with several objectives the best trade-off by their weights, whatever the direction."""
    return state._observations.best(direction)


def observation_for_model(sample: Sample) -> dict[str, Any]:
    """What the optimizer's `observe` takes of `sample`, which has been observed."""
    told = sample.observation
    assert told is not None
    return {
        "sample": told.sample,
        "composition": dict(told.composition),
        "composition_sigma": dict(told.composition_sigma),
        "settings": dict(told.settings),
        "value": told.value,
        "sigma": told.sigma,
        "validity": told.validity,
        "bound": told.bound,
        "outcomes": {quantity: dict(each) for quantity, each in told.outcomes.items()},
        "asked": candidate_of(sample),
    }


def observations_for_model(state: CampaignState) -> list[dict[str, Any]]:
    """All that the optimizer is to have observed, in the order of the journal: films, and what was calculated."""
    films = [(state.samples[seen.sample].observed_in, seen.sample) for seen in state.observations]
    told = [(version, observation_for_model(state.samples[number])) for version, number in films]
    told += [(result.version, calculation_for_model(result)) for result in state.calculations.results]
    return [observation for _, observation in sorted(told, key=lambda pair: pair[0])]


def calculation_for_model(result: Result) -> dict[str, Any]:
    """What the optimizer's `observe` takes of a calculation."""
    return {
        "sample": -result.ended.calculation,
        "composition": dict(result.ended.composition),
        "composition_sigma": {},
        "settings": dict(result.intent.settings),
        "value": result.ended.value,
        "sigma": result.ended.sigma,
        "validity": "valid",
        "bound": None,
        "asked": {"composition": dict(result.intent.composition), "settings": dict(result.intent.settings)},
        "station": result.intent.station,
    }


def candidate_of(sample: Sample) -> dict[str, Any]:
    """What was suggested for `sample`, as the optimizer takes it."""
    return {"composition": dict(sample.suggestion.composition), "settings": dict(sample.suggestion.settings)}
