"""Candidates that came to nothing are released, but not for ever."""

from __future__ import annotations

from orchestrator.campaign import entries as e
from orchestrator.campaign.givenup import withheld
from tests.campaign.stories import film, intended, observed, story, suggested

OTHER = {"Fe": 0.5, "Co": 0.5, "Ni": 0.0}


def discarded(sample, composition=None, **settings):
    told = suggested(sample)
    told = told.model_copy(update={"composition": composition or told.composition, "settings": settings})
    return [told, e.SampleDiscarded(sample=sample, by="policy", reason="no plasma")]


def numbers(state, attempts):
    return [sample.number for sample in withheld(state.samples.values(), attempts)]


def test_a_candidate_is_withheld_after_so_many_samples_came_to_nothing():
    state = story(*discarded(1), *discarded(2, OTHER), *discarded(3))
    assert numbers(state, 1) == [2, 3]
    assert numbers(state, 2) == [3]
    assert numbers(state, 3) == []


def test_other_settings_are_another_candidate():
    state = story(*discarded(1, power_w=60.0), *discarded(2, power_w=80.0), *discarded(3, power_w=80.0))
    assert numbers(state, 2) == [3]


def test_an_element_that_is_not_there_makes_no_other_candidate():
    state = story(*discarded(1, OTHER), *discarded(2, {"Fe": 0.5, "Co": 0.5}))
    assert numbers(state, 2) == [2]


def test_what_was_observed_or_is_under_way_did_not_come_to_nothing():
    made = [
        suggested(2),
        intended("d2", "deposit", 2, ["chamber"]),
        film(2),
        e.StepEnded(step="d2", end="done"),
        intended("m2", "measure", 2, ["magnetometer"]),
        observed(2),
    ]
    state = story(*discarded(1), *made, suggested(3))
    assert numbers(state, 2) == []
    assert numbers(state, 1) == [1]


def test_what_was_set_aside_came_to_nothing_too():
    state = story(*discarded(1), suggested(2), e.SampleQuarantined(sample=2, reason="lost"))
    assert numbers(state, 2) == [2]
    assert state.pending == []
