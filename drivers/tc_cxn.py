"""T&C Power Conversion AG-series CXN RF generator with its tuner (AJA 0113 GTC, 0313 GTC), as a gun.

RS-232, 38400 8N1.  Before it obeys, the host requests control; and it must then be asked something at least every two
seconds, or the generator takes control away, and RF goes off.  That is a dead-man switch, and used as one: nothing
here keeps the generator happy but the readings of the station's monitor, whose thread also feeds the interlocks, and
the conversations of plans.  A host that is hung, killed or cut off loses its plasma within two seconds.

Its `voltage` is the dc bias and its `current` the load power over that: both are 0 without a plasma.

Source: PyMeasure ``tcpowerconversion.CXN`` and its tests.  Unverified on hardware: how it answers a set after control
was lost (taken to be a refusal), and the length of the answer to ``GT``.
"""

from __future__ import annotations

from typing import Any

from drivers.errors import Fault, Garbled, Refused, SettingError, WrongInstrument
from drivers.link import Link, SerialLink
from drivers.plasma import RelayShutterGun, SupplyStatus
from drivers.wire import cxn

DEAD_MAN_S = 2.0
"""Real seconds without a question after which the generator takes control away."""

IDENTITY, SERIAL = 1, 2
YES, NO = 0x5555, 0x0000
RF_ON = 0
TROUBLE = {10: "over-temperature", 11: "interlock open"}
NOTES = {4: "external RF source", 8: "at its forward power limit", 9: "at its reverse power limit"}
"""Bits of the status word -> what they say."""
IDENTITY_BYTES, TUNER_BYTES = 16, 10


class TcCxn(RelayShutterGun):
    """A gun on an RF generator.  Its `poll_s` in the lab file must be well below `DEAD_MAN_S`."""

    driver = "tc-cxn"
    framing = staticmethod(cxn.acknowledgement_framing)

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=38400, timeout_s=timeout_s)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Model; requests control.  `WrongInstrument`, `LinkError`."""
        try:
            who = self._query(b"Gi", IDENTITY_BYTES, IDENTITY)[2:].decode("ascii", "replace").strip("\0 ")
        except (Garbled, Refused) as error:
            raise WrongInstrument(f"{error}; is this a CXN generator?") from error
        if not who.startswith("AG "):
            raise WrongInstrument(f"{self.name}: calls itself {who!r}, not an AG-series generator")
        self._request_control()
        return f"T&C {who}, target {self.target}"

    def make_safe(self) -> None:
        try:
            self._request_control()
        finally:
            super().make_safe()

    def _request_control(self) -> None:
        """Idempotent."""
        if self._granted() != 1:
            raise Fault(f"{self.name}: it refuses control; set it to remote at its front panel")

    def _granted(self) -> int:
        return cxn.words(self._query(b"BC", 2, YES))[0]

    def _set_point(self) -> float:
        return cxn.words(self._query(b"GL", 2))[0] / 10

    def _send_power(self, watts: float) -> float:
        """The generator takes whole watts."""
        wanted = round(watts)
        if not 0 <= wanted <= 0xFFFF:
            raise SettingError(f"{self.name}: {watts:g} W cannot be set, a generator takes 0 to 4000 W")
        self._command(lambda: self._act(b"SA", wanted), lambda: self._set_point() == wanted)
        if (accepted := self._set_point()) != wanted:
            raise Refused(f"{self.name}: set point {wanted} W was refused, it stays at {accepted:g} W")
        return accepted

    def _send_output(self, on: bool) -> None:
        self._command(lambda: self._act(b"BR", YES if on else NO), lambda: self._status().on == on)

    def _status(self) -> SupplyStatus:
        bits = cxn.words(self._query(b"GS", 8))[0]
        _, reverse, load = (tenths / 10 for tenths in cxn.words(self._query(b"GP", 6)))
        bias = float(cxn.words(self._query(b"GT", TUNER_BYTES))[3])
        notes = [words for bit, words in NOTES.items() if bits >> bit & 1]
        notes += [f"{reverse:g} W reflected"] if reverse else []
        return SupplyStatus(
            bool(bits >> RF_ON & 1),
            load,
            bias,
            load / bias if bias else 0.0,
            trouble=", ".join(words for bit, words in TROUBLE.items() if bits >> bit & 1),
            note=", ".join(notes),
        )

    # --- wire -----------------------------------------------------------------------------------------

    def _query(self, letters: bytes, length: int, p1: int = 0, p2: int = 0) -> bytes:
        request = cxn.command(letters, p1, p2)

        def parse(frame: bytes) -> bytes:
            data = cxn.parse_answer(frame, length)
            if data is None:
                raise Refused(f"{self.name}: {request!r} was not recognised: {frame!r}")
            return data

        return self._ask(request, parse, cxn.answer_framing)

    def _act(self, letters: bytes, p1: int) -> None:
        """A set.  If it is refused, which means that it was not carried out, control may have been lost: once more."""
        try:
            self._set(letters, p1)
        except Refused:
            self._request_control()
            self._set(letters, p1)

    def _set(self, letters: bytes, p1: int) -> None:
        request = cxn.command(letters, p1)

        def parse(frame: bytes) -> Any:
            if not cxn.accepted(frame):
                raise Refused(f"{self.name}: {request!r} was refused with {frame!r}")

        self._once(request, parse)
