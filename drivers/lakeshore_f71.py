"""Lake Shore F71 and F41 teslameters.

Source: the maker's ``lakeshore`` package (teslameter.py: commands and the bits of both condition registers) and
NICOS' driver.  TCP 7777, or USB serial 115200 with RTS/CTS; lines end with CR LF.  Unverified on hardware.

A three-axis probe answers ``FETCH:DC?`` with the magnitude, which has no sign: the lab file then has to say which
axis is the field's.
"""

from __future__ import annotations

import math
from typing import Any

from ophyd import Component as Cpt

from drivers.errors import Fault, Garbled, WrongInstrument
from drivers.instrument import Reading
from drivers.link import Link, SerialLink, TcpLink, read_twice
from drivers.scpi_asking import ScpiAsking
from drivers.wire import scpi
from drivers.wire.errors import Malformed

AXES = ("magnitude", "x", "y", "z")  # FETCH:DC? ALL
MT_PER_T = 1e3
OPERATION = {0: "no probe", 1: "overload: field beyond the range"}
QUESTIONABLE = {
    0: "x axis sensor error",
    1: "y axis sensor error",
    2: "z axis sensor error",
    3: "probe memory cannot be read",
    4: "no temperature compensation",
    5: "invalid probe",
    8: "calibration error",
    9: "heartbeat error",
}
RANGING = 1 << 2


class LakeShoreF71(ScpiAsking):
    """`axis` is "x", "y" or "z" with a three-axis probe, and "" with a single-axis one.

    The unit is set to tesla once and looked at again every `unit_check_s` lab seconds.
    """

    role = "field_meter"
    driver = "lakeshore-f71"

    field = Cpt(Reading, units="mT", precision=4)
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, axis: str = "", unit_check_s: float = 60.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if axis not in ("", *AXES[1:]):
            raise TypeError(f'axis = {axis!r}: give "x", "y" or "z", or leave it out')
        self._axis = axis
        self._unit_check_s = unit_check_s
        self._unit_checked_at = -math.inf

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """``tcp://host:7777``, or a serial device (115200 baud)."""
        if address.startswith("tcp://"):
            return TcpLink(address, timeout_s=timeout_s)
        return SerialLink(address, baudrate=115200, timeout_s=timeout_s)

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        (identity,) = self._query("*IDN?")
        parts = identity.split(",")
        if len(parts) < 2 or parts[1].strip().upper().removeprefix("MODEL") not in ("F71", "F41"):
            raise WrongInstrument(f"{self.name}: {self.link.address} is no Lake Shore F71 or F41, it says {identity!r}")
        (axes,) = self._query("PROBE:AXES?")
        if (self._integer(axes) > 1) != bool(self._axis):
            wanted = 'give axis = "x", "y" or "z"' if not self._axis else "leave out axis"
            raise WrongInstrument(f"{self.name}: the probe has {axes} axes; {wanted} in its settings in the lab file")
        self._set_tesla()
        return identity

    def refresh(self) -> None:
        if self.clock.now() - self._unit_checked_at > self._unit_check_s and not self._in_tesla():
            self._set_tesla()
        field_t, operation, questionable = read_twice(self._reading)
        words = [word for bit, word in OPERATION.items() if operation >> bit & 1]
        words += [word for bit, word in QUESTIONABLE.items() if questionable >> bit & 1]
        if not math.isfinite(field_t) and not words:
            words = ["no field"]
        # While it changes the range, and with any of these faults, the number may be one of before.
        good = not words and not operation & RANGING
        self.field.update(MT_PER_T * field_t if good else math.nan)
        self.fault.update(", ".join(words))

    def make_safe(self) -> None:
        """Its field control is not used, so it drives nothing: every state is safe."""

    def _reading(self) -> tuple[float, int, int]:
        query = "FETCH:DC? ALL" if self._axis else "FETCH:DC?"
        fields, operation, questionable = self._ask(query, ":STAT:OPER:COND?", ":STAT:QUES:COND?")
        parts = fields.split(",")
        if len(parts) != (len(AXES) if self._axis else 1):
            raise Garbled(f"{self.name}: {len(parts)} values in answer to {query}: {fields!r}")
        word = parts[AXES.index(self._axis)] if self._axis else parts[0]
        try:
            field_t = math.nan if word.strip().upper() in ("NAN", "NULL") else scpi.number(word.strip())
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to {query}") from error
        return field_t, self._integer(operation), self._integer(questionable)

    def _in_tesla(self) -> bool:
        (unit,) = self._query("UNIT:FIELD?")
        self._unit_checked_at = self.clock.now()
        return unit.strip('"').upper() in ("TESLA", "TESL")

    def _set_tesla(self) -> None:
        self.link.drain()
        self.link.send(b"UNIT:FIELD TESLA\n")
        if not self._in_tesla():
            raise Fault(f"{self.name}: does not take the unit tesla; look at its front panel")
