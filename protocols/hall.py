"""The anomalous Hall effect: the transverse resistance of a film over a loop of the field out of its plane.

The meter reverses the current for every reading, so thermal voltages are gone.  What is left besides the Hall
effect is the part of the longitudinal resistance that misplaced contacts see.  It may be larger than the Hall
resistance, so the field is first taken to the opposite end: half the sum of both ends is what the loop is about, and
the steps are chosen by what is left.  The analysis takes it off for good, by antisymmetrising.
"""

from __future__ import annotations

import math
from typing import Any

from bluesky.utils import Msg

from drivers.instrument import Reading
from drivers.roles import HallMeter
from protocols.gates import DeviceWrong, Plan, ProtocolError
from protocols.sweep import Sweep


class HallLoop(Sweep):
    """A loop whose signal a Hall meter reads, in ohm."""

    unit = "ohm"
    _about = 0.0
    _opposite = 0.0

    @property
    def meter(self) -> HallMeter:
        hall = self.station.hall
        if hall is None:
            raise ProtocolError(f"station {self.station.name} has no Hall meter")
        return hall

    @property
    def value(self) -> Reading:
        return self.meter.resistance

    @property
    def overload(self) -> Reading:
        return self.meter.compliance

    def prepare(self) -> Plan:
        if not self.station.hall_current_a > 0:
            raise ProtocolError(f"station {self.station.name}: hall_current_a is not given in the lab file")
        yield Msg("apply", None, (self.meter.current, self.station.hall_current_a))

    def before(self) -> Plan:
        """To the opposite end of the loop first."""
        yield from self.go_to(-self.max_field_mt)
        yield from self.read(0.0)
        self._opposite = float(self.value.get())
        if not math.isfinite(self._opposite):
            hall = self.meter
            raise DeviceWrong(
                f"{hall.name}: no resistance ({hall.fault.get() or 'no fault'}); look at the four contacts and the film"
            )

    def at_the_end(self) -> Plan:
        yield from self.read(0.0)
        self._about = (float(self.value.get()) + self._opposite) / 2

    def offset(self) -> float:
        return self._about

    def quiet(self) -> list[tuple[Any, Any]]:
        """No current through a film whose contacts are about to be lifted."""
        return [(self.meter.current, 0.0)]
