"""Making a station safe, on its own: without the run engine, and whatever one device does."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from drivers.errors import LinkError
from drivers.roles import DepositionStation, Station, devices


def stages(station: Station) -> list[list[Any]]:
    """Devices to make safe together, one group after the other.

    In a chamber the gas goes last: a plasma that starves is outside its pressure window.
    """
    if isinstance(station, DepositionStation):
        late = [station.gas, station.gauge]
        return [[device for device in devices(station) if device not in late], [station.gas], [station.gauge]]
    return [devices(station)]


def make_safe(station: Station) -> list[str]:
    """Put every device into its safe state; idempotent.  Returns what could not be, in words."""
    return [fault for group in stages(station) for fault in _make_safe(group)]


def reconnect(station: Station) -> None:
    """Open the ports anew of devices that do not answer, and make the station safe.  Raises `LinkError`."""
    lost = [device for device in devices(station) if isinstance(awaited(device.trigger()), LinkError)]
    for device in lost:
        if (error := awaited(device.reconnect())) is not None:
            raise LinkError(f"{device.name} cannot be connected to again ({error}); check cable and power") from error
    if lost and (faults := make_safe(station)):
        raise LinkError("; ".join(faults))


def awaited(status: Any) -> BaseException | None:
    """What `status` failed with, once it is done; it has a time-out of its own."""
    finished = threading.Event()
    status.add_callback(lambda _: finished.set())
    finished.wait()
    error: BaseException | None = status.exception(timeout=0)
    return error


def _make_safe(group: Iterable[Any]) -> list[str]:
    under_way, faults = [], []
    for device in group:
        try:
            under_way.append((device, device.safe()))
        except RuntimeError as error:  # its port was closed
            faults.append(f"{device.name} could not be made safe ({error})")
    for device, status in under_way:
        if (error := awaited(status)) is not None:
            faults.append(
                f"{device.name} could not be made safe ({type(error).__name__}: {error}); switch it off by hand"
            )
    return faults
