"""The Edwards TIC alphabet: ``?V905``, ``!C904 1``; answers ``=V905 100;0;0`` or ``*C904 0``; CR.

Source: Edwards serial protocol as driven by edwardsserial.  There is no checksum; every answer names its object.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.wire.errors import Malformed
from drivers.wire.framing import until

LINE = until(b"\r")

ERRORS = {
    1: "invalid command for this object",
    2: "invalid query",
    3: "parameter missing",
    4: "out of range",
    5: "not in this state: is it under parallel control?",
    6: "wrong checksum",
    7: "EEPROM error",
    8: "took too long",
    9: "invalid configuration",
}
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


class Message(NamedTuple):
    """What a host says: `operation` is one of ``?V ?S !C !S``."""

    operation: str
    object: int
    data: str = ""


class Answer(NamedTuple):
    """`error` is None for data; 0 for a command that was carried out."""

    kind: str
    object: int
    data: tuple[str, ...]
    error: int | None


def message(operation: str, object_: int, data: str = "") -> bytes:
    """Raises `Malformed`."""
    text = f"{operation}{object_}{' ' + data if data else ''}"
    if not re.fullmatch(r"[?!][VSC]\d{1,5}( [ -~]+)?", text):
        raise Malformed(f"{text!r} is not a message")
    return text.encode("ascii") + b"\r"


def parse_message(frame: bytes) -> Message:
    """Raises `Malformed`."""
    found = re.fullmatch(rb"[^!-~]*([?!][VSC])(\d{1,5})(?: ([ -~]+))?\r", frame)
    if not found:
        raise Malformed(f"{frame!r} is not a message")
    return Message(found[1].decode(), int(found[2]), (found[3] or b"").decode())


def answer(kind: str, object_: int, *data: str) -> bytes:
    return f"={kind}{object_} {';'.join(data)}\r".encode("ascii")


def refusal(kind: str, object_: int, error: int) -> bytes:
    """Also of a command that was carried out: error 0."""
    return f"*{kind}{object_} {error}\r".encode("ascii")


def parse_answer(frame: bytes) -> Answer:
    """Noise of the line before it does no harm.  Raises `Malformed`."""
    found = re.fullmatch(rb"[^=*]*(?:=([VS])(\d{1,5}) ([ -~]+)|\*([VSC])(\d{1,5}) (\d{1,2}))\r", frame)
    if not found:
        raise Malformed(f"{frame!r} is not an answer")
    if found[1]:
        return Answer(found[1].decode(), int(found[2]), tuple(found[3].decode().split(";")), None)
    return Answer(found[4].decode(), int(found[5]), (), int(found[6]))


def number(word: str) -> float:
    """Raises `Malformed`."""
    if not _NUMBER.fullmatch(word):
        raise Malformed(f"{word!r} is not a number")
    return float(word)
