"""The Pfeiffer mnemonic alphabet.

Vectors: InstrumentKit ``tests/test_pfeiffer/test_tpg36x.py`` and Pfeiffer BG 5510 as cited by
labmcp-pfeiffer-tpg.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import pfeiffer
from drivers.wire.errors import Malformed
from drivers.wire.framing import split
from drivers.wire.pfeiffer import Measurement


def test_published_requests() -> None:
    assert pfeiffer.request("PR1") == b"PR1\r"
    assert pfeiffer.request("UNI", 0) == b"UNI,0\r"
    assert pfeiffer.request("SEN", 0, 2) == b"SEN,0,2\r"
    assert pfeiffer.request("ETH", 0, "192.168.1.10") == b"ETH,0,192.168.1.10\r"


def test_published_answers() -> None:
    assert split(b"\x06\r\n0,2.0000E-2\r\n", pfeiffer.LINE) == ([b"\x06\r\n", b"0,2.0000E-2\r\n"], b"")
    assert pfeiffer.message(b"\x06\r\n") == pfeiffer.ACK
    assert pfeiffer.parse_measurements(b"0,2.0000E-2\r\n") == [Measurement(0, 0.02)]
    assert pfeiffer.parse_measurements(b"5,2.0000E-2\r\n") == [Measurement(5, 0.02)]
    assert pfeiffer.parse_measurements(b"0,8.0100E-05,1,+5.0000E-04\r\n") == [
        Measurement(0, 8.01e-5),
        Measurement(1, 5e-4),
    ]
    assert pfeiffer.parse_digit(b"4\r\n") == 4


@pytest.mark.parametrize(
    ("word", "flags"),
    [
        (b"0001\r\n", (False, False, False, True)),
        (b"0010\r\n", (False, False, True, False)),
        (b"0100\r\n", (False, True, False, False)),
        (b"1000\r\n", (True, False, False, False)),
    ],
)
def test_the_error_word(word: bytes, flags: tuple[bool, ...]) -> None:
    assert pfeiffer.parse_error_word(word) == flags


def test_the_controller_divides_what_a_host_sends() -> None:
    assert split(b"\x03PR1\r\n\x05UNI,2\r\x05PR", pfeiffer.host_framing) == (
        [b"\x03", b"PR1\r", b"\n", b"\x05", b"UNI,2\r", b"\x05"],
        b"PR",
    )
    assert split(b"PR\x03PR1\r", pfeiffer.host_framing)[0] == [b"PR", b"\x03", b"PR1\r"]


@given(st.integers(0, 6), st.floats(1e-12, 1e6))
def test_a_measurement_is_read_as_it_was_written(status: int, value: float) -> None:
    [read] = pfeiffer.parse_measurements(pfeiffer.measurement(status, value) + b"\r\n")
    assert read.status == status
    assert read.value == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize("parts", [("PR",), ("PR1", "a,b"), ("PR1", ""), ("pr1",), ("PR1", "\r"), ("ÄÖÜ",)])
def test_what_cannot_be_sent(parts: tuple[str, ...]) -> None:
    with pytest.raises(Malformed):
        pfeiffer.request(*parts)


ALMOST = st.lists(st.sampled_from(["0", "7", "2.0000E-2", "nan", "inf", "1e5", "", "0001"]), max_size=5).map(
    lambda words: ",".join(words).encode() + b"\r\n"
)


@given(st.binary(max_size=40) | ALMOST)
def test_any_bytes_are_read_or_malformed(received: bytes) -> None:
    for read in (pfeiffer.parse_measurements, pfeiffer.parse_error_word, pfeiffer.parse_digit):
        with suppress(Malformed):
            read(received)


@given(st.binary(max_size=40))
def test_any_bytes_of_a_host_are_divided_without_loss(sent: bytes) -> None:
    frames, rest = split(sent, pfeiffer.host_framing)
    assert b"".join(frames) + rest == sent
