"""From a worker's final word to facts: what is believed, and what is not."""

from __future__ import annotations

from math import inf, nan

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import Mode, Phase
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, Sample
from orchestrator.service.observations import applied
from orchestrator.service.schedule import Step
from orchestrator.service.steps import step_kwargs
from tests.campaign.stories import film, suggested
from tests.service.nights import (
    COMPOSITION,
    DONE,
    SIGMA,
    Night,
    answer,
    campaign,
    carried_outcome,
    film_outcome,
    loop_outcome,
    no_film_outcome,
    rules,
)

HOLDING = {
    **answer("unknown", {"moved": False, "holding": True}, "the worker died"),
    "marks": [{"mark": "pick", "time": 1.0, "place": "cassette/1"}],
    "evidence": {"after": {"time": 9.0, "readings": {"mover": {"holding": 1, "gripper": "closed"}}}},
}
"""A transfer that was cut off with the sample in the gripper."""


def at_step(plan, spec=None):
    """A night at the moment when sample 1 is carried to the chamber, deposited on, or measured."""
    night = Night(spec or campaign(samples=1))
    night.decide()
    night.suggest()
    night.decide()
    while under_way(night).plan != plan:
        night.end_step(under_way(night).step, DONE[under_way(night).plan])
        night.decide()
    return night


def under_way(night):
    return next(iter(night.state.open_steps.values())).intent


def end(night, said):
    """The entries that follow when the step under way ends so, by kind."""
    before = len(night.entries)
    night.end_step(under_way(night).step, said)
    return {recorded.entry.kind: recorded.entry for recorded in night.entries[before:]}


def policy(retries, then, **recovery):
    return campaign(samples=1, recovery={**rules(retries, then), **recovery})


# --- transfers ------------------------------------------------------------------------------------------


def test_a_sample_that_was_moved():
    night = at_step("transfer")
    facts = end(night, DONE["transfer"])
    assert facts["sample_moved"] == e.SampleMoved(sample=1, source="cassette/1", destination="deposition")
    assert facts["step_ended"].end == "done"
    assert facts["step_ended"].run_uids == ["run"]
    assert night.state.samples[1].place == "deposition"


@pytest.mark.parametrize(
    "said",
    [
        answer("unknown", None, "the worker died"),
        answer("unknown", carried_outcome(moved=True), "the worker died"),
        answer("unknown", carried_outcome(moved=False), "the worker died"),
        answer("failed", carried_outcome(moved=False, holding=True), "the worker died"),
        answer("aborted", carried_outcome(moved=False, holding=True), "the worker died"),
        answer("failed", {}, "the worker died"),
        answer("failed", {"moved": False}, "the worker died"),
        answer("failed", {"moved": None, "holding": None}, "the worker died"),
        answer("done", {}, "the worker died"),
        answer("done", carried_outcome(moved=False), "the worker died"),
        {**answer("failed", {}, "the worker died"), "outcome": "junk"},
    ],
)
def test_a_sample_that_may_be_anywhere_is_quarantined_and_the_operator_called(said):
    night = at_step("transfer")
    facts = end(night, said)
    assert facts["step_ended"].end == "unknown"
    assert "from cassette/1 to deposition" in facts["sample_quarantined"].reason
    assert "find it" in facts["operator_needed"].reason
    assert "the worker died" in facts["operator_needed"].reason
    assert night.state.at("cassette/1") is night.state.at("deposition") is night.state.samples[1]


def test_a_transfer_that_left_the_sample_where_it_was_is_tried_again_once_the_arm_is_out_of_the_way():
    night = at_step("transfer", policy(1, "wake"))
    facts = end(night, answer("failed", carried_outcome(moved=False), "gripped nothing"))
    assert list(facts) == ["step_ended"]
    assert facts["step_ended"].end == "failed"
    assert [step.plan for step in night.decide()] == ["retire"]
    end(night, DONE["retire"])
    again = night.decide()
    assert [(step.plan, step.attempt) for step in again] == [("transfer", 2)]
    facts = end(night, answer("failed", carried_outcome(moved=False), "gripped nothing"))
    assert "cannot be moved from cassette/1: gripped nothing" in facts["operator_needed"].reason
    assert night.decide() == []


def test_a_sample_in_its_slot_that_cannot_be_moved_may_be_discarded():
    night = at_step("transfer", policy(0, "skip"))
    facts = end(night, answer("failed", carried_outcome(moved=False), "gripped nothing"))
    assert facts["sample_discarded"].by == "recovery policy"


def test_a_sample_in_a_station_that_cannot_be_moved_needs_the_operator_whatever_the_policy():
    night = at_step("deposit", policy(0, "skip"))
    end(night, DONE["deposit"])
    night.decide()
    facts = end(night, answer("failed", carried_outcome(moved=False), "gripped nothing"))
    assert "from deposition" in facts["operator_needed"].reason


def test_success_forgives_the_failures_before_it():
    night = at_step("transfer", policy(1, "wake"))
    for _ in range(3):  # in, across, home: each fails once
        end(night, answer("failed", carried_outcome(moved=False), "gripped nothing"))
        night.decide()
        end(night, DONE["retire"])
        night.decide()
        end(night, DONE["transfer"])
        while night.decide() and under_way(night).plan != "transfer":
            end(night, DONE[under_way(night).plan])
    assert night.state.ended.end == "done"


def test_a_sample_that_arrived_though_the_transfer_failed_is_where_it_arrived():
    night = at_step("transfer", policy(1, "wake"))
    facts = end(night, answer("failed", carried_outcome(moved=True), "the arm stalled"))
    assert night.state.samples[1].place == "deposition"
    assert "operator_needed" not in facts
    for _ in range(2):  # nothing else is begun where the arm may be
        assert [(step.plan, step.claims) for step in night.decide()] == [("retire", ["robot", "chamber"])]
        facts = end(night, answer("failed", {"retired": False}, "the arm stalled"))
    assert "cannot be moved out of the way: the arm stalled" in facts["operator_needed"].reason
    assert night.decide() == []


def test_a_sample_in_the_gripper_is_gone_on_with():
    night = at_step("transfer")
    facts = end(night, HOLDING)
    assert facts["sample_moved"] == e.SampleMoved(sample=1, source="cassette/1", destination="gripper")
    assert facts["step_ended"].end == "interrupted"
    assert facts["step_ended"].evidence["after"] == HOLDING["evidence"]["after"]
    (on,) = night.decide()
    assert (on.plan, on.attempt, on.kwargs) == ("transfer", 1, {"source": "gripper", "destination": "deposition"})
    facts = end(night, DONE["transfer"])
    assert facts["sample_moved"] == e.SampleMoved(sample=1, source="gripper", destination="deposition")


def test_a_sample_that_sticks_in_the_gripper_is_tried_again_and_then_a_person_called():
    night = at_step("transfer", policy(1, "skip"))
    end(night, {**HOLDING, "state": "failed", "error": "is it stuck?"})
    night.decide()
    facts = end(night, {**HOLDING, "state": "failed", "error": "is it stuck?"})
    assert facts["operator_needed"].reason == "sample 1 cannot be moved from gripper: is it stuck?"
    assert night.state.samples[1].place == "gripper"


def test_an_aborted_transfer_calls_nobody_while_aborting():
    night = at_step("transfer", policy(0, "wake"))
    night.append(e.CommandGiven(command="abort", by="me", reason="r"))
    assert list(end(night, answer("aborted", carried_outcome(moved=False)))) == ["step_ended"]
    night.decide()
    assert night.state.ended.end == "aborted"


# --- depositions ----------------------------------------------------------------------------------------


def test_a_film():
    night = at_step("deposit")
    facts = end(night, DONE["deposit"])
    film = facts["film_deposited"]
    assert (film.finished, film.composition, film.composition_sigma) == (True, COMPOSITION, SIGMA)
    assert film.monitor_thickness_nm == 50.5
    assert facts["step_ended"].end == "done"
    assert night.state.samples[1].phase is Phase.DEPOSITED


ENDS = [("failed", "failed", 2), ("aborted", "interrupted", 1)]
"""What a station says, how that is kept while nobody has ordered an abort, and the next attempt."""


@pytest.mark.parametrize(("state", "kept", "_"), ENDS)
def test_an_interrupted_film_is_kept_with_what_it_is_made_of(state, kept, _):
    night = at_step("deposit")
    facts = end(night, answer(state, film_outcome(finished=False), "arc"))
    assert facts["film_deposited"].finished is False
    assert facts["step_ended"].end == kept
    assert night.state.samples[1].phase is Phase.DEPOSITED


@pytest.mark.parametrize("state", ["failed", "aborted"])
def test_or_is_discarded_if_policy_says_so(state):
    night = at_step("deposit", campaign(samples=1, recovery={"interrupted_film": "discard"}))
    facts = end(night, answer(state, film_outcome(finished=False), "arc"))
    assert facts["sample_discarded"] == e.SampleDiscarded(
        sample=1, by="recovery policy", reason="its film was broken off"
    )
    assert facts["film_deposited"].finished is False


def test_an_abort_leaves_a_broken_off_film_to_the_operator():
    night = at_step("deposit", campaign(samples=1, recovery={"interrupted_film": "discard"}))
    night.append(e.CommandGiven(command="abort", by="me", reason="r"))
    facts = end(night, answer("aborted", film_outcome(finished=False), "abort"))
    assert facts["step_ended"].end == "aborted"
    assert "sample_discarded" not in facts


@pytest.mark.parametrize(("state", "kept", "attempt"), ENDS)
def test_a_deposit_that_ended_before_its_film_may_be_tried_again(state, kept, attempt):
    night = at_step("deposit")
    facts = end(night, answer(state, no_film_outcome(), "no plasma"))
    assert "film_deposited" not in facts
    assert facts["step_ended"].end == kept
    assert night.state.samples[1].phase is Phase.SUGGESTED
    assert [(step.plan, step.attempt) for step in night.decide()] == [("deposit", attempt)]


def test_what_a_death_cuts_off_again_and_again_counts_as_a_failure():
    night = at_step("deposit", campaign(samples=1, recovery={"interruptions": 2}))
    for kept in ("interrupted", "interrupted", "failed"):
        facts = end(night, answer("aborted", no_film_outcome(), "the daemon is gone"))
        assert facts["step_ended"].end == kept
        night.decide()
    assert facts["step_ended"].error == "cut off 3 times; the daemon is gone"


@pytest.mark.parametrize("plan", ["transfer", "deposit", "measure"])
def test_a_step_that_was_never_begun_is_simply_begun_again(plan):
    night = at_step(plan)
    facts = end(night, {**answer("never begun", None, "knows no such step"), "marks": []})
    assert list(facts) == ["step_ended"]
    assert facts["step_ended"].end == "interrupted"
    assert night.state.samples[1].failures == {}
    again = night.decide()
    if plan == "transfer":
        assert [step.plan for step in again] == ["retire"]
        end(night, DONE["retire"])
        again = night.decide()
    assert [(step.plan, step.attempt) for step in again] == [(plan, 1)]


@pytest.mark.parametrize("plan", ["transfer", "deposit", "measure"])
def test_a_step_that_its_station_refuses_has_failed(plan):
    night = at_step(plan)
    assert end(night, answer("refused", None, "no plan is called so"))["step_ended"].end == "failed"
    assert night.state.samples[1].failures == {plan: ["protocol"]}


@pytest.mark.parametrize(
    "said",
    [
        answer("unknown", None, "why"),
        answer("unknown", film_outcome(), "why"),
        answer("unknown", no_film_outcome(), "why"),
        answer("failed", {}, "why"),
        answer("failed", {"begun": None}, "why"),
        answer("failed", {"begun": 1.5}, "why"),
        answer("done", no_film_outcome(), "why"),
        answer("done", {}, "why"),
        {"state": "failed", "outcome": None, "error": "why"},
    ],
)
def test_it_is_never_guessed_whether_a_film_was_begun(said):
    night = at_step("deposit")
    facts = end(night, said)
    assert facts["step_ended"].end == "unknown"
    assert facts["sample_quarantined"].reason.endswith(": why")
    (home,) = night.decide()
    assert (home.plan, home.kwargs["destination"]) == ("transfer", "cassette/1")
    end(night, DONE["transfer"])
    assert night.decide() == []
    assert night.state.ended.end == "needs operator"


@pytest.mark.parametrize(
    "spoiled",
    [
        {"composition": {}},
        {"composition": {"Fe": 0.5}},
        {"composition": {"Fe": nan, "Co": 0.5}},
        {"composition_sigma": {"Fe": nan}},
        {"thickness_nm": inf},
        {"thickness_nm": "50"},
        {"finished": None},
        {"doses": None},
    ],
)
def test_a_film_of_unknown_composition_is_quarantined(spoiled):
    night = at_step("deposit")
    facts = end(night, answer("done", {**film_outcome(), **spoiled}))
    assert "film of unknown composition" in facts["sample_quarantined"].reason
    assert "film_deposited" not in facts


@pytest.mark.parametrize("key", ["finished", "composition", "thickness_nm", "doses", "shutter_open_s"])
def test_a_film_of_which_something_is_not_told_is_quarantined(key):
    night = at_step("deposit")
    said = answer("failed", {k: v for k, v in film_outcome().items() if k != key})
    assert key in end(night, said)["sample_quarantined"].reason


def test_what_the_targets_were_given_adds_up_over_the_campaign():
    night = at_step("deposit")
    given = no_film_outcome()["energy_kwh"]
    end(night, answer("failed", no_film_outcome(), "no plasma"))
    assert night.state.energy_kwh == given
    assert night.state.rates == {}
    night.decide()
    end(night, DONE["deposit"])
    assert night.state.energy_kwh == {element: 2 * kwh for element, kwh in given.items()}
    assert night.state.rates == film_outcome()["rates"]


@pytest.mark.parametrize("spoiled", [{"rates": {"Fe": {"nm_s_w": nan}}}, {"rates": 3}, {"energy_kwh": {"Fe": "much"}}])
def test_rates_that_are_none_do_not_spoil_the_film(spoiled):
    night = at_step("deposit")
    facts = end(night, answer("done", {**film_outcome(), **spoiled}))
    assert "film_deposited" in facts
    assert "rates_calibrated" not in facts


# --- measurements ---------------------------------------------------------------------------------------


def test_an_observation_has_the_composition_that_was_made():
    night = at_step("measure")
    facts = end(night, DONE["measure"])
    observation = facts["observation_made"]
    assert (observation.composition, observation.composition_sigma) == (COMPOSITION, SIGMA)
    assert (observation.value, observation.sigma, observation.unit) == (1500.0, 10.0, "kA/m")
    assert observation.validity == "valid"
    assert observation.loop == loop_outcome()["loop"]


@pytest.mark.parametrize("unit", ["kA/m", "T"])
@pytest.mark.parametrize("measured_in", ["kA/m", "A/m"])
def test_units_are_never_guessed(unit, measured_in):
    night = at_step("measure", campaign(samples=1, unit=unit))
    scale = {"kA/m": 1, "A/m": 1000}[measured_in]
    quantities = {"saturation_magnetisation": {"value": 1500.0 * scale, "sigma": 10.0 * scale, "unit": measured_in}}
    observation = end(night, answer("done", {**loop_outcome(), "quantities": quantities}))["observation_made"]
    expected = {"kA/m": (1500.0, 10.0), "T": (1.884956, 0.01256637)}[unit]
    assert (observation.value, observation.sigma) == pytest.approx(expected, rel=1e-6)
    assert observation.unit == unit


def test_a_censored_observation_is_a_bound():
    night = at_step("measure")
    said = answer("done", loop_outcome(validity="censored", reason="not saturated"))
    observation = end(night, said)["observation_made"]
    assert (observation.validity, observation.value, observation.reason) == ("censored", 1500.0, "not saturated")
    assert observation.bound == "lower"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (loop_outcome(validity="censored", reason="not saturated") | {"quantities": loop_outcome()["quantities"]},
         "does not even bound the saturation magnetisation: not saturated"),
        ({**loop_outcome(validity="failed", reason="turn the phase"), "quantities": {}, "again": False},
         "turn the phase"),
    ],
)  # fmt: skip
def test_what_another_loop_would_not_mend_is_not_measured_again(said, reason):
    night = at_step("measure", policy(1, "skip"))
    observation = end(night, answer("done", said))["observation_made"]
    assert (observation.validity, observation.value, observation.bound) == ("failed", None, None)
    assert reason in observation.reason


BAD = [
    (answer("failed", {}, "it failed"), "it failed"),
    (answer("done", {**loop_outcome(validity="failed"), "reason": "bad contact"}), "bad contact"),
    (answer("done", loop_outcome(nan)), "cannot be used"),
    (answer("done", loop_outcome(inf)), "cannot be used"),
    (answer("done", {**loop_outcome(), "quantities": {}}), "tells no saturation magnetisation"),
    (answer("done", {**loop_outcome(), "quantities": {"saturation_magnetisation": None}}), "cannot be used"),
    (answer("done", {**loop_outcome(), "quantities": None}), "cannot be used"),
    (answer("done", {**loop_outcome(), "loop": {"field_mt": [nan]}}), "cannot be used"),
    (answer("done", {"validity": "splendid"}), "ended as done"),
    (answer("done", {}), "ended as done"),
    (answer("failed", loop_outcome(), "lost the link"), "lost the link"),
]
BAD += [
    (answer("done", {**loop_outcome(), "quantities": {"saturation_magnetisation": measured}}), "cannot be used")
    for measured in (
        {"value": 1.0, "sigma": 1.0},
        {"value": 1.0, "sigma": 1.0, "unit": "furlong"},
        {"value": None, "sigma": 1.0, "unit": "kA/m"},
        {"value": 1.0, "unit": "kA/m"},
        {"value": 1.0, "sigma": -1.0, "unit": "kA/m"},
        {"value": "1", "sigma": 1.0, "unit": "kA/m"},
    )
]


@pytest.mark.parametrize(("said", "reason"), BAD)
def test_a_measurement_that_failed_is_made_again_and_then_told_as_failed(said, reason):
    night = at_step("measure", policy(1, "skip"))
    facts = end(night, said)
    assert list(facts) == ["step_ended"]
    assert facts["step_ended"].end == "failed"
    assert reason in facts["step_ended"].error
    assert [(step.plan, step.attempt) for step in night.decide()] == [("measure", 2)]
    observation = end(night, said)["observation_made"]
    assert (observation.validity, observation.value, observation.sigma) == ("failed", None, None)
    assert reason in observation.reason
    assert night.state.samples[1].phase is Phase.OBSERVED


@pytest.mark.parametrize(("said", "reason"), BAD)
def test_or_the_operator_is_called(said, reason):
    night = at_step("measure", policy(0, "wake"))
    facts = end(night, said)
    assert "observation_made" not in facts
    assert reason in facts["operator_needed"].reason
    assert night.state.samples[1].phase is Phase.DEPOSITED
    assert night.decide() == []


def test_what_a_failed_measurement_saw_is_kept_if_it_can_be():
    night = at_step("measure", policy(0, "skip"))
    said = answer("done", {**loop_outcome(validity="failed"), "reason": "not closed"})
    observation = end(night, said)["observation_made"]
    assert observation.loop == loop_outcome()["loop"]
    assert observation.quantities == loop_outcome()["quantities"]


@pytest.mark.parametrize("state", ["aborted", "unknown", "never begun"])
def test_a_measurement_that_a_death_of_ours_cut_off_is_made_again(state):
    night = at_step("measure", policy(0, "skip"))
    for _ in range(3):
        facts = end(night, answer(state, {}, "worker died"))
        assert facts["step_ended"].end == "interrupted"
        assert [(step.plan, step.attempt) for step in night.decide()] == [("measure", 1)]


def test_an_abort_is_no_verdict_on_the_film():
    night = at_step("measure", policy(0, "skip"))
    night.append(e.CommandGiven(command="abort", by="me", reason="r"))
    assert list(end(night, answer("aborted", {}, "abort"))) == ["step_ended"]
    assert night.state.samples[1].phase is Phase.DEPOSITED
    assert night.state.mode is Mode.ABORTING


# --- settings that are searched --------------------------------------------------------------------------


def test_what_is_told_of_settings_is_what_was_applied():
    """The film's thickness, the power of the strongest gun, and what was asked for of the rest."""
    asked = {"argon_pressure_pa": 0.7, "power_w": 100.0, "thickness_nm": 60.0}
    suggestion = suggested(1).model_copy(update={"settings": asked})
    doses = {el: {"thickness_nm": 20.0, "power_w": watts} for el, watts in (("Fe", 70.0), ("Co", 112.0))}
    made = film(1).model_copy(update={"thickness_nm": 58.5, "doses": doses})
    sample = Sample(1, 1, "cassette/1", Phase.DEPOSITED, suggestion=suggestion, film=made)
    assert applied(sample) == {"argon_pressure_pa": 0.7, "power_w": 112.0, "thickness_nm": 58.5}


def test_a_film_is_asked_for_with_its_settings():
    told = campaign().model_dump()
    told["film"]["power_w"] = {"min": 50, "max": 150}
    searching = Campaign.model_validate(told)
    chosen = suggested(1).model_copy(update={"settings": {"power_w": 71.5}})
    sample = Sample(1, 1, "cassette/1", Phase.SUGGESTED, suggestion=chosen)
    step = Step("deposit", 1, "deposition", ("deposition",))
    kwargs = step_kwargs(step, sample, CampaignState(), searching)
    assert (kwargs["power_w"], kwargs["thickness_nm"], "temperature_c" in kwargs) == (71.5, 50, False)
