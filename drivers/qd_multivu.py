"""The magnet of a Quantum Design PPMS, DynaCool, VersaLab or MPMS3, through the public socket server MultiPyVu.

Source: MultiPyVu 3.8.0 (its messages, ``FIELD`` and ``FIELD?``, and the states of the field).  TCP 27183.  The server
takes one client.  Unverified on hardware: everything was tried on its scaffolding mode alone.

MultiVu is told fields, in oersted.  The role's current is what `field_per_ampere_mt` makes of it, the number that
stands in the lab file for the station as well.  The magnet is only ever driven, never left persistent.
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any, NamedTuple

from drivers.electromagnet import Electromagnet, Flowing
from drivers.errors import Fault, Garbled, Gone, NoReply, Refused, WrongInstrument
from drivers.link import Link, TcpLink, exchange, read_twice
from drivers.wire import multivu
from drivers.wire.errors import Malformed
from drivers.wire.multivu import Message

OE_PER_MT = 10.0
LINEAR, DRIVEN = 0, 1
STEADY = ("Stable", "Holding (driven)")
MOVING = ("Ramping", "Iterate", "Switch Warming", "Switch Cooling", "Resetting")
MACHINES = ("PPMS", "DYNACOOL", "VERSALAB", "MPMS3", "OPTICOOL")


class Field(NamedTuple):
    oersted: float
    state: str


class MultiVuLink(TcpLink):
    """Says goodbye: the server would go on waiting for a client that has just gone."""

    def close(self) -> None:
        with contextlib.suppress(Gone):
            self.send(multivu.encode(Message("goodbye", "CLOSE")))
        super().close()


class QdMultiVu(Electromagnet):
    """`field_per_ampere_mt` as in the station's lines of the lab file."""

    driver = "qd-multivu"
    hint = "look at MultiVu"

    def __init__(self, *args: Any, field_per_ampere_mt: float = 1000.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._oe_per_a = OE_PER_MT * field_per_ampere_mt
        self._number = 0
        self._started = False

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """``tcp://host:27183``, of the PC on which MultiVu and the server run."""
        return MultiVuLink(address, timeout_s=timeout_s)

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        try:
            told = read_twice(lambda: self._ask("START")).result
        except Garbled as error:
            raise WrongInstrument(f"{self.name}: {self.link.address} is no MultiPyVu server: {error}") from error
        if "rejected" in told:
            raise Refused(f"{self.name}: {told}; let the other client close its connection first")
        words = told.upper().split()
        if "MULTIVUSERVER" not in words or not set(words) & set(MACHINES):
            raise WrongInstrument(f"{self.name}: {self.link.address} is no MultiPyVu server, it says {told!r}")
        self._started = True
        return told.partition(" at ")[0].removeprefix("Connected to ")

    def _reopened(self) -> None:
        self._started = False

    def refresh(self) -> None:
        self._field()

    def make_safe(self) -> None:
        """Ramp to zero field, and see that it is there."""
        present = abs(self._field().oersted)
        self._set_field(0.0)
        self._settle(0.0, ramp_s=present / self._oe_per_a / self._slew_a_s)
        self._steady(None)
        self.current.update(0.0)

    def flowing(self) -> Flowing:
        field = self._field()
        if self.fault.get():
            raise Fault(f"{self.name}: {self.fault.get()}; look at MultiVu")
        return Flowing(field.oersted / self._oe_per_a, math.nan)

    def _write_current(self, target: float) -> None:
        act = f"ramp to {target:g} A"
        self.give_way(act)
        present = self.flowing().current_a
        self._set_field(float(target))
        self._settle(float(target), act, ramp_s=abs(target - present) / self._slew_a_s)
        self._steady(act)
        self.current.update(float(target))

    def _steady(self, act: str | None) -> None:
        """Wait until MultiVu, too, says that the field is there."""
        deadline = time.monotonic() + self.clock.patience_s(self._settle_s + 60.0)
        while (state := self._field().state) not in STEADY:
            if self.fault.get() or time.monotonic() > deadline:
                raise Fault(f"{self.name}: field does not get steady: {state}; look at MultiVu")
            if act is not None:
                self.give_way(act)
            self.clock.sleep(0.2)

    def _set_field(self, current_a: float) -> None:
        oersted, rate = current_a * self._oe_per_a, self._slew_a_s * self._oe_per_a
        try:
            told = self._ask("FIELD", f"{oersted + 0.0:.3f},{rate:.3f},{LINEAR},{DRIVEN}").result
        except (NoReply, Garbled):  # was it taken?  a target may be stated again
            told = self._ask("FIELD", f"{oersted + 0.0:.3f},{rate:.3f},{LINEAR},{DRIVEN}").result
        if "Received" not in told:
            raise Refused(f"{self.name}: field {oersted:g} Oe at {rate:g} Oe/s refused: {told}")

    def _field(self) -> Field:
        return read_twice(self._read_field)

    def _read_field(self) -> Field:
        told = self._ask("FIELD?").result
        parts = [part.strip() for part in told.split(",")]
        try:
            if len(parts) != 3 or parts[1] != "Oe":
                raise ValueError("not a field in Oe and its state")
            field = Field(float(parts[0]), parts[2])
        except ValueError as error:
            raise Garbled(f"{self.name}: {error}: {told!r}") from error
        if not math.isfinite(field.oersted):
            raise Garbled(f"{self.name}: {told!r} is no field")
        self.actual_current.update(field.oersted / self._oe_per_a)
        self.voltage.update(math.nan)
        self.fault.update("" if field.state in (*STEADY, *MOVING) else field.state.lower())
        return field

    def _ask(self, action: str, query: str = "") -> Message:
        if not self._started and action != "START":
            self.identify()
        self._number += 1
        request = Message(f"nightshift-{self._number}", action, query)
        reply = self._listen(exchange(self.link, multivu.encode(request), multivu.frame), request)
        while reply.kind != multivu.COMPLETED:
            reply = self._listen(self.link.receive(multivu.frame), request)
        self.link.send(multivu.encode(reply._replace(kind=multivu.CONFIRMED)))
        if reply.result.startswith("MultiPyVuError"):
            raise Refused(f"{self.name}: {action} {query} refused: {reply.result}")
        return reply

    def _listen(self, received: bytes, request: Message) -> Message:
        try:
            reply = multivu.parse(received)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to {request.action}") from error
        if (reply.id, reply.action) != (request.id, request.action):
            raise Garbled(f"{self.name}: {reply} answers something else than {request}")
        return reply
