"""Lines of text: IEEE 488.2 / SCPI messages and the numbers in them.

A *message* is one line to the instrument: units joined by semicolons.  SCPI resolves a unit's header
relative to the one before it unless it begins with a colon (Kepco BOP operator manual 3.6.4.7: ``meas:volt?;
curr?`` reads voltage and current, ``meas:volt?;:curr?`` reads the voltage and the programmed current);
common commands (``*ESR?``) leave the path alone.  Decoders raise `Malformed`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from drivers.wire.errors import Malformed
from drivers.wire.framing import Framing, until

LF = until(b"\n")
CR_LF = until(b"\r\n")

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d+)?", re.ASCII)
_NODE = re.compile(r"\[:?(?P<optional>[A-Za-z]+):?\]|(?P<required>\*?[A-Za-z]+)")


def any_end(buffer: bytes) -> int | None:
    """Framing of lines that end with CR or LF."""
    ends = [at for at in (buffer.find(b"\r"), buffer.find(b"\n")) if at >= 0]
    return min(ends) + 1 if ends else None


def lines(count: int, end: bytes = b"\n") -> Framing:
    """Framing of `count` lines taken together, for instruments that answer each query on its own line."""

    def framing(buffer: bytes) -> int | None:
        at = 0
        for _ in range(count):
            found = buffer.find(end, at)
            if found < 0:
                return None
            at = found + len(end)
        return at

    return framing


def answers(count: int, end: bytes = b"\n") -> Framing:
    """Framing of the answers to `count` queries of one message, on a line each or several to a line."""

    def framing(buffer: bytes) -> int | None:
        at = seen = 0
        while (found := buffer.find(end, at)) >= 0:
            line, at = buffer[at:found], found + len(end)
            seen += sum(bool(part.strip()) for part in outside_quotes(line))
            if seen >= count:
                return at
        return None

    return framing


def outside_quotes(line: bytes) -> list[bytes]:
    """`line` split at semicolons that are not inside double quotes."""
    parts, quoted, begin = [], False, 0
    for at, character in enumerate(line):
        quoted ^= character == ord('"')
        if character == ord(";") and not quoted:
            parts.append(line[begin:at])
            begin = at + 1
    return [*parts, line[begin:]]


def message(*units: str, end: str = "\n", longest: int = 253) -> bytes:
    """One message.  `longest` is Kepco's limit on a message's characters."""
    text = ";".join(units)
    if len(text) > longest:
        raise Malformed(f"message of {len(text)} characters, {longest} allowed: {text[:40]}...")
    return (text + end).encode("ascii")


def text(frame: bytes) -> str:
    """A line without its end and the spaces around it."""
    try:
        decoded = frame.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise Malformed(f"not ASCII: {frame!r}") from error
    if not decoded or not decoded.replace("\r", "").replace("\n", "").isprintable():
        raise Malformed(f"not a line of text: {frame!r}")
    return decoded


def fields(frame: bytes, count: int) -> list[str]:
    """The answers to `count` queries of one message: separated by semicolons or line ends outside quotes."""
    found, field, quoted = [], "", False
    for character in text(frame):
        quoted ^= character == '"'
        if character in ";\r\n" and not quoted:
            found.append(field)
            field = ""
        else:
            field += character
    answers = [answer.strip() for answer in [*found, field]]
    answers = [answer for answer in answers if answer]
    if len(answers) != count:
        raise Malformed(f"{len(answers)} answers to {count} queries: {frame!r}")
    return answers


def number(field: str) -> float:
    """A decimal number, with or without exponent."""
    if not _NUMBER.fullmatch(field):
        raise Malformed(f"not a number: {field!r}")
    return float(field)


def integer(field: str) -> int:
    """A whole number; some instruments write it ``+1`` or ``1.0``."""
    value = number(field)
    if value != int(value):
        raise Malformed(f"not a whole number: {field!r}")
    return int(value)


def decimal(value: float, places: int = 5) -> str:
    """`value` without exponent: at most 4 digits before and 8 after the point (Kepco BIT 4886)."""
    if not math.isfinite(value) or abs(value) >= 10000 or places > 8:
        raise Malformed(f"{value!r} with {places} places does not fit 4 digits before and 8 after the point")
    written = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return "0" if written in ("-0", "") else written


def exponential(value: float, digits: int = 4) -> str:
    """`value` as Kepco writes it: ``9.989E-2``."""
    mantissa, exponent = f"{value:.{digits - 1}E}".split("E")
    return f"{mantissa}E{int(exponent)}"


def error(field: str) -> tuple[int, str]:
    """Code and text of an answer to ``SYST:ERR?``: ``-222,"Data out of range"``."""
    code, separator, words = field.partition(",")
    if not separator:
        raise Malformed(f"not an error message: {field!r}")
    return integer(code.strip()), words.strip().strip('"')


class Unit(NamedTuple):
    """One command or query, its header absolute and in capitals."""

    header: str
    query: bool
    argument: str


def units(frame: bytes) -> Iterator[Unit]:
    """The units of a message, headers resolved against the command tree."""
    path: list[str] = []
    for part in text(frame).split(";"):
        header, _, argument = part.strip().partition(" ")
        if not header:
            continue
        query = header.endswith("?")
        header = header.rstrip("?").upper()
        if not header.startswith("*"):
            nodes = header.strip(":").split(":")
            nodes = nodes if header.startswith(":") else path + nodes
            path, header = nodes[:-1], ":".join(nodes)
        yield Unit(header, query, argument.strip())


def spellings(pattern: str) -> frozenset[str]:
    """Every accepted form, in capitals, of a header such as ``MEASure[:SCALar]:CURRent[:DC]``."""
    forms = [""]
    for node in _NODE.finditer(pattern):
        keyword = node["optional"] or node["required"]
        short = "".join(character for character in keyword if not character.islower())
        longer = [f"{form}:{word}" for form in forms for word in {short, keyword.upper()}]
        forms = longer + forms if node["optional"] else longer
    return frozenset(form.removeprefix(":") for form in forms)
