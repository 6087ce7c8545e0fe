"""Alicat MC mass-flow controller.

RS-232 / RS-485, 19200 8N1, one letter for each unit on the bus.  The controller keeps its set point when the
host dies, so `make_safe` sets it to zero.

Source: Alicat Serial Primer as cited by the public drivers alicatlib and labmcp-alicat.
Unverified on hardware.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from ophyd import Component as Cpt

from drivers.clock import Clock
from drivers.errors import Garbled, NoReply, Refused, WrongInstrument
from drivers.instrument import Instrument, Reading, Setting
from drivers.link import Link, Port, SerialLink, exchange, insist
from drivers.wire import alicat
from drivers.wire.errors import Malformed

T = TypeVar("T")

KPA_PER_PSI = 6.894757
SCCM_PER_UNIT = {"SCCM": 1.0, "SLPM": 1000.0}
LS_FIRMWARE = 9
"""First firmware with ``LS``; older ones are set with ``S``."""
HARMLESS = frozenset({"LCK"})
"""Status words that are no fault: locked buttons are what an unattended lab wants."""


class Alicat(Instrument):
    """A mass-flow controller.  `unit` is its letter on the bus; `gas` what it must be calibrated for."""

    role = "gas"
    driver = "alicat"

    flow = Cpt(Setting, units="sccm", precision=2, write="_write_flow")
    actual_flow = Cpt(Reading, units="sccm", precision=2)
    line_pressure = Cpt(Reading, units="kPa", precision=1)
    temperature = Cpt(Reading, units="degC", precision=2)
    fault = Cpt(Reading, value="")

    def __init__(
        self,
        port: Port,
        *,
        name: str,
        clock: Clock,
        limits: dict[str, tuple[float, float]] | None = None,
        gas: str = "Ar",
        unit: str = "A",
        full_scale_sccm: float = 200.0,
    ) -> None:
        super().__init__(port, name=name, clock=clock, limits={"flow": (0.0, full_scale_sccm)} | (limits or {}))
        self.gas = gas
        self.unit = unit
        self._sccm_per_unit = 1.0
        self._firmware = 0

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=19200, timeout_s=timeout_s)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Firmware, flow unit and gas.  `WrongInstrument`, `LinkError`."""
        try:
            version = self._ask("VE", alicat.line)
            frame = self._frame()
        except Garbled as error:
            raise WrongInstrument(f"{error}; is this an Alicat flow controller?") from error
        found = re.fullmatch(rf"{self.unit}\s+((\d+)v\S+).*", version)
        if not found:
            raise WrongInstrument(f"{self.name}: answers {version!r} to {self.unit}VE, which is no firmware")
        self._firmware = int(found[2])
        flow_unit = self._find_flow_unit()
        if frame.gas != self.gas:
            raise WrongInstrument(
                f"{self.name}: is set to {frame.gas}, but the lab file says {self.gas}; "
                "select the gas at the controller"
            )
        return f"Alicat {self.unit}, firmware {found[1]}, {flow_unit} of {frame.gas}"

    def refresh(self) -> None:
        frame = self._frame()
        self._show(frame)

    def make_safe(self) -> None:
        """Close the valve: set point zero, said again if that was lost."""
        insist(lambda: self._write_flow(0.0))

    def _write_flow(self, sccm: float) -> None:
        wanted = sccm / self._sccm_per_unit
        if self._firmware >= LS_FIRMWARE:
            accepted = self._act(f"LS {wanted:.3f}", alicat.SetPoint.parse).requested
        else:
            accepted = self._act(f"S {wanted:.3f}", alicat.DataFrame.parse).set_point
        if abs(accepted - wanted) > 0.0051:  # the answer has two decimals
            raise Refused(
                f"{self.name}: {sccm:g} sccm was refused, the set point is {accepted * self._sccm_per_unit:g} sccm"
            )
        self._show(self._frame())

    # --- wire -----------------------------------------------------------------------------------------

    def _find_flow_unit(self) -> str:
        """SCCM where the firmware cannot tell."""
        if self._firmware < LS_FIRMWARE:
            return "SCCM"
        flow_unit = self._ask("LS", alicat.SetPoint.parse).engineering_unit
        if flow_unit not in SCCM_PER_UNIT:
            raise WrongInstrument(
                f"{self.name}: its set point is in {flow_unit}, not a mass flow; "
                f"set it to mass-flow control in {' or '.join(SCCM_PER_UNIT)}"
            )
        self._sccm_per_unit = SCCM_PER_UNIT[flow_unit]
        return flow_unit

    def _frame(self) -> alicat.DataFrame:
        return self._ask("", alicat.DataFrame.parse)

    def _show(self, frame: alicat.DataFrame) -> None:
        self.flow.update(frame.set_point * self._sccm_per_unit)
        self.actual_flow.update(frame.mass_flow * self._sccm_per_unit)
        self.line_pressure.update(frame.pressure * KPA_PER_PSI)
        self.temperature.update(frame.temperature)
        self.fault.update(" ".join(word for word in frame.status if word not in HARMLESS))

    def _ask(self, body: str, parse: Callable[[bytes], T]) -> T:
        """A question, asked once more if its answer is missing or spoiled."""
        try:
            return self._act(body, parse)
        except (NoReply, Garbled):
            return self._act(body, parse)

    def _act(self, body: str, parse: Callable[[bytes], T]) -> T:
        request = alicat.request(self.unit, body)
        answer = exchange(self.link, request, alicat.LINE)
        try:
            text = alicat.line(answer)
            if text == alicat.REJECTED or text == f"{self.unit} {alicat.REJECTED}":
                raise Refused(f"{self.name}: {request!r} was rejected with {answer!r}")
            if not text.startswith(self.unit):
                raise Garbled(f"{self.name}: {answer!r} after {request!r} is not from unit {self.unit}")
            return parse(answer)
        except Malformed as error:
            raise Garbled(f"{self.name}: answer to {request!r}: {error}") from error
