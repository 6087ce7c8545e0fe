"""A hysteresis loop: from saturation down to the opposite saturation and back, then to zero current."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from typing import Any

from bluesky.utils import Msg

from drivers.clock import Clock
from drivers.roles import MagnetometryStation
from protocols.gates import DeviceWrong, Plan, ProtocolError, closing, in_run, pause, require, secure, take_event
from protocols.loop import next_field_mt

PLATEAU_READINGS = 5
"""At the first end of the loop: they tell the noise."""
SETTLING_TIME_CONSTANTS = 7.0
"""A lock-in's output is within 0.1 % of its end after seven time constants (6 dB/octave)."""
HEADROOM = 2.0
TIME_CONSTANTS_S = tuple(m * 10.0**e for e in range(-5, 4) for m in (1.0, 3.0))
SENSITIVITIES_V = (*(m * 10.0**e for e in range(-9, 0) for m in (1.0, 2.0, 5.0)), 1.0)
FIELD_TOLERANCE = 0.3


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
    """Outcome: the loop as measured.  `thickness_nm`, its sigma, and whether it is the reference specimen, which has
    a moment and no thickness, are for the analysis and the record."""
    loop = Loop(station, clock, max_field_mt, coarse_step_mt, fine_step_mt, dwell_s)
    yield Msg("record", None, loop.outcome())
    yield Msg("refresh", None, *loop.devices)
    yield from in_run(closing(loop.sweep(), loop.leave))
    return loop.outcome()


class Loop:
    """One loop, point by point."""

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
        self.devices = [station.magnet, station.field_meter, station.signal]
        self.field_mt: list[float] = []
        self.signal_v: list[float] = []
        self.overloaded: list[bool] = []
        self.at_s: list[float] = []

    def sweep(self) -> Plan:
        top = self.max_field_mt
        yield from self._prepare()
        yield Msg("mark", None, "ramp", max_field_mt=top)
        yield from self._go_to(top)
        self._check_field(top)
        yield from self._choose_sensitivity()
        for _ in range(PLATEAU_READINGS):
            yield from self._read(0.0)
            yield from self._keep(0.0)
        noise = statistics.stdev(self.signal_v)
        yield from self._branch(top, -top, noise, 0.0)
        yield from self._branch(-top, top, noise, 0.5)

    def leave(self) -> Plan:
        """Always: the magnet back at zero current."""
        secured = yield from secure([(self.station.magnet.current, 0.0)])
        yield Msg("record", None, self.outcome())
        require(secured)

    def _branch(self, begin_mt: float, end_mt: float, noise: float, done: float) -> Plan:
        fields, signals = [begin_mt], [self.signal_v[-1]]
        while (field := self._next(fields, signals, end_mt, noise)) is not None:
            fraction = done + 0.5 * (field - begin_mt) / (end_mt - begin_mt)
            yield from self._point(field, fraction)
            fields.append(field)
            signals.append(self.signal_v[-1])

    def _next(self, fields: list[float], signals: list[float], end_mt: float, noise: float) -> float | None:
        return next_field_mt(
            fields, signals, target_mt=end_mt, coarse_mt=self.coarse_mt, fine_mt=self.fine_mt, noise=noise
        )

    # --- one point ------------------------------------------------------------------------------------

    def _point(self, field_mt: float, fraction: float) -> Plan:
        """Set, settle, read field and signal."""
        yield from self._go_to(field_mt, fraction)
        yield from self._keep(fraction)

    def _keep(self, fraction: float) -> Plan:
        """Make a point of what has just been read, and one event."""
        signal = self.station.signal
        while signal.overload.get():
            # The flag is latched, so it may tell of the way here: believe it only when it comes again.
            yield from self._read(fraction)
            if not signal.overload.get() or not (yield from self._desensitise()):
                break
            yield from self._read(fraction)
        self.field_mt.append(float(self.station.field_meter.field.get()))
        self.signal_v.append(float(signal.x.get()))
        self.overloaded.append(bool(signal.overload.get()))
        self.at_s.append(self.clock.now())
        yield from take_event(self.devices)

    def _go_to(self, field_mt: float, fraction: float = 0.0) -> Plan:
        current_a = field_mt / self.station.field_per_ampere_mt
        yield Msg("apply", None, (self.station.magnet.current, current_a))
        yield from self._read(fraction)

    def _read(self, fraction: float) -> Plan:
        passed = yield Msg("gate", None, self.dwell_s, fraction, "measuring a loop")
        if passed.verdict == "hold":
            yield Msg("held")
        yield Msg("refresh", None, self.station.field_meter, self.station.signal)

    def _check_field(self, wanted_mt: float) -> None:
        meter = self.station.field_meter
        field = meter.field.get()
        if not abs(field / wanted_mt - 1) < FIELD_TOLERANCE:  # also when it is not a number
            raise DeviceWrong(
                f"{meter.name}: {field:.4g} mT where {wanted_mt:g} mT was set ({meter.fault.get() or 'no fault'}); "
                f"check the probe's place and sign, its range, and field_per_ampere_mt in the lab file"
            )

    # --- the lock-in ----------------------------------------------------------------------------------

    def _prepare(self) -> Plan:
        setting = self.station.signal.time_constant
        longest = self.dwell_s / SETTLING_TIME_CONSTANTS
        fitting = [tau for tau in _choices(setting, TIME_CONSTANTS_S) if tau <= longest * (1 + 1e-9)]
        if not fitting:
            raise ProtocolError(f"dwell_s = {self.dwell_s:g} is too short for any time constant of {setting.name}")
        yield Msg("apply", None, (setting, max(fitting)))

    def _choose_sensitivity(self) -> Plan:
        """The finest sensitivity that leaves `HEADROOM` over the signal at the highest field."""
        signal = self.station.signal
        ladder = _choices(signal.sensitivity, SENSITIVITIES_V)
        yield Msg("apply", None, (signal.sensitivity, ladder[-1]))
        yield from self._read(0.0)
        yield from self._read(0.0)
        reach = HEADROOM * math.hypot(signal.x.get(), signal.y.get())
        fitting = next((full_scale for full_scale in ladder if full_scale >= reach), ladder[-1])
        yield Msg("apply", None, (signal.sensitivity, fitting))
        yield from pause(self.dwell_s, "settling")

    def _desensitise(self) -> Plan:
        """One step less sensitive; False if there is none."""
        setting = self.station.signal.sensitivity
        coarser = [v for v in _choices(setting, SENSITIVITIES_V) if v > setting.get() * (1 + 1e-6)]
        if coarser:
            yield Msg("apply", None, (setting, coarser[0]))
            yield from pause(self.dwell_s, "settling")
        return bool(coarser)

    def outcome(self) -> dict[str, Any]:
        """JSON-able; the signal as it came, in volts."""
        return {
            "loop": {
                "field_mt": list(self.field_mt),
                "signal": list(self.signal_v),
                "unit": "V",
                "overloaded": list(self.overloaded),
                "at_s": [round(at - self.at_s[0], 3) for at in self.at_s],
            }
        }


def _choices(setting: Any, otherwise: Iterable[float]) -> list[float]:
    return sorted(setting.choices or otherwise)
