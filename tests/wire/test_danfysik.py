"""Danfysik's lines.  Published: pymeasure's danfysik8500.py (what it sends, and how it takes an answer apart)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import danfysik
from drivers.wire.errors import Malformed


def test_lines() -> None:
    assert danfysik.command("DA 0,25000") == b"DA 0,25000\r"
    assert danfysik.FRAME(b"+0400\n\rrest") == 7
    assert danfysik.parse(b"+0400\n\r") == "+0400"
    assert danfysik.parse(b"?\a UNKNOWN COMMAND\n\r") == danfysik.Refusal("UNKNOWN COMMAND")


def test_numbers() -> None:
    assert danfysik.whole("+0400") == 400
    assert danfysik.set_point_ppm("0 +025000") == 25000
    assert danfysik.set_point_ppm("0,25000") == 25000
    for bad in ("", "x", "0 ", "1 25000", "٣"):
        with pytest.raises(Malformed):
            danfysik.set_point_ppm(bad)


def test_lamps() -> None:
    lit = danfysik.lamps("!" + "." * 22 + "!")
    assert (lit[0], lit[1], lit[23]) == (True, False, True)
    for bad in ("." * 23, "?" * 24):
        with pytest.raises(Malformed):
            danfysik.lamps(bad)


@given(st.binary(max_size=40))
def test_garbage_is_malformed_and_nothing_else(garbage: bytes) -> None:
    with contextlib.suppress(Malformed):
        answer = danfysik.parse(garbage)
        if isinstance(answer, str):
            for read in (danfysik.whole, danfysik.set_point_ppm, danfysik.lamps):
                with contextlib.suppress(Malformed):
                    read(answer)
