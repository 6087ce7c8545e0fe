"""The TDK-Lambda GENESYS alphabet: lines that end with CR, with a checksum after ``$`` if the host writes one.

The checksum is the sum of the characters before ``$``, modulo 256, as two hexadecimal digits: ``STT?$3A``.
Source: TDK-Lambda GENESYS manual, serial communication; PyMeasure ``tdk`` and its tests.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.wire.errors import Malformed
from drivers.wire.framing import until

LINE = until(b"\r")

ERRORS = {
    "E01": "voltage above its range or 95 % of the over-voltage limit",
    "E02": "voltage below the under-voltage limit",
    "E04": "over-voltage limit too low",
    "E06": "under-voltage limit above the voltage",
    "E07": "switched on during a fault",
    "C01": "illegal command",
    "C02": "parameter missing",
    "C03": "illegal parameter",
    "C04": "wrong checksum",
    "C05": "out of range",
}

_STATUS = re.compile(
    r"MV\((\d+\.?\d*)\),PV\((\d+\.?\d*)\),MC\((\d+\.?\d*)\),PC\((\d+\.?\d*)\),SR\(([0-9A-F]{2})\),FR\(([0-9A-F]{2})\)"
)


def checksum(text: bytes) -> bytes:
    return b"%02X" % (sum(text) & 0xFF)


def line(text: str) -> bytes:
    """`text` with its checksum.  Raises `Malformed`."""
    if not text.isascii() or not text.isprintable() or "$" in text:
        raise Malformed(f"{text!r} is not a line")
    written = text.encode("ascii")
    return written + b"$" + checksum(written) + b"\r"


def parse(frame: bytes) -> str:
    """The text of a line whose checksum must be there and right.  Raises `Malformed`."""
    text, separator, sum_ = frame.strip(b"\r\n \0\xff").rpartition(b"$")
    if not separator or sum_ != checksum(text):
        raise Malformed(f"{frame!r} has no checksum, or a wrong one")
    if not text.isascii():
        raise Malformed(f"{frame!r} is not ASCII")
    return text.decode("ascii")


def number(text: str) -> float:
    """Raises `Malformed`."""
    if not re.fullmatch(r"-?\d+\.?\d*", text):
        raise Malformed(f"{text!r} is not a number")
    return float(text)


class Status(NamedTuple):
    """The answer to ``STT?``: volts, amperes and the two registers."""

    voltage: float
    voltage_limit: float
    current: float
    current_limit: float
    status: int
    fault: int


def parse_status(text: str) -> Status:
    """Raises `Malformed`."""
    found = _STATUS.fullmatch(text)
    if not found:
        raise Malformed(f"{text!r} is not the answer to STT?")
    voltage, voltage_limit, current, current_limit = (float(word) for word in found.groups()[:4])
    return Status(voltage, voltage_limit, current, current_limit, int(found[5], 16), int(found[6], 16))


def format_status(status: Status) -> str:
    volts = [f"{name}({value:07.3f})" for name, value in zip(("MV", "PV", "MC", "PC"), status[:4], strict=True)]
    return ",".join([*volts, f"SR({status.status:02X})", f"FR({status.fault:02X})"])
