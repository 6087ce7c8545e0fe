"""Powers, compositions and doses, as pure arithmetic."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from protocols import rates
from protocols.rates import DoseLedger, EnergyLedger, Rate

ELEMENTS = st.lists(st.sampled_from(sorted(rates.MOLAR_VOLUME_CM3)), min_size=1, max_size=5, unique=True)


@st.composite
def films(draw):
    elements = draw(ELEMENTS)
    parts = [draw(st.floats(0.02, 1.0)) for _ in elements]
    k = {el: Rate(draw(st.floats(2e-4, 5e-3)), 1e-6) for el in elements}
    return {el: part / sum(parts) for el, part in zip(elements, parts, strict=True)}, k


@given(films())
def test_the_powers_for_a_composition_achieve_it(film):
    wanted, k = film
    powers = rates.powers_for(wanted, k, 500.0).watts
    assert max(powers.values()) <= 500.0 * (1 + 1e-9) or min(powers.values()) == rates.LOWEST_POWER_W
    if min(powers.values()) > rates.LOWEST_POWER_W:
        achieved = rates.achieved({el: k[el].at(watts) for el, watts in powers.items()})
        assert achieved == pytest.approx(wanted)
        assert max(powers.values()) == pytest.approx(500.0)


def test_all_powers_are_raised_for_a_minor_element_as_far_as_the_limits_allow():
    k = {"Fe": Rate(1e-3, 1e-6), "Ni": Rate(3e-3, 1e-6)}
    limits = {"Fe": (0.0, 200.0), "Ni": (0.0, 200.0)}
    raised = rates.powers_for({"Fe": 0.92, "Ni": 0.08}, k, 100.0, limits_w=limits)
    assert raised.clipped == ()
    assert raised.watts["Ni"] == pytest.approx(rates.LOWEST_POWER_W)
    assert 100.0 < raised.watts["Fe"] < 200.0
    clipped = rates.powers_for({"Fe": 0.99, "Ni": 0.01}, k, 100.0, limits_w=limits)
    assert clipped.watts == {"Fe": pytest.approx(200.0), "Ni": rates.LOWEST_POWER_W}
    assert clipped.clipped


@given(films())
def test_what_is_clipped_is_told(film):
    wanted, k = film
    limits = dict.fromkeys(wanted, (10.0, 60.0))
    powers = rates.powers_for(wanted, k, 100.0, limits_w=limits, digits=0)
    assert all(10 <= watts <= 60 for watts in powers.watts.values())
    free = rates.powers_for(wanted, k, 100.0).watts
    outside = {el for el, watts in free.items() if not 10 <= watts <= 60}
    assert outside <= {text.split(":")[0] for text in powers.clipped}


@given(films())
def test_fractions_sum_to_one_and_their_errors_are_bounded_by_the_doses(film):
    wanted, _ = film
    sigmas = rates.fraction_sigmas(wanted, dict.fromkeys(wanted, 0.02))
    assert sum(rates.achieved(dict.fromkeys(wanted, 3.0)).values()) == pytest.approx(1.0)
    for element, sigma in sigmas.items():
        assert 0 <= sigma <= 0.02 * math.sqrt(2) * wanted[element] * (1 - wanted[element]) * 1.5 + 1e-12 or sigma < 0.02


def test_the_error_of_a_pure_film_s_composition_is_nothing():
    assert rates.fraction_sigmas({"Fe": 1.0}, {"Fe": 0.05}) == {"Fe": 0.0}


def test_two_elements_err_against_each_other():
    sigmas = rates.fraction_sigmas({"Fe": 0.5, "Co": 0.5}, {"Fe": 0.02, "Co": 0.02})
    assert sigmas["Fe"] == pytest.approx(0.25 * 0.02 * math.sqrt(2))


@pytest.mark.parametrize("n", [4, 5, 10, 60])
def test_the_uncertainty_of_a_mean_is_that_of_student_s_t(n):
    readings = [math.sin(k) for k in range(n)]
    by_scipy = stats.t(n - 1, scale=stats.sem(readings)).std()
    assert rates.mean_sigma(readings) == pytest.approx(by_scipy)


def test_three_readings_do_not_tell_how_sure_their_mean_is():
    with pytest.raises(ValueError, match="at least 4"):
        rates.mean_sigma([0.065, 0.064, 0.065])


def test_a_rate_is_less_sure_far_from_where_it_was_measured():
    rate = Rate(1e-3, 1e-5, at_w=100.0)
    assert rate.relative_sigma(100.0) == pytest.approx(0.01)
    assert rate.relative_sigma(10.0) > 0.06


def test_an_unknown_element_is_refused_by_name():
    with pytest.raises(ValueError, match="no molar volume known for Xx"):
        rates.achieved({"Xx": 1.0})


def test_the_ledger_books_from_the_middle_of_one_exchange_to_the_middle_of_the_next():
    ledger = DoseLedger()
    ledger.opening(9.9)
    ledger.opened(10.0, 10.2)
    assert ledger.open_s(15.1) == pytest.approx(5.0)
    ledger.closed(20.0, 20.4)
    assert ledger.seconds == pytest.approx(10.1)
    assert ledger.sigma_s == pytest.approx(math.sqrt((0.04 + 0.16) / 12))
    assert not ledger.is_open
    ledger.closed(30.0, 31.0)
    assert ledger.seconds == pytest.approx(10.1)


def test_an_opening_that_was_never_confirmed_counts_half_and_is_as_unsure_as_that():
    ledger = DoseLedger()
    ledger.opening(10.0)
    ledger.closed(10.5, 11.0)
    assert ledger.seconds == pytest.approx(0.5)
    assert ledger.sigma_s == pytest.approx(1 / math.sqrt(12))


def test_an_order_that_never_left_books_nothing():
    ledger = DoseLedger()
    ledger.opening(10.0)
    ledger.not_opened()
    ledger.closed(10.5, 11.0)
    assert ledger.seconds == 0


def test_energy_follows_the_power():
    energy = EnergyLedger()
    energy.running("Fe", 100.0, 0.0)
    energy.running("Fe", 50.0, 3600.0)
    energy.all_off(7200.0)
    energy.all_off(9999.0)
    assert energy.kwh == {"Fe": pytest.approx(0.15)}
