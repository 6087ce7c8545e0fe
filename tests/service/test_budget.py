"""When enough is enough, and what policy decides without a step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import Mode
from orchestrator.service import budget, policy
from orchestrator.service.schedule import Step
from tests.campaign.stories import command, ended, film, intended, moved, observed, story, suggested, tell, transfer
from tests.service.nights import LAYOUT, campaign

HOUR = 3600.0


def whole(sample, value=None, validity="valid"):
    """A sample from suggestion to observation, left in the magnetometer's place of its own."""
    uid, slot, away = str(sample), f"cassette/{sample}", f"shelf/{sample}"
    return [
        suggested(sample),
        intended(f"d{uid}", "deposit", sample, ["chamber"]),
        film(sample),
        ended(f"d{uid}"),
        moved(sample, slot, away),
        intended(f"m{uid}", "measure", sample, ["magnetometer"]),
        observed(sample, value, validity),
        ended(f"m{uid}", "failed" if validity == "failed" else "done"),
        moved(sample, away, slot),
    ]


def values(*measured):
    """A campaign whose samples were measured so; None is a failed measurement."""
    entries = []
    for number, value in enumerate(measured, 1):
        entries += whole(number, value, "failed" if value is None else "valid")
    return story(*entries)


def given_up(sample, deposits=0):
    tries = [x for n in range(deposits) for x in failed_deposit(sample, n)]
    return [suggested(sample), *tries, e.SampleDiscarded(sample=sample, by="policy", reason="r")]


def failed_deposit(sample, attempt):
    uid = f"d{sample}-{attempt}"
    return [intended(uid, "deposit", sample, ["chamber"]), ended(uid, "failed", "no plasma")]


# --- budget and stopping --------------------------------------------------------------------------------


def test_a_new_campaign_goes_on():
    assert budget.enough(story(), campaign(), 0.0) == ""


def test_samples():
    assert budget.enough(values(1, 2), campaign(samples=3), 0.0) == ""
    assert budget.enough(values(1, 2), campaign(samples=2), 0.0) == "budget: 2 samples"


def test_a_cost():
    """A film of Fe50 Co30 Ni20 costs 1 + 10 x 0.2; one that was never begun costs nothing."""
    told = {"film": 1.0, "elements": {"Ni": 10.0}, "budget": 6.0}
    assert budget.enough(story(*whole(1, 1.0), *given_up(2)), campaign(cost=told), 0.0) == ""
    assert budget.enough(values(1.0, 2.0), campaign(cost=told), 0.0) == "budget: a cost of 6"
    assert budget.enough(story(*whole(1, 1.0), suggested(2)), campaign(cost=told), 0.0) == "budget: a cost of 6"
    assert budget.enough(values(1.0, 2.0), campaign(cost={**told, "budget": None}), 0.0) == ""


def test_a_substrate_given_up_bare_counts_as_substrate_only():
    state = story(*whole(1, 1.0), *given_up(2))
    assert budget.enough(state, campaign(samples=2), 0.0) == ""
    assert budget.enough(state, campaign(samples=2, substrates=2), 0.0) == "budget: 2 substrates"
    assert budget.enough(state, campaign(samples=2, substrates=3), 0.0) == ""


def test_a_film_given_up_is_a_film():
    entries = [*whole(1, 1.0)[:4], e.SampleDiscarded(sample=1, by="me", reason="r")]
    assert budget.enough(story(*entries), campaign(samples=1), 0.0) == "budget: 1 samples"


def test_lab_hours():
    state = story()
    for hours, reason in [(0, ""), (11.99, ""), (12, "budget: 12 lab hours"), (20, "budget: 12 lab hours")]:
        now = state.started_at + hours * HOUR
        assert budget.enough(state, campaign(lab_hours=12), now) == reason
        assert budget.over(state, campaign(lab_hours=12), now) == reason


@pytest.mark.parametrize(
    ("direction", "target", "measured", "reason"),
    [
        ("max", 1700, [1500, 1699.9], ""),
        ("max", 1700, [1500, 1700, 1600], "target reached: 1700 kA/m by sample 2"),
        ("min", 100, [500, 101], ""),
        ("min", 100, [500, 100], "target reached: 100 kA/m by sample 2"),
        ("max", 1700, [], ""),
        ("max", -1, [None], ""),
    ],
)
def test_target(direction, target, measured, reason):
    spec = campaign(direction=direction, stopping={"target": target})
    assert budget.enough(values(*measured), spec, 0.0) == reason


def test_a_bound_does_not_reach_the_target():
    state = story(*whole(1, 9000.0, "censored"))
    assert budget.enough(state, campaign(stopping={"target": 1000}), 0.0) == ""


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        ([5], ""),
        ([5, 4], ""),
        ([5, 4, 3], "no improvement in 2 valid samples"),
        ([5, 4, 6], ""),
        ([5, None, 4, None], ""),
        ([5, None, 4, None, 3], "no improvement in 2 valid samples"),
        ([None, None, None], ""),
        ([5, 5, 5], "no improvement in 2 valid samples"),
    ],
)
def test_no_improvement(measured, reason):
    spec = campaign(samples=9, stopping={"no_improvement_samples": 2})
    assert budget.enough(values(*measured), spec, 0.0) == reason


def test_stopping_is_over():
    state = story(command("stop"))
    assert budget.over(state, campaign(), 0.0) == "stop"


def test_a_used_up_budget_of_samples_lets_those_suggested_be_made():
    state = story(suggested(1))
    assert budget.enough(state, campaign(samples=1), 0.0)
    assert not budget.over(state, campaign(samples=1), 0.0)


# --- circuit breaker ------------------------------------------------------------------------------------


def test_the_breaker_trips_on_failed_samples_in_a_row():
    spec = campaign(samples=9, recovery={"failures_in_a_row": 3})
    assert budget.breaker(values(None, None), spec) == ""
    assert budget.breaker(values(None, None, 1.0, None), spec) == ""
    assert budget.breaker(values(None, None, None), spec).startswith("3 failed samples in a row (the limit is 3)")
    assert "operator_needed" in [x.kind for x in policy.verdicts(values(None, None, None), spec, 0.0, "me")]


def test_substrates_given_up_after_failures_trip_it_too():
    spec = campaign(samples=9, recovery={"failures_in_a_row": 2})
    assert budget.breaker(story(*given_up(1, deposits=2), *given_up(2, deposits=2)), spec)
    assert not budget.breaker(story(*given_up(1), *given_up(2)), spec)


def faulty(*faults):
    """A campaign in which deposits of sample 1 failed so."""
    tries = [
        x
        for n, fault in enumerate(faults)
        for x in (intended(f"d{n}", "deposit", 1, ["chamber"]), ended(f"d{n}", "failed", fault=fault))
    ]
    return story(suggested(1), *tries)


def test_the_breaker_trips_on_a_class_of_fault_that_comes_more_often_than_its_budget():
    spec = campaign(recovery={"faults": {"vacuum": {"budget": 2}}})
    assert budget.breaker(faulty("vacuum", "timeout", "vacuum", "timeout", "timeout"), spec) == ""
    tripped = budget.breaker(faulty("vacuum", "timeout", "vacuum", "vacuum"), spec)
    assert tripped == "3 faults of class vacuum (the budget is 2): look at the journal"


def test_what_is_counted_is_told_by_the_journal_and_begins_anew_with_the_operator_s_word():
    spec = campaign(recovery={"faults": {"vacuum": {"budget": 1}}, "breaker": "hold"})
    state = faulty("vacuum", "vacuum")
    assert state.faults == {"vacuum": 2}
    (hold,) = policy.verdicts(state, spec, state.time, "me")
    assert (hold.kind, hold.command, hold.by, hold.after_steps) == ("command_given", "hold", "recovery policy", True)
    tell(state, hold)
    assert (state.mode, state.held_by_policy, state.finishing) == (Mode.HOLDING, True, True)
    assert policy.conclusion(state, spec, LAYOUT, state.time) is None
    tell(state, e.CampaignHeld(), command("resume"))
    assert (state.mode, state.held_by_policy, state.finishing) == (Mode.RUNNING, False, False)
    assert (state.faults, state.samples[1].failures) == ({}, {})
    assert policy.verdicts(state, spec, state.time, "me") == []


def test_an_operator_s_own_hold_forgives_nothing():
    state = tell(faulty("vacuum"), command("hold"), command("resume"))
    assert (state.faults, state.samples[1].failures) == ({"vacuum": 1}, {"deposit": ["vacuum"]})


@pytest.mark.parametrize("first", ["policy", "operator"])
def test_an_operator_s_hold_beside_that_of_the_policy_lets_nothing_be_finished(first):
    by_policy = e.CommandGiven(command="hold", by="recovery policy", reason="r", after_steps=True)
    both = [by_policy, command("hold")] if first == "policy" else [command("hold"), by_policy]
    state = story(*both)
    assert (state.held_by_policy, state.finishing) == (True, False)


def test_somebody_who_is_needed_is_not_waited_for_in_a_hold_by_the_policy():
    by_policy = e.CommandGiven(command="hold", by="recovery policy", reason="r", after_steps=True)
    needed = e.OperatorNeeded(reason="find it")
    assert policy.conclusion(story(command("hold"), needed), campaign(), LAYOUT, 0.0) is None
    end = policy.conclusion(story(by_policy, needed), campaign(), LAYOUT, 0.0)
    assert (end.end, end.reason) == ("needs operator", "find it")


# --- verdicts -------------------------------------------------------------------------------------------


def verdicts(state, spec):
    return [(x.kind, getattr(x, "sample", None)) for x in policy.verdicts(state, spec, state.time, "me")]


def test_bare_substrates_are_given_up_once_no_film_is_to_be_begun():
    state = story(suggested(1), command("stop"))
    (verdict,) = policy.verdicts(state, campaign(), state.time, "me")
    assert verdict == e.SampleDiscarded(sample=1, by="me", reason="not begun: stop")


@pytest.mark.parametrize("entries", [[command("hold")], [command("abort")], [e.OperatorNeeded(reason="r")]])
def test_no_verdict_while_held_or_aborting_or_in_need(entries):
    state = story(*given_up(1, deposits=2), suggested(2), *entries)
    assert verdicts(state, campaign(recovery={"failures_in_a_row": 1})) == []


# --- the next sample, and the end -----------------------------------------------------------------------


def test_a_cassette_without_bare_substrates_ends_the_campaign():
    state, layout = story(*given_up(1), *given_up(2)), replace(LAYOUT, slots=(1, 2))
    assert not policy.wants_sample(state, campaign(), layout, 0.0)
    end = policy.conclusion(state, campaign(), layout, 0.0)
    assert end == e.CampaignEnded(end="done", reason="the cassette holds no more bare substrates")
    assert policy.wants_sample(state, campaign(), replace(LAYOUT, slots=(1, 2, 3)), 0.0)


def test_no_sample_is_wanted_for_a_blocked_chamber():
    """Where a sample may be that was lost on its way."""
    moving = transfer("t", 1, "cassette/1", "deposition", "chamber")[0]
    retired = [intended("r", "retire", 1, ["robot", "chamber"]), ended("r")]
    lost = [moving, ended("t", "unknown"), e.SampleQuarantined(sample=1, reason="r")]
    state = story(suggested(1), *lost, *retired)
    assert not policy.wants_sample(state, campaign(), LAYOUT, 0.0)
    end = policy.conclusion(state, campaign(), LAYOUT, 0.0)
    assert end == e.CampaignEnded(end="needs operator", reason="quarantined: samples 1")


@pytest.mark.parametrize("mode", ["hold", "stop", "abort"])
def test_no_sample_is_wanted_but_while_running(mode):
    assert policy.wants_sample(story(), campaign(), LAYOUT, 0.0)
    assert not policy.wants_sample(story(command(mode)), campaign(), LAYOUT, 0.0)


@pytest.mark.parametrize(
    ("entries", "end"),
    [
        ([], None),
        ([suggested(1)], None),
        ([command("hold")], None),
        ([command("hold"), e.CampaignHeld()], None),
        (whole(1, 1.0), ("done", "budget: 1 samples")),
        ([command("stop")], ("stopped", "stop")),
        ([command("abort")], ("aborted", "abort")),
        ([suggested(1), command("abort")], ("aborted", "abort")),
        ([e.OperatorNeeded(reason="help")], ("needs operator", "help")),
        ([*whole(1, 1.0)[:5], e.StationLost(station="magnetometer", reason="r")], None),  # it will be back
        (
            [*whole(1, 1.0)[:5], e.StationLost(station="magnetometer", reason="r", for_good=True)],
            ("needs operator", "no step is possible, with samples 1 (deposited, at shelf/1) still out"),
        ),
        ([suggested(1), failed_deposit(1, 0)[0], e.OperatorNeeded(reason="help")], None),
    ],
)
def test_how_it_ends(entries, end):
    state = story(*entries)
    concluded = policy.conclusion(state, campaign(samples=1), LAYOUT, state.time)
    assert (concluded and (concluded.end, concluded.reason)) == end


@pytest.mark.parametrize(("failures", "wait_s"), [(0, 0.0), (1, 30.0), (2, 60.0), (3, 120.0), (4, 200.0), (9, 200.0)])
@pytest.mark.parametrize("plan", ["deposit", "transfer", "retire"])
def test_after_a_failure_a_step_waits_longer_each_time(plan, failures, wait_s):
    rule = {"actions": ["retry"] * 10 + ["skip"], "wait_s": 30.0, "longest_wait_s": 200.0}
    spec = campaign(recovery={"faults": {"timeout": rule}})
    entries = [suggested(1)]
    for attempt in range(failures):
        kwargs = {"source": "cassette/1", "destination": "deposition"} if plan == "transfer" else {}
        entries += [
            intended(f"s{attempt}", plan, 1, ["robot"], **kwargs),
            ended(f"s{attempt}", "failed", fault="timeout"),
        ]
    state = story(*entries)
    step = Step(plan, 1, "robot", ("robot",))
    assert policy.ripe(step, state, spec, state.time + wait_s)
    assert failures == 0 or not policy.ripe(step, state, spec, state.time + wait_s - 1)


# --- stopping by the model ------------------------------------------------------------------------------


def judged(*assessments, valid=8):
    """After `valid` films, the model was assessed so, (observed, regret, probability, concerns) each."""
    state = values(*range(valid))
    for observed_then, regret, probability, *kinds in assessments:
        concerns = [{"kind": kind, "text": "look"} for kind in kinds]
        told = e.ModelAssessed(
            observed=observed_then, regret=regret, improvement_probability=probability, concerns=concerns
        )
        tell(state, told)
    return state


BY_REGRET = {"regret": 10, "min_samples": 8}
BY_PROBABILITY = {"improvement_probability": 0.01, "improvement": 5, "min_samples": 8}


@pytest.mark.parametrize(
    ("stopping", "assessments", "reason"),
    [
        (BY_REGRET, [(7, 9.0, None), (8, 8.0, None)], "little to gain: at most 9 kA/m by the model of 8 observations"),
        (BY_REGRET, [(8, 9.0, None)], ""),
        (BY_REGRET, [(8, 9.0, None), (8, 8.0, None)], ""),  # the same observations say it once
        (BY_REGRET, [(7, 10.0, None), (8, 8.0, None)], ""),
        (BY_REGRET, [(6, 1.0, None), (7, 11.0, None), (8, 8.0, None)], ""),
        (BY_REGRET, [(7, 9.0, None), (8, None, None)], ""),
        (
            BY_REGRET,
            [(7, 9.0, None, "outlier"), (8, 8.0, None)],
            "little to gain: at most 9 kA/m by the model of 8 observations",
        ),
        *[(BY_REGRET, [(7, 9.0, None, doubt), (8, 8.0, None)], "") for doubt in sorted(budget.DOUBTS)],
        ({**BY_REGRET, "min_samples": 9}, [(7, 9.0, None), (8, 8.0, None)], ""),
        ({}, [(7, 0.0, 0.0), (8, 0.0, 0.0)], ""),
        (BY_PROBABILITY, [(7, None, 0.02), (8, None, 0.001)], ""),
        (
            BY_PROBABILITY,
            [(7, 99.0, 0.009), (8, 99.0, 0.001)],
            "little to gain: no film is 5 kA/m better with more than 0.9 % by the model of 8 observations",
        ),
    ],
)  # fmt: skip
def test_little_to_gain(stopping, assessments, reason):
    spec = campaign(samples=20, stopping=stopping)
    assert budget.over(judged(*assessments), spec, 0.0) == reason
    assert budget.enough(judged(*assessments), spec, 0.0) == reason


def test_what_rests_on_a_withdrawn_observation_is_no_reason_to_stop():
    state = judged((7, 1.0, None), (8, 1.0, None))
    spec = campaign(samples=20, stopping=BY_REGRET)
    assert budget.over(state, spec, 0.0)
    tell(state, e.ObservationWithdrawn(sample=8, reason="drift"))
    assert budget.over(state, spec, 0.0) == ""
