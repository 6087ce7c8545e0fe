"""What the report computes: time, consumables, replicates, the report card, random search; against nights whose answer
is known."""

from __future__ import annotations

import math
from datetime import UTC
from typing import Any

import numpy as np
import pytest

from orchestrator.campaign import entries as e
from orchestrator.optimizer.optimizer import RandomFilms
from orchestrator.report.belief import Belief, believed
from orchestrator.report.consumables import Gas, gas_litres, substrates, targets
from orchestrator.report.facts import Night
from orchestrator.report.grades import grades, interventions, unassisted_s
from orchestrator.report.idle import down, shares
from orchestrator.report.model import coverage
from orchestrator.report.provenance import digest
from orchestrator.report.random_search import held_against, searched
from orchestrator.report.repeats import replicates
from orchestrator.report.top import ranked
from tests.report.synthetic import LAB, START, Script, campaign, recorded

HOUR = 3600.0


@pytest.fixture(scope="module")
def night(journal: list[e.Recorded]) -> Night:
    return Night(journal, UTC)


@pytest.fixture(scope="module")
def belief(night: Night) -> Belief:
    found = believed(night)
    assert isinstance(found, Belief), found
    return found


def a_film(script: Script, number: int, asked: dict[str, float], value: float) -> None:
    """Suggested, made and measured, an hour each."""
    script.say(
        e.SampleSuggested(sample=number, slot=number, composition=asked, method="gp", observed=0, pending=[], seconds=0)
    )
    uid = script.begin("deposit", number, ["deposition"])
    script.now += HOUR
    script.say(script.film(number, asked))
    script.end(uid)
    uid = script.measure(number)
    script.now = script.timed[-1][0] + HOUR
    script.say(script.observe(number).model_copy(update={"value": value, "sigma": 1.0}))
    script.end(uid)


def graded(night: Night, gas: Gas | None = None) -> dict[str, tuple[str | None, str]]:
    return {grade.measure: (grade.value, grade.how) for grade in grades(night, "it was not asked", gas)}


# --- time -----------------------------------------------------------------------------------------------


def test_every_second_of_a_station_has_one_use(night: Night) -> None:
    for of in shares(night):
        assert of.total == pytest.approx(night.end - night.start)
        assert all(seconds >= 0 for seconds in of.seconds.values())
    chamber, _, robot = shares(night)
    assert chamber.seconds["in vain"] == pytest.approx(3 * 240)  # three strikes without a plasma
    assert chamber.seconds["held"] == pytest.approx(1260)
    assert robot.seconds["working"] == 0
    assert robot.seconds["transfers"] > 0


def test_a_lost_station_is_down_until_another_worker_is_there() -> None:
    script = Script(campaign())
    script.suggest(1)
    script.begin("deposit", 1, ["deposition"])
    script.say(e.StationLost(station="deposition", reason="died"), at=START + 100)
    script.say(e.StationLost(station="deposition", reason="died"), at=START + 150)
    script.say(e.StationRestarted(station="magnetometry", reason=""), at=START + 200)
    script.say(e.StationRestarted(station="deposition", reason=""), at=START + 400)
    script.say(e.StationLost(station="deposition", reason="again"), at=START + 900)
    script.say(e.OptimizerLost(reason="x"), at=START + 1000)
    night = Night(recorded(script.timed))
    assert down(night, "deposition") == [(START + 100, START + 400), (START + 900, START + 1000)]
    (of,) = (of for of in shares(night) if of.station == "deposition")
    assert (of.seconds["down"], of.seconds["working"]) == (400, 600)


# --- what was used --------------------------------------------------------------------------------------


def equipped(**more: Any) -> dict[str, Any]:
    guns = {f"gun{n}": {"role": "gun", "settings": {"target": el}} for n, el in enumerate(("Fe", "Co", "Ni"), 1)}
    stations = LAB["stations"] | {"deposition": {"kind": "deposition", "devices": guns}}
    cassette = {"slots": 8, "substrate": {"material": "Si", "width_mm": 5, "height_mm": 4}}
    return LAB | {"stations": stations, "cassette": cassette, "targets": {"Fe": {"life_kwh": 40, "used_kwh": 6}}} | more


def in_lab(script: Script, lab: dict[str, Any]) -> Night:
    timed = [(t, x.model_copy(update={"lab": lab}) if isinstance(x, e.CampaignStarted) else x) for t, x in script.timed]
    return Night(recorded(timed))


def test_substrates_targets_and_gas() -> None:
    script = Script(campaign())
    for number in (1, 2):
        a_film(script, number, {"Fe": 1.0}, 1700.0)
    script.suggest(3)
    script.say(e.SampleDiscarded(sample=3, by="recovery policy", reason="could not be deposited"))
    script.say(e.RatesCalibrated(rates={}, energy_kwh={"Fe": 2.0}))
    night = in_lab(script, equipped(reference={"slot": 8}))
    used = substrates(night)
    assert (used.filmed, used.bare, used.left) == (2, 1, 4)
    iron, cobalt, _ = targets(night)
    assert (iron.gun, iron.left_kwh, iron.films_left(2)) == ("gun1", 32.0, 32)
    assert (cobalt.life_kwh, cobalt.left_kwh, cobalt.films_left(2)) == (None, None, None)
    assert gas_litres(night, Gas(20.0, 5)) == pytest.approx(20 * 120 / 1000)  # two hours of depositions


def test_a_lab_that_names_no_cassette_is_not_said_to_be_empty(night: Night) -> None:
    assert substrates(night).left is None
    assert targets(night) == []


# --- the report card ------------------------------------------------------------------------------------


def test_the_card_of_a_night_whose_numbers_are_known() -> None:
    script = Script(campaign())
    for number in (1, 2, 3, 4):
        a_film(script, number, {"Fe": 1.0} if number < 3 else {"Co": 1.0}, {1: 1.0, 2: 3.0, 3: 10.0, 4: 14.0}[number])
    script.say(e.CommandGiven(command="hold", by="anna", reason="coffee"), at=START + 5 * HOUR)
    script.say(e.CommandGiven(command="resume", by="anna", reason=""), at=START + 5 * HOUR)
    script.say(e.RatesCalibrated(rates={}, energy_kwh={"Fe": 2.0}))
    night = in_lab(script, equipped())
    told = graded(night, Gas(20.0, 5))
    assert night.hours == 8
    assert told["degree of autonomy"][0] == "semi-closed loop"
    assert told["lifetime, unassisted"][0] == "5.0 h"
    assert told["lifetime, assisted"][0] == "8.0 h"
    assert told["lifetime, theoretical"][0] == "16 h"  # eight substrates, two hours each
    assert told["throughput, demonstrated"][0] == "0.50 films/h"
    assert told["throughput, theoretical"][0] == "1.00 films/h"
    assert told["films that gave a valid value"][0] == "100\u00a0%"
    assert told["interventions in 24 h"][0] == "6.0"
    assert "500 Wh" in told["material for a film"][1]
    assert "1.2 standard litres" in told["material for a film"][1]
    assert told["accessible space"][0].startswith("1\u2009116 ")  # of 1326, those with at most 60 at.% of nickel
    assert told["optimisation efficiency"] == (None, "it was not asked")
    found = replicates(night)
    assert found is not None
    assert (len(found.groups), found.degrees) == (2, 2)
    assert found.sigma == pytest.approx(math.sqrt((2 + 8) / 2))
    assert told["experimental precision"][0] is not None


def test_what_is_not_known_says_what_is_missing() -> None:
    for journal in ([], recorded(Script(campaign()).timed)):
        for measure, (value, how) in graded(Night(journal)).items():
            assert value is None or measure in ("accessible space", "interventions in 24 h"), (measure, value)
            assert how


def test_what_the_policy_does_is_no_intervention() -> None:
    script = Script(campaign())
    script.say(e.CommandGiven(command="hold", by="recovery policy", reason="x", after_steps=True), at=START + 60)
    script.say(e.CommandGiven(command="resume", by="anna", reason=""), at=START + 100)
    script.say(e.CommandGiven(command="stop", by="anna", reason=""), at=START + 130)
    night = Night(recorded(script.timed))
    assert interventions(night) == [START + 100, START + 130]
    assert unassisted_s(night) == 100


def test_nothing_made_twice_gives_no_precision(night: Night) -> None:
    script = Script(campaign())
    a_film(script, 1, {"Fe": 1.0}, 1.0)
    assert replicates(Night(recorded(script.timed))) is None
    assert replicates(Night([])) is None


def test_the_best_come_first(night: Night) -> None:
    values = [sample.observation.value for sample in ranked(night) if sample.observation]
    assert values == sorted(values, key=lambda value: -(value or 0))
    assert len(values) == 22


# --- the model ------------------------------------------------------------------------------------------


def test_coverage_of_normal_residuals_lies_on_the_diagonal() -> None:
    residuals = np.random.default_rng(1).standard_normal(20_000).tolist()
    nominal, real = coverage(residuals)
    assert np.abs(np.array(nominal) - real).max() < 0.02
    assert coverage([0.0, 9.0])[1][1:-1] == [0.5] * (len(nominal) - 2)


def test_random_search_against_its_expectation() -> None:
    """Of n films without noise, n at random among m in order, the best is at place (n + 1) / (m + 1) from the top."""
    rng = np.random.default_rng(2)
    values = rng.permuted(np.tile(np.arange(1.0, 101.0), (4000, 1)), axis=1)
    found = searched(RandomFilms(values, values, np.full(4000, 98.0)), 20, "max", 2.0)
    assert found.middle[0] == pytest.approx(50.5, abs=2)
    missed = np.cumprod([(95 - n) / (100 - n) for n in range(95)])  # none of the best five so far
    assert found.as_good == pytest.approx(1 - missed[19], abs=0.03)
    assert found.needed == pytest.approx(1 + int(np.argmax(missed <= 0.5)), abs=1)
    assert found.acceleration == pytest.approx(found.needed / 20)
    assert len(found.low) == 20
    assert np.all(found.low <= found.middle)
    assert np.all(np.diff(found.middle) >= 0)


def test_random_search_for_the_smallest_is_its_mirror_image() -> None:
    values = np.random.default_rng(3).standard_normal((200, 50))
    most = searched(RandomFilms(values, values, np.full(200, 2.0)), 10, "max", 0.1)
    least = searched(RandomFilms(-values, -values, np.full(200, -2.0)), 10, "min", 0.1)
    assert least.needed == most.needed
    assert np.allclose(least.middle, -most.middle)
    assert np.allclose(least.high, -most.low)


def test_a_value_that_no_random_film_reaches_is_told_as_that() -> None:
    values = np.zeros((30, 40))
    found = searched(RandomFilms(values, values, np.ones(30)), 10, "max", 0.5)
    assert (found.needed, found.as_good, found.most, found.acceleration) == (None, 0.0, 40, 4.0)


def test_worlds_agree_with_what_was_observed(night: Night, belief: Belief) -> None:
    drawn = belief.random_films(300, 300)
    assert drawn.true.shape == drawn.shown.shape == (300, 300)
    seen = [o.value for o in night.state.observations if o.validity == "valid" and o.value is not None]
    assert np.median(drawn.best) == pytest.approx(max(seen), rel=0.03)
    assert np.std(drawn.shown - drawn.true) == pytest.approx(12, rel=0.5)  # the noise of the synthetic night
    mean, sigma = belief.at(belief.drawn(400))
    assert mean.shape == sigma.shape == (400,)
    assert np.median(drawn.true) == pytest.approx(float(np.median(mean)), rel=0.05)


def test_the_night_is_better_than_random_search_here(night: Night, belief: Belief) -> None:
    found = held_against(night, belief)
    assert not isinstance(found, str)
    assert found.films == 24  # one of the samples came to nothing
    assert found.acceleration > 1


def test_why_there_is_no_belief(journal: list[e.Recorded]) -> None:
    assert believed(Night([])) == "nothing has been observed"
    assert held_against(Night([]), "x") == "no value is valid"
    one = Script(campaign())
    a_film(one, 1, {"Fe": 1.0}, 1.0)
    assert believed(Night(recorded(one.timed))) == "there are fewer than two values"
    old = Script(campaign(optimizer={"method": "by ear"}))
    a_film(old, 1, {"Fe": 1.0}, 1.0)
    assert "cannot be made from this journal" in str(believed(Night(recorded(old.timed))))


def test_a_digest_is_of_what_is_said_not_of_how() -> None:
    assert digest({"a": 1, "b": [2.5, "µ"]}) == digest({"b": [2.5, "µ"], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # sha256sum of {}
