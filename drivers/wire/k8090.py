"""The Velleman K8090 alphabet: packets of seven bytes, ``04 command mask p1 p2 checksum 0F``.

The checksum is the two's complement of the sum of the first five bytes.
Source: Velleman K8090 protocol manual as driven by PyMeasure, and PyMeasure's tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from drivers.wire.errors import Malformed

STX, ETX = 0x04, 0x0F
LENGTH = 7
RELAYS = 8
RUBBISH = 64
"""Bytes without a packet among them after which there will be none."""


class Packet(NamedTuple):
    command: int
    mask: int = 0
    p1: int = 0
    p2: int = 0


def pack(packet: Packet) -> bytes:
    body = bytes([STX, *packet])
    return body + bytes([-sum(body) & 0xFF, ETX])


def _whole(candidate: bytes) -> bool:
    return candidate[0] == STX and candidate[6] == ETX and sum(candidate[:6]) & 0xFF == 0


def framing(buffer: bytes) -> int | None:
    """Up to the end of the first whole packet, whatever stands before it; all of it if it is rubbish."""
    for start in range(len(buffer) - LENGTH + 1):
        if _whole(buffer[start : start + LENGTH]):
            return start + LENGTH
    return len(buffer) if len(buffer) >= RUBBISH else None


def unpack(frame: bytes) -> Packet:
    """The packet that `frame` ends with.  Raises `Malformed`."""
    if len(frame) < LENGTH or not _whole(frame[-LENGTH:]):
        raise Malformed(f"{frame!r} does not end with a packet")
    return Packet(*frame[-LENGTH:][1:5])


def mask(numbers: Iterable[int]) -> int:
    """Bits of the relays `numbers` (1-8).  Raises `Malformed`."""
    value = 0
    for number in numbers:
        if not 1 <= number <= RELAYS:
            raise Malformed(f"there is no relay {number}")
        value |= 1 << (number - 1)
    return value


def numbers(value: int) -> frozenset[int]:
    """The relays whose bits are set."""
    return frozenset(number for number in range(1, RELAYS + 1) if value >> (number - 1) & 1)
