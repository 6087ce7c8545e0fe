"""The Alicat alphabet.

Vectors: frames captured on an MC-500SCCM-D and an older unit, as shown in the tests of labmcp-alicat and
alicatlib; the frame with a total, and ``ALS``, from the Serial Primer as cited there.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import alicat
from drivers.wire.errors import Malformed

CAPTURED = [
    (
        b"A +014.62 +021.89 +000.00 +000.00 +078.95     N2\r",
        alicat.DataFrame("A", 14.62, 21.89, 0.0, 0.0, 78.95, None, "N2", ()),
    ),
    (
        b"A +014.62 +021.89 +000.00 +000.00 +078.95     N2 HLD\r",
        alicat.DataFrame("A", 14.62, 21.89, 0.0, 0.0, 78.95, None, "N2", ("HLD",)),
    ),
    (
        b"A +014.52 +021.50 +0000.1 +0000.2 0116.3      N2\r",
        alicat.DataFrame("A", 14.52, 21.5, 0.1, 0.2, 116.3, None, "N2", ()),
    ),
    (
        b"A +087.59 +025.00 +164.7 +981.6 985.0 022741.4 Air HLD MOV\r",
        alicat.DataFrame("A", 87.59, 25.0, 164.7, 981.6, 985.0, 22741.4, "Air", ("HLD", "MOV")),
    ),
]


@pytest.mark.parametrize(("received", "frame"), CAPTURED)
def test_captured_frames(received: bytes, frame: alicat.DataFrame) -> None:
    assert alicat.LINE(received) == len(received)
    assert alicat.DataFrame.parse(received) == frame


def test_the_answer_to_ls() -> None:
    answer = alicat.SetPoint.parse(b"A +078.94 +050.00 12 SCCM\r")
    assert answer == alicat.SetPoint("A", 78.94, 50.0, "SCCM")


def test_numbers_are_written_as_captured() -> None:
    assert [alicat.number(value) for value in (14.62, 0, 78.95)] == ["+014.62", "+000.00", "+078.95"]


def test_requests() -> None:
    assert alicat.request("A") == b"A\r"
    assert alicat.request("A", "LS 50.0") == b"ALS 50.0\r"
    assert alicat.request("B", "??M*") == b"B??M*\r"


@pytest.mark.parametrize("body", ["49408", "0", " 5", "+5", "-5"])
def test_a_legacy_integer_set_point_cannot_be_written(body: str) -> None:
    with pytest.raises(Malformed, match="legacy integer set point"):
        alicat.request("A", body)


@pytest.mark.parametrize(("unit", "body"), [("a", ""), ("AB", ""), ("", ""), ("A", "S5\r"), ("A", "é")])
def test_what_cannot_be_sent(unit: str, body: str) -> None:
    with pytest.raises(Malformed):
        alicat.request(unit, body)


@given(st.text(max_size=12))
def test_no_request_ever_begins_like_an_integer_set_point(body: str) -> None:
    try:
        request = alicat.request("A", body)
    except Malformed:
        return
    assert request.count(b"\r") == 1
    assert not request[1:].lstrip(b" ")[:1].isdigit()


ALMOST = st.lists(
    st.sampled_from(["A", "+014.62", "021.8", "N2", "Ar", "HLD", "MOV", "SCCM", "12", "?", "--"]), max_size=12
).map(lambda words: " ".join(words).encode() + b"\r")


@given(st.binary(max_size=80) | ALMOST)
def test_any_bytes_are_read_or_malformed(received: bytes) -> None:
    for read in (alicat.line, alicat.DataFrame.parse, alicat.SetPoint.parse):
        with suppress(Malformed):
            read(received)
