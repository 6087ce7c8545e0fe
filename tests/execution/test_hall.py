"""The analysis of Hall loops whose truth is known; and of loops that say nothing.

Reference values: the anomalous Hall resistivity that each loop is made from (orders of magnitude
of sputtered films: Fe 0.6, FePt 5 uohm cm), in closed form.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.roles import MagnetometryStation
from orchestrator.execution.hall import antisymmetrised, of_measurement

THICKNESS_NM = 30.0
KWARGS = {"thickness_nm": THICKNESS_NM, "thickness_sigma_nm": 0.3}


def station(scale: float = 1.0) -> MagnetometryStation:
    return MagnetometryStation(
        name="hall",
        magnet=None,
        field_meter=None,
        signal=None,
        quantity="hall_resistance",
        scale=scale,
        scale_sigma=0.005,
        field_per_ampere_mt=200.0,
        film_area_mm2=25.0,
    )


def grid(top: float = 2400.0, step: float = 60.0) -> np.ndarray:
    rising = np.arange(-top, top + step / 2, step)
    return np.concatenate([[top] * 4, rising[::-1], rising[1:]])


def measured(
    rho_uohm_cm: float = 0.6,
    saturation_mt: float = 1500.0,
    coercivity_mt: float = 0.0,
    ordinary_ohm_t: float = 1e-3,
    offset_ohm: float = 0.15,
    even_ohm: float = 2e-3,
    drift_ohm: float = 0.0,
    noise_ohm: float = 0.0,
    top: float = 2400.0,
    seed: int = 1,
    step: float = 60.0,
) -> dict:
    """The outcome of a measure plan: a film that turns straight from one saturation to the other, around its
    coercivity; misplaced contacts with a magnetoresistance; a drift over the whole loop."""
    b = grid(top, step)
    falling = np.arange(len(b)) <= np.argmin(b)
    turned = np.clip((b + np.where(falling, coercivity_mt, -coercivity_mt)) / saturation_mt, -1, 1)
    t = np.linspace(0, 1, len(b))
    anomalous = rho_uohm_cm / (0.1 * THICKNESS_NM)  # rho = R d
    rng = np.random.default_rng(seed)
    y = anomalous * turned + ordinary_ohm_t * b * 1e-3 + offset_ohm + even_ohm * turned**2 + drift_ohm * t
    y = y + noise_ohm * rng.standard_normal(len(b))
    loop = {"field_mt": b.tolist(), "signal": y.tolist(), "unit": "ohm", "overloaded": [False] * len(b)}
    return {"loop": {**loop, "at_s": (t * 1800).tolist()}}


@settings(deadline=None, max_examples=60)
@given(
    rho=st.floats(0.1, 5).flatmap(lambda rho: st.sampled_from([rho, -rho])),
    saturation=st.floats(200, 2000),
    ordinary=st.floats(-2e-3, 2e-3),
    offset=st.floats(-2, 2),
    even=st.floats(-0.02, 0.02),
    drift=st.floats(-0.01, 0.01),
    noise=st.floats(0, 5e-4),
    seed=st.integers(0, 2**31),
)
def test_the_resistivity_comes_out_within_its_error(rho, saturation, ordinary, offset, even, drift, noise, seed):
    outcome = of_measurement(
        measured(rho, saturation, 0.0, ordinary, offset, even, drift, noise, seed=seed), station(), KWARGS
    )
    assert outcome["validity"] == "valid", outcome["reason"]
    found = outcome["quantities"]["anomalous_hall_resistivity"]
    assert found["unit"] == "uohm cm"
    assert abs(found["value"] - rho) <= 5 * found["sigma"] + 1e-4 * abs(rho)
    assert found["sigma"] <= 0.05 * abs(rho)
    resistance = outcome["quantities"]["anomalous_hall_resistance"]["value"]
    assert resistance == pytest.approx(found["value"] / (0.1 * THICKNESS_NM))


@pytest.mark.parametrize(("film", "rho"), [("Fe", 0.6), ("Fe-Co", 0.9), ("FePt", 5.0), ("Ni", -0.4)])
def test_reference_values(film: str, rho: float) -> None:
    found = of_measurement(measured(rho), station(), KWARGS)["quantities"]["anomalous_hall_resistivity"]
    assert found["value"] == pytest.approx(rho, rel=1e-3), film
    assert found["sigma"] == pytest.approx(abs(rho) * math.hypot(0.005, 0.01), rel=0.05)


def test_the_loop_is_told_as_the_films_own_too() -> None:
    loop = of_measurement(measured(saturation_mt=40.0, coercivity_mt=250.0, step=20.0), station(), KWARGS)["loop"]
    assert len(loop["film"]) == len(loop["field_mt"]) == len(loop["signal"])
    assert (loop["unit"], loop["film_unit"]) == ("ohm", "ohm")
    at = {round(b): (value, index) for index, (b, value) in enumerate(zip(loop["field_mt"], loop["film"], strict=True))}
    assert loop["film"][0] == pytest.approx(0.2, rel=1e-3)
    assert min(loop["film"]) == pytest.approx(-0.2, rel=1e-3)
    assert at[0][0] == pytest.approx(-0.2, rel=1e-3)  # the later of the two: the rising branch has not turned yet


def test_antisymmetrising_leaves_no_offset_and_nothing_even() -> None:
    loop = measured(offset_ohm=5.0, even_ohm=0.5)["loop"]
    b, hall = antisymmetrised(np.array(loop["field_mt"]), np.array(loop["signal"]))
    plain = measured(offset_ohm=0.0, even_ohm=0.0)["loop"]
    assert hall == pytest.approx(np.array(plain["signal"])[: len(b)], abs=1e-12)


def test_a_drift_of_the_offset_is_no_hall_effect() -> None:
    found = of_measurement(measured(drift_ohm=0.05), station(), KWARGS)["quantities"]["anomalous_hall_resistivity"]
    assert found["value"] == pytest.approx(0.6, rel=5e-3)


def test_coercivity_of_a_film_that_is_magnetised_out_of_its_plane() -> None:
    outcome = of_measurement(measured(saturation_mt=40.0, coercivity_mt=250.0, step=20.0), station(), KWARGS)
    assert outcome["validity"] == "valid", outcome["reason"]
    found = outcome["quantities"]
    assert found["coercivity"]["value"] == pytest.approx(250.0, abs=3 * found["coercivity"]["sigma"] + 1)
    assert found["squareness"]["value"] == pytest.approx(1.0, abs=0.02)


def test_a_field_that_does_not_saturate_the_film_gives_nothing() -> None:
    outcome = of_measurement(measured(saturation_mt=5000.0, noise_ohm=1e-4), station(), KWARGS)
    assert outcome["validity"] == "failed"
    assert "enough to saturate the film out of its plane" in outcome["reason"]


@pytest.mark.parametrize("saturation", [2300.0, 2350.0])
def test_a_knee_at_the_highest_field_is_never_called_valid(saturation: float) -> None:
    outcome = of_measurement(measured(saturation_mt=saturation, noise_ohm=1e-4), station(), KWARGS)
    assert outcome["validity"] != "valid"
    if outcome["validity"] == "censored":
        bound = outcome["quantities"]["anomalous_hall_resistivity"]
        assert bound["bound"] == "lower"
        assert bound["value"] <= 0.6 * 1.01


def test_without_a_thickness_there_is_a_resistance_alone() -> None:
    for kwargs in ({}, {"thickness_nm": 30.0, "thickness_sigma_nm": 20.0}):
        answer = of_measurement(measured(), station(), kwargs)
        found = answer["quantities"]
        assert "anomalous_hall_resistivity" not in found
        assert "gives no resistivity" in answer["reason"]
        assert found["anomalous_hall_resistance"]["value"] == pytest.approx(0.2, rel=1e-3)


def test_the_reference_is_told_by_the_scale_as_it_stands() -> None:
    found = of_measurement(measured(), station(scale=1.1), {"reference": True})["quantities"]
    assert found["hall_resistance"]["value"] == pytest.approx(0.22, rel=1e-3)


def spoilt(**changes) -> dict:
    outcome = measured()
    outcome["loop"] |= changes
    return outcome


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (measured(rho_uohm_cm=0.0, noise_ohm=1e-3), "no anomalous Hall resistance beyond the noise"),
        (spoilt(signal=[0.0] * len(grid())), "never changed"),
        (spoilt(signal=[math.nan] * len(grid())), "not numbers"),
        (spoilt(overloaded=[True] * len(grid())), "the Hall meter was overloaded"),
        (spoilt(field_mt=np.abs(grid()).tolist()), "the field stayed between"),
        (measured(top=300.0, step=250.0), "too few points"),
    ],
)
def test_what_says_nothing_is_failed_and_says_why(outcome: dict, reason: str) -> None:
    answer = of_measurement(outcome, station(), KWARGS)
    assert answer["validity"] == "failed"
    assert answer["quantities"] == {}
    assert reason in answer["reason"]
