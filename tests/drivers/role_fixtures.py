"""Every driver of a role, from the registries: the driver, and its simulator over a stand-in for the world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from drivers.instrument import Instrument
from drivers.plasma import RelayShutterGun
from orchestrator import lab
from orchestrator.campaign import labchecks
from simulators import serve
from simulators.instrument import SimulatedInstrument
from simulators.relays import RelayPanel
from tests.drivers.chamber_fixtures import Wire, babbled, connected, lab_clock, served

NEEDED = {"gun": {"target": "Fe"}, "arduino-relays": {"boot_s": 0.3}, "tdk-genesys": {"burning_v": 420.0}}
"""Role or driver -> settings without which a driver is not made, or is slow."""


def needed(driver: str) -> dict[str, Any]:
    return {**NEEDED.get(labchecks.DRIVERS[driver], {}), **NEEDED.get(driver, {})}


@dataclass
class Bench:
    """A driver of the registry, its simulator on a wire, and the stand-in `part` of the world behind that."""

    device: Any
    wire: Wire
    part: Any
    others: dict[str, Any] = field(default_factory=dict)


def drivers_of(role: str) -> list[str]:
    """Names in a lab file of the drivers of `role`."""
    return [driver for driver, has in labchecks.DRIVERS.items() if has == role]


def driver_class(driver: str) -> type[Instrument]:
    module, _, name = lab.DRIVERS[driver].partition(":")
    found: type[Instrument] = getattr(import_module(module), name)
    return found


def simulated(driver: str, part: Any, **options: Any) -> SimulatedInstrument:
    """The registered simulator of `driver`, over `part`."""
    told = serve.DRIVERS[driver]
    if told.clocked:
        options.setdefault("clock", lab_clock())
    made: SimulatedInstrument = getattr(import_module(told.module), told.instrument)(part, **options)
    return made


@contextmanager
def bench(driver: str, part: Any, transport: str = "pty", **settings: Any) -> Iterator[Bench]:
    """`driver`, connected to its simulator and identified."""
    with (
        served(simulated(driver, part), transport) as wire,
        connected(driver_class(driver), wire, **{**needed(driver), **settings}) as device,
    ):
        yield Bench(device, wire, part)


def babbling(driver: str, answers: list[bytes], **settings: Any) -> Any:
    """`driver` on a line on which the next of `answers` comes whatever was asked."""
    return babbled(driver_class(driver), answers, **{**needed(driver), **settings})


SHUTTER_RELAY = 3


@contextmanager
def gun_bench(driver: str, gun: Any, transport: str = "pty", **settings: Any) -> Iterator[Bench]:
    """A gun, and a relay card for its shutter if its supply has none."""
    if not issubclass(driver_class(driver), RelayShutterGun):
        with bench(driver, gun, transport, **settings) as b:
            yield b
        return
    panel = RelayPanel({SHUTTER_RELAY: gun.set_shutter})
    with (
        bench("velleman-k8090", panel) as box,
        bench(driver, gun, transport, shutter_relay=SHUTTER_RELAY, **settings) as b,
    ):
        b.device.attach(box.device)
        b.others["relays"] = box
        yield b
