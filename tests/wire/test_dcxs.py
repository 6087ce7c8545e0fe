"""The DCXS alphabet.  Vectors: PyMeasure ``tests/instruments/aja/test_dcxs.py``."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import dcxs
from drivers.wire.errors import Malformed


def test_published_bytes() -> None:
    assert b"C" + dcxs.digits(5, 4) == b"C0005"
    assert b"C" + dcxs.digits(97, 4) == b"C0097"
    assert dcxs.number(b"0097", 4) == 97
    assert b"D" + dcxs.digits(0, 1) == b"D0"
    assert dcxs.text(b"DCXS750-4") == "DCXS750-4"
    assert dcxs.text(b"ALongNam") == "ALongNam"


@pytest.mark.parametrize(("value", "width"), [(10000, 4), (-1, 4), (10, 1)])
def test_what_does_not_fit_is_not_sent(value: int, width: int) -> None:
    with pytest.raises(Malformed, match="does not fit"):
        dcxs.digits(value, width)


@pytest.mark.parametrize("reply", [b"", b"012", b"01234", b" 012", b"+012", b"1_23", b"1.23", b"\xb2\xb2\xb2\xb2"])
def test_what_is_no_number_is_not_read(reply: bytes) -> None:
    with pytest.raises(Malformed, match="is not 4 digits"):
        dcxs.number(reply, 4)


@given(st.sets(st.integers(1, dcxs.GUNS)))
def test_the_shutter_mask_is_reversible(guns: set[int]) -> None:
    assert dcxs.guns(dcxs.mask(guns)) == guns


def test_bit_0_is_gun_1() -> None:
    assert dcxs.guns(b"\x01") == {1}
    assert dcxs.guns(b"\x10") == {5}
    with pytest.raises(Malformed):
        dcxs.mask([6])


@given(st.binary(max_size=12), st.integers(1, 9))
def test_any_bytes_are_read_or_malformed(reply: bytes, width: int) -> None:
    for read in (lambda: dcxs.number(reply, width), lambda: dcxs.text(reply), lambda: dcxs.guns(reply)):
        with suppress(Malformed):
            read()
