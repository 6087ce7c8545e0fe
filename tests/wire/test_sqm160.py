"""The SQM-160 alphabet.

Vectors: the instrument manual and captured replies in PyMeasure ``tests/instruments/inficon/test_sqm160.py``;
the SQC-310 manual (PN 074-550, section 4.3.13 to 4.3.15), whose framing and checksum are the same.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import sqm160
from drivers.wire.errors import Malformed
from drivers.wire.framing import split

REQUESTS = [
    ("@", b"!#@O7"),
    ("C?", b"!$C?g/"),
    ("J", b"!#JO8"),
    ("M", b"!#M\x8e\x8a"),
    ("O", b"!#O\x8f9"),
    ("L1?", b"!%L1?\x85{"),
    ("P1", b"!$P1Z\x91"),
    ("M1", b"!$M1" + bytes([92, 113])),
    ("N1", b"!$N1" + bytes([93, 81])),
    ("O1", b"!$O1" + bytes([103, 146])),
]
REPLIES = [
    ("A", "MON Ver 4.13", b"!0AMON Ver 4.13Uw"),
    ("A", "6", b"!%A6v\x86"),
    ("A", " 0.01 ", b"!*A 0.01 i?"),
    ("A", " 0.000 ", b"!+A 0.000 Jo"),
    ("A", " 0.00 ", b"!*A 0.00 [d"),
    ("A", "5875830.230", b"!/A5875830.230:X"),
    ("A", " 0.00", b"!)A 0.00" + bytes([87, 100])),
    ("A", " 0.000", b"!*A 0.000" + bytes([90, 92])),
]


@pytest.mark.parametrize(("message", "frame"), REQUESTS)
def test_published_requests(message: str, frame: bytes) -> None:
    assert sqm160.request(message) == frame
    assert sqm160.parse_request(frame) == message
    assert sqm160.host_framing(frame) == len(frame)


@pytest.mark.parametrize(("status", "answer", "frame"), REPLIES)
def test_published_replies(status: str, answer: str, frame: bytes) -> None:
    assert sqm160.reply(status, answer) == frame
    assert sqm160.parse_reply(frame) == (status, answer)
    assert sqm160.unit_framing(frame) == len(frame)


def test_numbers() -> None:
    assert [sqm160.parse_number(word) for word in (" 0.01 ", "5875830.230", "6", "-0.5")] == [
        0.01,
        5875830.23,
        6.0,
        -0.5,
    ]
    for word in ("", "nan", "1e5", "1,5", "--"):
        with pytest.raises(Malformed):
            sqm160.parse_number(word)


def test_flags() -> None:
    assert [sqm160.parse_flag(word) for word in ("1", " 0 ")] == [True, False]
    for word in ("", "0.000", "2", "-1"):
        with pytest.raises(Malformed):
            sqm160.parse_flag(word)


def test_an_exclamation_mark_begins_a_frame_anew() -> None:
    whole = sqm160.reply("A", "6")
    spoiled = b"\0\xff" + whole[:3] + whole
    assert split(spoiled + whole, sqm160.unit_framing) == ([spoiled, whole], b"")
    assert sqm160.parse_reply(spoiled) == ("A", "6")


@pytest.mark.parametrize("message", ["", "wow!", "ä", "a\r", "x" * 300])
def test_what_cannot_be_sent(message: str) -> None:
    with pytest.raises(Malformed):
        sqm160.request(message)


TEXTS = st.text(st.characters(codec="ascii", min_codepoint=0x20, exclude_characters="!\x7f"), max_size=60)


@given(TEXTS)
def test_a_reply_survives_any_fragmentation_and_carries_one_sync(answer: str) -> None:
    frame = sqm160.reply("A", answer)
    assert frame.count(b"!") == 1
    assert all(sqm160.unit_framing(frame[:end]) is None for end in range(len(frame)))
    assert sqm160.parse_reply(frame) == ("A", answer)


@given(TEXTS, st.data())
def test_a_single_wrong_byte_is_found(answer: str, data: st.DataObject) -> None:
    frame = bytearray(sqm160.reply("A", answer))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Malformed):
        sqm160.parse_reply(bytes(frame))


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_malformed(received: bytes) -> None:
    for read in (sqm160.parse_reply, sqm160.parse_request):
        with suppress(Malformed):
            read(received)
    for framing in (sqm160.unit_framing, sqm160.host_framing):
        length = framing(received)
        assert length is None or 4 <= length <= len(received)
