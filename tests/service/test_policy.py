"""The recovery policy over whole nights: whatever fails, the night ends or is held, and little is lost."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.campaign import entries as e
from orchestrator.campaign.faults import AIDS, AIDS_FOR, ENDS, FAULTS
from orchestrator.campaign.lifecycle import HOLDS, Mode, Phase
from orchestrator.service import policy
from orchestrator.service import rules as of_recovery
from tests.service.nights import (
    DONE,
    Night,
    answer,
    campaign,
    carried_outcome,
    film_outcome,
    loop_outcome,
    no_film_outcome,
    rules,
)

STATIONS = 3
STEPS = 2000
GOOD = ""
WELL = (GOOD, False)


class PatientNight(Night):
    """Steps wait as policy says, and time passes when there is nothing else to do."""

    def ripe(self, step):
        return policy.ripe(step, self.state, self.campaign, self.now)

    def play(self, fates):
        """Steps end as `fates` say, in turn or asked for the step: (fault, whether a film was begun)."""
        in_turn = fates if callable(fates) else iter(fates)
        for _ in range(STEPS):
            self.go_on()
            if self.over:
                return
            step = next(iter(self.state.open_steps.values())).intent
            fate = in_turn(step) if callable(in_turn) else next(in_turn, None)
            if fate is None:
                break
            self.now += 600.0
            self.end_step(step.step, ending(step.plan, *fate))
        pytest.fail("the night neither ends nor is held")

    def go_on(self):
        """Until a step is under way, or nothing is to come."""
        while not self.over:
            self.decide()
            if self.asked:
                self.suggest()
            elif self.state.open_steps:
                return
            else:
                self.now += 30.0

    @property
    def over(self):
        at_rest = self.state.mode in HOLDS and not self.state.open_steps
        return self.state.ended is not None or at_rest


def ending(plan, fault, film_begun):
    """What a station says of a step that ended with a `fault`, or well."""
    if not fault:
        return DONE[plan]
    match plan:
        case "deposit":
            outcome = film_outcome(finished=False) if film_begun else no_film_outcome()
            return answer("failed", outcome, "it failed", fault)
        case "transfer":
            return answer("failed", carried_outcome(moved=False), "it failed", fault)
        case "measure" if fault == "measurement":
            return answer("done", loop_outcome(validity="failed", reason="overload"))
    return answer("failed", {}, "it failed", fault)


def rule_of(fault):
    def made(aids, end, wait_s, factor, budget):
        return {"actions": [*aids, end], "wait_s": wait_s, "longest_wait_s": wait_s * factor, "budget": budget}

    return st.builds(
        made,
        st.lists(st.sampled_from(AIDS_FOR[fault]), max_size=3),
        st.sampled_from(ENDS),
        st.floats(0, 3600),
        st.floats(1, 8),
        st.integers(1, 9),
    )


RECOVERIES = st.fixed_dictionaries(
    {
        "faults": st.fixed_dictionaries({fault: rule_of(fault) for fault in FAULTS}),
        "failures_in_a_row": st.integers(1, 4),
        "breaker": st.sampled_from(["hold", "wake"]),
        "interrupted_film": st.sampled_from(["measure", "discard"]),
    }
)
FATES = st.lists(st.tuples(st.sampled_from([GOOD, GOOD, *FAULTS]), st.booleans()), max_size=60)


def attempts(night):
    """(sample, plan) -> its attempts: intended at, ended at, the fault."""
    open_steps, found = {}, defaultdict(list)
    for recorded in night.entries:
        match recorded.entry:
            case e.StepIntended() as intent:
                open_steps[intent.step] = intent, recorded.time
            case e.StepEnded(step=uid) as end:
                intent, since = open_steps.pop(uid)
                found[intent.sample, intent.plan].append((since, recorded.time, end.fault, intent.aid))
    return found


@settings(max_examples=300, deadline=None)
@given(RECOVERIES, FATES, st.tuples(st.sampled_from([GOOD, *FAULTS]), st.booleans()))
def test_whatever_fails_the_night_ends_or_is_held_within_its_rules(recovery, fates, for_ever):
    night = PatientNight(campaign(samples=8, recovery=recovery), slots=12)
    night.play(itertools.chain(fates, itertools.repeat(for_ever)))
    told, state = night.campaign.recovery, night.state
    for tries in attempts(night).values():
        run: list[str] = []
        for (_, failed_at, fault, _), (since, _, _, aid) in itertools.pairwise(tries):
            run = [*run, fault] if fault else []
            if run:
                wait_s = of_recovery.wait_s(told, run)
                assert since - failed_at >= wait_s
                assert wait_s <= told.faults.of(fault).longest_wait_s
                assert run.count(fault) < len(told.faults.of(fault).actions)  # the last action is no attempt
                assert aid == told.faults.of(fault).actions[run.count(fault) - 1]
    for fault, times in state.faults.items():
        assert times <= told.faults.of(fault).budget + STATIONS  # one trips it, and what is under way may follow
    assert state.failures_in_a_row <= told.failures_in_a_row + STATIONS - 1


@settings(max_examples=200, deadline=None)
@given(
    RECOVERIES,
    st.lists(st.just(WELL), max_size=20),
    st.lists(st.tuples(st.sampled_from(FAULTS), st.booleans()), min_size=1, max_size=5),
)
def test_when_all_goes_wrong_for_ever_no_more_substrates_are_touched_than_the_breaker_allows(recovery, well, badly):
    night = PatientNight(campaign(samples=20, recovery={**recovery, "interrupted_film": "discard"}), slots=30)
    night.play(itertools.chain(well, itertools.cycle(badly)))
    ruined = [s for s in night.state.samples.values() if s.phase is Phase.DISCARDED or s.failures]
    assert len(ruined) <= recovery["failures_in_a_row"] + STATIONS
    assert night.state.ended is None or night.state.ended.end in ("needs operator", "done")


@settings(max_examples=200, deadline=None)
@given(rule_of("communication"), st.integers(1, 20))
def test_waits_grow_to_their_cap(rule, times):
    recovery = campaign(recovery={"faults": {"communication": rule}}).recovery
    waits = [of_recovery.wait_s(recovery, ["communication"] * n) for n in range(times + 1)]
    assert waits[0] == 0.0
    assert waits == sorted(waits)
    assert waits[-1] <= rule["longest_wait_s"]
    doubled = [min(rule["wait_s"] * 2.0**n, rule["longest_wait_s"]) for n in range(times)]
    assert waits[1:] == pytest.approx(doubled)


def test_classes_are_counted_apart():
    recovery = campaign(
        recovery={
            "faults": {
                "timeout": {"actions": ["retry", "reconnect", "skip"]},
                "robot": {"actions": ["retry", "wake"]},
            }
        }
    ).recovery
    seen = ["timeout", "robot", "timeout", "robot", "timeout", "timeout"]
    said = [of_recovery.action(recovery, seen[:n]) for n in range(1, len(seen) + 1)]
    assert said == ["retry", "retry", "reconnect", "wake", "skip", "skip"]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_default_rules_survive_one_hiccup_of_every_class(fault):
    """But for a setting that is outside the limits: that is so the next time, too."""
    night = PatientNight(campaign(samples=2))
    fates = itertools.chain([WELL, (fault, False)], itertools.repeat(WELL))
    night.play(fates)
    assert night.state.ended.end == "done"
    assert [sample.phase for sample in night.state.samples.values()].count(Phase.OBSERVED) == 2


def test_one_hiccup_in_every_single_step_loses_nothing():
    night = PatientNight(campaign(samples=3, recovery=rules(1, "wake")))
    night.play(lambda step: ("communication", False) if step.attempt == 1 else WELL)
    assert night.state.ended.end == "done"
    assert len(night.state.observations) == 3
    assert all(observation.validity == "valid" for observation in night.state.observations)


# --- first aid ----------------------------------------------------------------------------------------------


def deposits(recovery, *faults):
    """The intents of the second film's deposition, which fails so and then succeeds."""
    night, left = PatientNight(campaign(samples=2, recovery={"faults": recovery})), list(faults)
    night.play(lambda step: (left.pop(0), False) if left and (step.plan, step.sample) == ("deposit", 2) else WELL)
    intents = [r.entry for r in night.entries if isinstance(r.entry, e.StepIntended)]
    return [intent for intent in intents if (intent.plan, intent.sample) == ("deposit", 2)]


def test_recalibrate_forgets_the_rates_for_the_next_attempt_only():
    first, second, third = deposits(
        {"calibration": {"actions": ["recalibrate", "retry", "skip"]}}, "calibration", "calibration"
    )
    assert (first.aid, second.aid, third.aid) == ("", "recalibrate", "retry")
    assert set(first.kwargs["rates"]) == {"Fe", "Co", "Ni"}
    assert second.kwargs["rates"] == {}
    assert third.kwargs["rates"] == first.kwargs["rates"]
    assert [first.attempt, second.attempt, third.attempt] == [1, 2, 3]


def test_reconnect_is_ordered_of_the_station():
    from orchestrator.service.steps import order_of

    first, second = deposits({"communication": {"actions": ["reconnect", "skip"]}}, "communication")
    spec = campaign(recovery={"interlock_wait_s": 45})
    assert [order_of(intent, spec)["reconnect"] for intent in (first, second)] == [False, True]
    assert order_of(first, spec)["interlock_wait_s"] == 45


def test_every_aid_is_of_some_use_and_every_class_has_one():
    assert {aid for aids in AIDS_FOR.values() for aid in aids} == set(AIDS)
    assert set(AIDS_FOR) == set(FAULTS)


# --- the ends -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "kind"), [("skip", "sample_discarded"), ("hold", "command_given"), ("wake", "operator_needed")]
)
def test_a_deposition_that_cannot_be_done(end, kind):
    night = PatientNight(campaign(samples=1, recovery={"faults": {"instrument": {"actions": ["retry", end]}}}), slots=1)
    night.play([WELL, ("instrument", False), ("instrument", False), WELL, WELL])
    told = [r.entry.kind for r in night.entries]
    assert kind in told
    failed = [r.entry for r in night.entries if isinstance(r.entry, e.StepEnded) and r.entry.end == "failed"]
    assert [step.fault for step in failed] == ["instrument", "instrument"]


def test_a_film_that_was_broken_off_gets_no_further_attempt_but_the_person_that_policy_asks_for():
    spec = campaign(samples=1, recovery={"faults": {"interlock": {"actions": ["wake"]}}})
    night = PatientNight(spec)
    night.play([WELL, ("interlock", True)])
    assert night.state.ended.end == "needs operator"
    assert "sample 1 could not be deposited" in night.state.ended.reason
    assert night.state.samples[1].film is not None
    assert night.state.samples[1].phase is Phase.DEPOSITED


def test_a_hold_by_policy_is_lifted_by_the_operator_and_all_is_tried_again():
    night = PatientNight(campaign(samples=1, recovery={"faults": {"instrument": {"actions": ["hold"]}}}))
    night.play([WELL, ("instrument", False)])
    assert night.state.mode is Mode.HOLDING
    night.append(e.CampaignHeld())
    assert night.decide() == []
    night.append(e.CommandGiven(command="resume", by="operator", reason="changed the target"))
    night.play(itertools.repeat(WELL))
    assert night.state.ended.end == "done"
    assert night.state.observations[0].validity == "valid"
    depositions = attempts(night)[1, "deposit"]
    assert [fault for _, _, fault, _ in depositions] == ["instrument", ""]
