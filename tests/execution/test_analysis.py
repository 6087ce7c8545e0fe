"""The analysis on loops whose truth is known; and on loops that say nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.roles import MagnetometryStation
from orchestrator.execution.analysis import of_measurement

SCALE = 1e-3  # A m2 / V
KWARGS = {"thickness_nm": 50.0, "thickness_sigma_nm": 0.5}
VOLUME_M3 = 25e-6 * 50e-9


def station(quantity="moment", scale=SCALE):
    return MagnetometryStation(
        name="vsm",
        magnet=None,
        field_meter=None,
        signal=None,
        quantity=quantity,
        scale=scale,
        scale_sigma=0.01,
        field_per_ampere_mt=40.0,
        film_area_mm2=25.0,
    )


def fields(top=300.0, hc=3.0, fine=0.25, far=15.0):
    near = np.arange(-hc - 8, hc + 8, fine)
    rising = np.concatenate([np.arange(-top, near[0], far), near, np.arange(near[-1] + 5, top, far), [top]])
    return np.concatenate([[top] * 4, rising[::-1], rising[1:]])


def measured(
    ms_ka_m=1500.0, hc=3.0, width=0.8, background=0.0, drift=0.0, offset=0.0, noise=0.0, top=300.0, seed=1, far=15.0
):
    """The outcome of a measure plan; `background` in parts of Ms at the highest field, like drift and noise."""
    b = fields(top, hc, far=far)
    falling = np.arange(len(b)) <= np.argmin(b)
    m = np.tanh((b + np.where(falling, hc, -hc)) / width)
    t = np.linspace(0, 1, len(b))
    rng = np.random.default_rng(seed)
    moment = ms_ka_m * 1e3 * VOLUME_M3
    y = moment * (m + background * b / top + drift * t + offset + noise * rng.standard_normal(len(b)))
    loop = {"field_mt": b.tolist(), "signal": (y / SCALE).tolist(), "unit": "V"}
    return {"loop": {**loop, "overloaded": [False] * len(b), "at_s": (t * 900).tolist()}}


@settings(deadline=None, max_examples=60)
@given(
    ms=st.floats(50, 2200),
    hc=st.floats(0.5, 40),
    width=st.floats(0.2, 12),
    background=st.floats(-0.4, 0.0),
    drift=st.floats(-0.02, 0.02),
    offset=st.floats(-1, 1),
    noise=st.floats(0, 0.005),
    seed=st.integers(0, 2**31),
)
def test_a_saturated_loop_gives_its_parameters_within_their_errors(
    ms, hc, width, background, drift, offset, noise, seed
):
    outcome = of_measurement(measured(ms, hc, width, background, drift, offset, noise, seed=seed), station(), KWARGS)
    assert outcome["validity"] == "valid", outcome["reason"]
    found = outcome["quantities"]
    remanent = ms * math.tanh(hc / width)
    for quantity, true in {
        "saturation_magnetisation": ms,
        "coercivity": hc,
        "remanence": remanent,
        "squareness": remanent / ms,
    }.items():
        value, sigma = found[quantity]["value"], found[quantity]["sigma"]
        assert sigma >= 0
        assert abs(value - true) <= 5 * sigma + 1e-3 * abs(true), (quantity, value, sigma, true)
    assert found["saturation_magnetisation"]["sigma"] < 0.03 * ms
    assert found["coercivity"]["sigma"] < 0.6
    assert {name: q["unit"] for name, q in found.items()} == {
        "saturation_magnetisation": "kA/m",
        "coercivity": "mT",
        "remanence": "kA/m",
        "squareness": "1",
    }


def test_the_uncertainty_holds_scale_and_thickness():
    found = of_measurement(measured(), station(), KWARGS)["quantities"]["saturation_magnetisation"]
    assert found["sigma"] / found["value"] == pytest.approx(math.hypot(0.01, 0.01), rel=0.02)


@settings(deadline=None, max_examples=40)
@given(width=st.floats(150, 2000), noise=st.floats(0, 0.01), background=st.floats(-0.05, 0.0), seed=st.integers(0, 99))
def test_a_film_that_is_not_saturated_is_never_called_valid_and_its_bound_is_one(width, noise, background, seed):
    outcome = of_measurement(measured(1500, 3.0, width, background, noise=noise, seed=seed), station(), KWARGS)
    assert outcome["validity"] in ("censored", "failed"), outcome["quantities"]
    if outcome["validity"] == "censored":
        assert "not saturated" in outcome["reason"]
        true = {"saturation_magnetisation": 1500, "coercivity": 3.0, "remanence": 1500 * math.tanh(3.0 / width)}
        for quantity, bound in outcome["quantities"].items():
            assert bound.get("bound") == ("lower" if quantity in true else None)
            if quantity in true:
                assert bound["value"] <= true[quantity] + 3 * bound["sigma"] + 0.01 * true[quantity]


@pytest.mark.parametrize(("scale", "side", "sign"), [(2e5, "lower", 1), (-2e5, "upper", -1)])
def test_what_a_rotation_is_at_least_is_so_in_absolute_terms(scale, side, sign):
    outcome = of_measurement(measured(width=250), station("kerr_rotation", scale=scale), {})
    assert outcome["validity"] == "censored", outcome["reason"]
    rotation = outcome["quantities"]["kerr_rotation"]
    assert rotation["bound"] == side
    assert 0 < sign * rotation["value"] < 1500e3 * VOLUME_M3 / SCALE * 2e5
    assert outcome["quantities"]["coercivity"]["bound"] == "lower"
    assert "bound" not in outcome["quantities"]["squareness"]


def test_values_of_a_saturated_loop_are_no_bounds():
    found = of_measurement(measured(), station(), KWARGS)["quantities"]
    assert not any("bound" in told for told in found.values())


def failed(outcome, *, on=None, kwargs=KWARGS, again=True):
    answer = of_measurement(outcome, on or station(), kwargs)
    assert answer["validity"] == "failed"
    assert answer["again"] is again
    assert answer["quantities"] == {}
    assert answer["loop"]["field_mt"] == outcome["loop"]["field_mt"]
    return answer["reason"]


@pytest.mark.parametrize("constant", [0.0, 1.3e-5])
def test_a_dead_contact_is_no_zero(constant):
    outcome = measured()
    outcome["loop"]["signal"] = [constant] * len(outcome["loop"]["signal"])
    assert "the signal never changed" in failed(outcome)


@given(seed=st.integers(0, 1000))
def test_noise_alone_is_no_film(seed):
    outcome = measured(ms_ka_m=1e-3)
    rng = np.random.default_rng(seed)
    outcome["loop"]["signal"] = (1e-6 * rng.standard_normal(len(outcome["loop"]["signal"]))).tolist()
    assert failed(outcome)


def test_a_weak_signal_says_how_weak():
    assert "signal to noise too low" in failed(measured(ms_ka_m=10, noise=4.0))


def test_many_points_tell_a_saturation_that_single_ones_cannot_but_no_coercivity():
    outcome = of_measurement(measured(ms_ka_m=10, noise=0.4, far=1.5), station(), KWARGS)
    assert outcome["validity"] == "valid"
    assert outcome["reason"] == "too noisy to read a coercivity"
    assert set(outcome["quantities"]) == {"saturation_magnetisation"}
    found = outcome["quantities"]["saturation_magnetisation"]
    assert abs(found["value"] - 10) < 4 * found["sigma"]


def test_an_overload_is_no_measurement():
    outcome = measured()
    outcome["loop"]["overloaded"][3] = outcome["loop"]["overloaded"][4] = True
    assert failed(outcome) == "the lock-in was overloaded at 2 points"


def test_a_point_that_is_missing():
    outcome = measured()
    outcome["loop"]["signal"][5] = math.nan
    assert "1 points are not numbers" in failed(outcome)


def test_too_few_points():
    outcome = measured()
    outcome["loop"] = {k: v[:9] if isinstance(v, list) else v for k, v in outcome["loop"].items()}
    assert "too few points: 9" in failed(outcome)


def test_a_field_that_stayed_on_one_side():
    outcome = measured()
    outcome["loop"]["field_mt"] = [abs(b) for b in outcome["loop"]["field_mt"]]
    assert "the field stayed between" in failed(outcome)


def test_a_loop_that_does_not_close():
    assert "does not close" in failed(measured(drift=0.4))


def test_an_empty_loop_is_told_apart_from_a_bad_one():
    loop = {"field_mt": [], "signal": [], "unit": "V", "overloaded": [], "at_s": []}
    assert "too few points: 0" in failed({"loop": loop})


def test_a_moment_against_the_field_asks_for_the_phase():
    assert "turn the lock-in's phase" in failed(measured(), on=station(scale=-SCALE), again=False)


def begun_to_turn(sign=1.0, noise=1e-3):
    """A loop whose highest field only begins to turn the film: it bends upwards, and is a little open."""
    outcome = measured()
    b = np.array(outcome["loop"]["field_mt"])
    falling, x = np.arange(len(b)) <= np.argmin(b), b / b.max()
    y = 0.3 * x**3 + np.where(falling, 0.05, -0.05) * (1 - x**2)
    y += noise * np.random.default_rng(1).standard_normal(len(b))
    outcome["loop"]["signal"] = (sign * 1500e3 * VOLUME_M3 * y / SCALE).tolist()
    return outcome


def test_a_field_below_the_coercivity_asks_for_more_field():
    told = failed(begun_to_turn(), again=False)
    assert "raise max_field_mt" in told
    assert "300 mT" in told


@pytest.mark.parametrize("noise", [1e-3, 0.01])
def test_a_loop_that_goes_round_the_wrong_way_asks_for_the_phase(noise):
    told = failed(measured(noise=noise), on=station(scale=-SCALE), again=False)
    assert "turn the lock-in's phase" in told
    assert "max_field_mt" not in told


def test_no_thickness_no_magnetisation():
    assert "thickness is not known" in failed(measured(), kwargs={}, again=False)


def test_kerr_rotation_has_a_sign_and_needs_no_thickness():
    outcome = of_measurement(measured(), station("kerr_rotation", scale=-2e5), {})
    assert outcome["validity"] == "valid"
    assert outcome["quantities"]["kerr_rotation"]["unit"] == "mrad"
    assert outcome["quantities"]["kerr_rotation"]["value"] < 0
    assert outcome["quantities"]["coercivity"]["value"] == pytest.approx(3.0, abs=0.05)
    assert 0 < outcome["quantities"]["squareness"]["value"] <= 1.01
    assert "saturation_magnetisation" not in outcome["quantities"]


def test_the_loop_comes_back_in_units_with_the_film_alone_beside_it():
    outcome = of_measurement(measured(background=-0.3, offset=0.5), station(), KWARGS)
    assert outcome["loop"]["unit"] == "A m2"
    assert outcome["loop"]["film_unit"] == "kA/m"
    assert max(outcome["loop"]["film"]) == pytest.approx(1500, rel=0.01)


@pytest.mark.parametrize(("sigma_nm", "validity"), [(9.0, "valid"), (11.0, "failed"), (29.0, "failed")])
def test_a_film_whose_thickness_nobody_knows_has_no_magnetisation(sigma_nm, validity):
    outcome = of_measurement(measured(), station(), {**KWARGS, "thickness_sigma_nm": sigma_nm})
    assert outcome["validity"] == validity
    assert validity == "valid" or "known to" in outcome["reason"]


def test_the_kerr_rotation_needs_no_thickness():
    outcome = of_measurement(measured(), station("kerr_rotation"), {"thickness_nm": 50.0, "thickness_sigma_nm": 29.0})
    assert outcome["validity"] == "valid", outcome["reason"]
