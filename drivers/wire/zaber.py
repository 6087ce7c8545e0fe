"""Zaber's ASCII lines: ``/01 1 42 move abs 1000:CC`` and ``@01 1 42 OK BUSY -- 0:CC``.

The checksum is optional in a command, and comes with the reply to one that has it: two hexadecimal digits, the two's
complement of the sum of the characters between the first and the colon.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.wire.errors import Malformed
from drivers.wire.framing import until

FRAME = until(b"\n")

_COMMAND = re.compile(r"/(?:(?P<device>\d{1,2})(?: (?P<axis>\d)(?: (?P<id>\d{1,3}|--))?)?)?(?P<words> ?.*)", re.ASCII)
_REPLY = re.compile(
    r"@(?P<device>\d{2}) (?P<axis>\d) (?:(?P<id>\d{2,3}) )?(?P<flag>OK|RJ) (?P<status>BUSY|IDLE) "
    r"(?P<warning>--|[A-Z]{2}) (?P<words>.+)",
    re.ASCII,
)


class Command(NamedTuple):
    """Device 0 and axis 0 are all of them; `id` None: none was given."""

    device: int
    axis: int
    id: int | None
    words: str


class Reply(NamedTuple):
    """Of one device; `warning` is its highest flag, "" if there is none."""

    device: int
    axis: int
    id: int | None
    accepted: bool
    busy: bool
    warning: str
    words: str


def checksum(characters: bytes) -> int:
    """Of what stands between the first character and the colon."""
    return -sum(characters) & 0xFF


def sealed(line: str) -> bytes:
    """`line` with its checksum and end."""
    written = line.encode("ascii")
    return written + f":{checksum(written[1:]):02X}\r\n".encode("ascii")


def command(device: int, axis: int, id: int, words: str) -> bytes:
    """One line to a device, with checksum."""
    return sealed(f"/{device:02d} {axis} {id:02d}" + (f" {words}" if words else ""))


def reply(found: Reply, *, seal: bool = True) -> bytes:
    """One line from a device."""
    id = "" if found.id is None else f"{found.id:02d} "
    flag, status = "OK" if found.accepted else "RJ", "BUSY" if found.busy else "IDLE"
    line = f"@{found.device:02d} {found.axis} {id}{flag} {status} {found.warning or '--'} {found.words}"
    return sealed(line) if seal else f"{line}\r\n".encode("ascii")


def opened(frame: bytes) -> tuple[str, bool]:
    """A line without its end, and whether it had a checksum, which is right.  Raises `Malformed`."""
    try:
        line = frame.decode("ascii").strip("\r\n")
    except UnicodeDecodeError as error:
        raise Malformed(f"not ASCII: {frame!r}") from error
    if not line.isprintable():
        raise Malformed(f"not a line of text: {frame!r}")
    body, colon, digits = line.rpartition(":")
    if not colon:
        return line, False
    if not re.fullmatch(r"[0-9A-Fa-f]{2}", digits) or int(digits, 16) != checksum(body[1:].encode("ascii")):
        raise Malformed(f"bad checksum: {frame!r}")
    return body, True


def parse_reply(frame: bytes) -> Reply:
    """Raises `Malformed`, also for a reply without checksum: ours always ask for one."""
    line, sealed_ = opened(frame)
    found = _REPLY.fullmatch(line)
    if found is None or not sealed_:
        raise Malformed(f"not a reply with checksum: {frame!r}")
    return Reply(
        int(found["device"]),
        int(found["axis"]),
        None if found["id"] is None else int(found["id"]),
        found["flag"] == "OK",
        found["status"] == "BUSY",
        "" if found["warning"] == "--" else found["warning"],
        found["words"],
    )


def parse_command(frame: bytes) -> tuple[Command, bool]:
    """A command, and whether it had a checksum.  Raises `Malformed`."""
    line, sealed_ = opened(frame)
    found = _COMMAND.fullmatch(line)
    if found is None:
        raise Malformed(f"not a command: {frame!r}")
    id = found["id"]
    return (
        Command(
            int(found["device"] or 0),
            int(found["axis"] or 0),
            None if id in (None, "--") else int(id),
            " ".join(found["words"].split()),
        ),
        sealed_,
    )
