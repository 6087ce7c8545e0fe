"""What stops a plan, and what does not."""

from __future__ import annotations

import math

import pytest

from orchestrator.execution.interlocks import Interlocks, Persistent
from tests.execution import bench


@pytest.fixture
def lit():
    """A chamber with one plasma ordered and burning, and its interlocks."""
    clock = bench.StepClock()
    station, world = bench.chamber(clock)
    interlocks = Interlocks(station, clock, lambda name: "NoReply: silent, 3 in a row" if name == "gauge" else "")
    gun = station.guns["Fe"]
    for setting, value in ((station.gas.flow, 24.0), (gun.power, 100.0), (gun.output, "on")):
        assert setting.set(value).exception() is None
        interlocks.ordered(setting, value)
    bench.read_once(station)
    return clock, station, world, interlocks


def later(clock, station, *, readings=1, seconds=1.0):
    for _ in range(readings):
        clock.advance(seconds)
        bench.read_once(station)


def look(interlocks, clock, station, readings=3, seconds=1.0):
    """What is tripped after each of some readings."""
    seen = []
    for _ in range(readings):
        later(clock, station, seconds=seconds)
        seen.append(interlocks.tripped(clock.now()))
        assert interlocks.tripped(clock.now()) == seen[-1]  # looking twice at a reading counts once
    return seen


def test_a_healthy_plasma_trips_nothing(lit):
    clock, station, _, interlocks = lit
    assert look(interlocks, clock, station, 20) == [[]] * 20


@pytest.mark.parametrize("pressure", [0.02, 7.0, math.nan])
def test_pressure_outside_the_window_trips_at_the_second_reading(lit, pressure):
    clock, station, _, interlocks = lit
    station.gauge.refresh = lambda: station.gauge.pressure.update(pressure)
    first, second, _ = look(interlocks, clock, station)
    assert first == []
    assert "with the plasma on; 0.1 to 5 Pa is allowed" in " ".join(second)


def test_one_odd_reading_is_not_believed(lit):
    clock, station, _, interlocks = lit
    refresh = station.gauge.refresh
    station.gauge.refresh = lambda: station.gauge.pressure.update(9.9)
    later(clock, station)
    assert interlocks.tripped(clock.now()) == []
    station.gauge.refresh = refresh
    assert look(interlocks, clock, station) == [[]] * 3


def test_pressure_matters_only_while_a_plasma_was_ordered(lit):
    clock, station, _, interlocks = lit
    station.gauge.refresh = lambda: station.gauge.pressure.update(1e-4)
    interlocks.ordered(station.guns["Fe"].output, "off")
    assert look(interlocks, clock, station) == [[]] * 3


def test_a_lost_plasma_is_missed(lit):
    clock, station, world, interlocks = lit
    world.lit["Fe"] = False
    *_, last = look(interlocks, clock, station)
    assert last == ["gun1: plasma lost at 0 V"]


def test_a_trip_is_told_in_the_supply_s_words_at_once(lit):
    clock, station, _, interlocks = lit
    gun = station.guns["Fe"]
    refresh = gun.refresh
    gun.refresh = lambda: (refresh(), gun.fault.update("arc storm"))
    later(clock, station)
    assert interlocks.tripped(clock.now()) == ["gun1: arc storm"]


def test_power_off_its_set_point_trips_after_a_while(lit):
    clock, station, world, interlocks = lit
    world.power["Fe"] = 60.0
    seen = look(interlocks, clock, station, 14)
    assert seen[8] == []
    assert seen[-1] == ["gun1: 60 W instead of 100 W"]


def test_starved_gas_trips_after_a_while(lit):
    clock, station, world, interlocks = lit
    world.flow = 18.0
    seen = look(interlocks, clock, station, 14)
    assert seen[8] == []
    assert "argon: 18.0 sccm of Ar instead of 24.0" in seen[-1][0]


def test_a_gauge_that_is_not_read_any_more_is_no_gauge(lit):
    clock, station, _, interlocks = lit
    station.gauge.refresh = lambda: None
    seen = look(interlocks, clock, station, 20)
    assert seen[13] == []
    assert "gauge: not read for 16 s (NoReply: silent, 3 in a row); check its cable" in seen[15][0]


def test_forgetting_the_orders_ends_the_interest(lit):
    clock, station, world, interlocks = lit
    world.lit["Fe"] = False
    look(interlocks, clock, station)
    interlocks.forget()
    assert look(interlocks, clock, station) == [[]] * 3


def test_a_fault_of_the_magnet_and_of_the_robot():
    clock = bench.StepClock()
    for station, device in (
        (bench.magnetometer(clock)[0], "magnet"),
        (bench.robot(clock)[0], "mover"),
    ):
        interlocks = Interlocks(station, clock)
        instrument = getattr(station, device)
        instrument.refresh = lambda i=instrument: i.fault.update("coil too hot")
        *_, last = look(interlocks, clock, station)
        assert last == [f"{instrument.name}: coil too hot"]


def test_persistence_needs_readings_and_time():
    persistent = Persistent(3, 10.0)
    assert not persistent.holds(True, None)
    assert [persistent.holds(True, t) for t in (1.0, 1.0, 2.0, 3.0, 10.9, 11.0)] == [False] * 5 + [True]
    assert not persistent.holds(False, 12.0)
    assert not persistent.holds(True, 30.0)


@pytest.mark.parametrize(
    ("trouble", "clears"), [("stale", True), ("off power", True), ("pressure", False), ("plasma lost", False)]
)
def test_what_may_clear_by_itself_and_what_may_not(lit, trouble, clears):
    clock, station, world, interlocks = lit
    match trouble:
        case "stale":
            clock.advance(30.0)
        case "off power":
            interlocks.ordered(station.guns["Fe"].power, 10.0)
        case "pressure":
            station.gauge.refresh = lambda: station.gauge.pressure.update(9.9)
        case "plasma lost":
            world.lit["Fe"] = False
    if trouble != "stale":
        look(interlocks, clock, station, 4, 5.0)
    assert interlocks.tripped(clock.now())
    assert interlocks.may_clear(clock.now()) is clears
