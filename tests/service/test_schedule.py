"""The schedule: what may start, in which order, and how full it keeps the busier station."""

from __future__ import annotations

import heapq

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.timeline import intervals, utilisation
from orchestrator.service.schedule import FILMS_AHEAD, all_home, next_steps, wants_suggestion
from tests.campaign.stories import command, ended, film, intended, observed, story, suggested, tell, transfer
from tests.service.nights import DONE, LAYOUT, START, Night, campaign

CHAMBER, MAGNETOMETER = "deposition", "magnetometry"


def bare(sample):
    return [suggested(sample)]


def in_chamber(sample):
    return [suggested(sample), *transfer(f"in{sample}", sample, f"cassette/{sample}", CHAMBER, "chamber")]


def made(sample):
    return [
        *in_chamber(sample),
        intended(f"d{sample}", "deposit", sample, ["chamber"]),
        film(sample),
        ended(f"d{sample}"),
    ]


def waiting(sample):
    return [*made(sample), *transfer(f"out{sample}", sample, CHAMBER, f"cassette/{sample}", "chamber")]


def to_measure(sample):
    return [*made(sample), *transfer(f"x{sample}", sample, CHAMBER, MAGNETOMETER, "chamber", "magnetometer")]


def measured(sample):
    uid = f"m{sample}"
    return [*to_measure(sample), intended(uid, "measure", sample, ["magnetometer"]), observed(sample), ended(uid)]


def cut_off(sample, destination=CHAMBER):
    """Its transfer from the cassette is under way."""
    return [suggested(sample), transfer(f"in{sample}", sample, f"cassette/{sample}", destination, "chamber")[0]]


def lost(sample):
    return [*cut_off(sample), ended(f"in{sample}", "unknown"), e.SampleQuarantined(sample=sample, reason="r")]


def retired(sample):
    return [intended(f"r{sample}", "retire", sample, ["robot", "chamber"]), ended(f"r{sample}")]


def in_gripper(sample):
    moved = e.SampleMoved(sample=sample, source=f"cassette/{sample}", destination="gripper")
    slot = [*cut_off(sample, f"cassette/{sample + 10}")]
    return [*slot, moved, ended(f"in{sample}", "interrupted")]


def stalled(sample):
    """It arrived, and the arm did not leave."""
    moved = e.SampleMoved(sample=sample, source=f"cassette/{sample}", destination=CHAMBER)
    return [*cut_off(sample), moved, ended(f"in{sample}", "failed")]


def wanted(*entries):
    """(plan, sample, destination) of what may start after `entries`."""
    return [(step.plan, step.sample, step.destination) for step in next_steps(story(*entries), LAYOUT)]


@pytest.mark.parametrize(
    ("entries", "steps"),
    [
        ([], []),
        (bare(1), [("transfer", 1, CHAMBER)]),
        (in_chamber(1), [("deposit", 1, None)]),
        (made(1), [("transfer", 1, MAGNETOMETER)]),
        (to_measure(1), [("measure", 1, None)]),
        (measured(1), [("transfer", 1, "cassette/1")]),
        (waiting(1), [("transfer", 1, MAGNETOMETER)]),
        # both stations at once
        ([*to_measure(1), *in_chamber(2)], [("deposit", 2, None), ("measure", 1, None)]),
        # the measured film makes room while the next one grows
        ([*measured(1), *in_chamber(2)], [("deposit", 2, None), ("transfer", 1, "cassette/1")]),
        # the magnetometer is taken: the new film waits in its own slot
        ([*to_measure(1), *made(2)], [("measure", 1, None), ("transfer", 2, "cassette/2")]),
        # it is free in a moment: the new film waits for that in the chamber
        ([*measured(1), *made(2)], [("transfer", 1, "cassette/1")]),
        # the chamber comes first
        ([*waiting(1), *bare(2)], [("transfer", 2, CHAMBER)]),
        # the film in the chamber before the one that waits, since it is in the next substrate's way
        ([*waiting(1), *made(2)], [("transfer", 2, MAGNETOMETER)]),
        # first come, first served
        ([*waiting(1), *waiting(2)], [("transfer", 1, MAGNETOMETER)]),
        # a discarded substrate leaves the chamber
        ([*in_chamber(1), e.SampleDiscarded(sample=1, by="me", reason="r")], [("transfer", 1, "cassette/1")]),
        # so does a quarantined one, if it is certain that it is there
        ([*in_chamber(1), e.SampleQuarantined(sample=1, reason="r"), *bare(2)], [("transfer", 1, "cassette/1")]),
        # if not, nothing goes where it may be
        ([*lost(1), *bare(2)], [("retire", 1, None)]),
        ([*lost(1), *retired(1), *bare(2)], []),
        # what the gripper holds goes on first
        ([*in_gripper(1), *bare(2)], [("transfer", 1, CHAMBER)]),
        ([*in_chamber(2), *in_gripper(1)], [("transfer", 1, "cassette/1")]),
        ([*in_gripper(1), e.SampleDiscarded(sample=1, by="me", reason="r")], [("transfer", 1, "cassette/1")]),
        # an arm that may be in the way is brought out of it, and only what it cannot be in the way of is done
        ([*to_measure(2), *stalled(1)], [("retire", 1, None), ("measure", 2, None)]),
    ],
)
def test_what_may_start(entries, steps):
    assert wanted(*entries) == steps


@pytest.mark.parametrize(
    ("entries", "claims"),
    [
        (bare(1), [("robot", "chamber")]),
        (in_chamber(1), [("chamber",)]),
        (made(1), [("robot", "chamber", "magnetometer")]),
        (to_measure(1), [("magnetometer",)]),
        (measured(1), [("robot", "magnetometer")]),
    ],
)
def test_a_transfer_claims_the_stations_at_both_its_ends(entries, claims):
    assert [step.claims for step in next_steps(story(*entries), LAYOUT)] == claims


def test_nothing_starts_on_a_station_at_work():
    state = story(*in_chamber(1), intended("d1", "deposit", 1, ["chamber"]), suggested(2))
    assert next_steps(state, LAYOUT) == []


def test_nothing_starts_twice():
    state = story(suggested(1), transfer("in1", 1, "cassette/1", CHAMBER, "chamber")[0])
    assert next_steps(state, LAYOUT) == []


@pytest.mark.parametrize("station", ["chamber", "magnetometer", "robot"])
def test_nothing_starts_on_a_lost_station(station):
    state = story(*to_measure(1), *in_chamber(2), e.StationLost(station=station, reason="died"))
    assert all(station not in step.claims for step in next_steps(state, LAYOUT))


@pytest.mark.parametrize(
    "entries",
    [
        [command("hold")],
        [command("hold"), e.CampaignHeld()],
        [command("abort")],
        [e.OperatorNeeded(reason="help")],
        [e.CampaignEnded(end="done", reason="r")],
    ],
)
def test_nothing_starts_while_held_or_ending_or_in_need(entries):
    assert wanted(*to_measure(1), *entries) == []


def test_films_in_flight_are_finished_while_stopping():
    assert wanted(*to_measure(1), command("stop")) == [("measure", 1, None)]


# --- suggestions, and home ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "wants"),
    [
        ([], True),
        (bare(1), False),
        (in_chamber(1), False),
        ([*in_chamber(1), intended("d1", "deposit", 1, ["chamber"])], False),
        (made(1), True),
        ([*in_chamber(1), e.SampleDiscarded(sample=1, by="me", reason="r")], True),
        ([*waiting(1), *waiting(2)], False),
        ([*to_measure(1), intended("m1", "measure", 1, ["magnetometer"]), *waiting(2)], True),
    ],
)
def test_the_next_suggestion_is_wanted_once_the_chamber_has_nothing_to_deposit(entries, wants):
    assert FILMS_AHEAD == 2
    assert wants_suggestion(story(*entries), samples=9) is wants


def test_a_substrate_given_up_bare_is_not_a_film_of_the_budget():
    entries = [*made(1), suggested(2), e.SampleDiscarded(sample=2, by="me", reason="r")]
    assert not wants_suggestion(story(*entries), samples=1)
    assert wants_suggestion(story(*entries), samples=2)


def test_all_home():
    assert all_home(story())
    assert not all_home(story(*bare(1)))
    assert not all_home(story(*waiting(1)))
    state = story(*measured(1))
    assert not all_home(state)
    home = transfer("home", 1, MAGNETOMETER, "cassette/1", "magnetometer")
    assert not all_home(tell(state, *home[:2]))
    assert all_home(tell(state, *home[2:]))
    assert all_home(tell(state, suggested(2), e.SampleQuarantined(sample=2, reason="r")))


# --- how full the stations are --------------------------------------------------------------------------


def simulated(*, deposit, transfer, measure, films=24, suggestion_s=20.0):
    """A night without failures in which steps take so many minutes."""
    minutes = {"deposit": deposit, "transfer": transfer, "measure": measure}
    night = Night(campaign(samples=films))
    coming = []  # (time, tie, step or None for a suggestion)

    def decide():
        asked = night.asked
        for intent in night.decide():
            heapq.heappush(coming, (night.now + 60 * minutes[intent.plan], len(night.entries), intent))
        if night.asked and not asked:
            heapq.heappush(coming, (night.now + suggestion_s, len(night.entries), None))

    decide()
    while coming:
        night.now, _, intent = heapq.heappop(coming)
        if intent is None:
            night.suggest()
        else:
            night.end_step(intent.step, DONE[intent.plan])
        decide()
    assert night.state.ended.end == "done"
    assert len(night.state.observations) == films
    assert all(sample.phase is Phase.OBSERVED and sample.at_home for sample in night.state.samples.values())
    return night


def shares(night):
    """Fraction of the time between a station's first step and its last for which it is claimed."""
    return utilisation(intervals(night.entries))


@pytest.mark.parametrize("deposit", [21, 26, 60])
def test_the_chamber_is_kept_full_when_depositing_takes_longer(deposit):
    assert shares(simulated(deposit=deposit, transfer=1.5, measure=20))["chamber"] >= 0.90


@pytest.mark.parametrize("measure", [27, 40, 90])
def test_the_magnetometer_is_kept_full_when_measuring_takes_longer(measure):
    night = simulated(deposit=26, transfer=1.5, measure=measure)
    assert shares(night)["magnetometer"] >= 0.90
    queued = [x.entry.destination for x in night.entries if isinstance(x.entry, e.SampleMoved)]
    assert any(place.startswith("cassette/") for place in queued)


def test_stations_overlap_as_a_sequence_of_films_does_not():
    night = simulated(deposit=26, transfer=1.5, measure=20)
    one_after_the_other_h = 24 * (26 + 20 + 3 * 1.5) / 60
    hours = (night.now - START) / 3600
    assert hours < 0.6 * one_after_the_other_h


def test_films_do_not_run_ahead_of_what_can_be_learnt_from_them():
    """A slow magnetometer does not make the chamber deposit compositions that nothing was learnt for."""
    night = simulated(deposit=26, transfer=1.5, measure=90)
    suggestions = [x.entry for x in night.entries if isinstance(x.entry, e.SampleSuggested)]
    assert max(len(suggestion.pending) for suggestion in suggestions) <= FILMS_AHEAD + 1
