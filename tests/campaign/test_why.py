"""Why a sample was chosen, from the journal alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.campaign import entries as e
from orchestrator.campaign.limits import binding
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.why import (
    NotSuggested,
    best_of,
    chance,
    distance,
    exploration,
    fit_in_words,
    plainly,
    why,
    why_of,
)
from tests.campaign.stories import suggested
from tests.report.synthetic import full_night
from tests.service.nights import campaign

NUMBERS = st.floats(-1e3, 1e3)
SIGMAS = st.floats(1e-2, 1e3)


def made(sample: int, composition: dict[str, float], value: float | None, **rest) -> e.ObservationMade:
    validity = "failed" if value is None else "valid"
    return e.ObservationMade(
        sample=sample, composition=composition, composition_sigma={}, value=value, validity=validity,
        sigma=None if value is None else 10.0, unit="kA/m", quantities={}, **rest,
    )  # fmt: skip


def choice(**told) -> e.SampleSuggested:
    return suggested(9).model_copy(update=told)


@given(mean=NUMBERS, sigma=SIGMAS, best=NUMBERS)
def test_the_two_shares_are_those_of_the_expected_improvement(mean, sigma, best):
    """Against the definition: the improvement's expectation, integrated over the predicted normal distribution."""
    share = exploration(mean, sigma, best, "max")
    assert share is not None
    assert 0 <= share <= 1
    z = np.linspace(-8, 8, 20_001)
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    improvement = float(np.trapezoid(np.maximum(mean + sigma * z - best, 0.0) * density, z))
    if mean > best and improvement > 1e-9:
        promise = (mean - best) * chance(mean, sigma, best, "max")
        assert (1 - share) * improvement == pytest.approx(promise, rel=1e-3, abs=1e-6)
    else:
        assert share == 1.0 or improvement <= 1e-9


@given(mean=NUMBERS, sigma=SIGMAS, best=NUMBERS)
def test_less_is_better_is_the_mirror_of_more_is_better(mean, sigma, best):
    assert exploration(mean, sigma, best, "min") == pytest.approx(exploration(-mean, sigma, -best, "max"))
    assert chance(mean, sigma, best, "min") == pytest.approx(chance(-mean, sigma, -best, "max"))


def test_without_spread_there_is_nothing_to_explore():
    assert exploration(2.0, 0.0, 1.0, "max") == 0.0
    assert exploration(1.0, 0.0, 2.0, "max") is None
    assert (chance(2.0, 0.0, 1.0, "max"), chance(1.0, 0.0, 2.0, "max")) == (1.0, 0.0)


def test_a_choice_is_explained_by_what_was_known_and_nothing_later():
    entries = full_night()
    number = 20
    at = next(r for r in entries if isinstance(r.entry, e.SampleSuggested) and r.entry.sample == number)
    told = why_of(entries, number)
    assert told == why_of([r for r in entries if r.version <= at.version], number)
    known = {r.entry.sample for r in entries if isinstance(r.entry, e.ObservationMade) and r.version < at.version}
    assert {film.sample for film in told.nearest} <= known
    assert told.sample == number
    assert told.time == at.time


def test_a_sample_that_was_never_suggested_is_told_with_those_that_were():
    with pytest.raises(NotSuggested, match="sample 99 was never suggested; samples 1 to 25 were"):
        why_of(full_night(), 99)


def test_the_nearest_come_first_and_are_at_most_three():
    known = [
        made(1, {"Fe": 1.0, "Co": 0.0, "Ni": 0.0}, 1500.0),
        made(2, {"Fe": 0.5, "Co": 0.32, "Ni": 0.18}, 1600.0),
        made(3, {"Fe": 0.5, "Co": 0.3, "Ni": 0.2}, None),
        made(4, {"Fe": 0.4, "Co": 0.4, "Ni": 0.2}, 1400.0),
    ]
    told = why(choice(), 0.0, known, 1600.0, campaign())
    assert best_of(known, "max") == 1600.0
    assert [film.sample for film in told.nearest] == [3, 2, 4]
    assert [film.validity for film in told.nearest] == ["failed", "valid", "valid"]
    assert told.nearest[1].distance_at_percent == pytest.approx(100 * math.sqrt(2) * 0.02)
    assert told.best_then == 1600.0
    assert best_of(known, "min") == 1400.0


def test_a_withdrawn_or_failed_value_is_no_best():
    assert best_of([made(1, {"Fe": 1.0}, None)], "max") is None
    assert why(choice(mean=1.0, sigma=1.0), 0.0, [], None, campaign()).exploration is None


def test_settings_count_for_what_is_near():
    spec = Campaign.model_validate(
        campaign().model_dump()
        | {"film": {"argon_pressure_pa": {"min": 0.3, "max": 1.3}, "power_w": 100, "thickness_nm": 50}}
    )
    same = {"Fe": 0.5, "Co": 0.3, "Ni": 0.2}
    far, near = (
        made(1, same, 1.0, settings={"argon_pressure_pa": 1.3}),
        made(2, {"Fe": 0.6, "Co": 0.2, "Ni": 0.2}, 1.0, settings={"argon_pressure_pa": 0.3}),
    )
    told = why(choice(settings={"argon_pressure_pa": 0.3}), 0.0, [far, near], 1.0, spec)
    assert [film.sample for film in told.nearest] == [2, 1]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"method": "space-filling", "observed": 2}, "2 of 6 initial samples"),
        ({"method": "fallback"}, "could not be asked"),
        ({"method": "operator"}, "operator asked"),
        ({"method": "random"}, "at random"),
        ({"replicate": True}, "the best is made again"),
        ({"mean": 1400.0, "sigma": 200.0}, "only its uncertainty"),
        ({"mean": 1510.0, "sigma": 200.0}, "mostly to explore"),
        ({"mean": 1900.0, "sigma": 20.0}, "mostly to exploit"),
        ({"mean": 1560.0, "sigma": 120.0}, "alike"),
        ({"mean": 1400.0, "sigma": 0.0}, "no improvement"),
    ],
)
def test_in_words(told, words):
    assert words in why(choice(**told), 0.0, [made(1, {"Fe": 1.0}, 1500.0)], 1500.0, campaign()).words


def test_the_fit_in_words():
    told = {
        "fitted_to": 8,
        "processes": [
            {"lengthscales": {"Fe": 42.5, "Co": 131.0}, "amplitude": 255.2, "noise": 9.5},
            {"lengthscales": {"Fe": 78.9, "Co": 131.0}, "amplitude": 383.9, "noise": 9.1},
        ],
    }
    first, second, third = fit_in_words(told, "kA/m")
    assert "8 values" in first
    assert "Fe 42 to 79, Co 131." in second
    assert "255 to 384 kA/m" in third
    assert fit_in_words({}, "kA/m") == []
    assert fit_in_words({"reason": "too few"}, "kA/m") == ["No fit: too few"]


@pytest.mark.parametrize(
    ("number", "text"), [(1536.79, "1537"), (0.0123, "0.0123"), (-2e4, "-20000"), (1e9, "1e+09"), (0.0, "0")]
)
def test_numbers_are_written_out(number, text):
    assert plainly(number, 4) == text


def test_the_limits_that_bind():
    spec = Campaign.model_validate(
        campaign().model_dump()
        | {
            "elements": {"Fe": {"min": 10, "max": 60, "step": 2}, "Co": {"step": 2}, "Ni": {"step": 2}},
            "constraints": [{"coefficients": {"Co": 1, "Ni": -1}, "max": 20}, {"coefficients": {"Ni": 1}, "min": 5}],
        }
    )
    assert list(binding({"Fe": 0.6, "Co": 0.3, "Ni": 0.1}, {}, spec)) == [
        "Fe at its most, 60 at.%",
        "Co -1 Ni at its most, 20".replace("Co -1", "Co - 1"),
    ]
    assert list(binding({"Fe": 0.4, "Co": 0.3, "Ni": 0.3}, {}, spec)) == []


def test_distance_is_symmetric_and_knows_elements_that_only_one_has():
    assert distance({"Fe": 1.0}, {"Co": 1.0}) == distance({"Co": 1.0}, {"Fe": 1.0}) == pytest.approx(141.42, abs=0.01)
