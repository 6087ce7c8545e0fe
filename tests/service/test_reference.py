"""The reference specimen: when it goes to the magnetometer, and what becomes of the films when it shows a drift."""

from __future__ import annotations

from math import inf, nan

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import LifecycleError, Mode, Phase
from orchestrator.campaign.state import fold
from orchestrator.service.schedule import MAGNETOMETER, Interval, reference_due
from tests.service.nights import (
    DONE,
    REFERENCE,
    Night,
    answer,
    campaign,
    cut_off_transfer,
    loop_outcome,
    reference_outcome,
    rules,
)

HOME = f"cassette/{REFERENCE['slot']}"


class Bench:
    """A night in which everything goes well; the reference shows `ratio` of what it has."""

    def __init__(self, samples=4, retries=1, **reference):
        spec = campaign(samples=samples, recovery=rules(retries, "skip"))
        self.night = Night(spec, reference={**REFERENCE, **reference})
        self.ratio = 1.0
        self.night.decide()

    @property
    def state(self):
        return self.night.state

    def told(self, kind):
        return [recorded.entry for recorded in self.night.entries if isinstance(recorded.entry, kind)]

    def step(self):
        """The next thing that happens."""
        if self.night.asked:
            self.night.suggest()
        else:
            uid, step = next(iter(self.state.open_steps.items()))
            reference = step.intent.plan == "measure" and step.intent.sample == e.REFERENCE
            said = answer("done", reference_outcome(self.ratio)) if reference else DONE[step.intent.plan]
            self.night.end_step(uid, said)
        self.night.now += 600
        if self.state.ended is None:
            self.night.decide()

    def until(self, done):
        for _ in range(300):
            if done() or self.state.ended is not None:
                return
            self.step()
        raise AssertionError("it never comes")

    def measured(self):
        """The numbers of what was measured, in order; 0 is the reference."""
        return [step.sample for step in self.told(e.StepIntended) if step.plan == "measure"]

    def recover(self):
        self.night.append(e.CommandGiven(command="recover", by="anna", reason="centred"), e.DaemonStarted(boot="b"))
        self.night.decide()


def test_it_is_measured_first_after_so_many_films_and_last():
    bench = Bench(samples=5)
    bench.until(lambda: False)
    assert bench.state.ended.end == "done"
    measured = bench.measured()
    assert [bool(number) for number in measured] == [False, True, True, False, True, True, False, True, False]
    assert sorted(filter(None, measured)) == [1, 2, 3, 4, 5]
    assert bench.state.reference.place == HOME
    assert bench.state.unchecked == []
    assert {found.verdict for found in bench.told(e.ReferenceMeasured)} == {"good"}
    assert vars(fold(bench.night.entries)) == vars(bench.state)


def test_it_is_due_after_so_much_time():
    bench = Bench(every_films=1000)
    bench.until(lambda: 0 in bench.measured() and not bench.state.reference_awaited)
    assert not reference_due(bench.state, Interval(1000, 3600.0))
    bench.state.time = bench.state.reference_at + 3600.0
    assert reference_due(bench.state, Interval(1000, 3600.0))
    assert not reference_due(bench.state, Interval(1000, inf))


def test_a_film_does_not_keep_the_chamber_while_it_is_due():
    """It goes to its slot, and the next substrate comes."""
    bench = Bench()
    bench.until(lambda: 1 in bench.state.samples and bench.state.samples[1].phase is Phase.DEPOSITED)
    bench.state.reference_awaited = True
    destinations = {
        step.intent.kwargs["destination"] for step in bench.state.open_steps.values() if step.intent.sample == 1
    }
    assert destinations <= {"cassette/1", MAGNETOMETER}
    assert all(s.intent.plan != "measure" or s.intent.sample == 0 for s in bench.state.open_steps.values())


def test_it_is_told_in_the_magnetometers_own_quantity():
    bench = Bench()
    bench.ratio = 1.02
    bench.until(lambda: bench.told(e.ReferenceMeasured))
    (found,) = bench.told(e.ReferenceMeasured)
    assert (found.value, found.unit, found.expected) == (pytest.approx(2.04e-6), "A m2", 2e-6)
    assert found.ratio == pytest.approx(1.02)
    assert found.ratio_sigma == pytest.approx(0.0051, abs=1e-4)
    (intent,) = [step for step in bench.told(e.StepIntended) if step.plan == "measure" and step.sample == 0]
    assert intent.kwargs["reference"] is True
    assert "thickness_nm" not in intent.kwargs


@pytest.mark.parametrize("ratio", [0.9, 1.1, -1.0])
@pytest.mark.parametrize("retries", [0, 2])
def test_a_drift_is_believed_when_it_comes_again_and_takes_back_what_was_observed_since(ratio, retries):
    bench = Bench(retries=retries)
    bench.until(lambda: len(bench.state.observations) == 2)
    bench.ratio = ratio
    bench.until(lambda: False)
    assert bench.state.ended.end == "needs operator"
    assert "the magnetometer has drifted" in bench.state.ended.reason
    assert "samples 1, 2" in bench.state.ended.reason
    assert [found.verdict for found in bench.told(e.ReferenceMeasured)] == ["good"] + ["drifted"] * (1 + retries)
    assert [withdrawn.sample for withdrawn in bench.told(e.ObservationWithdrawn)] == [1, 2]
    assert bench.state.observations == []
    assert [bench.state.samples[n].phase for n in (1, 2)] == [Phase.DEPOSITED] * 2


def test_a_drift_that_does_not_come_again_harms_nobody():
    bench = Bench()
    bench.until(lambda: len(bench.state.observations) == 2)
    bench.ratio = 0.5
    bench.until(lambda: len(bench.told(e.ReferenceMeasured)) == 2)
    bench.ratio = 1.0
    bench.until(lambda: False)
    assert bench.state.ended.end == "done"
    assert bench.told(e.ObservationWithdrawn) == []
    assert bench.measured() == [0, 1, 2, 0, 0, 3, 4, 0]


def test_the_films_are_measured_again_once_the_magnetometer_is_right():
    bench = Bench()
    bench.until(lambda: len(bench.state.observations) == 2)
    bench.ratio = 0.9
    bench.until(lambda: False)
    bench.ratio = 1.0
    bench.recover()
    bench.until(lambda: False)
    assert bench.state.ended.end == "done"
    assert bench.measured()[:8] == [0, 1, 2, 0, 0, 0, 1, 2]
    assert sorted(o.sample for o in bench.state.observations) == [1, 2, 3, 4]
    assert vars(fold(bench.night.entries)) == vars(bench.state)


def test_a_drift_found_at_the_end_keeps_the_night_from_being_done():
    bench = Bench(samples=1)
    bench.until(lambda: len(bench.state.observations) == 1)
    bench.ratio = 1.2
    bench.until(lambda: False)
    assert bench.state.ended.end == "needs operator"
    assert bench.state.observations == []


def test_an_abort_says_which_values_nobody_vouched_for():
    bench = Bench()
    bench.until(lambda: len(bench.state.observations) == 1)
    bench.night.append(e.CommandGiven(command="abort", by="anna", reason="smoke"))
    for uid in list(bench.state.open_steps):
        bench.night.end_step(uid, cut_off_transfer(state="aborted"))
    bench.night.decide()
    assert bench.state.mode is Mode.STOPPED
    assert "not checked against the reference specimen since they were measured: samples 1" in bench.state.ended.reason


BAD = [
    (answer("done", {**loop_outcome(validity="failed"), "reason": "bad contact"}), "bad contact"),
    (answer("done", {**loop_outcome(validity="censored"), "reason": "not saturated"}), "not saturated"),
    (answer("done", reference_outcome(nan)), "cannot be used"),
    (answer("done", {**reference_outcome(), "quantities": {}}), "cannot be used"),
    (answer("done", {**reference_outcome(), "quantities": None}), "cannot be used"),
    (answer("done", {**reference_outcome(), "quantities": {"moment": {"value": 1.0}}}), "cannot be used"),
    (answer("done", {}), "not valid"),
    (answer("failed", {}, "lost the link"), "lost the link"),
]


def at_its_measurement(**settings):
    bench = Bench(**settings)
    bench.until(lambda: bench.measured() == [0])
    (uid,) = [uid for uid, step in bench.state.open_steps.items() if step.intent.plan == "measure"]
    return bench, uid


@pytest.mark.parametrize(("said", "reason"), BAD)
def test_without_a_number_it_is_measured_again_and_then_the_operator_is_called(said, reason):
    bench, uid = at_its_measurement(retries=1)
    bench.night.end_step(uid, said)
    assert not bench.state.needs
    assert bench.state.reference.phase is Phase.REFERENCE
    (again,) = [step for step in bench.night.decide() if step.plan == "measure"]
    assert (again.sample, again.attempt) == (0, 2)
    bench.night.end_step(again.step, said)
    assert "the reference specimen could not be measured" in bench.state.needs
    assert reason in bench.state.needs


def test_a_measurement_of_it_that_a_death_cut_off_is_made_again():
    bench, uid = at_its_measurement(retries=0)
    bench.night.end_step(uid, answer("unknown", None, "worker died"))
    assert [(step.plan, step.sample) for step in bench.night.decide() if step.plan == "measure"] == [("measure", 0)]


def test_in_the_gripper_it_is_brought_home():
    bench = Bench()
    (uid,) = [uid for uid, step in bench.state.open_steps.items() if step.intent.sample == 0]
    bench.night.end_step(uid, cut_off_transfer(marks=("pick", "place"), gripping=True, holding=True))
    assert bench.state.reference.place == e.GRIPPER
    (step,) = [step for step in bench.night.decide() if step.plan == "transfer"]
    assert (step.sample, step.kwargs) == (0, {"source": e.GRIPPER, "destination": HOME})


def test_lost_on_its_way_it_is_put_back_by_the_operator_and_measured_before_anything_else():
    bench = Bench()
    (uid,) = [uid for uid, step in bench.state.open_steps.items() if step.intent.sample == 0]
    bench.night.end_step(uid, cut_off_transfer(marks=("pick",), holding=True))
    assert bench.state.reference.phase is Phase.QUARANTINED
    bench.until(lambda: bench.night.decide() is None)
    assert bench.state.ended.end == "needs operator"
    assert bench.measured() == []
    bench.recover()
    bench.until(lambda: False)
    assert bench.state.ended.end == "done"
    assert bench.measured()[0] == 0


def test_no_sample_is_suggested_on_its_slot_and_nothing_is_deposited_on_it():
    bench = Bench()
    suggested = bench.told(e.SampleSuggested) or [
        e.SampleSuggested(sample=1, slot=1, composition={"Fe": 1.0}, method="gp", observed=0, pending=[], seconds=0.1)
    ]
    with pytest.raises(LifecycleError, match="slot 40 is the reference specimen's"):
        bench.night.append(suggested[0].model_copy(update={"sample": 9, "slot": REFERENCE["slot"]}))
    deposit = e.StepIntended(
        step="d", plan="deposit", sample=0, attempt=1, station="chamber", claims=["chamber"], kwargs={}
    )
    for uid in [uid for uid, step in bench.state.open_steps.items() if step.intent.sample == 0]:
        bench.night.end_step(uid, DONE["transfer"])
    with pytest.raises(LifecycleError, match="cannot happen to a sample that is reference"):
        bench.night.append(deposit)


def test_what_was_never_observed_cannot_be_withdrawn():
    bench = Bench()
    bench.until(lambda: 1 in bench.state.samples)
    with pytest.raises(LifecycleError, match="no observation that could be taken back"):
        bench.night.append(e.ObservationWithdrawn(sample=1, reason="r"))


def test_a_failed_measurement_has_nothing_to_be_withdrawn():
    bench = Bench(retries=0)
    bench.until(lambda: 1 in bench.measured())
    (uid,) = [uid for uid, step in bench.state.open_steps.items() if step.intent.plan == "measure"]
    bench.night.end_step(uid, answer("failed", {}, "no contact"))
    assert bench.state.unchecked == []


def test_a_lab_without_one_is_as_it_was():
    night = Night(campaign(samples=1))
    assert night.state.reference is None
    assert not reference_due(night.state, Interval(1))
