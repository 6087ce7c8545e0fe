"""The Advanced Energy AE Bus alphabet: short binary packets, an exclusive-or over all of it, ACK and NAK as bytes.

``header command [length] data... checksum``; the header has the address in its five high bits and the number of data
bytes in its three low ones, 7 meaning that a length byte follows the command.  Numbers are little-endian.
Source: AE Pinnacle Plus+ and Pinnacle manuals; InstrumentKit's ``dressler.Cesar1312`` and its tests.
"""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import NamedTuple

from drivers.wire.errors import Malformed

ACK, NAK = b"\x06", b"\x15"
LONG = 7
"""Length in the header that says: see the byte after the command."""
ACCEPTED = 0
"""The command status response of a command that was carried out."""
RUBBISH = 64

CSR = {
    1: "not in host control",
    2: "the output is on",
    3: "the output is off",
    4: "out of range",
    5: "bad parameter",
    7: "a fault is active",
    8: "it is ramping",
    9: "wrong number of bytes",
    11: "the bus is not ready",
    12: "it has no such feature",
    16: "the target has reached the end of its life",
    17: "too soon after it went off",
    19: "a recipe is active",
    24: "bus fault",
    28: "above the user's limit",
    31: "reset at the user port",
    32: "the contactor is open",
    36: "above the user's limit",
    99: "no such command",
}
"""Command status response -> why it was refused."""


class Packet(NamedTuple):
    address: int
    command: int
    data: bytes = b""


def checksum(body: bytes) -> int:
    return reduce(xor, body, 0)


def pack(packet: Packet) -> bytes:
    """Raises `Malformed` if an address or a length does not fit."""
    address, command, data = packet
    if not 0 <= address <= 31 or not 0 <= command <= 255 or len(data) > 255:
        raise Malformed(f"{packet} does not fit a packet")
    short = len(data) < LONG
    body = bytes([address << 3 | (len(data) if short else LONG), command])
    body += (b"" if short else bytes([len(data)])) + data
    return body + bytes([checksum(body)])


def length(buffer: bytes) -> int | None:
    """Of the packet at the start of `buffer`; None while that cannot be known."""
    if len(buffer) < 2:
        return None
    if buffer[0] & 7 < LONG:
        return 3 + (buffer[0] & 7)
    return None if len(buffer) < 3 else 4 + buffer[2]


def unpack(frame: bytes) -> Packet:
    """Raises `Malformed`."""
    if length(frame) != len(frame) or checksum(frame):
        raise Malformed(f"{frame!r} is not a packet, or its checksum is wrong")
    data = frame[2:-1] if frame[0] & 7 < LONG else frame[3:-1]
    return Packet(frame[0] >> 3, frame[1], data)


def host_framing(buffer: bytes) -> int | None:
    """How a unit divides what a host sends: single ACK and NAK, and packets."""
    if buffer[:1] in (ACK, NAK):
        return 1
    size = length(buffer)
    return None if size is None or len(buffer) < size else size


def answer_framing(address: int, command: int) -> _AnswerFraming:
    """Where the unit's answer to `command` ends: at a NAK, or after ACK and a packet of that command."""
    return _AnswerFraming(address, command)


class _AnswerFraming:
    def __init__(self, address: int, command: int) -> None:
        self._address, self._command = address, command

    def __call__(self, buffer: bytes) -> int | None:
        for start, byte in enumerate(buffer):
            if byte == ACK[0] and (end := self._packet_end(buffer, start + 1)) is not None:
                return end
        if buffer.startswith(NAK) or len(buffer) >= RUBBISH:
            return len(buffer)
        return None

    def _packet_end(self, buffer: bytes, start: int) -> int | None:
        packet = buffer[start:]
        size = length(packet)
        if size is None or len(packet) < size:
            return None
        ours = packet[0] >> 3 == self._address and packet[1] == self._command
        return start + size if ours else None


def unpack_answer(frame: bytes, address: int, command: int) -> bytes:
    """The data of the packet that `frame` ends with.  Raises `Malformed`."""
    for start in range(len(frame)):
        if frame[start : start + 1] == ACK:
            try:
                packet = unpack(frame[start + 1 :])
            except Malformed:
                continue
            if packet[:2] == (address, command):
                return packet.data
    raise Malformed(f"{frame!r} is no answer to command {command} from address {address}")


def number(data: bytes, start: int = 0, size: int = 2) -> int:
    """Raises `Malformed` if `data` is too short."""
    if len(data) < start + size:
        raise Malformed(f"{data!r} is shorter than {start + size} bytes")
    return int.from_bytes(data[start : start + size], "little")
