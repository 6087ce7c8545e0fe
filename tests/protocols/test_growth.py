"""What is said of a film from the rates it grew at and the time."""

from __future__ import annotations

import math

import pytest

from protocols.growth import Growth

GROWTH = Growth(
    rates_nm_s={"Fe": 0.1, "Co": 0.1},
    relative_sigma={"Fe": 0.01, "Co": 0.01},
    power_w={"Fe": 50.0, "Co": 60.0},
)


def test_a_film_grows_with_the_time_and_its_errors_add():
    film = GROWTH.film(100.0, 0.5)
    assert film["thickness_nm"] == pytest.approx(20.0)
    assert film["thickness_sigma_nm"] == pytest.approx(math.sqrt(2 * 0.1**2 + (0.2 * 0.5) ** 2))
    assert film["doses"]["Co"] == {"thickness_nm": pytest.approx(10.0), "seconds": 100.0, "power_w": 60.0}


def test_a_known_time_leaves_the_composition_to_the_rates():
    film = GROWTH.film(100.0, 0.01)
    x = film["composition"]["Fe"]
    assert film["composition_sigma"]["Fe"] == pytest.approx(x * (1 - x) * math.sqrt(2) * 0.01, rel=1e-3)


def test_a_flash_of_unknown_length_has_no_sure_composition():
    """Guns and substrate are covered within the same exchange, in any order."""
    sigma = GROWTH.film(0.02, 0.01)["composition_sigma"]["Fe"]
    x = GROWTH.film(0.02, 0.01)["composition"]["Fe"]
    assert sigma == pytest.approx(x * (1 - x) * math.sqrt(2) * 0.5, rel=1e-3)
    assert GROWTH.film(0.02, 10.0)["composition_sigma"]["Fe"] < 0.5


def test_no_film_is_told_as_none():
    film = GROWTH.film(0.0, 0.0)
    assert film["thickness_nm"] == 0.0
    assert all(math.isfinite(sigma) for sigma in film["composition_sigma"].values())
