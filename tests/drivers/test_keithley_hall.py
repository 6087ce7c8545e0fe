"""What is particular to the Keithley 2450 and to the 6221 with its 2182A; their role's contract is elsewhere."""

from __future__ import annotations

import math

import pytest

from drivers.errors import Refused, WrongInstrument
from drivers.keithley_2450 import Keithley2450
from drivers.keithley_6221 import Keithley6221
from simulators.keithley_2450 import Keithley2450 as Simulated2450
from simulators.keithley_6221 import Keithley6221 as Simulated6221
from tests.drivers.magnetometer_fixtures import Contacts, a_clock, driven, on_thread, on_visa


@pytest.fixture
def clock():
    return a_clock(20.0)


@pytest.fixture
def contacts(clock):
    return Contacts(clock)


def test_a_2450_that_speaks_another_language_is_told_apart(clock, contacts):
    with (
        on_visa(Simulated2450(contacts, language="TSP"), clock) as served,
        driven(Keithley2450, served) as meter,
        pytest.raises(WrongInstrument, match="speaks TSP, not SCPI"),
    ):
        on_thread(meter, meter.identify)


def test_a_2450_reverses_its_current_for_every_reading(clock, contacts):
    with on_visa(Simulated2450(contacts), clock) as served, driven(Keithley2450, served, pairs=3) as meter:
        on_thread(meter, meter.identify)
        meter.current.set(1e-3).wait(10)
        del contacts.sourced[:]
        meter.trigger().wait(5)
        assert contacts.sourced == pytest.approx([1e-3, -1e-3] * 3)
        assert meter.resistance.get() == pytest.approx(0.2)
        assert served.instrument._four_wire


def test_what_a_2450_does_not_take_is_refused_and_leaves_the_output_off(clock, contacts):
    with on_visa(Simulated2450(contacts), clock) as served, driven(Keithley2450, served) as meter:
        with pytest.raises(Refused, match="current was to be 2"):
            meter.current.set(2.0).wait(10)  # 1.05 A at most
        assert not served.instrument._on
        assert meter.current.get() == 0.0


def test_a_6221_without_its_nanovoltmeter_is_told(clock, contacts):
    with (
        on_visa(Simulated6221(contacts, nanovoltmeter=False), clock) as served,
        driven(Keithley6221, served) as meter,
        pytest.raises(WrongInstrument, match="finds no 2182A"),
    ):
        on_thread(meter, meter.identify)


@pytest.fixture
def delta(clock, contacts):
    with on_visa(Simulated6221(contacts), clock) as served, driven(Keithley6221, served, compliance_v=5.0) as meter:
        on_thread(meter, meter.identify)
        yield meter, served


def test_delta_mode_is_armed_with_compliance_abort(delta):
    meter, served = delta
    meter.current.set(1e-3).wait(10)
    for words in (b":SOUR:DELT:HIGH 1.000000E-03", b":SOUR:DELT:CAB ON", b":SOUR:CURR:COMP 5", b":SOUR:DELT:ARM\n"):
        assert words in served.heard
    assert served.heard.index(b":SOUR:DELT:ARM\n") < served.heard.index(b":INIT:IMM")


def test_before_the_first_three_voltages_there_is_no_reading(delta):
    meter, served = delta
    meter.current.set(1e-3).wait(10)
    with served.at_work():
        served.instrument._begun = served.instrument.contacts.now() + 1000.0
    meter.trigger().wait(5)
    assert math.isnan(meter.resistance.get())
    assert meter.fault.get() == ""


def test_a_reading_that_stays_the_same_is_stale(delta, clock):
    meter, served = delta
    meter.current.set(1e-3).wait(10)
    clock.sleep(1.0)
    meter.trigger().wait(5)
    assert meter.resistance.get() == pytest.approx(0.2)
    with served.at_work():
        served.instrument.stuck = True
    for _ in range(2):
        clock.sleep(6.0)
        meter.trigger().wait(5)
    assert math.isnan(meter.resistance.get())
    assert "no new reading" in meter.fault.get()


def test_a_contact_that_opens_later_breaks_delta_mode_off(delta, clock):
    meter, served = delta
    meter.current.set(1e-3).wait(10)
    served.instrument.contacts.open = True
    clock.sleep(1.0)
    meter.trigger().wait(5)
    assert meter.compliance.get() == 1
    assert math.isnan(meter.resistance.get())
    served.instrument.contacts.open = False
    clock.sleep(1.0)
    meter.trigger().wait(5)
    assert meter.compliance.get() == 1  # until somebody asks for the current again
    meter.current.set(1e-3).wait(10)
    clock.sleep(1.0)
    meter.trigger().wait(5)
    assert meter.resistance.get() == pytest.approx(0.2)
