"""The campaign's progress as a person reads it."""

from __future__ import annotations

import json

import pytest

from orchestrator.campaign import entries as e
from orchestrator.display import as_text
from orchestrator.service.status import StationStatus, status
from tests.campaign.stories import COMPOSITION, command, ended, film, intended, observed, story, suggested, tell
from tests.service.nights import campaign
from tests.service.test_budget import given_up, values, whole

MINUTE, HOUR = 60.0, 3600.0


def progress(state, *, now=None, **spec):
    return status(state, campaign(**spec), state.time if now is None else now)


def test_a_campaign_that_has_just_begun():
    seen = progress(story(), samples=5)
    assert (seen.campaign, seen.mode, seen.samples_budget) == ("night", "running", 5)
    assert (seen.suggested, seen.deposited, seen.valid, seen.censored, seen.failed) == (0, 0, 0, 0, 0)
    assert (seen.best, seen.stations, seen.predicted_finish, seen.needs, seen.end) == (None, {}, None, "", "")


def test_counts():
    state = story(
        *whole(1, 1.0),
        *whole(2, None, "failed"),
        *whole(3, 9.0, "censored"),
        *whole(4, 2.0),
        *whole(5, 1.0)[:4],  # not measured yet
        *given_up(6),
        suggested(7),
    )
    seen = progress(state, samples=9)
    assert (seen.suggested, seen.deposited, seen.valid, seen.censored, seen.failed) == (7, 5, 2, 1, 1)
    told = {
        "sample": 4,
        "composition": COMPOSITION,
        "settings": {},
        "value": 2.0,
        "sigma": 10.0,
        "unit": "kA/m",
        "outcomes": {},
    }
    assert seen.best == told


def test_a_film_that_was_lost_was_deposited_all_the_same():
    state = story(*whole(1, 1.0)[:4], e.SampleQuarantined(sample=1, reason="lost"))
    assert progress(state).deposited == 1


def test_the_best_follows_the_direction():
    assert progress(values(3.0, 1.0, 2.0), direction="max").best["sample"] == 1
    assert progress(values(3.0, 1.0, 2.0), direction="min").best["sample"] == 2


def test_stations_at_work():
    carry = intended("t", "transfer", 2, ["robot", "chamber"], source="cassette/2", destination="deposition")
    state = story(*whole(1, 1.0)[:5], intended("m", "measure", 1, ["magnetometer"]), suggested(2), carry)
    assert progress(state).stations == {
        "magnetometer": StationStatus("measure", 1, state.time - 2 * MINUTE),
        "robot": StationStatus("transfer", 2, state.time),
        "chamber": StationStatus("transfer", 2, state.time),
    }


def test_what_is_needed_and_how_it_ended():
    state = story(e.OperatorNeeded(reason="help"), e.CampaignEnded(end="needs operator", reason="help"))
    seen = progress(state)
    assert (seen.mode, seen.needs, seen.end) == ("needs operator", "help", "needs operator")


def test_it_can_be_sent_as_json():
    state = story(*whole(1, 1.0), suggested(2), intended("d", "deposit", 2, ["chamber"]))
    sent = json.loads(json.dumps(progress(state).as_dict(), allow_nan=False))
    assert sent["stations"]["chamber"]["step"] == "deposit"
    assert sent["best"]["value"] == 1.0


def test_a_person_reads_which_faults_there_were_and_what_a_station_waits_on():
    vacuum = ended("d0", "failed", "2e-2 Pa", "vacuum")
    tries = [intended("d0", "deposit", 1, ["chamber"]), vacuum, intended("d1", "deposit", 1, ["chamber"])]
    state = story(suggested(1), *tries)
    seen = status(state, campaign(), state.time, {"chamber": "gauge: not read for 12 s"})
    assert seen.faults == {"vacuum": 1}
    shown = as_text(seen)
    assert "faults: vacuum 1" in shown
    assert "waiting on gauge: not read for 12 s" in shown


# --- predicted finish -----------------------------------------------------------------------------------


def paced(films):
    """One observation an hour; the state and the time since the start."""
    state = story()
    for number in range(1, films + 1):
        *before, last, after, home = whole(number, 1.0)
        tell(state, *before, dt=0.0)
        tell(state, last, dt=HOUR)
        tell(state, after, home, dt=0.0)
    return state


def hours_left(state, **spec):
    finish = progress(state, **spec).predicted_finish
    return None if finish is None else (finish - state.time) / HOUR


@pytest.mark.parametrize(
    ("films", "spec", "hours"),
    [
        (0, {"samples": 10}, None),
        (1, {"samples": 10}, 9),
        (4, {"samples": 10}, 6),
        (4, {"samples": 10, "lab_hours": 8}, 5),  # the film begun last is still measured
        (4, {"samples": 4}, 0),
    ],
)
def test_the_finish_is_predicted_from_the_pace_so_far(films, spec, hours):
    assert hours_left(paced(films), **spec) == (None if hours is None else pytest.approx(hours))


def test_while_stopping_only_films_in_flight_are_to_come():
    state = paced(4)
    tell(state, suggested(5), intended("d5", "deposit", 5, ["chamber"]), film(5), ended("d5"), dt=0.0)
    tell(state, command("stop"), dt=0.0)
    assert hours_left(state, samples=10) == pytest.approx(1)


def test_a_finish_is_never_predicted_for_the_past():
    state = paced(2)
    late = state.time + 100 * HOUR
    assert progress(state, samples=3, now=late).predicted_finish == late


def test_an_ended_campaign_has_no_finish_to_come():
    state = tell(paced(2), e.CampaignEnded(end="done", reason="r"))
    assert hours_left(state) is None


def test_a_finish_does_not_wait_for_the_next_entry():
    state = paced(2)
    before = progress(state, samples=3).predicted_finish
    tell(state, suggested(3), dt=0.5 * HOUR)
    assert progress(state, samples=3).predicted_finish == before
    assert state.observations[-1] == observed(2, 1.0)


def test_the_last_assessment_says_what_to_look_at():
    noisy = e.ModelAssessed(observed=0, concerns=[{"kind": "noise", "text": "check contacts"}])
    state = story(suggested(1), noisy)
    assert status(state, campaign(), state.time).concerns == ("check contacts",)
    assert "Model: check contacts" in as_text(status(state, campaign(), state.time))
    tell(state, e.ModelAssessed(observed=1))
    assert status(state, campaign(), state.time).concerns == ()
