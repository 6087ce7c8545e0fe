"""Each gun's rate, measured alone with the thickness monitor while the substrate stays covered.

With two guns lit the crystal cannot tell them apart, so guns are calibrated singly, each with its own
tooling (thickness on the substrate over thickness indicated).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from bluesky.utils import Msg

from drivers.clock import Clock
from drivers.roles import DepositionStation
from protocols import chamber
from protocols.gates import NoRate, Plan, closing, in_run, pause, require, secure, take_event
from protocols.rates import EnergyLedger, Rate, mean_sigma, rate_from

READINGS = (20, 60)
"""At least and at most; a weak gun needs more for the same relative error."""
GOOD_ENOUGH = 0.008
"""Relative standard uncertainty of the mean after which no more readings are taken."""
READ_EVERY_S = 1.0
SETTLE_S = 20.0
"""A crystal drifts when it is first warmed by a gun, for 5-20 s."""


class CrystalFailed(NoRate):
    """The thickness monitor cannot be believed."""


def calibrate_gun(station: DepositionStation, element: str, power_w: float) -> Plan:
    """The `Rate` of the gun of `element`, lit at `power_w`.  Its shutter is closed again at the end.

    Raises `CrystalFailed`.
    """
    gun, monitor = station.guns[element], station.monitor
    text = f"calibrating {element}"
    yield Msg("apply", None, (monitor.material, element))
    seen: list[float] = []
    rest_s = 0.0
    while not _enough(seen):
        if not seen:
            yield Msg("apply", None, (gun.shutter, "open"))
            yield from pause(SETTLE_S, text)
        passed = yield Msg("gate", None, rest_s, None, text)
        if passed.verdict == "hold":
            require((yield from secure([(gun.shutter, "closed")])))
            yield Msg("held")
            seen.clear()
            continue
        read_at = yield Msg("refresh", None, monitor)
        _check_crystal(station)
        seen.append(monitor.rate.get())
        rest_s = max(0.0, READ_EVERY_S - (read_at - passed.now))
    yield Msg("apply", None, (gun.shutter, "closed"))
    mean = statistics.fmean(seen)
    resolution = 10.0**-monitor.rate.precision
    sigma = math.hypot(mean_sigma(seen), resolution / math.sqrt(12))
    if not mean > 3 * sigma:
        raise CrystalFailed(
            f"{monitor.name}: {mean:.4f} ± {sigma:.4f} nm/s from {gun.name} at {power_w:g} W is no rate; "
            f"check its shutter and the crystal"
        )
    return rate_from(mean, sigma, power_w, station.tooling.get(element, 1.0), station.tooling_sigma)


def _enough(rates_nm_s: Sequence[float]) -> bool:
    fewest, most = READINGS
    if not fewest <= len(rates_nm_s) < most:
        return len(rates_nm_s) >= most
    return mean_sigma(rates_nm_s) <= GOOD_ENOUGH * statistics.fmean(rates_nm_s)


def _check_crystal(station: DepositionStation) -> None:
    monitor = station.monitor
    if fault := monitor.fault.get():
        raise CrystalFailed(f"{monitor.name}: {fault}; change the crystal")
    if not math.isfinite(monitor.rate.get()):
        raise CrystalFailed(f"{monitor.name}: no rate; change the crystal")


def calibrate(
    station: DepositionStation,
    clock: Clock,
    *,
    elements: Sequence[str],
    argon_pressure_pa: float,
    power_w: float,
    presputter_s: float = 120.0,
) -> Plan:
    """Measure the rates of the guns of `elements`, and make no film.  Outcome: rates, energy_kwh."""
    outcome: dict[str, Any] = {"rates": {}, "energy_kwh": {}}
    energy = EnergyLedger()

    def body() -> Plan:
        yield from chamber.pump_down(station)
        yield from chamber.gas_on(station, argon_pressure_pa)
        yield from chamber.strike(station, dict.fromkeys(elements, power_w), argon_pressure_pa, energy)
        yield from chamber.presputter(presputter_s)
        for element in elements:
            rate: Rate = yield from calibrate_gun(station, element, power_w)
            outcome["rates"][element] = rate.as_dict()
            yield from take_event([station.guns[element], station.gas, station.gauge, station.monitor])

    def close_down() -> Plan:
        secured = yield from chamber.leave_safe(station)
        energy.all_off(clock.now())
        outcome["energy_kwh"] = dict(energy.kwh)
        yield Msg("record", None, outcome)
        require(secured)

    chamber.guns_for(station, dict.fromkeys(elements, 1.0))
    yield Msg("refresh", None, *station.guns.values(), station.gas, station.gauge, station.monitor)
    yield from in_run(closing(body(), close_down))
    return outcome
