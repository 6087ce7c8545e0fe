from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from orchestrator.campaign import entries as e
from orchestrator.campaign.calculations import Calculations
from orchestrator.campaign.labspec import load_lab
from orchestrator.campaign.lifecycle import LifecycleError
from orchestrator.campaign.state import CampaignState, observations_for_model
from orchestrator.campaign.virtualspec import lanes
from tests.campaign.stories import STARTED, ended, film, intended, moved, observed, suggested


def intent(number, lane="theory.1"):
    return e.CalculationIntended(
        calculation=number,
        step=f"c{number}",
        station="theory",
        lane=lane,
        composition={"Fe": 0.7, "Co": 0.3},
        method="space-filling",
        observed=0,
        calculated=0,
    )


def result(number, end="done", **other):
    value = {"value": 1900.0, "sigma": 1.0} if end == "done" else {}
    told = {"calculation": number, "end": end, "composition": {"Fe": 0.7, "Co": 0.3}, "unit": "kA/m", **value}
    return e.CalculationEnded(**{"fidelity": "closed-form", **told, **other})


def test_a_calculation_is_under_way_until_it_ends_and_then_a_result():
    told = Calculations()
    told.begin(intent(1))
    assert told.lanes == {"theory.1": intent(1)}
    assert told.with_step("c1") == intent(1)
    told.end(result(1, seconds=3.0), 7)
    assert told.under_way == {}
    assert (told.results[0].ended, told.results[0].version) == (result(1, seconds=3.0), 7)
    assert (told.count("theory"), told.seconds) == (1, {"theory": 3.0})


def test_what_cannot_happen_is_refused():
    told = Calculations()
    told.begin(intent(1))
    with pytest.raises(LifecycleError, match="under way"):
        told.begin(intent(2))
    with pytest.raises(LifecycleError, match="follow"):
        told.begin(intent(3, "theory.2"))
    with pytest.raises(LifecycleError, match="never intended"):
        told.end(result(2), 1)
    told.end(result(1), 1)
    with pytest.raises(LifecycleError, match="ended"):
        told.end(result(1), 2)


def test_failures_count_and_interruptions_do_not():
    told = Calculations()
    for number, end in enumerate(("failed", "failed", "interrupted", "done", "failed"), 1):
        told.begin(intent(number))
        told.end(result(number, end), number)
    assert told.count("theory") == 4
    assert len(told.failed) == 3
    assert told.failed_in_a_row == {"theory": 1}


@given(st.lists(st.sampled_from(["begin", "done", "failed", "interrupted"]), max_size=40), st.integers(1, 3))
def test_any_order_of_events_keeps_one_calculation_a_process_and_counts_all(events, processes):
    told, busy, counts = Calculations(), {}, {"done": 0, "failed": 0, "interrupted": 0}
    names = lanes("theory", processes)
    for version, event in enumerate(events):
        free = [lane for lane in names if lane not in busy]
        if event == "begin" and free:
            told.begin(intent(told.intended + 1, free[0]))
            busy[free[0]] = told.intended
        elif event != "begin" and busy:
            lane, number = next(iter(busy.items()))
            told.end(result(number, event), version)
            del busy[lane]
            counts[event] += 1
    copy = told.copy()
    assert set(told.lanes) == set(busy)
    assert told.count("theory") == len(busy) + counts["done"] + counts["failed"]
    assert (len(told.results), len(told.failed)) == (counts["done"], counts["failed"])
    if busy:
        copy.end(result(next(iter(busy.values()))), 99)
        assert set(told.lanes) == set(busy)  # the copy was another


@pytest.mark.parametrize("wrong", [{"end": "done", "value": None}, {"end": "done", "sigma": -1.0}, {"value": 1.0}])
def test_a_calculation_has_a_value_if_it_is_done_and_only_then(wrong):
    with pytest.raises(ValidationError):
        result(1, **{"end": "failed", **wrong})


def test_the_model_is_told_films_and_calculations_in_the_order_of_the_journal():
    state = CampaignState()
    story = [
        STARTED,
        intent(1),
        result(1),
        suggested(1),
        intended("t1", "transfer", 1, ["robot", "deposition"], source="cassette/1", destination="deposition"),
        moved(1, "cassette/1", "deposition"),
        ended("t1"),
        intended("d1", "deposit", 1, ["deposition"]),
        film(1),
        ended("d1"),
        intended("t2", "transfer", 1, ["robot", "magnetometry"], source="deposition", destination="magnetometry"),
        moved(1, "deposition", "magnetometry"),
        ended("t2"),
        intent(2),
        intended("m1", "measure", 1, ["magnetometry"]),
        observed(1),
        ended("m1"),
        result(2),
    ]
    for version, entry in enumerate(story, 1):
        state.apply(e.Recorded(version, float(version), e.from_json(e.to_json(entry))))
    told = observations_for_model(state)
    assert [(seen["sample"], seen.get("station", "")) for seen in told] == [(-1, "theory"), (1, ""), (-2, "theory")]
    assert len(state.observations) == 1  # a calculation is no film
    assert state.films_planned == 1


def test_a_lab_may_have_virtual_stations_whose_processes_have_names_of_their_own():
    lab = load_lab(Path(__file__).parents[2] / "campaigns/labs/moke-theory.toml")
    assert list(lab.virtual) == ["theory"]
    assert set(lab.instruments) == {"deposition", "magnetometry", "robot"}
    assert lab.lanes(["theory"]) == {"theory.1": "theory", "theory.2": "theory"}
