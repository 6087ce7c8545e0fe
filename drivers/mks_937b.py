"""MKS 937B vacuum gauge controller: one gauge on one of its channels.

Source: PyMeasure ``MKS937B`` and its tests; a driver of PyExpLabSys for the words in place of numbers.
Unverified on hardware: the format of the answer to ``FV?`` and the words for a gauge that is misconnected.
"""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt

from drivers.errors import Refused
from drivers.instrument import Reading
from drivers.mks_900 import Mks900
from drivers.wire import mks
from drivers.wire.errors import Malformed

PA_PER_UNIT = {"TORR": 133.3224, "MBAR": 100.0, "PASCAL": 1.0, "MICRON": 0.1333224}
UNIT_CHECK_S = 60.0
"""Lab seconds after which the unit is asked again: somebody may have changed it at the panel."""

WORDS = {
    "LO<": "under range",
    "ATM": "over range",
    "OVER": "over range",
    ">": "over range",
    "OFF": "sensor off",
    "PROT_OFF": "switched off to protect the gauge: the pressure is too high",
    "CTRL_OFF": "switched off by its control channel",
    "RP_OFF": "switched off from the rear panel",
    "WAIT": "starting, no reading yet",
    "LOWEMIS": "low emission",
    "NOGAUGE": "no sensor",
    "NOT_CONN": "no sensor",
    "MISCONN": "sensor misconnected",
}


class Mks937b(Mks900):
    """A gauge on one `channel` of the controller."""

    role = "gauge"
    driver = "mks-937b"
    model = "937B"

    pressure = Cpt(Reading, units="Pa", precision=4)
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pa_per_unit = float("nan")
        self._unit_read = float("-inf")

    def identify(self) -> str:
        """Model, serial number, firmware and unit.  `WrongInstrument`, `LinkError`."""
        told = self._identity()
        return f"{told}, in {self._read_unit()}"

    def refresh(self) -> None:
        if self.clock.now() - self._unit_read > UNIT_CHECK_S:
            self._read_unit()
        pressure, fault = self._query(f"PR{self.channel}", _pressure)
        self.pressure.update(pressure * self._pa_per_unit)
        self.fault.update(fault)

    def make_safe(self) -> None:
        """A gauge is always safe."""

    def _read_unit(self) -> str:
        unit = self._query("U", _unit)
        if unit not in PA_PER_UNIT:
            raise Refused(f"{self.name}: shows {unit!r}, no pressure; set it to {', '.join(PA_PER_UNIT)}")
        self._pa_per_unit = PA_PER_UNIT[unit]
        self._unit_read = self.clock.now()
        return unit


def _unit(text: str) -> str:
    """A word, whole: ``TORR``, not ``TOR``."""
    if not text.isalpha():
        raise Malformed(f"{text!r} is not a unit")
    return text.upper()


def _pressure(text: str) -> tuple[float, str]:
    """The pressure in the controller's unit, or NaN and why there is none.  Raises `Malformed`."""
    for word, meaning in WORDS.items():
        if text == word or (word in ("LO<", ">") and text.startswith(word)):
            return float("nan"), meaning
    return mks.number(text), ""
