"""MKS 946 vacuum system controller: one of its mass-flow controllers.

The controller keeps its set point when the host dies, so `make_safe` closes the valve.

Source: an EPICS protocol file for the 946's mass-flow channels; PyMeasure ``mksinst`` for the dialect.
Unverified on hardware.
"""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt

from drivers.errors import Refused
from drivers.instrument import Reading, Setting
from drivers.link import insist
from drivers.mks_900 import Mks900
from drivers.wire import mks
from drivers.wire.errors import Malformed

MODES = ("OPEN", "CLOSE", "SETPOINT", "PCTRL", "RATIO", "PRESET")
DIGITS = 0.006
"""A set point is taken with three digits."""
ZERO_SCCM = 5e-3
NO_FLOW = {"MISCONN": "flow controller misconnected", "NOGAUGE": "no flow controller", "OVER": "flow over range"}


class Mks946(Mks900):
    """A mass-flow controller on one `channel`.  `gas` is what its scale factor is set for; it cannot be asked."""

    role = "gas"
    driver = "mks-946"
    model = "946"

    flow = Cpt(Setting, units="sccm", precision=2, write="_write_flow")
    actual_flow = Cpt(Reading, units="sccm", precision=2)
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, gas: str = "Ar", full_scale_sccm: float = 200.0, **kwargs: Any) -> None:
        kwargs["limits"] = {"flow": (0.0, full_scale_sccm)} | (kwargs.get("limits") or {})
        super().__init__(*args, **kwargs)
        self.gas = gas

    def identify(self) -> str:
        """Model, serial number, range and scale factor.  `WrongInstrument`, `LinkError`."""
        told = self._identity()
        full_scale = self._query(f"RNG{self.channel}", mks.number)
        factor = self._query(f"QSF{self.channel}", mks.number)
        return f"{told}, {full_scale:g} sccm full scale, scale factor {factor:g} for {self.gas}"

    def refresh(self) -> None:
        flow, fault = self._query(f"FR{self.channel}", _flow)
        set_point, mode = self._set_point(), self._mode()
        self.actual_flow.update(flow)
        self.flow.update(set_point if mode == "SETPOINT" else 0.0)
        strange = mode not in ("SETPOINT", "CLOSE")
        self.fault.update(fault or (f"valve in mode {mode}, not on its set point" if strange else ""))

    def make_safe(self) -> None:
        """Close the valve."""
        insist(lambda: self._write_flow(0.0))

    def _write_flow(self, sccm: float) -> None:
        """The valve is closed for no flow, and follows its set point for any other."""
        wanted = mks.exponential(sccm)
        self._set(f"QSP{self.channel}", wanted, lambda: self._close_to(float(wanted)))
        if not self._close_to(float(wanted)):
            raise Refused(f"{self.name}: {sccm:g} sccm was refused, the set point is {self._set_point():g} sccm")
        mode = "CLOSE" if sccm == 0 else "SETPOINT"
        self._set(f"QMD{self.channel}", mode, lambda: self._mode() == mode)
        if (now := self._mode()) != mode:
            raise Refused(f"{self.name}: valve mode {mode} was refused, it stays in {now}")
        self.refresh()

    def _set_point(self) -> float:
        return self._query(f"QSP{self.channel}", mks.number)

    def _close_to(self, sccm: float) -> bool:
        return abs(self._set_point() - sccm) <= max(DIGITS * sccm, ZERO_SCCM)

    def _mode(self) -> str:
        return self._query(f"QMD{self.channel}", _mode)


def _flow(text: str) -> tuple[float, str]:
    if text in NO_FLOW:
        return float("nan"), NO_FLOW[text]
    return (-1.0 if text.startswith("-") else 1.0) * mks.number(text.lstrip("-")), ""


def _mode(text: str) -> str:
    if text not in MODES:
        raise Malformed(f"{text!r} is not a valve mode")
    return text
