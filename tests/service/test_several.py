"""Several objectives in the daemon: what becomes of a loop, and of weights that an operator gives."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.campaign import actions as a
from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import CommandRefused
from orchestrator.campaign.search import Acted
from orchestrator.service import acting
from orchestrator.service.budget import as_changed
from orchestrator.service.forecast import forecast
from orchestrator.service.observations import NoValue, failed_observation, observation
from orchestrator.service.progress import Progress
from orchestrator.service.status import status
from tests.campaign.test_terms import SQUARE, TWO, film_of, night, two
from tests.service.nights import LAB, LAYOUT, campaign

LOOP = {
    "saturation_magnetisation": {"value": 1500.0, "sigma": 10.0, "unit": "kA/m"},
    "coercivity": {"value": 3.0, "sigma": 0.2, "unit": "mT"},
    "squareness": {"value": 0.9, "sigma": 0.01, "unit": "1"},
}


def outcome(without: str = "", validity: str = "valid") -> dict[str, Any]:
    quantities = {name: dict(told) for name, told in LOOP.items() if name != without}
    if validity == "censored":
        for name in ("saturation_magnetisation", "coercivity"):
            quantities[name]["bound"] = "lower"
    return {"quantities": quantities, "validity": validity, "reason": "a reason" if validity == "censored" else ""}


def the_sample(spec):
    state = night(spec)
    for entry in film_of(1):
        state.apply(e.Recorded(version=state.version + 1, time=state.time + 1, entry=entry))
    return state.samples[1]


def test_an_observation_has_every_quantity_in_its_unit():
    units = [TWO[0] | {"unit": "T"}, TWO[1] | {"unit": "Oe"}]
    spec = campaign(objectives=units, limits=[SQUARE])
    made = observation(spec, the_sample(spec), outcome())
    assert made.outcomes["coercivity"] == {"validity": "valid", "value": 30.0, "sigma": 2.0, "unit": "Oe"}
    assert made.outcomes["saturation_magnetisation"]["value"] == pytest.approx(made.value)
    assert (made.unit, made.outcomes["squareness"]["unit"]) == ("T", "1")


def test_one_objective_without_limits_is_told_as_before():
    spec = campaign()
    assert observation(spec, the_sample(spec), outcome()).outcomes == {}


def test_a_loop_that_lacks_a_quantity_gives_no_value_but_what_it_has_is_kept():
    spec = two()
    sample = the_sample(spec)
    with pytest.raises(NoValue, match="the loop tells no coercivity") as none:
        observation(spec, sample, outcome(without="coercivity"))
    assert none.value.again
    failed = failed_observation(spec, sample, outcome(without="coercivity"), str(none.value))
    assert (failed.validity, failed.value) == ("failed", None)
    assert failed.outcomes["saturation_magnetisation"]["value"] == 1500.0
    assert failed.outcomes["coercivity"]["validity"] == "failed"
    assert "tells no coercivity" in failed.outcomes["coercivity"]["reason"]


def test_a_loop_that_bounds_its_quantities_is_censored():
    spec = two()
    made = observation(spec, the_sample(spec), outcome(validity="censored"))
    assert {told["bound"] for told in made.outcomes.values()} == {"lower"}
    with pytest.raises(NoValue, match="does not even bound the squareness") as none:
        observation(two(limits=[SQUARE]), the_sample(spec), outcome(validity="censored"))
    assert not none.value.again


# --- weights --------------------------------------------------------------------------------------------


def decide(state, weights: dict[str, float], spec):
    site = acting.Site(state, as_changed(spec, state), LAB, LAYOUT, state.time)
    return acting.decide(a.SearchRequest(a.ChangeWeights(weights=weights), "anna", "r"), site)


def test_weights_are_changed_and_said_again_change_nothing():
    spec = two()
    state = night(spec)
    entry = decide(state, {"coercivity": 2.0}, spec)
    assert isinstance(entry, e.WeightsChanged)
    assert entry.weights == {"coercivity": 2.0}
    state.apply(e.Recorded(version=state.version + 1, time=state.time + 1, entry=entry))
    again = decide(state, {"coercivity": 2.0}, spec)
    assert isinstance(again, Acted)
    assert again.about == "weights coercivity 2"


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        ({"kerr_rotation": 2.0}, "kerr_rotation is no objective: give one of saturation_magnetisation, coercivity"),
        ({"coercivity": 1.0}, "they have the weights coercivity 1 already"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, why):
    with pytest.raises(CommandRefused, match=why):
        decide(night(two()), weights, two())


# --- status -----------------------------------------------------------------------------------------------


def test_status_has_the_front_and_survives_its_way_to_another_process():
    spec = two(limits=[SQUARE])
    state = night(spec, (1800.0, 6.0), (1500.0, 2.0), (1900.0, 1.0, 0.1))
    told = status(state, spec, state.time)
    assert [film["sample"] for film in told.front] == [1, 2]
    assert told.limits == ("squareness at least 0.5",)
    assert Progress.of(told.as_dict()) == told


def test_the_end_is_foreseen_as_with_one_objective():
    spec = two()
    state = night(spec)
    assert forecast(state, spec, LAB, state.time) is not None
