"""What stops a plan in a chamber that has a turbo pump, a relay box or a heater."""

from __future__ import annotations

import pytest
from ophyd import Component as Cpt

from drivers.instrument import Reading
from drivers.roles import devices
from orchestrator.execution.evidence import roles
from orchestrator.execution.interlocks import Interlocks
from orchestrator.execution.safety import stages
from tests.execution import bench


class BenchOptional(bench.BenchInstrument):
    """A pump, a box or a heater: what it shows is set by hand."""

    speed = Cpt(Reading, value=100.0)
    fault = Cpt(Reading, value="")

    def refresh(self):
        self.speed.update(self.shown_speed)
        self.fault.update(self.shown_fault)

    def make_safe(self):
        pass

    shown_speed = 100.0
    shown_fault = ""


@pytest.fixture
def lit():
    """A chamber with everything, one plasma ordered and burning, and its interlocks."""
    clock = bench.StepClock()
    station, world = bench.chamber(clock)
    for name in ("pump", "relays", "heater"):
        setattr(station, name, BenchOptional(bench.InlinePort(), name=name, clock=clock, world=world))
    interlocks = Interlocks(station, clock)
    gun = station.guns["Fe"]
    for setting, value in ((station.gas.flow, 24.0), (gun.power, 100.0), (gun.output, "on")):
        assert setting.set(value).exception() is None
        interlocks.ordered(setting, value)
    bench.read_once(station)
    return clock, station, interlocks


def look(lit):
    clock, station, interlocks = lit
    seen = []
    for _ in range(3):
        clock.advance(1.0)
        bench.read_once(station)
        seen.append(interlocks.tripped(clock.now()))
    return seen


def test_all_is_well(lit):
    assert look(lit) == [[], [], []]


def test_a_turbo_pump_that_is_slow_or_has_failed_trips_at_the_second_reading(lit):
    pump = lit[1].pump
    pump.shown_speed = 62.0
    first, second, _ = look(lit)
    assert first == []
    assert second == ["pump: 62 % of its speed, 80 % are needed"]
    pump.shown_fault = "Err006 run-up time exceeded"
    assert look(lit)[-1] == ["pump: Err006 run-up time exceeded"]
    pump.shown_speed = float("nan")
    pump.shown_fault = ""
    assert look(lit)[-1]


def test_a_slow_pump_matters_only_while_a_plasma_was_ordered(lit):
    _, station, interlocks = lit
    station.pump.shown_speed = 0.0
    interlocks.ordered(station.guns["Fe"].output, "off")
    assert look(lit) == [[], [], []]


@pytest.mark.parametrize("name", ["relays", "heater"])
def test_an_open_interlock_or_a_broken_sensor_trips(lit, name):
    getattr(lit[1], name).shown_fault = "interlock open: water"
    assert look(lit)[-1] == [f"{name}: interlock open: water"]


def test_what_is_there_is_watched_made_safe_and_shown(lit):
    station = lit[1]
    optional = {station.pump, station.relays, station.heater}
    assert optional <= set(devices(station))
    assert {"pump", "relays", "heater"} <= set(roles(station))
    first, *_, last = stages(station)
    assert optional <= set(first)
    assert last == [station.gauge]
    assert sum(len(stage) for stage in stages(station)) == len(devices(station))
