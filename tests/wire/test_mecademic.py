"""Mecademic's text protocol.  Published bytes: the Meca500 programming manual (firmware 9.2), sections 2.4 and 2.5,
and mecademicpy's tests (robot_test.py, robot_config/meca500_r3_v9.yml)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import mecademic
from drivers.wire.errors import Malformed
from drivers.wire.framing import split


@pytest.mark.parametrize(
    ("frame", "code", "text"),
    [
        (b"[3000][Connected to Meca500 R3 v9.1.147]\0", 3000, "Connected to Meca500 R3 v9.1.147"),
        (b"[2000][Motors activated.]\0", 2000, "Motors activated."),
        (b"[2002][Homing done.]\0", 2002, "Homing done."),
        (b"[2007][1,1,0,0,0,1,1]\0", 2007, "1,1,0,0,0,1,1"),
        (b"[2117][]\0", 2117, ""),
        (b"[3030][123]\0", 3030, "123"),
        (b"[1001][Empty command or command unrecognized. - Command: 'X[1]']\0", 1001, None),
    ],
)
def test_published_messages(frame, code, text):
    message = mecademic.parse_message(frame)
    assert message.code == code
    assert text is None or message.text == text
    assert mecademic.message(*message) == frame


@pytest.mark.parametrize("frame", [b"", b"\0", b"[30][x]\0", b"3000\0", b"[3000]\0", b"\xff[3000][x]\0", b"x]\0"])
def test_what_is_no_message(frame):
    with pytest.raises(Malformed):
        mecademic.parse_message(frame)


def test_commands():
    assert mecademic.command("ActivateRobot") == b"ActivateRobot\0"
    assert mecademic.command("MovePose", 190, 0, 308, 0, 90, 0) == b"MovePose(190,0,308,0,90,0)\0"
    assert mecademic.command("MovePose", 0.12345, -0.5) == b"MovePose(0.123,-0.5)\0"
    assert mecademic.parse_command(b"SetJointVel(50)\0") == ("setjointvel", ("50",))
    assert mecademic.parse_command(b"Home()\0") == ("home", ())
    assert mecademic.parse_command(b"-GetRobotSerial\n") == ("getrobotserial", ())  # a dash: not logged
    assert mecademic.parse_command(b"\0") is None  # clients keep the connection alive with it
    with pytest.raises(Malformed):
        mecademic.parse_command(b"MoveJoints(1,2\0")


def test_numbers():
    assert mecademic.numbers("") == ()
    assert mecademic.numbers("190, 0,308.5") == (190.0, 0.0, 308.5)
    with pytest.raises(Malformed):
        mecademic.numbers("1,x")


def test_framing_of_the_host():
    assert mecademic.host_frame(b"Home") is None
    assert mecademic.host_frame(b"Home\0x") == 5
    assert mecademic.host_frame(b"Home\n\0") == 5


@given(st.lists(st.tuples(st.integers(1000, 9999), st.text(st.characters(min_codepoint=32, max_codepoint=126)))))
def test_a_stream_of_messages_is_taken_apart(messages):
    stream = b"".join(mecademic.message(code, text) for code, text in messages)
    frames, rest = split(stream, mecademic.FRAME)
    assert [tuple(mecademic.parse_message(frame)) for frame in frames] == messages
    assert rest == b""


@given(st.binary(max_size=80))
def test_decoders_raise_nothing_but_malformed(frame):
    for decode in (mecademic.parse_message, mecademic.parse_command):
        with contextlib.suppress(Malformed):
            decode(frame)


@given(st.lists(st.floats(-1e4, 1e4), min_size=6, max_size=6))
def test_a_pose_survives_the_wire(pose):
    name, arguments = mecademic.parse_command(mecademic.command("MovePose", *pose))
    assert name == "movepose"
    assert [float(argument) for argument in arguments] == pytest.approx(pose, abs=0.0006)
