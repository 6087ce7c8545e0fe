"""What a station's devices show, read now: evidence for whoever settles what became of a step.

A look is ``{"time", "readings": {role: {signal: value}}, "troubles": {role: why it could not be read}}``.  Roles are
those of the station: ``gun Fe``, ``monitor``, ``mover``...  Nothing is set and nothing moves.
"""

from __future__ import annotations

from typing import Any

from drivers.clock import Clock
from drivers.roles import DepositionStation, MagnetometryStation, Station, TransferStation
from orchestrator.execution.documents import plain
from orchestrator.execution.safety import awaited

STILL_S = 2.0
"""Lab seconds: a gripper's stroke takes less."""
PATIENCE = 10


def roles(station: Station) -> dict[str, Any]:
    """What each device is there for -> the device."""
    match station:
        case DepositionStation():
            guns = {f"gun {element}": gun for element, gun in station.guns.items()}
            others = {"relays": station.relays, "heater": station.heater, "pump": station.pump}
            optional = {role: device for role, device in others.items() if device is not None}
            return {**guns, "gas": station.gas, "gauge": station.gauge, "monitor": station.monitor, **optional}
        case MagnetometryStation():
            found = {"magnet": station.magnet, "field_meter": station.field_meter}
            found |= {"signal": station.signal, "hall_meter": station.hall}
            return {role: device for role, device in found.items() if device is not None}
        case TransferStation():
            return {"mover": station.mover}


def look(station: Station, clock: Clock) -> dict[str, Any]:
    """Read every device of `station`, all at the same time."""
    under_way = {role: (device, device.trigger()) for role, device in roles(station).items()}
    readings, troubles = {}, {}
    for role, (device, status) in under_way.items():
        if (error := awaited(status)) is None:
            readings[role] = plain({name: getattr(device, name).get() for name in device.component_names})
        else:
            troubles[role] = f"{type(error).__name__}: {error}"
    return {"time": clock.now(), "readings": readings, "troubles": troubles}


def look_at_rest(station: Station, clock: Clock) -> dict[str, Any]:
    """`look`, once an arm and its gripper have come to rest: two looks in a row that agree."""
    last = look(station, clock)
    if not isinstance(station, TransferStation):
        return last
    for _ in range(PATIENCE):
        clock.sleep(STILL_S)
        now = look(station, clock)
        if now["readings"] == last["readings"]:
            return now
        last = now
    return {**last, "readings": {}, "troubles": {"mover": "does not come to rest"}}
