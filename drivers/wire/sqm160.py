"""The Inficon SQM-160 alphabet: ``!``, a length, a message, a 14-bit CRC in two characters.

No character of a frame but the first is ever ``!``, so that ``!`` always begins a frame anew.
Source: instrument manual 074-511 as implemented by PyMeasure, PyExpLabSys and a LabRAD server.
"""

from __future__ import annotations

import re

from drivers.wire.errors import Malformed
from drivers.wire.framing import Framing

SYNC = 0x21
HOST_OFFSET = 34
"""Added to the number of message bytes in a host's frame."""
UNIT_OFFSET = 35
"""Added to the number of data bytes in the unit's frame: status and data together, so one less."""

_CRC_START = 0x3FFF
_CRC_TAPS = 0x2001
_LONGEST = 0xFF - UNIT_OFFSET

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")


def crc(covered: bytes) -> bytes:
    """The two CRC characters over `covered`: everything of a frame after its ``!``."""
    value = _CRC_START
    for byte in covered:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (_CRC_TAPS if value & 1 else 0)
    return bytes([(value & 0x7F) + 34, (value >> 7 & 0x7F) + 34])


def request(message: str) -> bytes:
    """A host's frame.  Raises `Malformed` if `message` cannot be sent."""
    return _frame(_payload(message), HOST_OFFSET)


def reply(status: str, answer: str = "") -> bytes:
    """The unit's frame: a status letter and its answer.  Raises `Malformed`."""
    return _frame(_payload(status + answer), UNIT_OFFSET)


def parse_request(frame: bytes) -> str:
    """The message of a host's frame.  Raises `Malformed`."""
    return _parse(frame, HOST_OFFSET)


def parse_reply(frame: bytes) -> tuple[str, str]:
    """Status letter and answer of the unit's frame.  Raises `Malformed`."""
    payload = _parse(frame, UNIT_OFFSET)
    return payload[0], payload[1:]


def parse_number(answer: str) -> float:
    """Raises `Malformed`."""
    word = answer.strip()
    if not _NUMBER.fullmatch(word):
        raise Malformed(f"{answer!r} is not a number")
    return float(word)


def parse_flag(answer: str) -> bool:
    """Raises `Malformed`."""
    word = answer.strip()
    if word not in ("0", "1"):
        raise Malformed(f"{answer!r} is neither 0 nor 1")
    return word == "1"


def _framing(offset: int) -> Framing:
    def framing(buffer: bytes) -> int | None:
        start = buffer.find(SYNC)
        while start >= 0:
            if len(buffer) < start + 2:
                return None
            end = start + 2 + max(0, buffer[start + 1] - offset) + 2
            restart = buffer.find(SYNC, start + 1, end)
            if restart < 0:
                return end if len(buffer) >= end else None
            start = restart
        return None

    return framing


host_framing = _framing(HOST_OFFSET)
"""Frames of a host; whatever precedes the ``!`` is part of the frame and ignored."""

unit_framing = _framing(UNIT_OFFSET)
"""Frames of the unit; whatever precedes the ``!`` is part of the frame and ignored."""


def _payload(message: str) -> bytes:
    if not re.fullmatch('[ "-~]+', message) or len(message) > _LONGEST:
        raise Malformed(f"{message!r} cannot be sent: 1 to {_LONGEST} ASCII characters without '!'")
    return message.encode("ascii")


def _frame(payload: bytes, offset: int) -> bytes:
    covered = bytes([len(payload) + offset]) + payload
    return bytes([SYNC]) + covered + crc(covered)


def _parse(frame: bytes, offset: int) -> str:
    start = frame.rfind(SYNC)
    covered, check = frame[start + 1 : -2], frame[-2:]
    if start < 0 or len(covered) < 2 or covered[0] - offset != len(covered) - 1:
        raise Malformed(f"{frame!r} is not a frame: its length does not agree")
    if crc(covered) != check:
        raise Malformed(f"{frame!r}: checksum {check!r} should be {crc(covered)!r}")
    try:
        return covered[1:].decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed(f"{frame!r} is not ASCII") from error
