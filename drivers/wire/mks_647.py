"""The alphabet of the MKS 647B/C: two letters, a channel, a whole number; answers of whole numbers; CR LF.

Source: MKS 647C manual, table of commands.  There is no checksum, and no answer names what was asked.
"""

from __future__ import annotations

import re

from drivers.wire.errors import Malformed
from drivers.wire.framing import until

LINE = until(b"\r\n")
REQUEST = until(b"\r")

ERRORS = {0: "no such channel", 1: "unknown command", 2: "syntax error", 3: "not a plain integer", 4: "out of range"}

_ANSWER = re.compile(rb" *(E ?\d|-?\d{1,5}( +-?\d{1,5})*|) *\r\n")


def command(letters: str, *numbers: int | str) -> bytes:
    """``FS 1 0500`` + CR; ``R`` in place of a value reads it.  Raises `Malformed`."""
    text = " ".join([letters, *(f"{number:d}" if isinstance(number, int) else number for number in numbers)])
    if not re.fullmatch(r"[A-Z]{2}( \d{1,5}){0,2}( R)?", text):
        raise Malformed(f"{text!r} is not a command")
    return text.encode("ascii") + b"\r"


def parse_command(message: bytes) -> tuple[str, list[str]]:
    """Letters and words of what a host says; blanks are optional.  Raises `Malformed`."""
    text = message.decode("ascii", "replace").strip().upper()
    found = re.fullmatch(r"([A-Z]{2}) *(\d?) *(R|\d{0,5})", text)
    if not found:
        raise Malformed(f"{message!r} is not a command")
    return found[1], [word for word in (found[2], found[3]) if word]


def answer(*numbers: int) -> bytes:
    return " ".join(f"{number:05d}" for number in numbers).encode("ascii") + b"\r\n"


def refusal(code: int) -> bytes:
    return b"E%d\r\n" % code


def parse_answer(frame: bytes, count: int = 1) -> list[int]:
    """`count` whole numbers.  Raises `Malformed`."""
    if not _ANSWER.fullmatch(frame) or b"E" in frame:
        raise Malformed(f"{frame!r} is not an answer of whole numbers")
    words = frame.split()
    if len(words) != count:
        raise Malformed(f"{frame!r} has {len(words)} numbers instead of {count}")
    return [int(word) for word in words]


def parse_refusal(frame: bytes) -> int | None:
    """The code of an error answer, None if it is none."""
    found = re.fullmatch(rb" *E ?(\d) *\r\n", frame)
    return int(found[1]) if found else None
