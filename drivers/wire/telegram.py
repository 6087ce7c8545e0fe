"""The Pfeiffer Vacuum telegram (TC 110, TC 400 and others on RS-485): digits, a checksum, CR.

``aaa`` address, ``0`` read or ``1`` write and answer, ``0``, ``ppp`` parameter, ``ll`` length, data, ``ccc`` sum of all
characters before modulo 256.  Source: Pfeiffer Vacuum protocol as driven by pfeiffer-vacuum-protocol and PyExpLabSys.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.wire.errors import Malformed
from drivers.wire.framing import until

LINE = until(b"\r")
QUERY = "=?"
ON, OFF = "111111", "000000"
"""The older of the two kinds of boolean."""
ERRORS = {"NO_DEF": "no such parameter", "_RANGE": "value out of range", "_LOGIC": "not allowed now"}


class Telegram(NamedTuple):
    address: int
    write: bool
    parameter: int
    data: str


def checksum(text: str) -> str:
    return f"{sum(text.encode('ascii')) % 256:03d}"


def pack(telegram: Telegram) -> bytes:
    """Raises `Malformed`."""
    address, write, parameter, data = telegram
    text = f"{address:03d}{int(write)}0{parameter:03d}{len(data):02d}{data}"
    if not re.fullmatch(r"\d{10}[ -~]{1,99}", text) or not 0 < address < 1000:
        raise Malformed(f"{telegram} does not fit a telegram")
    return f"{text}{checksum(text)}\r".encode("ascii")


def unpack(frame: bytes) -> Telegram:
    """Noise of the line before the first digit does no harm.  Raises `Malformed`."""
    found = re.fullmatch(rb"[^0-9]*((\d{3})([01])0(\d{3})(\d{2})([ -~]*))(\d{3})\r", frame)
    if not found or checksum(found[1].decode("ascii")).encode() != found[7] or int(found[5]) != len(found[6]):
        raise Malformed(f"{frame!r} is not a telegram, or its length or checksum is wrong")
    return Telegram(int(found[2]), found[3] == b"1", int(found[4]), found[6].decode("ascii"))


def integer(data: str) -> int:
    """Six digits.  Raises `Malformed`."""
    if not re.fullmatch(r"\d{6}", data):
        raise Malformed(f"{data!r} is not six digits")
    return int(data)


def real(data: str) -> float:
    """Six digits with two decimals.  Raises `Malformed`."""
    return integer(data) / 100


def boolean(data: str) -> bool:
    """Raises `Malformed`."""
    if data not in (ON, OFF):
        raise Malformed(f"{data!r} is neither {ON} nor {OFF}")
    return data == ON
