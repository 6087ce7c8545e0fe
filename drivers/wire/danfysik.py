"""Danfysik's lines: commands end with CR, replies with LF CR, refusals are ``?`` BEL and a text."""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.wire.errors import Malformed
from drivers.wire.framing import until

FRAME = until(b"\r")
REFUSAL = "?\a"
LAMPS = 24

_SET_POINT = re.compile(r"0[ ,]\s*([+-]?\d{1,7})", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,7}", re.ASCII)


class Refusal(NamedTuple):
    """The unit said no."""

    words: str


def command(text: str) -> bytes:
    return text.encode("ascii") + b"\r"


def parse(frame: bytes) -> str | Refusal:
    """A reply without its end.  Raises `Malformed`."""
    try:
        text = frame.decode("ascii").strip("\r\n ")
    except UnicodeDecodeError as error:
        raise Malformed(f"not ASCII: {frame!r}") from error
    if text.startswith(REFUSAL):
        return Refusal(text.removeprefix(REFUSAL).strip())
    if not text or not text.isprintable():
        raise Malformed(f"not a line of text: {frame!r}")
    return text


def whole(text: str) -> int:
    """The answer to ``AD``."""
    if not _WHOLE.fullmatch(text.strip()):
        raise Malformed(f"not a whole number: {text!r}")
    return int(text)


def set_point_ppm(text: str) -> int:
    """The answer to ``DA 0``: the channel, then parts in a million of full scale."""
    found = _SET_POINT.fullmatch(text.strip())
    if found is None:
        raise Malformed(f"not a set point: {text!r}")
    return int(found[1])


def lamps(text: str) -> tuple[bool, ...]:
    """The answer to ``S1``: 24 characters, ``!`` lit, ``.`` dark."""
    if len(text) != LAMPS or set(text) - {"!", "."}:
        raise Malformed(f"not {LAMPS} of '!' and '.': {text!r}")
    return tuple(character == "!" for character in text)
