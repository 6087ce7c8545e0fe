"""A Pfeiffer TPG gauge controller with one gauge, as seen from the wire.

Source: Pfeiffer BG 5510 as cited by labmcp-pfeiffer-tpg; InstrumentKit's tests.
"""

from __future__ import annotations

from typing import Protocol

from drivers.wire import pfeiffer
from simulators.instrument import SimulatedInstrument


class VacuumGauge(Protocol):
    """The part of the world at its flange."""

    def read_pa(self) -> float: ...


class Clock(Protocol):
    def now(self) -> float: ...


PA_PER_UNIT = {0: 100.0, 1: 133.3224, 2: 1.0, 3: 0.1333224, 4: 100.0}
VOLT = 5
HPA = 4
STREAM_S = 1.0

OK, UNDER_RANGE, OVER_RANGE, SENSOR_ERROR, SENSOR_OFF, NO_SENSOR, IDENTIFICATION = range(7)


class Tpg36x(SimulatedInstrument):
    """`range_pa` is what the gauge measures.  With a `clock` it streams one line a second after power-up,
    until it receives a character.  `sensor` overrides the status of the measurement.  A 26x knows no ``AYT``.
    """

    framing = staticmethod(pfeiffer.host_framing)

    def __init__(
        self,
        gauge: VacuumGauge,
        *,
        range_pa: tuple[float, float] = (1e-4, 1.1e5),
        unit: int = HPA,
        model: str = "TPG 361",
        clock: Clock | None = None,
    ) -> None:
        super().__init__()
        self.gauge = gauge
        self.range_pa = range_pa
        self.unit = unit
        self.model = model
        self.sensor: int | None = None
        self._clock = clock
        self._next_line = clock.now() + STREAM_S if clock else None
        self._mnemonic: str | None = None
        self._error = [0, 0, 0, 0]

    def receive(self, received: bytes) -> bytes:
        if received:
            self._next_line = None
        if pfeiffer.ETX in received:  # it clears the input buffer
            self._buffer, received = b"", received[received.rfind(pfeiffer.ETX) + 1 :]
        return super().receive(received)

    def due(self) -> float | None:
        return self._next_line

    def speak(self) -> bytes:
        if self._next_line is None or self._clock is None:
            return b""
        self._next_line = self._clock.now() + STREAM_S
        return self._measurement() + b"\r\n"

    def answer(self, message: bytes) -> bytes:
        if message == pfeiffer.ENQ:
            return self._data() + b"\r\n"
        if not message.endswith(b"\r"):
            return b""
        accepted = self._command(message[:-1].decode("ascii", "replace").replace(" ", "").upper())
        return (pfeiffer.ACK if accepted else pfeiffer.NAK) + b"\r\n"

    def _command(self, text: str) -> bool:
        mnemonic, *parameters = text.split(",")
        self._mnemonic = None
        if mnemonic == "AYT" and not self.model.startswith("TPG 36"):
            self._error[3] = 1
            return False
        if mnemonic in ("PR1", "PRX", "TID", "ERR", "PNR", "AYT") and not parameters:
            self._mnemonic = mnemonic
        elif mnemonic in ("UNI", "SEN") and len(parameters) <= 1:
            known = [*map(str, PA_PER_UNIT), str(VOLT)] if mnemonic == "UNI" else ["0", "1", "2"]
            if parameters and parameters[0] not in known:
                self._error[2] = 1
                return False
            if parameters and mnemonic == "UNI":
                self.unit = int(parameters[0])
            self._mnemonic = mnemonic
        else:
            self._error[3] = 1
            return False
        return True

    def _data(self) -> bytes:
        match self._mnemonic:
            case "PR1" | "PRX":
                return self._measurement()
            case "UNI":
                return b"%d" % self.unit
            case "SEN":
                return b"0"
            case "TID":
                return b"CMR/APR"
            case "PNR":
                return b"010400"
            case "AYT":
                return f"{self.model},PTG28040,44990000,010400,010100".encode("ascii")
        word = bytes(ord("0") + flag for flag in self._error)
        self._error = [0, 0, 0, 0]
        return word

    def _measurement(self) -> bytes:
        pressure = self.gauge.read_pa()
        low, high = self.range_pa
        status = self.sensor
        if status is None:
            status = UNDER_RANGE if pressure < low else OVER_RANGE if pressure > high else OK
        pressure = min(max(pressure, low), high)
        if status == NO_SENSOR:
            return pfeiffer.measurement(NO_SENSOR, 2e-2)
        if self.unit == VOLT:  # a linear capacitance gauge, 10 V full scale
            return pfeiffer.measurement(status, 10 * pressure / high)
        return pfeiffer.measurement(status, pressure / PA_PER_UNIT[self.unit])
