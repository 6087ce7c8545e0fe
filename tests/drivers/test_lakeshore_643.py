from __future__ import annotations

import pytest

from drivers.errors import Fault, Refused
from drivers.lakeshore_643 import LakeShore643
from simulators.lakeshore_643 import Lakeshore643 as SimulatedLakeshore643
from tests.drivers.magnetometer_fixtures import Magnet, a_clock, driven, on_thread, on_visa


@pytest.fixture
def clock():
    return a_clock()


@pytest.fixture
def served(clock):
    with on_visa(SimulatedLakeshore643(Magnet(clock)), clock) as served:
        yield served


@pytest.fixture
def magnet(served):
    with driven(LakeShore643, served, limits={"current": (-10.0, 10.0)}, max_slew_a_s=2.0, settle_s=2.0) as magnet:
        on_thread(magnet, magnet.identify)
        yield magnet


def test_rate_and_limits_are_stated_and_read_back_before_the_first_current(magnet, served):
    magnet.current.set(1.0).wait(20)
    wanted = b"XPGM 0;RSEG 0;LIMIT 10,2;RATE 2;*ESR?\nXPGM?;RSEG?;LIMIT?;RATE?\n"
    assert served.heard.index(wanted) < served.heard.index(b"SETI 1;*ESR?\n")


def test_ramp_segments_that_somebody_left_on_are_switched_off(magnet, served):
    with served.at_work():
        served.instrument.receive(b"RSEG 1\n")
    magnet.current.set(3.0).wait(20)
    assert served.instrument.magnet.ramps == [(3.0, 2.0)]


def test_a_rate_that_is_not_taken_over_is_refused(magnet, served):
    with served.at_work():
        served.instrument._do = lambda name, values: None
    with pytest.raises(Refused, match=r"it keeps XPGM 0, RSEG 0, LIMIT 70\.1000,50\.0000, RATE 1\.0000"):
        magnet.current.set(3.0).wait(20)


@pytest.mark.parametrize(
    ("registers", "words"),
    [
        ({"operational": 1 << 5}, "magnet water flow"),
        ({"operational": 1 << 6 | 1 << 7}, "supply water flow, remote enable open"),
        ({"hardware": 1 << 4}, "supply over-temperature"),
        ({"hardware": 1 << 2, "operational": 1 << 2}, "output over-current, supply temperature high"),
    ],
)
def test_a_trip_is_told_in_words_bit_by_bit(magnet, served, registers, words):
    magnet.current.set(3.0).wait(20)
    with served.at_work():
        served.instrument.trip(**registers)
    magnet.trigger().wait(5)
    assert magnet.fault.get() == words
    with pytest.raises(Fault, match=words):
        magnet.current.set(2.0).wait(20)


def test_a_lost_answer_is_settled_by_asking(magnet, served):
    magnet.current.set(1.0).wait(20)
    lost = [b""]
    served.mangle = lambda reply: lost.pop() if lost else reply
    magnet.current.set(2.0).wait(20)
    assert served.instrument.magnet.read().current_a == pytest.approx(2.0)


def test_an_externally_programmed_supply_is_taken_back(magnet, served):
    with served.at_work():
        served.instrument.receive(b"XPGM 1\n")
    magnet.safe().wait(20)
    assert served.instrument._switches["XPGM"] == "0"
