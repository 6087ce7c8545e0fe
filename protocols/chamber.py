"""What every procedure in a sputter chamber is made of: gas, strike, pre-sputter, and leaving it safe."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bluesky.utils import Msg

from drivers.errors import Fault
from drivers.roles import DepositionStation, Gun
from protocols.gates import DeviceWrong, Plan, PressureNotReached, ProtocolError, pause, require, secure
from protocols.rates import EnergyLedger

SCCM_PA_M3_S = 1.68875e-3
"""One standard cubic centimetre a minute (0 C, 101325 Pa) as a throughput, Pa m3/s."""

PUMP_DOWN_S = 1800.0
PRESSURE_TOLERANCE = 0.05
SETTLE_STEPS = 6
STRIKE_FACTORS = (1.0, 1.5, 2.0, 3.0)
"""Process pressure is multiplied by these, one strike each: the first and three more, as a supply allows."""
HIGHEST_STRIKE_PA = 3.0


def guns_for(station: DepositionStation, elements: Mapping[str, float]) -> dict[str, Gun]:
    """The guns of `elements`.  Raises `ProtocolError` naming the ones that are not mounted."""
    missing = [element for element in elements if element not in station.guns]
    if missing:
        mounted = ", ".join(station.guns)
        raise ProtocolError(f"no target of {', '.join(missing)} is mounted in {station.name}; it has {mounted}")
    return {element: station.guns[element] for element in elements}


def pump_down(station: DepositionStation) -> Plan:
    """Wait for the base pressure."""
    gauge = station.gauge
    yield Msg("refresh", None, gauge)
    passed = yield Msg("gate", None, 0.0, None, "waiting for base pressure")
    begun = passed.now
    while not _pumped(station):
        if passed.now - begun > PUMP_DOWN_S:
            raise PressureNotReached(
                f"{gauge.name}: {gauge.pressure.get():.2e} Pa after {PUMP_DOWN_S / 60:.0f} min, base pressure is "
                f"{station.base_pressure_pa:.1e} Pa; look for a leak, an open valve or a stopped pump"
            )
        passed = yield Msg("gate", None, 2.0, None, "waiting for base pressure", waiting=True)
        if passed.verdict == "hold":
            yield Msg("held")
        yield Msg("refresh", None, gauge)


def _pumped(station: DepositionStation) -> bool:
    pressure = station.gauge.pressure.get()
    if math.isnan(pressure):
        return "under" in station.gauge.fault.get()  # below what the gauge can show
    return bool(pressure <= station.base_pressure_pa)


def gas_on(station: DepositionStation, pressure_pa: float) -> Plan:
    """Let gas in and settle at `pressure_pa`, correcting the flow by what the gauge says."""
    flow = pressure_pa / _pressure_of(station, 1.0)
    for _ in range(SETTLE_STEPS):
        yield Msg("apply", None, (station.gas.flow, flow))
        yield from pause(5.0, f"settling at {pressure_pa:.2g} Pa")
        measured = yield from _mean_pressure(station)
        if abs(measured / pressure_pa - 1) <= PRESSURE_TOLERANCE:
            return
        flow *= min(max(pressure_pa / max(measured, 1e-6), 0.5), 2.0)
    raise PressureNotReached(
        f"{station.gauge.name}: {measured:.3g} Pa at {flow:.1f} sccm instead of {pressure_pa:.3g} Pa; "
        f"check the {station.gas.gas} supply, its valve and the throttle"
    )


def _pressure_of(station: DepositionStation, flow_sccm: float) -> float:
    """Pressure, Pa, that a flow should give at the station's pumping speed."""
    return flow_sccm * SCCM_PA_M3_S / (station.pumping_speed_l_s * 1e-3)


def _mean_pressure(station: DepositionStation, readings: int = 4) -> Plan:
    """Mean of a few readings, Pa."""
    total = 0.0
    for _ in range(readings):
        yield from pause(1.0, "settling")
        yield Msg("refresh", None, station.gauge)
        pressure = station.gauge.pressure.get()
        if math.isnan(pressure):
            raise PressureNotReached(f"{station.gauge.name} does not measure: {station.gauge.fault.get()}")
        total += pressure
    return total / readings


def strike(station: DepositionStation, powers_w: Mapping[str, float], pressure_pa: float, energy: EnergyLedger) -> Plan:
    """Light one gun after the other, behind its shutter; raise the pressure for those that will not."""
    at_pa = pressure_pa
    reachable_pa = 0.95 * _pressure_of(station, (station.gas.flow.limits or (0.0, math.inf))[1])
    for element, watts in powers_w.items():
        gun = station.guns[element]
        yield Msg("apply", None, (gun.power, watts))
        for factor in STRIKE_FACTORS:
            wanted = min(pressure_pa * factor, max(HIGHEST_STRIKE_PA, pressure_pa), reachable_pa)
            if wanted > at_pa:
                yield from gas_on(station, wanted)
                at_pa = wanted
            try:
                applied = yield Msg("apply", None, (gun.output, "on"))
            except Fault as fault:
                require((yield from secure([(gun.output, "off")])))
                failure = fault
            else:
                energy.running(element, watts, applied.done)
                break
        else:
            raise DeviceWrong(
                f"{gun.name} did not strike in {len(STRIKE_FACTORS)} attempts up to {at_pa:.2g} Pa ({failure}); "
                f"check the {element} target, its magnet and the supply"
            ) from failure
    if at_pa > pressure_pa:
        yield from gas_on(station, pressure_pa)


def presputter(seconds: float) -> Plan:
    """Clean the targets behind closed shutters."""
    yield from pause(seconds, "pre-sputtering")


def leave_safe(station: DepositionStation) -> Plan:
    """Shutters closed and plasmas off together; then, with no plasma left to lose, the gas.

    Returns when the substrate shutter was closed, as a `Secured`.
    """
    sources = [(station.monitor.substrate_shutter, "closed")]
    for gun in station.guns.values():
        sources += [(gun.shutter, "closed"), (gun.output, "off")]
    return (yield from secure(sources, [(station.gas.flow, 0.0)]))
