"""The MKS alphabet of the 900 series (937B, 946, PR4000B): ``@aaaCOMMAND?;FF``, ``@aaaCOMMAND!value;FF``.

The answer is ``@aaaACKvalue;FF`` or ``@aaaNAKnnn;FF``; there is no checksum, and ``;FF`` is three characters.
Source: PyMeasure ``mksinst`` and its tests; an EPICS protocol file for the 946.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.wire.errors import Malformed
from drivers.wire.framing import until

END = b";FF"
FRAME = until(END)
ANY = 254
"""The address to which any unit answers, with its own."""

_MESSAGE = re.compile(rb"@(\d{3})([A-Z]{1,4}\d{0,2})(\?|![ -:<-~]*);FF")
_REPLY = re.compile(rb"@(\d{3})(ACK|NAK)([ -:<-~]*);FF")
_PRESSURE = re.compile(r"\d\.\d{1,3}E[+-]\d{1,2}", re.IGNORECASE)


class Message(NamedTuple):
    """What a host says; `value` is None for a query."""

    address: int
    command: str
    value: str | None


class Reply(NamedTuple):
    address: int
    accepted: bool
    text: str


def message(address: int, command: str, value: str | None = None) -> bytes:
    """A query, or a command with its `value`.  Raises `Malformed`."""
    framed = f"@{address:03d}{command}{'?' if value is None else '!' + value};FF".encode("ascii", "replace")
    if not _MESSAGE.fullmatch(framed):
        raise Malformed(f"{framed!r} is not a message")
    return framed


def parse_message(frame: bytes) -> Message:
    """Raises `Malformed`."""
    found = _MESSAGE.fullmatch(frame.lstrip(b"\r\n \0\xff"))
    if not found:
        raise Malformed(f"{frame!r} is not a message")
    tail = found[3].decode("ascii")
    return Message(int(found[1]), found[2].decode("ascii"), None if tail == "?" else tail[1:])


def reply(address: int, text: str, *, accepted: bool = True) -> bytes:
    return f"@{address:03d}{'ACK' if accepted else 'NAK'}{text};FF".encode("ascii")


def parse_reply(frame: bytes) -> Reply:
    """Noise of the line before the first ``@`` does no harm.  Raises `Malformed`."""
    found = _REPLY.fullmatch(frame[frame.find(b"@") :] if b"@" in frame else frame)
    if not found:
        raise Malformed(f"{frame!r} is not a reply")
    return Reply(int(found[1]), found[2] == b"ACK", found[3].decode("ascii"))


def number(text: str) -> float:
    """``1.10e-9``, ``2.50E+1``.  Raises `Malformed`."""
    if not _PRESSURE.fullmatch(text):
        raise Malformed(f"{text!r} is not a number with mantissa and exponent")
    return float(text)


def exponential(value: float) -> str:
    """As the unit takes and gives numbers: ``2.50E+01``."""
    return f"{value:.2E}"
