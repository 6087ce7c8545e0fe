"""Zaber's ASCII lines.  Published: zaber.serial 0.9.1's documentation; checksums computed by its rule."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import zaber
from drivers.wire.errors import Malformed


def test_lines() -> None:
    assert zaber.sealed("/01 0 get pos") == b"/01 0 get pos:7D\r\n"
    assert zaber.command(1, 2, 7, "move abs 1000") == zaber.sealed("/01 2 07 move abs 1000")
    assert zaber.command(1, 0, 42, "") == zaber.sealed("/01 0 42")
    found = zaber.parse_reply(zaber.sealed("@01 1 42 RJ IDLE WR BADDATA"))
    assert found == zaber.Reply(1, 1, 42, False, False, "WR", "BADDATA")


@pytest.mark.parametrize(
    "line",
    [
        b"@01 0 OK IDLE -- 0\r\n",  # no checksum, and we always ask for one
        b"@01 0 42 OK IDLE -- 0:00\r\n",
        b"!01 0 IDLE --:D8\r\n",
        b"@1 0 OK IDLE -- 0\r\n",
        b"\xff\xff\r\n",
        b"\r\n",
    ],
)
def test_what_is_no_reply(line: bytes) -> None:
    with pytest.raises(Malformed):
        zaber.parse_reply(line)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/", zaber.Command(0, 0, None, "")),
        ("/get pos", zaber.Command(0, 0, None, "get pos")),
        ("/1 move abs 10", zaber.Command(1, 0, None, "move abs 10")),
        ("/01 2 home", zaber.Command(1, 2, None, "home")),
        ("/01 2 99 home", zaber.Command(1, 2, 99, "home")),
        ("/01 2 -- home", zaber.Command(1, 2, None, "home")),
    ],
)
def test_commands(line: str, command: zaber.Command) -> None:
    assert zaber.parse_command(line.encode() + b"\n") == (command, False)
    assert zaber.parse_command(zaber.sealed(line)) == (command, True)


@given(st.integers(1, 99), st.integers(0, 9), st.integers(0, 99), st.booleans(), st.sampled_from(["", "WR", "FS"]))
def test_replies_are_read_back(device: int, axis: int, id: int, busy: bool, warning: str) -> None:
    told = zaber.Reply(device, axis, id, True, busy, warning, "12 34")
    assert zaber.parse_reply(zaber.reply(told)) == told


@given(st.binary(max_size=60))
def test_garbage_is_malformed_and_nothing_else(garbage: bytes) -> None:
    for read in (zaber.parse_reply, zaber.parse_command):
        with contextlib.suppress(Malformed):
            read(garbage)


@given(st.integers(0, 40), st.integers(1, 255))
def test_a_changed_character_is_noticed(at: int, change: int) -> None:
    line = bytearray(zaber.reply(zaber.Reply(1, 1, 42, True, False, "", "123456")))
    at = at % (len(line) - 2)
    line[at] ^= change
    with contextlib.suppress(Malformed):
        assert zaber.parse_reply(bytes(line)) == zaber.Reply(1, 1, 42, True, False, "", "123456")
