"""Any night, whatever fails: the invariants, played at random against a world that knows the truth.

The world holds where every substrate really is, what the gripper holds, where the arm stands and how often a film was
begun.  What stations answer is consistent with it, or less than they know, or nonsense; never a lie.  Workers, stations
and the daemon itself die at any time; what is left is their marks and what can be seen.
"""

from __future__ import annotations

from collections import Counter
from math import nan
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.campaign import entries as e
from orchestrator.campaign.actions import Accept, ChangeBudget, Note, OwnSample, Reject, Reorder, Repeat, Veto, Withdraw
from orchestrator.campaign.lifecycle import CAMPAIGN_TRANSITIONS, Command, CommandRefused, Mode, Phase
from orchestrator.campaign.state import fold
from orchestrator.service.schedule import CHAMBER, MAGNETOMETER
from tests.campaign import slowly
from tests.service.nights import (
    DONE,
    REFERENCE,
    Night,
    answer,
    campaign,
    carried_outcome,
    cut_off_deposit,
    cut_off_transfer,
    film_outcome,
    film_record,
    loop_outcome,
    no_film_outcome,
    reference_outcome,
    rules,
)

GRIPPER = "gripper"
OWN = [{"Fe": 60.0, "Co": 30.0, "Ni": 10.0}, {"Fe": 100.0}]
SLOTS = 8
HOURS = 24.0
MOVES = 4  # in, out, to be measured, home
ENDINGS = {
    "transfer": (["not moved", "aborted"], ["stuck", "dropped", "in the way", "silent", "odd"]),
    "retire": (["aborted"], ["not moved", "silent"]),
    "deposit": (
        ["no plasma", "arc", "aborted bare", "aborted film"],
        ["silent bare", "silent film", "no numbers", "keys missing", "done without"],
    ),
    "measure": (
        [
            "censored",
            "bad contact",
            "failed",
            "aborted",
            "silent",
            "never begun",
            "no number",
            "no quantity",
            "nonsense",
        ],
        ["failed", "no unit"],
    ),
}
"""How a step may end, besides well: so that the night goes on, and so that it hardly can."""
KILLED = {
    "transfer": ["killed before", "killed holding", "killed after", "never begun"],
    "retire": ["silent", "never begun"],
    "deposit": ["killed bare", "killed film", "killed covered", "never begun"],
    "measure": ["silent", "never begun"],
}
"""How a step may have ended of which the next worker is asked."""
TOLD = ("", "death", "robot", "interlock")
"""The class of fault that a station tells with it."""
RARELY = st.integers(0, 9).map(lambda n: n == 7)


class World:
    """The truth.  Refuses, by assertion, whatever must never be done."""

    def __init__(self) -> None:
        self.where: dict[int, str] = {}
        self.films: Counter[int] = Counter()
        self.slot_of = lambda sample: sample  # whose substrate it is on
        self.measured: Counter[int] = Counter()
        self.arm_in: set[str] = set()  # places where the arm may stand; its own business while a transfer runs
        self.scale = 1.0  # what the magnetometer shows over what is there
        self.wrong: set[int] = set()  # samples whose last result was read off a magnetometer that had drifted

    def place_of(self, sample: int) -> str:
        home = f"cassette/{self.slot_of(sample) if sample else REFERENCE['slot']}"
        if sample not in self.where:
            for other in [number for number, place in self.where.items() if place == home]:
                assert not self.films[other], "a substrate with a film is taken for a bare one"
                del self.where[other]  # it was vetoed, and its substrate is this one's now
        return self.where.setdefault(sample, home)

    def begin(self, step: e.StepIntended) -> None:
        """A step was started."""
        place = self.place_of(step.sample)
        match step.plan:
            case "deposit":
                assert step.sample, "a film on the reference specimen"
                assert place == CHAMBER, "deposition without this substrate in the chamber"
                assert not self.films[step.sample], "a second film on a substrate"
                assert CHAMBER not in self.arm_in, "the arm is in the chamber"
            case "measure":
                assert place == MAGNETOMETER, "measurement without this sample in the magnetometer"
                assert not step.sample or self.films[step.sample], "measurement of a bare substrate"
                assert MAGNETOMETER not in self.arm_in, "the arm is in the magnetometer"
            case "transfer":
                assert place == step.kwargs["source"], "the sample is not there"
                assert place == GRIPPER or GRIPPER not in self.where.values(), "the gripper is full"
                assert place == GRIPPER or not self.arm_in, "the arm comes down where it may stand"
                assert step.kwargs["destination"] not in self.where.values(), "the place is taken"
            case "retire":
                assert GRIPPER not in self.where.values(), "the gripper is full"

    def end(self, step: e.StepIntended, ending: str) -> dict[str, Any]:
        """What really happens when `step` ends, and what its station says of it."""
        if ending == "never begun":
            return {**answer("never begun", None, "knows no such step"), "marks": []}
        return getattr(self, f"_{step.plan}")(step, ending)

    def tidied(self, sample: int) -> None:
        """The operator has put a sample that was lost back into its slot."""
        del self.where[sample]
        self.place_of(sample)

    def _transfer(self, step: e.StepIntended, ending: str) -> dict[str, Any]:
        source, destination = step.kwargs["source"], step.kwargs["destination"]
        from_gripper = source == GRIPPER
        picked = () if from_gripper else ("pick",)
        self.arm_in = {place for place in (source, destination) if place in (CHAMBER, MAGNETOMETER)}
        match ending:
            case "not moved" | "aborted" | "killed before" if from_gripper:
                state = {"not moved": "failed", "killed before": "unknown"}.get(ending, ending)
                return cut_off_transfer(gripping=True, state=state, holding=True)
            case "not moved":
                return answer("failed", carried_outcome(moved=False), "gripped nothing")
            case "aborted":
                return answer("aborted", carried_outcome(moved=False), "abort")
            case "killed before":
                return cut_off_transfer(marks=picked)
            case "killed holding" | "stuck":
                self.where[step.sample] = GRIPPER
                state = "failed" if ending == "stuck" else "unknown"
                return cut_off_transfer(marks=(*picked, "place"), gripping=True, state=state, holding=True)
            case "killed after":
                self.where[step.sample] = destination
                return cut_off_transfer(marks=(*picked, "place"), holding=True)
            case "killed and dropped":
                self.where[step.sample] = "floor"
                return cut_off_transfer(marks=picked, holding=True)
            case "lost sight of":
                self.where[step.sample] = GRIPPER
                return answer("failed", carried_outcome(moved=False, holding=True), "still holds it")
            case "dropped":
                self.where[step.sample] = "floor"
                return answer("failed", carried_outcome(moved=False, holding=True), "lost it")
            case "silent":
                self.where[step.sample] = GRIPPER
                return answer("unknown", None, "worker died")
            case "odd":
                self.where[step.sample] = destination
                return answer("done", {}, "")
        self.where[step.sample] = destination
        if ending == "in the way":
            return answer("failed", carried_outcome(moved=True), "the arm did not withdraw")
        self.arm_in = set()
        return DONE["transfer"]

    def _retire(self, _: e.StepIntended, ending: str) -> dict[str, Any]:
        match ending:
            case "aborted" | "silent" | "stuck":
                states = {"silent": "unknown", "stuck": "failed"}
                return answer(states.get(ending, ending), {"retired": False}, "the arm stalled")
        self.arm_in = set()
        return DONE["retire"]

    def _deposit(self, step: e.StepIntended, ending: str) -> dict[str, Any]:
        bare = ending in ("no plasma", "aborted bare", "silent bare", "killed bare", "done without")
        self.films[step.sample] += not bare
        match ending:
            case "no plasma":
                return answer("failed", no_film_outcome(), "no plasma")
            case "arc":
                return answer("failed", film_outcome(finished=False), "arc")
            case "aborted bare":
                return answer("aborted", no_film_outcome(), "abort")
            case "aborted film":
                return answer("aborted", film_outcome(finished=False), "abort")
            case "silent bare" | "silent film":
                return answer("unknown", None, "worker died")
            case "killed bare":
                return cut_off_deposit(film=None)
            case "killed film":
                return cut_off_deposit(film=film_record())
            case "killed covered":
                return cut_off_deposit(film=film_record(opening=None, finished=True))
            case "no numbers":
                return answer("done", {**film_outcome(), "thickness_sigma_nm": nan, "rates": {"Fe": {"nm_s_w": nan}}})
            case "keys missing":
                return answer("failed", {"begun": True}, "?")
            case "done without":
                return answer("done", no_film_outcome())
        return DONE["deposit"]

    def _measure(self, step: e.StepIntended, ending: str) -> dict[str, Any]:
        if step.sample == e.REFERENCE and ending == "done":
            return answer("done", reference_outcome(self.scale))
        if step.sample and ending in ("done", "censored"):
            self.measured[step.sample] += 1
            self.wrong -= {step.sample}
            self.wrong |= {step.sample} if self.scale != 1.0 else set()
        match ending:
            case "censored":
                return answer("done", loop_outcome(validity="censored", reason="not saturated"))
            case "bad contact":
                return answer("done", {**loop_outcome(nan), "validity": "failed", "reason": "bad contact"})
            case "failed" | "aborted":
                return answer(ending, {}, "it failed")
            case "silent":
                return answer("unknown", None, "worker died")
            case "no number":
                return answer("done", loop_outcome(nan))
            case "no quantity":
                return answer("done", {**loop_outcome(), "quantities": {}})
            case "no unit":
                quantity = {"saturation_magnetisation": {"value": 1.0, "sigma": 1.0, "unit": "furlong"}}
                return answer("done", {**loop_outcome(), "quantities": quantity})
            case "nonsense":
                return answer("done", {"validity": "splendid"})
        return DONE["measure"]


def specimens(state):
    """All samples, and the reference."""
    return [*state.samples.values(), *([state.reference] if state.reference else [])]


class AnyNight(RuleBasedStateMachine):
    reference: dict[str, Any] | None = None

    @initialize(
        retries=st.integers(0, 2),
        then=st.sampled_from(["skip", "hold", "wake"]),
        budget=st.sampled_from([2, 1000]),
        breaker=st.sampled_from(["hold", "wake"]),
        row=st.integers(1, 4),
        stopping=st.sampled_from([{}, {}, {}, {"target": 1400.0}, {"no_improvement_samples": 2}]),
        substrates=st.sampled_from([None, 6]),
        good_start=st.integers(0, 15),
        tonight=st.fixed_dictionaries(
            {plan: st.sampled_from(["done", *often]) for plan, (often, _) in ENDINGS.items()}
        ),
    )
    def evening(self, retries, then, budget, breaker, row, stopping, substrates, good_start, tonight):
        spec = campaign(
            lab_hours=HOURS,
            substrates=substrates,
            stopping=stopping,
            recovery={**rules(retries, then, budget=budget), "breaker": breaker, "failures_in_a_row": row},
        )
        self.recoveries = 0
        self.attempts = 1 + retries * (len(TOLD) + 1)  # of one step; a loop that is invalid is told without a class
        self.tonight = tonight
        self.world = World()
        self.world.slot_of = lambda number: self.state.samples[number].slot
        self.night = Night(spec, slots=SLOTS, reference=self.reference, on_claim=self.world.begin)
        self.decide()
        self.go_on(good_start, {})

    @property
    def state(self):
        return self.night.state

    @property
    def over(self):
        return self.state.ended is not None

    def decide(self):
        """As the daemon does after whatever came.  Nothing to do, and nothing awaited, is a deadlock."""
        if self.over:
            return
        claimed = self.night.decide()
        idle = not (claimed or self.state.open_steps or self.night.asked or self.over)
        waits = self.state.mode in (Mode.HOLDING, Mode.HELD) or self.state.lost_stations - self.state.given_up
        assert not idle or waits, "deadlock"

    def go_on(self, times, endings):
        for _ in range(times):
            if self.state.open_steps and not self.over:
                uid, step = next(iter(self.state.open_steps.items()))
                self.end_step(uid, endings.get(step.intent.plan, "done"))
            if self.night.asked and not self.over:
                self.a_suggestion_comes()

    def end_step(self, uid, ending, fault=""):
        step = self.state.open_steps[uid].intent
        self.night.end_step(uid, {**self.world.end(step, ending), "fault": fault})
        self.decide()

    # --- what may come --------------------------------------------------------------------------------

    @precondition(lambda self: not self.over and self.night.asked)
    @rule()
    def a_suggestion_comes(self):
        if self.state.mode in (Mode.RUNNING, Mode.HOLDING, Mode.HELD):
            self.night.suggest()
        self.night.asked = False
        self.decide()

    @precondition(lambda self: not self.over and self.state.open_steps)
    @rule(data=st.data(), badly=RARELY, fault=st.sampled_from(TOLD))
    def a_step_ends_otherwise(self, data, badly, fault):
        uid = data.draw(st.sampled_from(sorted(self.state.open_steps)))
        endings = ENDINGS[self.state.open_steps[uid].intent.plan]
        self.end_step(uid, data.draw(st.sampled_from(endings[badly])), fault)

    @precondition(lambda self: not self.over and self.state.open_steps)
    @rule(data=st.data())
    def a_step_ends_well(self, data):
        self.end_step(data.draw(st.sampled_from(sorted(self.state.open_steps))), "done")

    @precondition(lambda self: not self.over and self.state.open_steps)
    @rule(times=st.integers(1, 6))
    def all_goes_well_for_a_while(self, times):
        self.go_on(times, {})

    @precondition(lambda self: not self.over and self.state.open_steps)
    @rule(times=st.integers(1, 12))
    def all_goes_as_it_does_tonight(self, times):
        self.go_on(times, self.tonight)

    @precondition(lambda self: not self.over)
    @rule(command=st.sampled_from([Command.HOLD, Command.RESUME, Command.RESUME]))
    def the_operator_holds_or_resumes(self, command):
        self.command(command)

    @precondition(lambda self: not self.over)
    @rule(command=st.sampled_from([Command.STOP, Command.ABORT]), really=RARELY)
    def the_operator_ends_it(self, command, really):
        if really:
            self.command(command)

    @precondition(lambda self: not self.over)
    @rule(data=st.data())
    def an_operator_acts_on_the_search(self, data):
        """Whatever he asks for is done as the table says, or is refused and leaves no trace."""
        action = data.draw(self.some_action())
        before = self.state.version
        try:
            self.night.act(action)
        except CommandRefused:
            assert self.state.version == before
        self.decide()

    def some_action(self):
        """Any action, mostly on samples that there are."""
        sample = st.integers(1, len(self.state.samples) + 1)
        own = st.integers(1, self.state.search.queued + 1)
        return st.one_of(
            st.builds(OwnSample, composition=st.sampled_from(OWN)),
            st.builds(Reorder, queued=own, position=st.integers(1, 3)),
            st.builds(Withdraw, queued=own),
            *[st.builds(action, sample=sample) for action in (Veto, Veto, Reject, Accept, Repeat)],
            st.builds(Note, sample=sample, text=st.just("a fingerprint")),
            st.builds(ChangeBudget, samples=st.integers(1, SLOTS)),
            st.builds(ChangeBudget, lab_hours=st.floats(1.0, 2 * HOURS)),
        )

    def command(self, command):
        if (self.state.mode, command) in CAMPAIGN_TRANSITIONS:
            self.recoveries += self.state.held_by_policy and command in (Command.RESUME, Command.STOP)
            self.night.append(e.CommandGiven(command=command.value, by="operator", reason="r"))
            self.decide()

    @precondition(lambda self: not self.over and self.state.mode is Mode.HOLDING)
    @rule()
    def every_station_comes_to_rest(self):
        self.night.append(e.CampaignHeld())
        self.decide()

    @precondition(lambda self: not self.over)
    @rule(hours=st.floats(0, 2), all_of_them=RARELY)
    def time_passes(self, hours, all_of_them):
        self.night.now += 3600 * (HOURS if all_of_them else hours)
        self.decide()

    @precondition(lambda self: not self.over)
    @rule(station=st.sampled_from(["chamber", "magnetometer", "robot"]), data=st.data(), for_good=RARELY)
    def a_worker_dies(self, station, data, for_good):
        if station in self.state.lost_stations:
            return
        self.night.append(e.StationLost(station=station, reason="died"))
        self.decide()
        assert not self.over, "a station that will be back ends no night"
        if for_good:
            lost = e.StationLost(station=station, reason="died again", for_good=True)
            self.night.append(lost, e.OperatorNeeded(reason=f"station {station} is lost"))
        else:
            self.night.append(e.StationRestarted(station=station, reason="died"))
            self.settle([uid for uid, step in self.state.open_steps.items() if step.intent.station == station], data)
        self.decide()

    @precondition(lambda self: not self.over)
    @rule(data=st.data(), power_cut=st.booleans())
    def the_daemon_dies(self, data, power_cut):
        """And is started again; it settles what it finds open.  A suggestion that was asked for is not coming."""
        self.night.asked = False
        self.night.append(e.DaemonStarted(boot="after" if power_cut else "before"))
        self.settle(list(self.state.open_steps), data)
        self.decide()

    @precondition(lambda self: self.over and self.state.ended.end == "needs operator" and self.recoveries < 2)
    @rule(data=st.data())
    def the_operator_recovers(self, data):
        """He has mended what was broken, and put back whatever was lost on its way."""
        self.recoveries += 1
        for sample in specimens(self.state):
            if sample.phase is Phase.QUARANTINED and sample.bound_for is not None:
                self.world.tidied(sample.number)
        if "drifted" in self.state.ended.reason:  # nobody mends what nobody knows of
            self.world.scale = 1.0
        self.night.asked = False
        self.night.append(e.CommandGiven(command="recover", by="operator", reason=self.state.needs or "r"))
        self.night.append(e.DaemonStarted(boot="before"))
        self.settle(list(self.state.open_steps), data)
        self.decide()

    def settle(self, uids, data):
        for uid in uids:
            plan = self.state.open_steps[uid].intent.plan
            self.night.end_step(uid, self.world.end(self.state.open_steps[uid].intent, self.killed(plan, data)))

    @staticmethod
    def killed(plan, data):
        return data.draw(st.sampled_from(["done", *KILLED[plan]]))

    @precondition(lambda self: self.over)
    @rule()
    def nothing_more_comes(self):
        """The night is over."""

    # --- what must hold -------------------------------------------------------------------------------

    @invariant()
    def a_film_is_begun_at_most_once_on_a_substrate(self):
        assert all(films <= 1 for films in self.world.films.values())
        filmed = [self.world.slot_of(number) for number, films in self.world.films.items() if films]
        assert len(filmed) == len(set(filmed))

    @invariant()
    def two_samples_are_never_at_the_same_place(self):
        places = [place for place in self.world.where.values() if place != "floor"]
        assert len(places) == len(set(places))

    @invariant()
    def every_station_carries_at_most_one_step(self):
        claims = [claim for step in self.state.open_steps.values() for claim in step.intent.claims]
        assert len(claims) == len(set(claims))

    @invariant()
    def samples_are_where_the_journal_says(self):
        for sample in specimens(self.state):
            given_back = sample.phase is Phase.VETOED and sample.at_home
            if sample.phase is not Phase.QUARANTINED and not given_back:
                assert self.world.place_of(sample.number) == sample.place

    @invariant()
    def what_is_kept_at_hand_agrees_with_the_samples(self):
        slowly.check(self.state)

    @invariant()
    def no_film_is_unaccounted_for(self):
        """The journal knows every film, or that it does not know."""
        for number, films in self.world.films.items():
            sample = self.state.samples[number]
            assert not films or sample.film or sample.phase is Phase.QUARANTINED

    @invariant()
    def every_measurement_is_observed_exactly_once(self):
        observed = Counter(observation.sample for observation in self.state.observations)
        assert all(times == 1 for times in observed.values())
        taken_back = (e.ObservationWithdrawn, e.MeasurementRequested)
        withdrawn = Counter(r.entry.sample for r in self.night.entries if isinstance(r.entry, taken_back))
        rejected = {number for number, sample in self.state.samples.items() if sample.rejected}
        assert not rejected & set(observed)
        assert rejected | set(observed) == {n for n, sample in self.state.samples.items() if sample.observation}
        versions = [self.state.samples[observation.sample].observed_in for observation in self.state.observations]
        assert versions == sorted(versions)
        for number, times in self.world.measured.items():
            sample = self.state.samples[number]
            assert times <= 1 + withdrawn[number]
            if times > withdrawn[number]:
                assert sample.observation.validity != "failed"

    @invariant()
    def suggestions_keep_to_the_budget(self):
        budget = self.night.campaign.budget
        assert self.state.films_planned <= budget.samples
        assert len(self.state.slots_used) <= (budget.substrates or SLOTS)

    @invariant()
    def no_sample_is_tried_for_ever(self):
        """The ranking that makes every night end: what is left of each sample's attempts only shrinks.

        What a death of ours cut off is begun again; so is everything once the operator has recovered the campaign, or
        lifted a hold of the policy.  Classes of fault are counted apart.
        """
        plans = {r.entry.step: r.entry for r in self.night.entries if isinstance(r.entry, e.StepIntended)}
        tried, cut_off = Counter(), Counter()
        for recorded in self.night.entries:
            if isinstance(recorded.entry, e.StepEnded):
                intent = plans[recorded.entry.step]
                count = cut_off if recorded.entry.end == "interrupted" else tried
                count[intent.sample, intent.plan] += 1
        repeats = Counter(r.entry.sample for r in self.night.entries if isinstance(r.entry, e.MeasurementRequested))
        limit = self.night.campaign.recovery.interruptions
        for (sample, plan), times in tried.items():
            if plan != "retire" and sample != e.REFERENCE:
                moves = MOVES + cut_off[sample, plan] + self.recoveries if plan == "transfer" else 1
                assert times <= (1 + repeats[sample]) * moves * self.attempts * (1 + self.recoveries)
        for (sample, plan), times in cut_off.items():
            free = sample == e.REFERENCE or plan in ("transfer", "retire")
            assert free or times <= (1 + repeats[sample]) * limit * self.attempts * (1 + self.recoveries)

    @invariant()
    def a_vetoed_sample_is_never_made(self):
        for number in self.state.search.vetoed:
            assert not self.world.films[number]
            assert self.state.samples[number].phase in (Phase.VETOED, Phase.QUARANTINED)

    def nothing_is_taken_off_a_drifted_magnetometer(self):
        """Of a night that ended by itself no value that was read off wrongly stays; of any other it is said so."""
        if self.reference is None or not self.over:
            return
        kept = {o.sample for o in self.state.observations if o.validity != "failed"} & self.world.wrong
        assert kept <= set(self.state.unchecked)
        assert not kept or self.state.ended.end in ("aborted", "needs operator")
        assert not kept or "not checked against the reference" in self.state.ended.reason

    def teardown(self):
        """From here on all goes well: the night ends, and everything is accounted for."""
        if not hasattr(self, "night"):
            return
        for _ in range(400):
            if self.over:
                break
            if self.state.mode in (Mode.HOLDING, Mode.HELD):
                self.night.append(e.CommandGiven(command="resume", by="operator", reason="r"))
                self.decide()
            elif self.night.asked:
                self.a_suggestion_comes()
            elif self.state.open_steps:
                self.end_step(next(iter(self.state.open_steps)), "done")
            else:
                self.decide()
        assert self.over, "the night never ends"
        assert all(step.intent.station in self.state.given_up for step in self.state.open_steps.values())
        self.samples_are_where_the_journal_says()
        self.no_film_is_unaccounted_for()
        for sample in self.state.samples.values():
            settled = sample.phase is Phase.QUARANTINED or (sample.finished and sample.at_home)
            assert settled or self.state.open_steps or self.state.ended.end in ("aborted", "needs operator")
            assert sample.phase is not Phase.QUARANTINED or self.state.ended.end in ("aborted", "needs operator")
        if self.state.ended.reason.startswith("no step is possible"):
            assert any(sample.phase is Phase.QUARANTINED for sample in specimens(self.state)), "stuck"
        self.nothing_is_taken_off_a_drifted_magnetometer()
        assert vars(fold(self.night.entries)) == vars(self.state)


class AnyCheckedNight(AnyNight):
    """The same in a lab with a reference specimen, whose magnetometer drifts."""

    reference = REFERENCE

    @precondition(lambda self: not self.over)
    @rule(scale=st.sampled_from([0.8, 1.2]), really=RARELY)
    def the_magnetometer_drifts(self, scale, really):
        """For good, until the operator sees to it."""
        if really:
            self.world.scale = scale


TestAnyNight = AnyNight.TestCase
TestAnyCheckedNight = AnyCheckedNight.TestCase
TestAnyCheckedNight.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
TestAnyNight.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
