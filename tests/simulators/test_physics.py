"""The laws of the chamber against published numbers."""

import itertools

import pytest

from simulators.physics import (
    ELEMENTS,
    SCCM_PA_M3_S,
    Wander,
    areal_mass_ug_cm2,
    crystal_frequency_hz,
    ignition_failure_probability,
    pressure_factor,
    sputter_rate_nm_s,
    stream,
)


def test_twenty_sccm_of_argon_pumped_at_80_l_s():
    throughput = 20 * SCCM_PA_M3_S
    assert throughput == pytest.approx(0.034, rel=0.01)
    assert 0.3 <= throughput / 0.080 <= 0.6


@pytest.mark.parametrize(
    ("symbol", "density"),  # g/cm3, CRC handbook
    [("Fe", 7.874), ("Co", 8.90), ("Ni", 8.908), ("Cr", 7.19), ("Ta", 16.65), ("W", 19.25), ("Pt", 21.45)],
)
def test_molar_volumes_give_handbook_densities(symbol, density):
    assert ELEMENTS[symbol].density_g_cm3 == pytest.approx(density, rel=0.01)


def test_sauerbrey_sensitivity_of_a_6_mhz_crystal():
    lower = crystal_frequency_hz(6e6, 12.3e-3 * 100)  # 100 x 12.3 ng/cm2
    assert 6e6 - lower == pytest.approx(100, rel=0.005)


def test_a_loaded_crystal_agrees_with_the_z_match_equation_for_iron():
    # Fe, Fco 5.95 MHz, 1000 Hz down: 157.7 angstrom by Z-match, 158.6 by Sauerbrey (density 7.87)
    unloaded = 5.95e6
    film = areal_mass_ug_cm2(ELEMENTS["Fe"], 15.8)
    assert unloaded - crystal_frequency_hz(unloaded, film) == pytest.approx(1000, rel=0.02)


@pytest.mark.parametrize(("symbol", "measured"), [("Ni", 0.034), ("Ta", 0.065)])  # nm/min/W, UCSB, ATC 2000-F
def test_the_range_of_gun_factors_covers_measured_confocal_rates(symbol, measured):
    slow, fast = (60 * sputter_rate_nm_s(ELEMENTS[symbol], factor, 100) / 100 for factor in (0.15, 0.6))
    assert slow <= measured <= fast


def test_rate_falls_short_of_proportional_to_power():
    half, full = (sputter_rate_nm_s(ELEMENTS["Ni"], 0.18, watts) for watts in (75, 150))
    assert 60 * full == pytest.approx(5.23, rel=0.06)  # measured 5.23 and 2.50 nm/min
    assert 60 * half == pytest.approx(2.50, rel=0.07)
    assert 1.9 < full / half < 2.0


def test_pressure_has_a_broad_maximum_at_process_pressure():
    at = {p: pressure_factor(p, 3.0) for p in (0.15, 0.3, 0.45, 0.7, 1.0, 3.0)}
    assert max(at, key=at.get) == 0.45
    assert at[0.3] > 0.95
    assert at[0.7] > 0.95
    assert at[3.0] < 0.6


def test_ignition_is_likely_at_process_pressure_and_hopeless_in_a_vacuum():
    assert 0.01 <= ignition_failure_probability(0.5, 0.02) <= 0.05
    assert ignition_failure_probability(1e-3, 0.02) > 0.99
    assert ignition_failure_probability(2.0, 0.03) == pytest.approx(0.01)
    rising = [ignition_failure_probability(p, 0.02) for p in (0.5, 0.35, 0.3, 0.27, 0.2)]
    assert all(a <= b for a, b in itertools.pairwise(rising))


def test_wander_has_its_standard_deviation_and_no_memory_of_being_asked():
    wander = Wander(stream(3, "x"), 0.01, 10, 100)
    values = [wander.at(t) for t in range(0, 200_000, 7)]
    mean = sum(values) / len(values)
    spread = (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5
    assert abs(mean) < 0.001
    assert spread == pytest.approx(0.01, rel=0.1)
    assert wander.at(70.0) == Wander(stream(3, "x"), 0.01, 10, 100).at(70.0)
