from __future__ import annotations

import math
import threading

import event_model
import pytest

from drivers.errors import Fault, Garbled, Gone, Interrupted, NoReply, Refused, SettingError, WrongInstrument
from drivers.link import Port
from drivers.mecademic_meca500 import Meca500
from simulators.mecademic_meca500 import Meca500 as SimulatedMeca500
from tests.drivers.magnetometer_fixtures import (
    Arm,
    Saying,
    a_clock,
    driven,
    on_meca_tcp,
    on_thread,
    until_true,
)

ABOVE = (200.0, 50.0, 150.0, 0.0, 180.0, 0.0)
ON = (200.0, 50.0, 110.0, 0.0, 180.0, 0.0)
ELSEWHERE = (150.0, -180.0, 150.0, 0.0, 180.0, 0.0)


@pytest.fixture
def clock():
    return a_clock()


@pytest.fixture
def arm(clock):
    return Arm(clock)


@pytest.fixture
def served(arm, clock):
    with on_meca_tcp(SimulatedMeca500(arm), clock) as served:
        yield served


@pytest.fixture
def robot(served):
    with driven(Meca500, served, limits={"pose_z": (100.0, 400.0)}) as robot:
        yield robot


def test_it_says_who_it_is(robot):
    assert on_thread(robot, robot.identify) == "Connected to Meca500 R3 v9.1.147 m500-00247"


def test_a_motion_is_done_when_the_arm_is_there(robot, arm, clock):
    robot.pose.set(ABOVE).wait(20)
    assert arm.poses[-1][1] == ABOVE
    assert robot.pose.get() == pytest.approx(ABOVE)


def test_success_is_the_checkpoint_and_nothing_else(robot, served):
    robot.pose.set(ABOVE).wait(20)
    served.mangle = lambda reply: reply.replace(b"[3030]", b"[3012]")
    status = robot.pose.set(ELSEWHERE, timeout=1000.0)
    until_true(lambda: served.instrument.arm.poses[-1][1] == ELSEWHERE)
    assert not status.done
    robot.safe().wait(20)


def test_a_motion_takes_as_long_as_it_is_long(robot, arm, clock):
    robot.pose.set(ABOVE).wait(20)
    for target, speed in ((ON, 150.0), (ELSEWHERE, 250.0)):
        here, began = robot.pose.get(), clock.now()
        robot.pose.set(target).wait(20)
        assert arm.poses[-1][0] - began >= math.dist(here[:3], target[:3]) / speed


def test_the_last_centimetres_are_a_straight_line(robot, served):
    robot.pose.set(ABOVE).wait(20)
    robot.pose.set(ON).wait(20)
    robot.pose.set(ELSEWHERE).wait(20)
    moves = [part.split(b"(")[0] for part in served.heard.split(b"\0") if part.startswith(b"Move")]
    assert moves == [b"MovePose", b"MoveLin", b"MovePose"]


def test_the_first_motion_activates_and_homes(robot, served):
    robot.pose.set(ABOVE).wait(20)
    robot.pose.set(ON).wait(20)
    assert served.heard.count(b"ActivateRobot\0") == 1
    assert served.heard.count(b"Home\0") == 1


def test_homing_can_be_left_to_a_person(served):
    with driven(Meca500, served, home_on_demand=False) as robot, pytest.raises(Refused, match="not homed"):
        robot.pose.set(ABOVE).wait(20)
    assert b"Home\0" not in served.heard


def test_gripper_and_holding(robot, arm):
    arm.part_there = True
    robot.gripper.set("closed").wait(20)
    assert (arm.closed, robot.holding.get(), robot.gripper.get()) == (True, 1, "closed")
    robot.trigger().wait(5)
    assert (robot.holding.get(), robot.gripper.get()) == (1, "closed")
    robot.gripper.set("open").wait(20)
    robot.trigger().wait(5)
    assert (arm.closed, robot.holding.get(), robot.gripper.get()) == (False, 0, "open")


def test_closing_on_nothing_holds_nothing(robot):
    robot.gripper.set("closed").wait(20)
    assert robot.holding.get() == 0


def test_safe_stops_a_motion_under_way_and_can_be_said_twice(robot, arm, served):
    robot.pose.set(ABOVE).wait(20)
    with served.at_work():
        served.instrument._velocity["joint"] = 0.01
    far = robot.pose.set(ELSEWHERE, timeout=5000.0)
    until_true(lambda: b"MovePose(150,-180,150,0,180,0)" in served.heard)
    robot.safe().wait(20)
    robot.safe().wait(20)
    assert isinstance(far.exception(5), Interrupted)
    assert not served.instrument._motion.moving
    at_rest = arm.poses[-1][1]
    assert math.dist(at_rest[:3], ELSEWHERE[:3]) > 1
    with served.at_work():
        served.instrument._velocity["joint"] = 100.0
    robot.pose.set(ABOVE).wait(20)  # goes on when asked to
    assert arm.poses[-1][1] == ABOVE


def test_a_motion_of_a_lost_session_is_not_gone_on_with(clock, arm):
    simulated = SimulatedMeca500(arm)
    with on_meca_tcp(simulated, clock) as served, driven(Meca500, served) as robot:
        robot.pose.set(ABOVE).wait(20)
        with served.at_work():
            simulated._velocity["joint"] = 0.01
        lost = robot.pose.set(ELSEWHERE, timeout=5000.0)
        until_true(lambda: b"MovePose(150,-180" in served.heard)
        served.hang_up()
        assert isinstance(lost.exception(10), Gone)
    simulated._velocity["joint"] = 100.0
    with on_meca_tcp(simulated, clock) as served, driven(Meca500, served) as robot:
        robot.pose.set(ON).wait(20)
        assert arm.poses[-1][1] == ON
        assert all(pose != ELSEWHERE for _, pose in arm.poses)


def test_an_error_on_the_way_is_a_fault_with_code_and_text(robot, served, arm):
    robot.pose.set(ABOVE).wait(20)
    with served.at_work():
        served.instrument._velocity["joint"] = 0.01
    status = robot.pose.set(ELSEWHERE, timeout=5000.0)
    until_true(lambda: b"MovePose(150,-180" in served.heard)
    with served.at_work():
        served.instrument.trip()
    with pytest.raises(Fault, match=r"Motion error\. \[3005\]"):
        status.wait(20)
    robot.trigger().wait(5)
    assert robot.fault.get() == "Motion error. [3005]"
    robot.safe().wait(20)


def test_an_error_is_reset_by_an_operator_only(robot, served, arm):
    robot.pose.set(ABOVE).wait(20)
    with served.at_work():
        served.instrument.trip()
    for _ in range(2):
        with pytest.raises(Fault, match="have its error reset"):
            robot.pose.set(ON).wait(20)
        robot.safe().wait(20)
    assert b"ResetError" not in served.heard
    robot.reset_error().wait(20)
    robot.pose.set(ON).wait(20)
    assert arm.poses[-1][1] == ON
    robot.trigger().wait(5)
    assert robot.fault.get() == ""


def test_out_of_reach(robot):
    with pytest.raises(Fault, match=r"out of reach\. \[1016\]"):
        robot.pose.set((600.0, 0.0, 200.0, 0.0, 180.0, 0.0)).wait(20)


def test_an_emergency_stop_is_seen(robot, served):
    robot.pose.set(ABOVE).wait(20)
    with served.at_work():
        served.instrument._said.append(b"[3070][1]\0")
    robot.trigger().wait(5)
    robot.trigger().wait(5)
    assert robot.fault.get() == "emergency stop"
    with pytest.raises(Fault, match="emergency stop"):
        robot.pose.set(ON).wait(20)
    with served.at_work():
        served.instrument._said.append(b"[3070][0]\0")
    robot.trigger().wait(5)
    robot.trigger().wait(5)
    assert robot.fault.get() == ""


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ((1, 2, 3), "six numbers"),
        ("abcdef", "six numbers"),
        (5.0, "six numbers"),
        ((200, 0, math.nan, 0, 0, 0), "z is nan"),
        ((math.inf, 0, 200, 0, 0, 0), "x is inf"),
        ((200, 0, 99, 0, 0, 0), "z = 99 is outside the workspace 100 to 400"),
        ((200, 0, 401, 0, 0, 0), "outside the workspace"),
    ],
)
def test_poses_are_checked_before_a_byte_is_sent(robot, served, value, complaint):
    with pytest.raises(SettingError, match=complaint):
        robot.pose.set(value)
    assert served.heard == b""


def test_limits_must_name_an_axis(served):
    with pytest.raises(SettingError, match="pose_w"):
        driven(Meca500, served, limits={"pose_w": (0, 1)}).__enter__()


def test_documents_are_valid(robot):
    robot.pose.set(ABOVE).wait(20)
    robot.trigger().wait(5)
    keys, values = robot.describe(), robot.read()
    assert keys["device_pose"]["dtype"] == "array"
    assert list(keys["device_pose"]["shape"]) == [6]
    assert keys["device_pose"]["units"] == "mm, deg"
    run = event_model.compose_run()
    descriptor = run.compose_descriptor(name="primary", data_keys={k: dict(v) for k, v in keys.items()})
    descriptor.compose_event(
        data={name: reading["value"] for name, reading in values.items()},
        timestamps={name: reading["timestamp"] for name, reading in values.items()},
    )


def test_set_never_blocks(robot, served):
    with served.at_work():
        done = threading.Event()
        statuses = []

        def ask():
            statuses.extend([robot.pose.set(ABOVE), robot.gripper.set("open"), robot.trigger(), robot.safe()])
            done.set()

        threading.Thread(target=ask).start()
        assert done.wait(5)
    statuses[-1].wait(20)


def test_a_second_client_is_refused(robot, served):
    on_thread(robot, robot.identify)
    with driven(Meca500, served) as second, pytest.raises(Refused, match="another client"):
        on_thread(second, second.identify)


@pytest.mark.parametrize("greeting", [b"[3000][Connected to Mcs500 R1 v9.1.147]\0", b"[2000][x]\0", b""])
def test_another_instrument(clock, greeting):
    with (
        on_meca_tcp(Saying(b"", greeting), clock) as served,
        driven(Meca500, served, timeout_s=0.1) as robot,
        pytest.raises(WrongInstrument),
    ):
        on_thread(robot, robot.identify)


def test_no_answer(clock):
    greeting = b"[3000][Connected to Meca500 R3 v9.1.147]\0"
    with (
        on_meca_tcp(Saying(b"", greeting), clock) as served,
        driven(Meca500, served, timeout_s=0.1) as robot,
        pytest.raises(NoReply, match="answer"),
    ):
        on_thread(robot, robot.identify)


def test_garbled_once_is_asked_again_twice_is_told(robot, served):
    on_thread(robot, robot.identify)
    garbled = [b"\xff\xfe\0"]
    served.mangle = lambda reply: garbled.pop() if garbled else reply
    robot.trigger().wait(5)
    served.mangle = lambda reply: b"[2007][1,x]\0" + reply
    with pytest.raises(Garbled):
        robot.trigger().wait(5)


def test_a_late_answer_is_not_taken_for_the_next(robot, served):
    on_thread(robot, robot.identify)
    held = []
    served.mangle = lambda reply: held.append(reply) or b""
    robot.link.timeout_s = 0.05
    with pytest.raises(NoReply):
        robot.trigger().wait(5)
    robot.link.timeout_s = 0.5
    served.mangle = lambda reply: b"".join(held) + reply if held else reply
    robot.trigger().wait(5)
    held.clear()
    robot.pose.set(ABOVE).wait(20)
    robot.trigger().wait(5)
    assert robot.pose.get() == pytest.approx(ABOVE)


def test_unplugged(clock, arm):
    with on_meca_tcp(SimulatedMeca500(arm), clock) as served, driven(Meca500, served) as robot:
        on_thread(robot, robot.identify)
        served.hang_up()
        errors = [robot.trigger().exception(10) for _ in range(3)]
        assert isinstance(errors[-1], Gone)


def test_describe_of_holding_and_fault(robot):
    assert robot.describe()["device_holding"]["precision"] == 0


def test_a_line_that_dropped_is_opened_anew_and_the_robot_greets_again(arm, clock):
    with on_meca_tcp(SimulatedMeca500(arm), clock) as served:
        opened = []

        def open_link():
            opened.append(Meca500.open_link(served.address, 0.5))
            return opened[-1]

        port = Port(open_link(), open_link)
        robot = Meca500(port, name="device", clock=clock)
        try:
            on_thread(robot, robot.identify)
            opened[0].close()
            assert isinstance(robot.trigger().exception(20), Gone)
            robot.reconnect().wait(20)
            robot.pose.set(ABOVE).wait(20)
            assert arm.poses[-1][1] == ABOVE
            assert len(opened) == 2
        finally:
            port.close()


def test_a_port_that_was_given_no_way_to_open_it_says_so(robot):
    with pytest.raises(Gone, match="cannot be opened anew from here"):
        robot.reconnect().wait(20)
