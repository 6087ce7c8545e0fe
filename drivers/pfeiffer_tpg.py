"""Pfeiffer TPG 361 / 362 / 366 gauge controllers (also 261 / 262).

RS-232 or USB, 9600 8N1; Ethernet TCP port 8000.  A mnemonic, its acknowledgement, the enquiry and the answer
are one conversation and never interleaved with another.  After power-up the controller streams a line a
second until it hears a character: the driver opens with ETX and throws away what came.

Source: Pfeiffer BG 5510 / 5511 as cited by labmcp-pfeiffer-tpg; InstrumentKit ``TPG36x`` and its tests.
Unverified on hardware.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ophyd import Component as Cpt

from drivers.clock import Clock
from drivers.errors import Garbled, NoReply, Refused, WrongInstrument
from drivers.instrument import Instrument, Reading
from drivers.link import Link, Port, SerialLink
from drivers.wire import pfeiffer
from drivers.wire.errors import Malformed

T = TypeVar("T")

PA_PER_UNIT = {0: 100.0, 1: 133.3224, 2: 1.0, 3: 0.1333224, 4: 100.0}  # mbar, Torr, Pa, micron, hPa
PASCAL = 2
UNIT_CHECK_S = 60.0
"""Lab seconds after which the unit is asked again: somebody may have changed it at the panel."""
STALE_LINES = 8
"""Streamed lines to skip before the acknowledgement of a mnemonic."""

STATUS = {
    1: "under range",
    2: "over range",
    3: "sensor error",
    4: "sensor off",
    5: "no sensor",
    6: "identification error",
}
ERROR_WORD = ("controller error", "no hardware", "inadmissible parameter", "syntax error")


class PfeifferTpg36x(Instrument):
    """A gauge on one `channel` of the controller."""

    role = "gauge"
    driver = "pfeiffer-tpg36x"

    pressure = Cpt(Reading, units="Pa", precision=4)
    fault = Cpt(Reading, value="")

    def __init__(
        self,
        port: Port,
        *,
        name: str,
        clock: Clock,
        limits: dict[str, tuple[float, float]] | None = None,
        channel: int = 1,
    ) -> None:
        super().__init__(port, name=name, clock=clock, limits=limits)
        self.channel = channel
        self._pa_per_unit = float("nan")
        self._unit_read = float("-inf")

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=9600, timeout_s=timeout_s)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Model and firmware.  `WrongInstrument`, `LinkError`."""
        try:
            self.link.send(pfeiffer.ETX)
            try:
                who = self._ask("AYT", parse=_text)
            except Refused:  # the 26x do not know it
                who = "TPG 26x," + self._ask("PNR", parse=_text)
        except Garbled as error:
            raise WrongInstrument(f"{error}; is this a TPG controller?") from error
        if not who.replace(" ", "").upper().startswith("TPG"):
            raise WrongInstrument(f"{self.name}: calls itself {who!r}, not TPG")
        self._read_unit()
        return who

    def refresh(self) -> None:
        if self.clock.now() - self._unit_read > UNIT_CHECK_S:
            self._read_unit()
        measured = self._ask(f"PR{self.channel}", parse=_one_measurement)
        fault = STATUS.get(measured.status, f"status {measured.status}") if measured.status else ""
        self.pressure.update(float("nan") if fault else measured.value * self._pa_per_unit)
        self.fault.update(fault)

    def make_safe(self) -> None:
        """A gauge is always safe."""

    def _read_unit(self) -> None:
        unit = self._ask("UNI", parse=pfeiffer.parse_digit)
        if unit not in PA_PER_UNIT:  # volts, or worse
            unit = self._ask("UNI", PASCAL, parse=pfeiffer.parse_digit)
        if unit not in PA_PER_UNIT:
            raise Refused(f"{self.name}: shows unit {unit}, no pressure, and does not change to pascal")
        self._pa_per_unit = PA_PER_UNIT[unit]
        self._unit_read = self.clock.now()

    # --- wire -----------------------------------------------------------------------------------------

    def _ask(self, mnemonic: str, *parameters: int, parse: Callable[[bytes], T]) -> T:
        """A conversation, held once more from ETX if a part of it is missing or spoiled."""
        request = pfeiffer.request(mnemonic, *parameters)
        try:
            return self._converse(request, parse)
        except (NoReply, Garbled):
            self.link.send(pfeiffer.ETX)
            return self._converse(request, parse)

    def _converse(self, request: bytes, parse: Callable[[bytes], T]) -> T:
        """Mnemonic, acknowledgement, enquiry, answer."""
        self.link.drain()
        self.link.send(request)
        acknowledged = self._acknowledgement(request)
        self.link.send(pfeiffer.ENQ)
        answer = self._receive(request)
        try:
            if not acknowledged:
                raise Refused(f"{self.name}: {request!r} was refused: {_reasons(answer)}")
            return parse(answer)
        except Malformed as error:
            raise Garbled(f"{self.name}: answer to {request!r}: {error}") from error

    def _acknowledgement(self, request: bytes) -> bool:
        for _ in range(STALE_LINES):
            said = pfeiffer.message(self._receive(request))
            if said in (pfeiffer.ACK, pfeiffer.NAK):
                return said == pfeiffer.ACK
        raise Garbled(f"{self.name}: neither ACK nor NAK after {request!r}, the last line was {said!r}")

    def _receive(self, request: bytes) -> bytes:
        try:
            return self.link.receive(pfeiffer.LINE)
        except NoReply as error:
            raise NoReply(f"{self.name}: {error} after {request!r}") from error


def _reasons(answer: bytes) -> str:
    flags = pfeiffer.parse_error_word(answer)
    return ", ".join(text for text, flag in zip(ERROR_WORD, flags, strict=True) if flag) or "no reason given"


def _text(answer: bytes) -> str:
    try:
        return pfeiffer.message(answer).decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed(f"{answer!r} is not ASCII") from error


def _one_measurement(answer: bytes) -> pfeiffer.Measurement:
    measurements = pfeiffer.parse_measurements(answer)
    if len(measurements) != 1:
        raise Malformed(f"{answer!r} has {len(measurements)} measurements instead of one")
    return measurements[0]
