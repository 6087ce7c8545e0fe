"""The T&C Power Conversion AG-series alphabet: commands of ten bytes, a byte of acknowledgement, a framed answer.

``43 address id id p1 p1 p2 p2 sum sum``; the unit answers ``2A`` (accepted) or ``3F`` (not), and to a query also
``52 address length length data... sum sum``.  Sums are big-endian and over everything before them.
Source: PyMeasure ``tcpowerconversion.CXN`` and its tests.
"""

from __future__ import annotations

from typing import NamedTuple

from drivers.wire.errors import Malformed

ACCEPTED, REFUSED = b"*", b"?"
COMMAND_LENGTH = 10
LONGEST = 256


class Command(NamedTuple):
    letters: bytes
    p1: int = 0
    p2: int = 0


def _summed(body: bytes) -> bytes:
    return body + (sum(body) & 0xFFFF).to_bytes(2, "big")


def command(letters: bytes, p1: int = 0, p2: int = 0, address: int = 0) -> bytes:
    """Raises `Malformed` if a number does not fit its bytes."""
    if len(letters) != 2 or not (0 <= p1 <= 0xFFFF and 0 <= p2 <= 0xFFFF):
        raise Malformed(f"{letters!r} with {p1} and {p2} does not fit a command")
    return _summed(b"C" + bytes([address]) + letters + p1.to_bytes(2, "big") + p2.to_bytes(2, "big"))


def host_framing(buffer: bytes) -> int | None:
    """Up to the end of the first whole command; a byte that begins none is thrown away."""
    if not buffer.startswith(b"C"):
        return 1
    return COMMAND_LENGTH if len(buffer) >= COMMAND_LENGTH else None


def parse_command(frame: bytes) -> Command:
    """Raises `Malformed`."""
    if len(frame) != COMMAND_LENGTH or _summed(frame[:8]) != frame:
        raise Malformed(f"{frame!r} is not a command, or its checksum is wrong")
    return Command(frame[2:4], int.from_bytes(frame[4:6], "big"), int.from_bytes(frame[6:8], "big"))


def answer(data: bytes, address: int = 0) -> bytes:
    """The acknowledgement and the answer to a query."""
    return ACCEPTED + _summed(b"R" + bytes([address]) + len(data).to_bytes(2, "big") + data)


def acknowledgement_framing(buffer: bytes) -> int | None:
    """A set is answered by one byte, whatever noise stands before it."""
    for index, byte in enumerate(buffer):
        if byte in ACCEPTED + REFUSED:
            return index + 1
    return len(buffer) if len(buffer) >= LONGEST else None


def accepted(frame: bytes) -> bool:
    """Whether the acknowledgement that `frame` ends with says so.  Raises `Malformed`."""
    if frame[-1:] not in (ACCEPTED, REFUSED):
        raise Malformed(f"{frame!r} is no acknowledgement")
    return frame[-1:] == ACCEPTED


def answer_framing(buffer: bytes) -> int | None:
    """The acknowledgement and, if the query was accepted, the answer behind it."""
    for start in range(len(buffer)):
        if buffer[start : start + 1] == REFUSED:
            return start + 1
        if buffer[start : start + 2] == ACCEPTED + b"R" and len(buffer) >= start + 5:
            end = start + 7 + int.from_bytes(buffer[start + 3 : start + 5], "big")
            return min(end, start + LONGEST) if len(buffer) >= min(end, start + LONGEST) else None
    return len(buffer) if len(buffer) >= LONGEST else None


def parse_answer(frame: bytes, length: int) -> bytes | None:
    """The `length` bytes of data at the end of `frame`; None if the query was refused.  Raises `Malformed`."""
    if frame[-1:] == REFUSED and ACCEPTED not in frame:
        return None
    size = 6 + length
    packet = frame[-size:]
    head = frame[-size - 1 : -size]
    if (
        head != ACCEPTED
        or _summed(packet[:-2]) != packet
        or packet[:1] != b"R"
        or packet[2:4] != length.to_bytes(2, "big")
    ):
        raise Malformed(f"{frame!r} is no answer of {length} bytes, or its checksum is wrong")
    return packet[4:-2]


def words(data: bytes) -> list[int]:
    """Big-endian 16-bit numbers."""
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data) - 1, 2)]
