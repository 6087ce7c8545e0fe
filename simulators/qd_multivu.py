"""MultiPyVu's server with a PPMS behind it as seen from the wire, as far as its magnet goes.

Source: instruments.md 11.1; MultiPyVu 3.8.0 on the wire: every request is confirmed, then completed, and the client
confirms the second; the states of the field in words.
"""

from __future__ import annotations

from typing import Protocol

from drivers.wire import multivu
from drivers.wire.errors import Malformed
from drivers.wire.multivu import Message
from simulators.instrument import SimulatedInstrument


class Reading(Protocol):
    current_a: float


class Magnet(Protocol):
    """The part of the world that makes the field."""

    def ramp(self, current_a: float, rate_a_s: float) -> None: ...

    def read(self) -> Reading: ...


OE_PER_MT = 10.0
MOST_OE = 90000.0
FASTEST_OE_S = 100000.0
NEAR_OE = 20.0
ERRORS = ("Current Error", "Switch Error", "Quenching", "Charging Error", "PSU Error", "General Failure")


class QdMultiVu(SimulatedInstrument):
    """`fail` with one of `ERRORS`: the field goes to zero, the state stays until `clear`."""

    framing = staticmethod(multivu.frame)

    def __init__(self, magnet: Magnet, *, field_per_ampere_mt: float = 1000.0) -> None:
        super().__init__()
        self.magnet = magnet
        self._oe_per_a = OE_PER_MT * field_per_ampere_mt
        self._target_oe = 0.0
        self._failure = ""

    def fail(self, words: str) -> None:
        self._failure = words
        self._target_oe = 0.0
        self.magnet.ramp(0.0, FASTEST_OE_S / self._oe_per_a)

    def clear(self) -> None:
        self._failure = ""

    def answer(self, message: bytes) -> bytes:
        try:
            request = multivu.parse(message)
        except Malformed:
            return b""
        if request.kind:  # the client has what it asked for
            return b""
        first = multivu.encode(request._replace(kind=multivu.CONFIRMED))
        done = self._do(request)
        return first + (multivu.encode(done._replace(kind=multivu.COMPLETED)) if done else b"")

    def _do(self, request: Message) -> Message | None:
        match request.action:
            case "START":
                told = "Connected to PPMS MultiVuServer at ('127.0.0.1', 27183)"
                return request._replace(query="3.8.0;mv=sim;s;t", result=told)
            case "CLOSE":
                return request._replace(query="CLOSE", result="Client ('127.0.0.1', 27183) disconnected.")
            case "FIELD?":
                return request._replace(result=self._field())
            case "FIELD":
                return request._replace(result=self._set(request.query))
            case "TEMP?":
                return request._replace(result="300.0,K,Stable")
        return None

    def _field(self) -> str:
        oersted = self.magnet.read().current_a * self._oe_per_a
        moving = abs(oersted - self._target_oe) > NEAR_OE
        return f"{oersted:.3f},Oe,{self._failure or ('Ramping' if moving else 'Holding (driven)')}"

    def _set(self, query: str) -> str:
        try:
            oersted, rate, approach, driven = (float(part) for part in query.split(","))
        except ValueError:
            return "Setting the field requires four numeric inputs, separated by a comma"
        if abs(oersted) > MOST_OE or not 0 < rate <= FASTEST_OE_S or approach not in (0, 1, 2) or driven not in (0, 1):
            return "MultiPyVuError: out of bounds"
        if self._failure:
            return f"MultiPyVuError: {self._failure}"
        self._target_oe = oersted
        self.magnet.ramp(oersted / self._oe_per_a, rate / self._oe_per_a)
        return "FIELD Command Received"
