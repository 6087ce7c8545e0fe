"""A loop of the field: from the highest field down to the opposite and back, point by point, then to zero current.

What is read at each point, and how its meter is set up, is the meter's own: see `protocols.magnetometry` (a
lock-in) and `protocols.hall` (a Hall meter).
"""

from __future__ import annotations

import math
import statistics
from typing import Any, ClassVar

from bluesky.utils import Msg

from drivers.clock import Clock
from drivers.instrument import Reading
from drivers.roles import MagnetometryStation, Role
from protocols.gates import DeviceWrong, Plan, require, secure, take_event
from protocols.loop import next_field_mt

PLATEAU_READINGS = 5
"""At the first end of the loop: they tell the noise."""
FIELD_TOLERANCE = 0.3


class Sweep:
    """One loop, point by point.  Subclasses name their meter, its value and its overload, and prepare it."""

    unit: ClassVar[str]

    def __init__(
        self,
        station: MagnetometryStation,
        clock: Clock,
        max_field_mt: float,
        coarse_mt: float,
        fine_mt: float,
        dwell_s: float,
    ) -> None:
        self.station = station
        self.clock = clock
        self.max_field_mt = max_field_mt
        self.coarse_mt = coarse_mt
        self.fine_mt = fine_mt
        self.dwell_s = dwell_s
        self.devices = [station.magnet, station.field_meter, self.meter]
        self.field_mt: list[float] = []
        self.signal: list[float] = []
        self.overloaded: list[bool] = []
        self.at_s: list[float] = []

    # --- what the meter adds --------------------------------------------------------------------------

    @property
    def meter(self) -> Role:
        """The device that is read at each point."""
        raise NotImplementedError

    @property
    def value(self) -> Reading:
        """What it reads."""
        raise NotImplementedError

    @property
    def overload(self) -> Reading:
        """1 when the value is beyond its range."""
        raise NotImplementedError

    def prepare(self) -> Plan:
        """At no field yet."""
        yield from ()

    def at_the_end(self) -> Plan:
        """At the first end of the loop, before anything is kept."""
        yield from ()

    def less_sensitive(self) -> Plan:
        """After an overload; False if nothing can be done."""
        yield from ()
        return False

    def offset(self) -> float:
        """What the signal is about, as far as is known when the branches begin."""
        return 0.0

    def quiet(self) -> list[tuple[Any, Any]]:
        """Settings that leave the meter at rest, besides the magnet."""
        return []

    # --- the loop -------------------------------------------------------------------------------------

    def sweep(self) -> Plan:
        top = self.max_field_mt
        yield from self.prepare()
        yield Msg("mark", None, "ramp", max_field_mt=top)
        yield from self.before()
        yield from self.go_to(top)
        self._check_field(top)
        yield from self.at_the_end()
        for _ in range(PLATEAU_READINGS):
            yield from self.read(0.0)
            yield from self._keep(0.0)
        readings = [value for value in self.signal if math.isfinite(value)]
        noise = statistics.stdev(readings) if len(readings) > 1 else math.nan
        yield from self._branch(top, -top, noise, 0.0)
        yield from self._branch(-top, top, noise, 0.5)

    def before(self) -> Plan:
        """With the ramp marked, before the loop begins."""
        yield from ()

    def leave(self) -> Plan:
        """Always: the magnet back at zero current, the meter at rest."""
        secured = yield from secure([*self.quiet(), (self.station.magnet.current, 0.0)])
        yield Msg("record", None, self.outcome())
        require(secured)

    def _branch(self, begin_mt: float, end_mt: float, noise: float, done: float) -> Plan:
        about = self.offset()
        fields, signals = [begin_mt], [self.signal[-1] - about]
        while (field := self._next(fields, signals, end_mt, noise)) is not None:
            fraction = done + 0.5 * (field - begin_mt) / (end_mt - begin_mt)
            yield from self._point(field, fraction)
            fields.append(field)
            signals.append(self.signal[-1] - about)

    def _next(self, fields: list[float], signals: list[float], end_mt: float, noise: float) -> float | None:
        return next_field_mt(
            fields, signals, target_mt=end_mt, coarse_mt=self.coarse_mt, fine_mt=self.fine_mt, noise=noise
        )

    # --- one point ------------------------------------------------------------------------------------

    def _point(self, field_mt: float, fraction: float) -> Plan:
        """Set, settle, read field and signal."""
        yield from self.go_to(field_mt, fraction)
        yield from self._keep(fraction)

    def _keep(self, fraction: float) -> Plan:
        """Make a point of what has just been read, and one event."""
        while self.overload.get():
            # The flag is latched, so it may tell of the way here: believe it only when it comes again.
            yield from self.read(fraction)
            if not self.overload.get() or not (yield from self.less_sensitive()):
                break
            yield from self.read(fraction)
        self.field_mt.append(float(self.station.field_meter.field.get()))
        self.signal.append(float(self.value.get()))
        self.overloaded.append(bool(self.overload.get()))
        self.at_s.append(self.clock.now())
        yield from take_event(self.devices)

    def go_to(self, field_mt: float, fraction: float = 0.0) -> Plan:
        current_a = field_mt / self.station.field_per_ampere_mt
        yield Msg("apply", None, (self.station.magnet.current, current_a))
        yield from self.read(fraction)

    def read(self, fraction: float) -> Plan:
        passed = yield Msg("gate", None, self.dwell_s, fraction, "measuring a loop")
        if passed.verdict == "hold":
            yield Msg("held")
        yield Msg("refresh", None, self.station.field_meter, self.meter)

    def _check_field(self, wanted_mt: float) -> None:
        meter = self.station.field_meter
        field = meter.field.get()
        if not abs(field / wanted_mt - 1) < FIELD_TOLERANCE:  # also when it is not a number
            raise DeviceWrong(
                f"{meter.name}: {field:.4g} mT where {wanted_mt:g} mT was set ({meter.fault.get() or 'no fault'}); "
                f"check the probe's place and sign, its range, and field_per_ampere_mt in the lab file"
            )

    def outcome(self) -> dict[str, Any]:
        """JSON-able; the signal as it came, in its meter's unit."""
        return {
            "loop": {
                "field_mt": list(self.field_mt),
                "signal": list(self.signal),
                "unit": self.unit,
                "overloaded": list(self.overloaded),
                "at_s": [round(at - self.at_s[0], 3) for at in self.at_s],
            }
        }
