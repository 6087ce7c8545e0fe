from __future__ import annotations

import pytest

from drivers.errors import Fault, Garbled, Interrupted, SettingError, WrongInstrument
from drivers.zaber_gantry import ZaberGantry
from simulators.zaber_gantry import ZaberGantry as SimulatedGantry
from tests.drivers.magnetometer_fixtures import Arm, Saying, a_clock, driven, on_pty, on_thread, until_true
from tests.drivers.measuring import ORIGIN

HIGH = (180.0, 40.0, 150.0, 180.0, 0.0, 0.0)
LOW = (120.0, -40.0, 60.0, 180.0, 0.0, 0.0)


@pytest.fixture
def clock():
    return a_clock(50.0)


@pytest.fixture
def served(clock):
    with on_pty(SimulatedGantry(Arm(clock)), clock) as served:
        yield served


@pytest.fixture
def gantry(served):
    with driven(ZaberGantry, served, **ORIGIN) as gantry:
        on_thread(gantry, gantry.identify)
        yield gantry


def order(heard: bytes) -> list[str]:
    """Axes in the order in which they were sent somewhere."""
    return [line.split()[1].decode() for line in heard.split(b"\n") if b"move abs" in line]


def test_it_rises_first_and_comes_down_last(gantry, served):
    gantry.pose.set(HIGH).wait(30)
    gantry.pose.set(LOW).wait(30)
    gantry.pose.set(HIGH).wait(30)
    down, up = ["1", "2", "3"], ["3", "1", "2"]
    assert order(served.heard)[3:] == down + up


def test_a_gantry_cannot_turn(gantry):
    with pytest.raises(SettingError, match="cannot turn"):
        gantry.pose.set((180.0, 40.0, 150.0, 180.0, 0.0, 90.0)).wait(10)


def test_a_stall_is_a_fault_in_words_and_nothing_moves_before_it_is_homed(gantry, served):
    served.instrument.stall(1)
    with pytest.raises(Fault, match="stalled"):
        gantry.pose.set(HIGH).wait(30)
    gantry.trigger().wait(5)
    assert gantry.fault.get() == "axis 1: stalled, and stopped"
    with pytest.raises(Fault, match=r"axis 1: stalled.*then home it"):
        gantry.pose.set(LOW).wait(30)
    gantry.home().wait(60)
    gantry.pose.set(LOW).wait(30)
    assert gantry.pose.get() == pytest.approx(LOW, abs=2e-3)


def test_a_lost_reference_is_told_and_never_homed_by_itself(gantry, served):
    with served.at_work():
        served.instrument.lose_reference()
    with pytest.raises(Fault, match="no reference position: home it"):
        gantry.pose.set(LOW).wait(30)
    assert b"home" not in served.heard


def test_a_lost_acknowledgement_of_a_motion_is_settled_by_where_the_axis_stands(gantry, served):
    lost = [b""]

    def mangle(reply):
        return lost.pop() if lost and b"BUSY" in reply else reply

    served.mangle = mangle
    gantry.pose.set(HIGH).wait(30)
    assert not lost
    assert gantry.pose.get() == pytest.approx(HIGH, abs=2e-3)


def test_an_answer_to_something_else_is_not_taken(gantry, served):
    last = []

    def stale(reply):
        last.append(reply)
        return last[-2] if len(last) > 1 else reply

    served.mangle = stale
    on_thread(gantry, lambda: gantry._query("get pos", 1))
    with pytest.raises(Garbled, match="answers something else"):
        gantry.trigger().wait(5)


def test_stop_is_said_when_the_safe_state_is_asked_for(served, clock):
    slow = a_clock(2.0)
    served.clock = slow
    served.instrument.arm.clock = slow
    with driven(ZaberGantry, served, **ORIGIN) as gantry:
        on_thread(gantry, gantry.identify)
        motion = gantry.pose.set((-200.0, 40.0, 350.0, 180.0, 0.0, 0.0))
        until_true(lambda: b"move abs" in served.heard)
        gantry.safe().wait(20)
        assert isinstance(motion.exception(5), Interrupted)
        assert b" stop:" in served.heard


@pytest.mark.parametrize("answer", [b"ACME\r\n", b"@01 0 01 RJ IDLE -- BADCOMMAND\r\n"])
def test_another_instrument(clock, answer):
    with (
        on_pty(Saying(answer), clock) as served,
        driven(ZaberGantry, served) as gantry,
        pytest.raises(WrongInstrument),
    ):
        on_thread(gantry, gantry.identify)
