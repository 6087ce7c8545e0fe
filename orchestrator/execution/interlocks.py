"""When a plan may not go on: rules on the readings that the monitor keeps fresh.

The hard-wired chain protects people and plant.  These rules only stop early and say why; they clear nothing.
Some may clear by themselves and are worth a wait with the shutters closed: a reading that is too old, a flow or a power
off its set point.  The others mean that the plasma, or a machine, must stop.
A rule speaks for what a plan has *ordered*: a plasma that nobody asked for needs no pressure window, one that
was asked for and is gone has been lost.  One odd reading is not believed; the next one, just like it, is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from drivers.clock import Clock
from drivers.roles import DepositionStation, Gun, MagnetometryStation, Station, TransferStation

PLASMA_PRESSURE_PA = (0.1, 5.0)
"""Outside, a magnetron discharge is lost or leaves its place."""
TURBO_SPEED_PCT = 80.0
"""A turbo pump slower than that does not hold what it pumps against."""
STALE_S = 10.0
"""A reading older than this, lab seconds (plus what the machine needs), is no reading."""
OFF_SETPOINT = 0.2
OFF_FLOW = 0.1
OFF_SETPOINT_S = 10.0
LIT_CURRENT_A = 1e-3


class Persistent:
    """Whether a condition has been seen on `readings` successive updates, over `seconds` of lab time."""

    def __init__(self, readings: int = 2, seconds: float = 0.0) -> None:
        self._readings = readings
        self._seconds = seconds
        self._count = 0
        self._since = 0.0
        self._updated: float | None = None

    def holds(self, bad: bool, updated: float | None) -> bool:
        """`updated`: lab time of the reading, None before the first."""
        if not bad or updated is None:
            self._count = 0
        elif updated != self._updated:
            self._since = updated if self._count == 0 else self._since
            self._count += 1
        self._updated = updated
        return self._count >= self._readings and updated - self._since >= self._seconds  # type: ignore[operator]


class Clearing(str):
    """A reason that may clear by itself, with nothing harmed by waiting for that behind closed shutters."""


Rule = Callable[[float], str]
"""Given the lab time, why the plan may not go on, or ""."""


class Interlocks:
    """The rules of one station.  `trouble(device name)` is why its last refresh failed, or ""."""

    def __init__(self, station: Station, clock: Clock, trouble: Callable[[str], str] = lambda name: "") -> None:
        self._clock = clock
        self._trouble = trouble
        self._ordered: dict[Any, Any] = {}
        match station:
            case DepositionStation():
                self._rules = _Chamber(self, station).rules()
            case MagnetometryStation():
                self._rules = [self.fault_rule(station.magnet, station.magnet.fault)]
            case TransferStation():
                self._rules = [self.fault_rule(station.mover, station.mover.fault)]

    def ordered(self, setting: Any, value: Any) -> None:
        """A plan has brought `setting` to `value`, or is about to make it safe."""
        self._ordered[setting] = value

    def order(self, setting: Any) -> Any:
        """What was last ordered of `setting`, None if nothing was."""
        return self._ordered.get(setting)

    def forget(self) -> None:
        """Everything was made safe."""
        self._ordered.clear()

    def tripped(self, now: float) -> list[str]:
        """Why the plan may not go on; empty when all is well."""
        return [reason for rule in self._rules if (reason := rule(now))]

    def may_clear(self, now: float) -> bool:
        """Whether all that is tripped may clear by itself."""
        return all(isinstance(reason, Clearing) for rule in self._rules if (reason := rule(now)))

    # --- what rules are made of -----------------------------------------------------------------------

    def stale(self, device: Any, reading: Any, now: float) -> str:
        """Why `reading` is too old to be trusted, or ""."""
        age = now - reading.updated if reading.updated is not None else float("inf")
        if self._clock.real_s(age) <= self._clock.patience_s(STALE_S):
            return ""
        seen = f"not read for {age:.0f} s" if age < float("inf") else "never read"
        trouble = self._trouble(device.name)
        return Clearing(f"{device.name}: {seen}{f' ({trouble})' if trouble else ''}; check its cable and power")

    def fault_rule(self, device: Any, fault: Any) -> Rule:
        """Trips on words in `fault`."""
        persistent = Persistent()

        def rule(now: float) -> str:
            text = fault.get()
            bad = isinstance(text, str) and text != ""
            return f"{device.name}: {text}" if persistent.holds(bad, fault.updated) else ""

        return rule


class _Chamber:
    """The rules of a chamber: they matter while a plasma was ordered."""

    def __init__(self, interlocks: Interlocks, station: DepositionStation) -> None:
        self._interlocks = interlocks
        self._station = station
        self._outside = Persistent()
        self._starved = Persistent(3, OFF_SETPOINT_S)
        self._slow = Persistent()

    def rules(self) -> list[Rule]:
        guns = [self._gun_rule(gun) for gun in self._station.guns.values()]
        boxes = [
            self._interlocks.fault_rule(box, box.fault)
            for box in (self._station.relays, self._station.heater)
            if box is not None
        ]
        return [*guns, self._pressure, self._flow, *boxes, *([self._pumping] if self._station.pump is not None else [])]

    def _plasma_ordered(self) -> bool:
        return any(self._interlocks.order(gun.output) == "on" for gun in self._station.guns.values())

    def _pressure(self, now: float) -> str:
        gauge = self._station.gauge
        if not self._plasma_ordered():
            self._outside.holds(False, None)
            return ""
        low, high = PLASMA_PRESSURE_PA
        pressure = gauge.pressure.get()
        if self._outside.holds(not low <= pressure <= high, gauge.pressure.updated):  # NaN is outside
            reading = f"{pressure:.3g} Pa" if pressure == pressure else f"no pressure ({gauge.fault.get()})"
            return f"{gauge.name}: {reading} with the plasma on; {low:g} to {high:g} Pa is allowed"
        return self._interlocks.stale(gauge, gauge.pressure, now)

    def _flow(self, now: float) -> str:
        gas = self._station.gas
        wanted = self._interlocks.order(gas.flow) or 0.0
        if not wanted or not self._plasma_ordered():
            self._starved.holds(False, None)
            return ""
        actual = gas.actual_flow.get()
        off = not abs(actual - wanted) <= max(OFF_FLOW * wanted, 0.5)
        if self._starved.holds(off, gas.actual_flow.updated):
            flow = f"{actual:.1f} sccm of {gas.gas} instead of {wanted:.1f}"
            return Clearing(f"{gas.name}: {flow}; check bottle and valve")
        return self._interlocks.stale(gas, gas.actual_flow, now)

    def _pumping(self, now: float) -> str:
        """A turbo pump that has failed, or is too slow to hold the pressure of a plasma."""
        pump = self._station.pump
        assert pump is not None
        if not self._plasma_ordered():
            self._slow.holds(False, None)
            return ""
        fault, speed = pump.fault.get(), pump.speed.get()
        if self._slow.holds(bool(fault) or not speed >= TURBO_SPEED_PCT, pump.speed.updated):
            what = fault or f"{speed:.0f} % of its speed, {TURBO_SPEED_PCT:g} % are needed"
            return f"{pump.name}: {what}"
        return self._interlocks.stale(pump, pump.speed, now)

    def _gun_rule(self, gun: Gun) -> Rule:
        lost, off, faulty = Persistent(), Persistent(3, OFF_SETPOINT_S), Persistent(1)

        def rule(now: float) -> str:
            if self._interlocks.order(gun.output) != "on":
                for condition in (lost, off, faulty):
                    condition.holds(False, None)
                return ""
            return next(reasons(now), "")

        def reasons(now: float) -> Iterator[str]:
            fault, updated = gun.fault.get(), gun.current.updated
            if faulty.holds(isinstance(fault, str) and fault != "", gun.fault.updated):
                yield f"{gun.name}: {fault}"
            if lost.holds(not gun.current.get() > LIT_CURRENT_A, updated):
                yield f"{gun.name}: plasma lost at {gun.voltage.get():.0f} V"
            wanted, actual = self._interlocks.order(gun.power) or 0.0, gun.actual_power.get()
            if off.holds(not abs(actual - wanted) <= max(OFF_SETPOINT * wanted, 2.0), gun.actual_power.updated):
                yield Clearing(f"{gun.name}: {actual:.0f} W instead of {wanted:.0f} W")
            if stale := self._interlocks.stale(gun, gun.current, now):
                yield stale

        return rule
