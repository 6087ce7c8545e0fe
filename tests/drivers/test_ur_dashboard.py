from __future__ import annotations

import math

import pytest

from drivers.errors import Fault, Refused, WrongInstrument
from drivers.ur_dashboard import UrDashboard
from simulators.ur_dashboard import UrDashboard as SimulatedDashboard
from tests.drivers.magnetometer_fixtures import Arm, Saying, a_clock, driven, on_meca_tcp, on_thread

PLACE = (120.0, -42.0, 40.0, 180.0, 0.0, 0.0)


@pytest.fixture
def clock():
    return a_clock(50.0)


@pytest.fixture
def served(clock):
    with on_meca_tcp(SimulatedDashboard(Arm(clock)), clock) as served:
        yield served


@pytest.fixture
def arm(served):
    with driven(UrDashboard, served) as arm:
        on_thread(arm, arm.identify)
        yield arm


def test_a_pose_is_a_taught_program_of_that_name(arm, served):
    arm.pose.set(PLACE).wait(30)
    assert b"load nightshift/x120_y-42_z40.urp\nplay\n" in served.heard.replace(b"robotmode\n", b"")
    assert served.instrument.arm.poses[-1][1] == PLACE


def test_where_it_is_is_not_known_before_a_program_has_ended(arm, served):
    assert all(math.isnan(coordinate) for coordinate in arm.pose.get())
    arm.pose.set(PLACE).wait(30)
    assert arm.pose.get() == PLACE
    with served.at_work():
        served.instrument.missing.add("x0_y0_z100")
    with pytest.raises(Refused, match=r"File not found: .*x0_y0_z100\.urp; teach a program"):
        arm.pose.set((0.0, 0.0, 100.0, 180.0, 0.0, 0.0)).wait(30)
    assert all(math.isnan(coordinate) for coordinate in arm.pose.get())


def test_what_the_gripper_holds_is_known_from_the_first_moment(clock):
    world = Arm(clock)
    world.holding = True
    with on_meca_tcp(SimulatedDashboard(world), clock) as served, driven(UrDashboard, served) as arm:
        on_thread(arm, arm.identify)
        assert arm.holding.get() == 1
        assert b"sense.urp" in served.heard


def test_a_protective_stop_is_a_fault_and_is_unlocked_by_a_person_alone(arm, served):
    with served.at_work():
        served.instrument.protective_stop()
    arm.trigger().wait(5)
    assert arm.fault.get() == "protective stop"
    with pytest.raises(Fault, match="protective stop"):
        arm.pose.set(PLACE).wait(30)
    assert b"unlock" not in served.heard
    arm.unlock_protective_stop().wait(10)
    arm.pose.set(PLACE).wait(30)


def test_a_protective_stop_on_the_way_is_no_arrival(arm, served):
    play = served.instrument._play

    def stopping():
        answer = play()
        served.instrument.protective_stop()
        return answer

    served.instrument._play = stopping
    with pytest.raises(Fault, match="protective stop"):
        arm.pose.set(PLACE).wait(30)
    assert math.isnan(arm.pose.get()[0])


def test_local_control_is_told(arm, served):
    with served.at_work():
        served.instrument.remote = False
    arm.trigger().wait(5)
    assert arm.fault.get() == "not in remote control"
    with pytest.raises(Fault, match="not in remote control"):
        arm.gripper.set("closed").wait(30)


def test_an_arm_without_power_is_powered_by_a_person_alone(clock):
    with (
        on_meca_tcp(SimulatedDashboard(Arm(clock), powered=False), clock) as served,
        driven(UrDashboard, served) as arm,
    ):
        on_thread(arm, arm.identify)
        assert arm.fault.get() == "robot is power off"
        with pytest.raises(Fault, match="robot is power off"):
            arm.pose.set(PLACE).wait(30)
        assert b"power on" not in served.heard
        arm.power_on().wait(60)
        arm.pose.set(PLACE).wait(30)


def test_a_lost_answer_to_play_is_settled_by_the_programs_state(arm, served):
    lost = [b""]
    served.mangle = lambda reply: lost.pop() if lost and b"Starting" in reply else reply
    arm.pose.set(PLACE).wait(30)
    assert not lost
    assert len(served.instrument.arm.poses) == 1


def test_another_greeting(clock):
    with (
        on_meca_tcp(Saying(b"x\n", first=b"SSH-2.0-OpenSSH_9.2\n"), clock) as served,
        driven(UrDashboard, served) as arm,
        pytest.raises(WrongInstrument, match="no UR dashboard"),
    ):
        on_thread(arm, arm.identify)
