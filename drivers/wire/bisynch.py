"""The EI-BISYNCH alphabet of Eurotherm controllers: two-letter mnemonics between control characters.

Read ``04 g g u u C1 C2 05``, answered ``02 C1 C2 data 03 bcc``; write ``04 g g u u 02 C1 C2 data 03 bcc``, answered
``06`` or ``15``.  The two digits of the address are doubled; the check is the exclusive-or of everything after ``02``.
A mnemonic that the unit does not know is answered with ``04``.  Source: Eurotherm 2000 series communications handbook,
as driven by SweepMe.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import xor
from typing import NamedTuple

from drivers.wire.errors import Malformed

EOT, STX, ETX, ENQ, ACK, NAK = b"\x04", b"\x02", b"\x03", b"\x05", b"\x06", b"\x15"
LONGEST = 64


class Message(NamedTuple):
    """What a host says: `data` is None for a question."""

    address: int
    mnemonic: str
    data: str | None


def _block(mnemonic: str, data: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9]{2}", mnemonic) or not re.fullmatch(r"[ -~]{0,20}", data):
        raise Malformed(f"{mnemonic!r} with {data!r} is no block")
    body = f"{mnemonic}{data}".encode("ascii") + ETX
    return STX + body + bytes([reduce(xor, body)])


def _address(address: int) -> bytes:
    if not 0 <= address <= 99:
        raise Malformed(f"there is no address {address}")
    group, unit = divmod(address, 10)
    return f"{group}{group}{unit}{unit}".encode("ascii")


def question(address: int, mnemonic: str) -> bytes:
    """Raises `Malformed`."""
    _block(mnemonic, "")
    return EOT + _address(address) + mnemonic.encode("ascii") + ENQ


def command(address: int, mnemonic: str, data: str) -> bytes:
    """Raises `Malformed`."""
    return EOT + _address(address) + _block(mnemonic, data)


def answer(mnemonic: str, data: str) -> bytes:
    return _block(mnemonic, data)


def host_framing(buffer: bytes) -> int | None:
    """How a unit divides what a host sends: from EOT to ENQ, or to the byte after ETX."""
    if buffer[:1] in (ACK, NAK):
        return 1
    at = buffer.find(EOT)
    if at > 0:
        return at
    if at < 0:
        return len(buffer)
    ends = [end for end in (_end(buffer, ENQ, 1), _end(buffer, ETX, 2)) if end is not None]
    return min(ends, default=len(buffer) if len(buffer) > LONGEST else None)


def _end(buffer: bytes, last: bytes, more: int) -> int | None:
    at = buffer.find(last)
    return at + more if at >= 0 and at + more <= len(buffer) else None


def parse_message(frame: bytes) -> Message:
    """Raises `Malformed`."""
    found = re.fullmatch(rb"\x04(\d)\1(\d)\2(?:([A-Za-z0-9]{2})\x05|(\x02.*))", frame, re.DOTALL)
    if not found:
        raise Malformed(f"{frame!r} is not a message")
    address = 10 * int(found[1]) + int(found[2])
    if found[3]:
        return Message(address, found[3].decode("ascii"), None)
    return Message(address, *_unblock(found[4]))


def answer_framing(buffer: bytes) -> int | None:
    """A question is answered by a block, or by EOT alone; noise may stand before either."""
    start = buffer.find(STX)
    if start < 0:
        return len(buffer) if EOT in buffer or len(buffer) > LONGEST else None
    end = buffer.find(ETX, start)
    if end >= 0 and len(buffer) > end + 1:
        return end + 2
    return len(buffer) if len(buffer) > LONGEST else None


def acknowledgement_framing(buffer: bytes) -> int | None:
    """A command is answered by ACK or NAK; noise may stand before it."""
    for at, byte in enumerate(buffer):
        if byte in ACK + NAK:
            return at + 1
    return len(buffer) if len(buffer) > LONGEST else None


def parse_answer(frame: bytes, mnemonic: str) -> str | None:
    """The data of the block that `frame` ends with; None if the unit does not know the mnemonic.

    Raises `Malformed`, also if the block is that of another mnemonic.
    """
    start = frame.find(STX)
    if start < 0 and frame.endswith(EOT):
        return None
    answered, data = _unblock(frame[max(start, 0) :])
    if answered != mnemonic:
        raise Malformed(f"{frame!r} is the answer to {answered}, not to {mnemonic}")
    return data


def acknowledged(frame: bytes) -> bool:
    """Raises `Malformed`."""
    if frame[-1:] not in (ACK, NAK):
        raise Malformed(f"{frame!r} is neither ACK nor NAK")
    return frame[-1:] == ACK


def _unblock(block: bytes) -> tuple[str, str]:
    found = re.fullmatch(rb"\x02([A-Za-z0-9]{2})([ -~]*)\x03(.)", block, re.DOTALL)
    if not found or reduce(xor, block[1:]):
        raise Malformed(f"{block!r} is no block, or its check is wrong")
    return found[1].decode("ascii"), found[2].decode("ascii")


def number(data: str) -> float:
    """``25.0``; blanks pad it.  Raises `Malformed`."""
    if not re.fullmatch(r" *-?\d+\.?\d* *", data):
        raise Malformed(f"{data!r} is not a number")
    return float(data)


def word(data: str) -> int:
    """A status word, four hexadecimal digits after ``>``.  Raises `Malformed`."""
    if not re.fullmatch(r">[0-9A-Fa-f]{4}", data):
        raise Malformed(f"{data!r} is not a status word")
    return int(data[1:], 16)
