"""A hysteresis loop: from saturation down to the opposite saturation and back, then to zero current."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from bluesky.utils import Msg

from drivers.clock import Clock
from drivers.instrument import Reading
from drivers.roles import MagnetometryStation, SignalMeter
from protocols.gates import Plan, ProtocolError, closing, in_run, pause
from protocols.hall import HallLoop
from protocols.sweep import Sweep

SETTLING_TIME_CONSTANTS = 7.0
"""A lock-in's output is within 0.1 % of its end after seven time constants (6 dB/octave)."""
HEADROOM = 2.0
TIME_CONSTANTS_S = tuple(m * 10.0**e for e in range(-5, 4) for m in (1.0, 3.0))
SENSITIVITIES_V = (*(m * 10.0**e for e in range(-9, 0) for m in (1.0, 2.0, 5.0)), 1.0)


def measure(
    station: MagnetometryStation,
    clock: Clock,
    *,
    max_field_mt: float = 200.0,
    coarse_step_mt: float = 20.0,
    fine_step_mt: float = 0.5,
    dwell_s: float = 1.0,
    thickness_nm: float | None = None,
    thickness_sigma_nm: float | None = None,
    reference: bool = False,
) -> Plan:
    """Outcome: the loop as measured, by the station's lock-in or its Hall meter, whichever it has.

    `thickness_nm`, its sigma, and whether it is the reference specimen, which has a moment and no thickness, are for
    the analysis and the record.
    """
    meets = HallLoop if station.hall is not None else Loop
    loop: Sweep = meets(station, clock, max_field_mt, coarse_step_mt, fine_step_mt, dwell_s)
    yield Msg("record", None, loop.outcome())
    yield Msg("refresh", None, *loop.devices)
    yield from in_run(closing(loop.sweep(), loop.leave))
    return loop.outcome()


class Loop(Sweep):
    """A loop whose signal a lock-in reads, in volts."""

    unit = "V"

    @property
    def meter(self) -> SignalMeter:
        signal = self.station.signal
        if signal is None:
            raise ProtocolError(f"station {self.station.name} has neither a lock-in nor a Hall meter")
        return signal

    @property
    def value(self) -> Reading:
        return self.meter.x

    @property
    def overload(self) -> Reading:
        return self.meter.overload

    def prepare(self) -> Plan:
        setting = self.meter.time_constant
        longest = self.dwell_s / SETTLING_TIME_CONSTANTS
        fitting = [tau for tau in _choices(setting, TIME_CONSTANTS_S) if tau <= longest * (1 + 1e-9)]
        if not fitting:
            raise ProtocolError(f"dwell_s = {self.dwell_s:g} is too short for any time constant of {setting.name}")
        yield Msg("apply", None, (setting, max(fitting)))

    def at_the_end(self) -> Plan:
        """The finest sensitivity that leaves `HEADROOM` over the signal at the highest field."""
        signal = self.meter
        ladder = _choices(signal.sensitivity, SENSITIVITIES_V)
        yield Msg("apply", None, (signal.sensitivity, ladder[-1]))
        yield from self.read(0.0)
        yield from self.read(0.0)
        reach = HEADROOM * math.hypot(signal.x.get(), signal.y.get())
        fitting = next((full_scale for full_scale in ladder if full_scale >= reach), ladder[-1])
        yield Msg("apply", None, (signal.sensitivity, fitting))
        yield from pause(self.dwell_s, "settling")

    def less_sensitive(self) -> Plan:
        """One step less sensitive; False if there is none."""
        setting = self.meter.sensitivity
        coarser = [v for v in _choices(setting, SENSITIVITIES_V) if v > setting.get() * (1 + 1e-6)]
        if coarser:
            yield Msg("apply", None, (setting, coarser[0]))
            yield from pause(self.dwell_s, "settling")
        return bool(coarser)


def _choices(setting: Any, otherwise: Iterable[float]) -> list[float]:
    return sorted(setting.choices or otherwise)
