"""Magnetism against textbook values.

Saturation at room temperature: Bozorth, Cullity and Graham (Fe 1714, Co 1422, Ni 484 kA/m, permalloy 800);
moments at 0 K: Bardos 1969, Bozorth.  Tolerances are stated with each.
"""

import pytest

from simulators.magnetism import (
    bcc_moment,
    coercivity_mt,
    curie_temperature_k,
    fcc_fraction,
    fcc_moment,
    kerr_rotation_mrad,
    saturation_magnetisation_ka_m,
    squareness,
    temperature_factor,
)


@pytest.mark.parametrize(
    ("composition", "expected", "tolerance"),
    [
        ({"Fe": 1.0}, 1714, 0.01),
        ({"Co": 1.0}, 1422, 0.02),
        ({"Ni": 1.0}, 484, 0.02),
        ({"Fe": 0.65, "Co": 0.35}, 1950, 0.01),
        ({"Fe": 0.75, "Co": 0.25}, 1930, 0.01),  # 1948 at 0 K
        ({"Ni": 0.8, "Fe": 0.2}, 800, 0.05),
    ],
)
def test_saturation_magnetisation(composition, expected, tolerance):
    assert saturation_magnetisation_ka_m(composition) == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize(
    ("cobalt", "moment"), [(0, 2.217), (0.1, 2.34), (0.2, 2.42), (0.3, 2.45), (0.5, 2.36), (0.7, 2.12)]
)
def test_the_bcc_iron_cobalt_curve(cobalt, moment):
    assert bcc_moment({"Fe": 1 - cobalt, "Co": cobalt}) == pytest.approx(moment, abs=0.03)


@pytest.mark.parametrize(("symbol", "slope"), [("V", -2.68), ("Cr", -2.29), ("Mn", -2.11), ("Ni", 1.30)])
def test_slopes_of_dilute_elements_in_iron(symbol, slope):  # Guo and Enomoto 2000
    change = bcc_moment({"Fe": 0.99, symbol: 0.01}) - bcc_moment({"Fe": 1.0})
    assert change / 0.01 == pytest.approx(slope, abs=0.08)


@pytest.mark.parametrize(("iron", "moment"), [(0.1, 0.82), (0.2, 1.02), (0.4, 1.40), (0.5, 1.60), (0.6, 1.72)])
def test_the_fcc_nickel_iron_curve(iron, moment):
    assert fcc_moment({"Fe": iron, "Ni": 1 - iron}) == pytest.approx(moment, abs=0.01)


@pytest.mark.parametrize(
    ("composition", "structure", "kelvin", "tolerance"),
    [
        ({"Fe": 1.0}, "bcc", 1043, 1),
        ({"Co": 1.0}, "fcc", 1396, 1),
        ({"Ni": 1.0}, "fcc", 633, 1),
        ({"Fe": 0.2, "Ni": 0.8}, "fcc", 853, 30),  # permalloy
        ({"Fe": 0.9, "Cr": 0.1}, "bcc", 1035, 30),
    ],
)
def test_curie_temperatures(composition, structure, kelvin, tolerance):
    assert curie_temperature_k(composition, structure) == pytest.approx(kelvin, abs=tolerance)


@pytest.mark.parametrize(("symbol", "curie", "factor"), [("Fe", 1043, 0.981), ("Co", 1388, 0.990), ("Ni", 628, 0.938)])
def test_kuzmins_temperature_factor(symbol, curie, factor):
    assert temperature_factor({symbol: 1.0}, curie) == pytest.approx(factor, abs=0.002)


def test_nothing_is_ferromagnetic_above_its_curie_temperature():
    assert temperature_factor({"Ni": 1.0}, 250.0) == 0.0
    assert saturation_magnetisation_ka_m({"Ni": 0.4, "Cr": 0.6}) == 0.0
    assert saturation_magnetisation_ka_m({"Ta": 1.0}) == 0.0


def test_the_maximum_of_iron_cobalt_nickel_is_on_the_iron_cobalt_edge():
    grid = [
        (saturation_magnetisation_ka_m({"Fe": fe / 50, "Co": co / 50, "Ni": (50 - fe - co) / 50}), fe / 50, co / 50)
        for fe in range(51)
        for co in range(51 - fe)
    ]
    _, iron, cobalt = max(grid)
    assert iron + cobalt == pytest.approx(1.0)
    assert 0.25 <= cobalt <= 0.40


def test_structure_changes_where_films_do():
    assert fcc_fraction({"Fe": 1.0}) < 0.01
    assert fcc_fraction({"Fe": 0.5, "Co": 0.5}) < 0.01
    assert fcc_fraction({"Ni": 1.0}) > 0.99
    assert fcc_fraction({"Co": 1.0}) > 0.99
    assert 0.05 < fcc_fraction({"Fe": 0.68, "Ni": 0.32}) < 0.95


@pytest.mark.parametrize(
    ("composition", "low", "high"),  # mT, sputtered films
    [
        ({"Fe": 0.2, "Ni": 0.8}, 0.05, 0.5),
        ({"Fe": 1.0}, 0.5, 5.0),
        ({"Fe": 0.7, "Co": 0.3}, 2.0, 15.0),
        ({"Co": 1.0}, 2.0, 30.0),
    ],
)
def test_coercivity_of_films(composition, low, high):
    assert low <= coercivity_mt(composition) <= high


def test_longitudinal_kerr_rotation_and_squareness_are_of_the_right_size():
    iron, cobalt, nickel = (kerr_rotation_mrad({symbol: 1.0}) for symbol in ("Fe", "Co", "Ni"))
    assert iron == pytest.approx(8.7 / 12, rel=0.05)  # polar 0.5 degrees; longitudinal 5 to 20 times smaller
    assert iron > cobalt > nickel > 0
    assert 0.7 < squareness({"Co": 1.0}) < squareness({"Fe": 1.0}) < 1.0
