"""Mecademic's text protocol: NUL-terminated ``[code][text]`` from the robot, ``Name(arguments)`` to it.

Source: Meca500 programming manual (firmware 9.2) 2.5; codes 1000-1999 are errors in a command, 2000-2999
responses, 3000-3999 status messages and general errors.  Decoders raise `Malformed`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.wire.errors import Malformed
from drivers.wire.framing import until

FRAME = until(b"\0")

_MESSAGE = re.compile(r"\[(\d{4})\]\[(.*)\]", re.DOTALL)
_COMMAND = re.compile(r"-?([A-Za-z]\w*)\s*(?:\((.*)\))?")


class Message(NamedTuple):
    """What the robot says."""

    code: int
    text: str


class Command(NamedTuple):
    """What the host says; the name in small letters, since case does not matter."""

    name: str
    arguments: tuple[str, ...]


def host_frame(buffer: bytes) -> int | None:
    """Framing of the host's commands: NUL, or an end of line in its place."""
    ends = [at for at in (buffer.find(end) for end in (b"\0", b"\n")) if at >= 0]
    return min(ends) + 1 if ends else None


def message(code: int, text: str = "") -> bytes:
    """The robot's message on the wire."""
    if not 1000 <= code <= 9999 or "\0" in text:
        raise Malformed(f"not a message: {code}, {text!r}")
    return f"[{code}][{text}]\0".encode("ascii")


def parse_message(frame: bytes) -> Message:
    """One frame from the robot."""
    try:
        found = _MESSAGE.fullmatch(frame.removesuffix(b"\0").decode("ascii").strip("\r\n"))
    except UnicodeDecodeError as error:
        raise Malformed(f"not ASCII: {frame!r}") from error
    if found is None:
        raise Malformed(f"not [code][text]: {frame!r}")
    return Message(int(found[1]), found[2])


def command(name: str, *arguments: float) -> bytes:
    """A command on the wire; numbers to a thousandth (micrometre, millidegree)."""
    written = ",".join(f"{argument:.3f}".rstrip("0").rstrip(".") for argument in arguments)
    return f"{name}({written})\0".encode("ascii") if arguments else f"{name}\0".encode("ascii")


def parse_command(frame: bytes) -> Command | None:
    """One frame from the host; None if it is empty (clients send that to keep the connection alive)."""
    line = frame.rstrip(b"\0\r\n").decode("ascii", errors="replace").strip()
    if not line:
        return None
    found = _COMMAND.fullmatch(line)
    if found is None:
        raise Malformed(f"not a command: {frame!r}")
    arguments = [argument.strip() for argument in found[2].split(",")] if found[2] else []
    return Command(found[1].lower(), tuple(arguments))


def numbers(text: str) -> tuple[float, ...]:
    """Comma-separated return values; () if there are none."""
    try:
        return tuple(float(value) for value in text.split(",")) if text.strip() else ()
    except ValueError as error:
        raise Malformed(f"not numbers: {text!r}") from error
