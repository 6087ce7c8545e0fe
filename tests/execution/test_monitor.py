"""Readings kept fresh, without ever waiting for an instrument."""

from __future__ import annotations

import threading

import pytest

from drivers.errors import NoReply
from drivers.link import Port
from orchestrator.execution.monitor import Monitor
from simulators.clock import ScaledClock


class Instrument:
    """Counts its refreshes; blocks while `gate` is closed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.address = name
        self.port = Port(self)
        self.refreshes = 0
        self.at_once = 0
        self.most_at_once = 0
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.came = threading.Semaphore(0)

    def refresh(self) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.came.release()
        self.gate.wait(30)
        self.refreshes += 1
        self.at_once -= 1
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        pass


@pytest.fixture
def instruments():
    pair = [Instrument("slow"), Instrument("quick")]
    yield pair
    for instrument in pair:
        instrument.gate.set()
        instrument.port.close()


@pytest.fixture
def monitor(instruments):
    monitor = Monitor(instruments, ScaledClock.starting_now(1000.0), {"slow": 1.0})
    monitor.start()
    yield monitor
    monitor.stop()


def await_refreshes(instrument, count):
    for _ in range(count):
        assert instrument.came.acquire(timeout=30)


def test_every_device_is_read_again_and_again(monitor, instruments):
    for instrument in instruments:
        await_refreshes(instrument, 4)
        assert monitor.trouble(instrument.name) == ""


def test_a_silent_device_has_one_question_outstanding_and_delays_nobody(monitor, instruments):
    slow, quick = instruments
    slow.gate.clear()
    await_refreshes(slow, 1)
    await_refreshes(quick, 6)
    slow.gate.set()
    await_refreshes(slow, 2)
    assert slow.most_at_once == 1


def test_a_failure_is_booked_and_forgotten_when_it_ends(monitor, instruments):
    slow, _ = instruments
    slow.error = NoReply("slow: nothing came")
    await_refreshes(slow, 4)
    assert monitor.troubles()["slow"].startswith("NoReply: slow: nothing came, ")
    slow.error = None
    await_refreshes(slow, 4)
    assert monitor.troubles() == {}


def test_a_bug_in_a_driver_does_not_end_the_monitor(monitor, instruments):
    slow, quick = instruments
    slow.error = ZeroDivisionError("oops")
    await_refreshes(slow, 3)
    await_refreshes(quick, 3)
    assert "ZeroDivisionError" in monitor.trouble("slow")


def test_a_closed_port_is_trouble_too(monitor, instruments):
    slow, quick = instruments
    slow.port.close()
    while not monitor.trouble("slow"):
        await_refreshes(quick, 1)
    assert "shutdown" in monitor.trouble("slow")


def test_stopping_twice_is_stopping_once(monitor, instruments):
    monitor.stop()
    monitor.stop()
