"""MultiPyVu's messages.  The bytes are those of its own server, 3.8.0 in scaffolding mode."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import multivu
from drivers.wire.errors import Malformed
from drivers.wire.multivu import Message

HEADER = b'{"byteorder": "little", "message-type": "text/json", "message-encoding": "utf-8", "message-length": '
PUBLISHED = (
    b"\x00h" + HEADER + b'102}{"id": "abc", "action": "TEMP?", "query": "", "result": "300.0,K,Stable", '
    b'"message_type": "completed"}'
)


def test_published_bytes() -> None:
    assert multivu.frame(PUBLISHED) == len(PUBLISHED)
    told = multivu.parse(PUBLISHED)
    assert told == Message("abc", "TEMP?", "", "300.0,K,Stable", "completed")
    assert multivu.encode(told) == PUBLISHED


def test_frames_in_a_row() -> None:
    both = PUBLISHED + multivu.encode(Message("1", "START"))
    assert multivu.frame(both) == len(PUBLISHED)
    for end in range(len(PUBLISHED)):
        assert multivu.frame(both[:end]) is None


@pytest.mark.parametrize("garbage", [b"\xff\x00\x00h", b"SSH-2.0\r\n", b"\x00\x02{}", b"\x00\x02[]{}"])
def test_garbage_is_taken_whole_and_refused(garbage: bytes) -> None:
    assert multivu.frame(garbage) == len(garbage)
    with pytest.raises(Malformed):
        multivu.parse(garbage)


texts = st.text(max_size=30)


@given(texts, texts, texts, texts, st.sampled_from(["", "confirmed", "completed"]))
def test_messages_are_read_back(id: str, action: str, query: str, result: str, kind: str) -> None:
    message = Message(id, action, query, result, kind)
    assert multivu.parse(multivu.encode(message)) == message


@given(st.binary(max_size=80))
def test_garbage_is_malformed_and_nothing_else(garbage: bytes) -> None:
    multivu.frame(garbage)
    with contextlib.suppress(Malformed):
        multivu.parse(garbage)
