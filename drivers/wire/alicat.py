"""The Alicat serial alphabet: CR-terminated ASCII lines that begin with the letter of one unit on the bus.

Source: Alicat Serial Primer as cited by the public drivers alicatlib and labmcp-alicat; frames captured on an
MC-500SCCM-D there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers.wire.errors import Malformed
from drivers.wire.framing import until

LINE = until(b"\r")
"""Both directions end a line with CR."""

REJECTED = "?"

STATUS_WORDS = frozenset(
    ("ADC", "COM", "EXH", "GTA", "HLD", "LCK", "MOV", "OPL", "OVR", "P2O", "POV", "TMF", "TOV", "VOV")
)

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_GAS = re.compile(r"[A-Za-z0-9-]{1,8}")


def request(unit: str, body: str = "") -> bytes:
    """The line that sends `body` to `unit`.

    Raises `Malformed` for a body that begins with a digit: that is the legacy integer set point, in which
    64000 opens the valve to full scale.
    """
    if not re.fullmatch("[A-Z]", unit):
        raise Malformed(f"unit must be one letter A-Z, not {unit!r}")
    if not re.fullmatch("[ -~]*", body):
        raise Malformed(f"{body!r} is not printable ASCII")
    if re.match("[ ]*[+-]?[0-9]", body):
        raise Malformed(f"{unit + body!r} would be taken for a legacy integer set point")
    return f"{unit}{body}\r".encode("ascii")


def line(received: bytes) -> str:
    """The text of one line, without its CR, stray NULs and surrounding blanks.  Raises `Malformed`."""
    try:
        stripped = received.decode("ascii").replace("\0", "").strip()
    except UnicodeDecodeError as error:
        raise Malformed(f"{received!r} is not ASCII") from error
    if not re.fullmatch("[ -~]*", stripped):
        raise Malformed(f"{received!r} is not one line of text")
    return stripped


def number(value: float) -> str:
    """`value` as the data frame writes it: sign, three digits or more, two decimals (``+014.62``)."""
    return f"{value:+07.2f}"


def parse_number(word: str) -> float:
    """Raises `Malformed`."""
    if not _NUMBER.fullmatch(word):
        raise Malformed(f"{word!r} is not a number")
    return float(word)


@dataclass(frozen=True)
class DataFrame:
    """What a flow controller answers to its bare unit letter, in the units that it is configured for."""

    unit: str
    pressure: float
    temperature: float
    volumetric_flow: float
    mass_flow: float
    set_point: float
    total: float | None
    gas: str
    status: tuple[str, ...]

    @classmethod
    def parse(cls, received: bytes) -> DataFrame:
        """Columns from the left, status words from the right, the gas before them.  Raises `Malformed`."""
        words = line(received).split()
        status: list[str] = []
        while len(words) > 1 and words[-1] in STATUS_WORDS:
            status.insert(0, words.pop())
        if len(words) not in (7, 8) or not re.fullmatch("[A-Z]", words[0]) or not _GAS.fullmatch(words[-1]):
            raise Malformed(f"{received!r} is not the data frame of a flow controller")
        values = [parse_number(word) for word in words[1:-1]]
        total = values[5] if len(values) == 6 else None
        return cls(words[0], values[0], values[1], values[2], values[3], values[4], total, words[-1], tuple(status))


@dataclass(frozen=True)
class SetPoint:
    """What firmware 9 and later answers to ``LS``: the set point now, the one requested, and their unit."""

    unit: str
    current: float
    requested: float
    engineering_unit: str

    @classmethod
    def parse(cls, received: bytes) -> SetPoint:
        """Raises `Malformed`."""
        words = line(received).split()
        if len(words) != 5 or not re.fullmatch("[A-Z]", words[0]):
            raise Malformed(f"{received!r} is not the answer to LS")
        return cls(words[0], parse_number(words[1]), parse_number(words[2]), words[4].upper())
