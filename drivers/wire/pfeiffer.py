"""The Pfeiffer mnemonic alphabet (TPG 26x and 36x): a line, its acknowledgement, an enquiry, the answer.

Source: Pfeiffer BG 5510 and BG 5511 as cited by labmcp-pfeiffer-tpg; InstrumentKit's ``tests/test_pfeiffer``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers.wire.errors import Malformed
from drivers.wire.framing import until

ETX = b"\x03"
"""Clears the controller's input buffer and ends its power-up stream."""

ENQ = b"\x05"
"""Asks for what the last mnemonic has to say; sent alone, without CR."""

ACK = b"\x06"
NAK = b"\x15"

LINE = until(b"\r\n")
"""Every line of the controller ends with CR LF."""

_VALUE = re.compile(r"[+-]?\d\.\d{1,4}E[+-]\d{1,2}")


def request(mnemonic: str, *parameters: str | int) -> bytes:
    """``mnemonic[,parameter...]<CR>``.  Raises `Malformed`."""
    if not re.fullmatch("[A-Z0-9]{3}", mnemonic):
        raise Malformed(f"{mnemonic!r} is not a three-letter mnemonic")
    words = [mnemonic, *map(str, parameters)]
    if not all(re.fullmatch("[!-+.-~]+", word) for word in words):
        raise Malformed(f"parameters {parameters!r} are not plain text")
    return ",".join(words).encode("ascii") + b"\r"


def message(framed: bytes) -> bytes:
    """What the controller said, without line end, NULs and blanks around it."""
    return framed.strip(b"\r\n \0")


def host_framing(buffer: bytes) -> int | None:
    """How the controller divides what a host sends: control characters stand alone, lines end with CR."""
    if buffer[:1] in (ETX, ENQ, b"\n"):
        return 1
    ends = [at for byte in (ETX, ENQ) if (at := buffer.find(byte)) > 0]
    cr = buffer.find(b"\r")
    if cr >= 0:
        ends.append(cr + 1)
    return min(ends, default=None)


@dataclass(frozen=True)
class Measurement:
    """One gauge: its status digit, and its value in the controller's unit."""

    status: int
    value: float


def measurement(status: int, value: float) -> bytes:
    """``s,sx.xxxxEsxx`` as the controller writes it."""
    return b"%d,%+.4E" % (status, value)


def parse_measurements(framed: bytes) -> list[Measurement]:
    """The status and value pairs of an answer to ``PRn`` or ``PRX``.  Raises `Malformed`."""
    try:
        words = [word.strip() for word in message(framed).decode("ascii").split(",")]
    except UnicodeDecodeError as error:
        raise Malformed(f"{framed!r} is not ASCII") from error
    pairs = list(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or not all(re.fullmatch("[0-9]", s) and _VALUE.fullmatch(v) for s, v in pairs):
        raise Malformed(f"{framed!r} is not a measurement")
    return [Measurement(int(status), float(value)) for status, value in pairs]


def parse_error_word(framed: bytes) -> tuple[bool, bool, bool, bool]:
    """The four flags of the error word.  Raises `Malformed`."""
    word = message(framed)
    if not re.fullmatch(b"[01]{4}", word):
        raise Malformed(f"{framed!r} is not an error word")
    controller, hardware, parameter, syntax = (digit == ord("1") for digit in word)
    return controller, hardware, parameter, syntax


def parse_digit(framed: bytes) -> int:
    """A single digit.  Raises `Malformed`."""
    word = message(framed)
    if not re.fullmatch(b"[0-9]", word):
        raise Malformed(f"{framed!r} is not a digit")
    return int(word)
