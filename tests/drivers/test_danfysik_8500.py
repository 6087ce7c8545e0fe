from __future__ import annotations

import pytest

from drivers.danfysik_8500 import INTERLOCKS, Danfysik8500
from drivers.errors import Fault, Refused
from simulators.danfysik_8500 import Danfysik8500 as SimulatedDanfysik8500
from tests.drivers.magnetometer_fixtures import Magnet, a_clock, driven, on_pty, on_thread


@pytest.fixture
def clock():
    return a_clock()


@pytest.fixture
def served(clock):
    with on_pty(SimulatedDanfysik8500(Magnet(clock)), clock) as served:
        yield served


@pytest.fixture
def magnet(served):
    with driven(Danfysik8500, served, limits={"current": (-10.0, 10.0)}, max_slew_a_s=4.0, settle_s=2.0) as magnet:
        on_thread(magnet, magnet.identify)
        yield magnet


def test_the_set_point_is_in_parts_in_a_million_of_full_scale(magnet, served):
    magnet.current.set(4.0).wait(20)
    assert b"DA 0,25000\rDA 0\r" in served.heard  # 4 A of 160 A


def test_polarity_is_changed_at_zero_current_only(magnet, served):
    magnet.current.set(2.0).wait(20)
    magnet.current.set(-2.0).wait(20)
    before = served.heard.index(b"PO -\r")
    assert served.heard[:before].rstrip(b"ADS128 \r").endswith(b"DA 0")
    assert b"DA 0,0\r" in served.heard[:before]
    coil = served.instrument.magnet
    assert coil.read().current_a == pytest.approx(-2.0)
    crossing = [(a, b) for (_, a), (_, b) in zip(coil.commands, coil.commands[1:], strict=False) if a * b < 0]
    assert crossing == []


def test_it_is_switched_off_at_zero_current_only(magnet, served):
    magnet.current.set(-2.0).wait(20)
    magnet.safe().wait(20)
    assert served.instrument.magnet.switched == [(True, 0.0), (False, 0.0)]


@pytest.mark.parametrize("position", sorted(set(INTERLOCKS) - {9}))
def test_an_interlock_is_told_in_words_and_never_reset(magnet, served, position):
    magnet.current.set(1.0).wait(20)
    with served.at_work():
        served.instrument.trip(position)
    magnet.trigger().wait(5)
    assert INTERLOCKS[position] in magnet.fault.get()
    for _ in range(2):
        with pytest.raises(Fault, match=INTERLOCKS[position]):
            magnet.current.set(1.2).wait(20)
    assert b"RS" not in served.heard


def test_a_supply_in_local_mode_refuses(magnet, served):
    magnet.current.set(1.0).wait(20)
    with served.at_work():
        served.instrument.local = True
    with pytest.raises(Refused, match="LOCAL MODE"):
        magnet.current.set(2.0).wait(20)


def test_a_polarity_switch_that_is_stuck_is_a_fault(magnet, served):
    magnet.current.set(1.0).wait(20)
    with served.at_work():
        served.instrument._reverse = lambda sign: ""
    with pytest.raises(Fault, match="polarity switch does not move"):
        magnet.current.set(-1.0).wait(20)


def test_the_reversal_switch_is_waited_for(magnet, served, clock):
    begun = clock.now()
    magnet.current.set(-0.1).wait(20)
    assert clock.now() - begun >= 1.5


def test_the_simulator_refuses_to_reverse_under_current(clock):
    supply = SimulatedDanfysik8500(Magnet(clock))
    assert supply.receive(b"ERRT\rN\rDA 0,25000\r") == b""
    assert supply.receive(b"PO -\r") == b"?\a CURRENT NOT ZERO\n\r"
    assert supply.receive(b"AD 8\r") == b"+0400\n\r"  # 0.01 A, pymeasure
    assert supply.receive(b"DA 0,-5\r").startswith(b"?\a")
