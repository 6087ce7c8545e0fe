"""MultiPyVu's socket messages: two bytes with the length of a JSON header, the header, and a JSON body of the length
that the header gives.

A request is answered twice, ``confirmed`` at once and ``completed`` with its result; the client then sends the second
back as ``confirmed``, which nobody answers.
"""

from __future__ import annotations

import json
import struct
from typing import Any, NamedTuple

from drivers.wire.errors import Malformed

PREFIX = 2
LONGEST = 65536
CONFIRMED, COMPLETED = "confirmed", "completed"


class Message(NamedTuple):
    """`kind` is "" for a request, else `CONFIRMED` or `COMPLETED`."""

    id: str
    action: str
    query: str = ""
    result: str = ""
    kind: str = ""


def frame(buffer: bytes) -> int | None:
    """Framing.  What cannot be the beginning of a message is one frame, all of it, so that it is read and refused."""
    if len(buffer) < PREFIX:
        return None
    header_end = PREFIX + struct.unpack(">H", buffer[:PREFIX])[0]
    if len(buffer) > PREFIX and buffer[PREFIX : PREFIX + 1] != b"{":
        return len(buffer)
    if len(buffer) < header_end:
        return None
    try:
        length = _length(buffer[PREFIX:header_end])
    except Malformed:
        return len(buffer)
    return header_end + length if len(buffer) >= header_end + length else None


def encode(message: Message) -> bytes:
    body: dict[str, str] = {
        "id": message.id,
        "action": message.action,
        "query": message.query,
        "result": message.result,
    }
    if message.kind:
        body["message_type"] = message.kind
    content = json.dumps(body).encode()
    header = {
        "byteorder": "little",
        "message-type": "text/json",
        "message-encoding": "utf-8",
        "message-length": len(content),
    }
    written = json.dumps(header).encode()
    return struct.pack(">H", len(written)) + written + content


def parse(received: bytes) -> Message:
    """Raises `Malformed`."""
    if len(received) <= PREFIX:
        raise Malformed(f"not a message: {received!r}")
    header_end = PREFIX + struct.unpack(">H", received[:PREFIX])[0]
    length = _length(received[PREFIX:header_end])
    body = _json(received[header_end:])
    if len(received) != header_end + length or not isinstance(body.get("action"), str):
        raise Malformed(f"not a message of the length it says: {received!r}")
    told = {key: body.get(key, "") for key in ("id", "action", "query", "result")}
    return Message(**{key: str(value) for key, value in told.items()}, kind=str(body.get("message_type", "")))


def _length(header: bytes) -> int:
    length = _json(header).get("message-length")
    if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= LONGEST:
        raise Malformed(f"no length in the header: {header!r}")
    return length


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {text!r}") from error
    if not isinstance(found, dict):
        raise Malformed(f"not a JSON object: {text!r}")
    return found
