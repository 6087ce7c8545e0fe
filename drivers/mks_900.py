"""What is common to MKS 900-series controllers (937B gauges, 946 gauges and gas): how they are spoken to.

RS-232 / RS-485, 9600 8N1 by default, `address` 253 by default.  A query can be answered by a word instead of a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drivers.asking import Asking
from drivers.errors import Garbled, Refused, WrongInstrument
from drivers.link import Link, SerialLink
from drivers.wire import mks

T = TypeVar("T")

NAK = {
    "150": "wrong address",
    "151": "no such channel",
    "152": "not an ion gauge",
    "153": "channel not in use",
    "160": "unknown command",
    "169": "value out of range",
    "172": "value out of range",
    "195": "locked",
}
"""Only 152 and 160 are published in code; the others are unverified."""


class Mks900(Asking):
    """`model` is what ``MD?`` answers with, the controllers of this family being told apart by nothing else."""

    framing = staticmethod(mks.FRAME)
    model = ""

    def __init__(self, *args: Any, channel: int = 1, address: int = 253, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel = int(channel)
        self.address = int(address)

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=9600, timeout_s=timeout_s)

    def _identity(self) -> str:
        """Model, serial number and firmware, as far as it tells them.  Raises `WrongInstrument`, `LinkError`."""
        try:
            said = {command: self._optional(command) for command in ("MD", "SN", "FV")}
        except Garbled as error:
            raise WrongInstrument(f"{error}; is this an MKS {self.model} at address {self.address}?") from error
        if said["MD"] and self.model not in said["MD"]:
            raise WrongInstrument(f"{self.name}: calls itself {said['MD']!r}, not MKS {self.model}")
        told = f"MKS {said['MD'] or self.model}, channel {self.channel}"
        return told + "".join(f", {word} {said[command]}" for command, word in (("SN", "serial"), ("FV", "firmware")))

    def _optional(self, command: str) -> str:
        try:
            return self._query(command)
        except Refused:
            return ""

    def _query(self, command: str, parse: Callable[[str], T] = str) -> T:  # type: ignore[assignment]
        request = mks.message(self.address, command)
        return self._ask(request, lambda frame: parse(self._accepted(request, frame)))

    def _set(self, command: str, value: str, obeyed: Callable[[], bool]) -> None:
        """An act; if its answer is lost, look whether it was `obeyed`."""
        request = mks.message(self.address, command, value)
        self._command(lambda: self._once(request, lambda frame: self._accepted(request, frame)), obeyed)

    def _accepted(self, request: bytes, frame: bytes) -> str:
        answer = mks.parse_reply(frame)
        if self.address not in (answer.address, mks.ANY):
            raise Garbled(f"{self.name}: {frame!r} after {request!r} is not from address {self.address}")
        if not answer.accepted:
            reason = NAK.get(answer.text, "no reason known")
            raise Refused(f"{self.name}: {request!r} was refused with {frame!r}: {reason}")
        return answer.text
