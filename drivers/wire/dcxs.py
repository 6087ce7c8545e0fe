"""The AJA DCXS alphabet: ASCII decimals and texts of fixed width, with neither framing nor checksum.

What a letter means, and how long its answer is, stands in the driver and again in the simulator.
Source: the public driver and tests of PyMeasure (``pymeasure/instruments/aja/dcxs.py``).
"""

from __future__ import annotations

from collections.abc import Iterable

from drivers.wire.errors import Malformed

GUNS = 5
"""Bits of the shutter mask in use: bit 0 is gun 1."""


def digits(value: int, width: int) -> bytes:
    """`value` as exactly `width` decimal digits.  Raises `Malformed` if it does not fit."""
    written = b"%0*d" % (width, value)
    if value < 0 or len(written) != width:
        raise Malformed(f"{value} does not fit in {width} digits")
    return written


def number(reply: bytes, width: int) -> int:
    """The value of exactly `width` decimal digits.  Raises `Malformed`."""
    if len(reply) != width or not reply.isdigit():
        raise Malformed(f"{reply!r} is not {width} digits")
    return int(reply)


def text(reply: bytes) -> str:
    """Printable ASCII without the padding.  Raises `Malformed`."""
    if not all(0x20 <= byte < 0x7F for byte in reply):
        raise Malformed(f"{reply!r} is not text")
    return reply.decode("ascii").strip()


def guns(reply: bytes) -> frozenset[int]:
    """Numbers of the guns whose bits are set in the one-byte mask `reply`.  Raises `Malformed`."""
    if len(reply) != 1 or reply[0] >> GUNS:
        raise Malformed(f"{reply!r} is not a mask of {GUNS} guns")
    return frozenset(gun for gun in range(1, GUNS + 1) if reply[0] >> (gun - 1) & 1)


def mask(numbers: Iterable[int]) -> bytes:
    """The one-byte mask with the bits of the guns `numbers` (1-5) set.  Raises `Malformed`."""
    value = 0
    for gun in numbers:
        if not 1 <= gun <= GUNS:
            raise Malformed(f"there is no gun {gun}")
        value |= 1 << (gun - 1)
    return bytes([value])
