"""The film at four contacts: the Hall resistance of the truth, and what stands in the way of reading it."""

from __future__ import annotations

import math

import pytest

from simulators import magnetism
from simulators.hall import ORDINARY_OHM_M_T, FilmAtContacts
from tests.simulators.world import DEPOSITION, MAGNETOMETRY, World, slot

HALL = {"quantity": "hall_resistance", "scale": 1.0, "field_per_ampere_mt": 60.0, "film_area_mm2": 25.0}
IRON = FilmAtContacts(30e-9, 0.6e-8, 2.15)


def test_saturated_it_is_the_resistivity_over_the_thickness() -> None:
    odd = (IRON.resistance_ohm(3.0, 0.02) - IRON.resistance_ohm(-3.0, 0.02)) / 2
    assert odd - ORDINARY_OHM_M_T * 3.0 / 30e-9 == pytest.approx(0.6e-8 / 30e-9, rel=1e-3)


def test_below_saturation_the_demagnetising_field_makes_it_a_straight_line() -> None:
    half = (IRON.resistance_ohm(1.075, 0.0) - IRON.resistance_ohm(-1.075, 0.0)) / 2
    assert half - ORDINARY_OHM_M_T * 1.075 / 30e-9 == pytest.approx(0.5 * 0.6e-8 / 30e-9, rel=1e-3)


def test_misplaced_contacts_see_the_longitudinal_resistance_in_either_field() -> None:
    even = (IRON.resistance_ohm(3.0, 0.02) + IRON.resistance_ohm(-3.0, 0.02)) / 2
    assert even == pytest.approx(0.02 * 2.5e-7 / 30e-9 * 0.99, rel=1e-3)


@pytest.mark.parametrize(("film", "rho"), [("Fe", 0.6), ("Co", 0.3), ("Ni", -0.4)])
def test_elements(film: str, rho: float) -> None:
    assert magnetism.anomalous_hall_uohm_cm({film: 1.0}) == pytest.approx(rho)


def test_heavy_elements_raise_it_and_what_is_not_magnetic_has_none() -> None:
    assert magnetism.anomalous_hall_uohm_cm({"Fe": 0.9, "Pt": 0.1}) > magnetism.anomalous_hall_uohm_cm({"Fe": 1.0})
    assert magnetism.anomalous_hall_uohm_cm({"Cr": 1.0}) == 0.0


def test_a_film_of_the_world_shows_the_truth_and_a_missing_one_an_open_contact() -> None:
    world = World(magnetometer=HALL, limits={"magnet_current_a": 60.0, "magnet_slew_a_s": 5.0})
    contacts = world.magnetometer.contacts
    assert contacts.needed_v(1e-3) == math.inf
    world.carry(slot(1), DEPOSITION)
    world.film(600, "gun1")
    world.carry(DEPOSITION, MAGNETOMETRY)
    read = {}
    for current in (50.0, -50.0):
        world.magnetometer.magnet.ramp(current, 5.0)
        world.wait(60)
        read[current] = (contacts.voltage(1e-3) - contacts.voltage(-1e-3)) / 2e-3
    film = world.lab.samples[0]
    rho = film.properties(world.lab.truth)["anomalous_hall_uohm_cm"]
    anomalous = (read[50.0] - read[-50.0]) / 2 - ORDINARY_OHM_M_T * 3.0 / (film.thickness_nm * 1e-9)
    assert anomalous == pytest.approx(rho * 1e-8 / (film.thickness_nm * 1e-9), rel=0.01)
    assert contacts.needed_v(1e-3) < 1.0
    assert world.hazards() == []


def test_a_ramp_of_the_supplys_own_that_is_too_fast_is_a_hazard() -> None:
    world = World(magnetometer=HALL, limits={"magnet_current_a": 60.0, "magnet_slew_a_s": 5.0})
    world.magnetometer.magnet.ramp(20.0, 8.0)
    world.wait(10)
    assert world.hazards() == ["magnet_slew"]
    world.magnetometer.magnet.ramp(70.0, 5.0)
    assert world.hazards() == ["magnet_slew", "magnet_current"]


def test_a_coil_trails_a_ramp_by_its_lag_and_arrives() -> None:
    world = World(magnetometer=HALL, limits={"magnet_current_a": 60.0, "magnet_slew_a_s": 5.0})
    magnet = world.magnetometer.magnet
    magnet.ramp(10.0, 2.0)
    world.wait(2.5)
    assert magnet.current_a == pytest.approx(5.0 - 0.2, abs=1e-3)
    world.wait(2.5 + 2.0)
    assert magnet.current_a == pytest.approx(10.0, abs=1e-3)
