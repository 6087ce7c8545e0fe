"""Lab time, told to other processes and over restarts."""

from __future__ import annotations

import time

import pytest

from drivers.clock import RealClock
from orchestrator.lab import clock_from, open_clock
from simulators.clock import ScaledClock


@pytest.fixture
def machine(monkeypatch):
    """The machine's two clocks, to be set."""

    class Machine:
        civil, monotonic = 1.7e9, 500.0

        def passes(self, seconds):
            self.civil += seconds
            self.monotonic += seconds

    machine = Machine()
    monkeypatch.setattr(time, "time", lambda: machine.civil)
    monkeypatch.setattr(time, "monotonic", lambda: machine.monotonic)
    return machine


def test_real_time_is_civil_time_whatever_is_done_to_that_later(machine):
    clock = open_clock(None)
    machine.passes(10.0)
    machine.civil -= 3600.0
    assert isinstance(clock, RealClock)
    assert clock.now() == 1.7e9 + 10.0


def test_a_clock_that_is_not_behind_is_as_it_was(machine):
    clock = RealClock()
    assert clock_from(1.7e9 - 5.0, clock, None) == (clock, None)


def test_lab_time_goes_on_from_the_last_entry_when_the_clock_was_set_back(machine):
    last = machine.civil
    machine.civil -= 3600.0
    clock, spec = clock_from(last, RealClock(), None)
    assert clock.now() == last
    machine.passes(30.0)
    assert clock.now() == last + 30.0
    machine.civil += 3600.0  # it is put right again
    assert open_clock(spec).now() == clock.now() == last + 30.0, "a worker started now has the daemon's time"


def test_a_rehearsal_s_clock_keeps_its_speed(machine):
    behind = ScaledClock(600.0, 1.7e9 - 3600.0, machine.monotonic)
    clock, spec = clock_from(1.7e9, behind, behind.spec())
    machine.passes(2.0)
    assert clock.now() == open_clock(spec).now() == 1.7e9 + 1200.0
    assert isinstance(clock, ScaledClock)
