"""A simulated lab that stands still and has no noise, and each driver of the registry with its part of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from drivers.instrument import Instrument
from orchestrator import lab
from orchestrator.campaign import labchecks
from simulators import serve
from simulators.instrument import SimulatedInstrument
from simulators.lab import SimulatedLab
from simulators.truth import FormulaTruth
from simulators.worldlog import WorldLog

NAME = "device"
SETTINGS: dict[str, dict[str, Any]] = {
    "gun": {"target": "Fe", "shutter_relay": 1},
    "magnet": {"max_slew_a_s": 2.0},
    "arduino-relays": {"boot_s": 0.5},
    "lakeshore-336": {"pause_s": 0.0},
}
"""Role or driver -> settings that it needs."""


class StillClock:
    """Lab time that passes only while somebody waits for it, and then at once."""

    lab_epoch = 1_700_000_000.0
    resolution_s = 0.0
    speed = 1.0

    def __init__(self) -> None:
        self.t = self.lab_epoch

    def now(self) -> float:
        return self.t

    def real_s(self, lab_s: float) -> float:
        return max(0.0, lab_s)

    def sleep(self, lab_s: float) -> None:
        self.t += max(0.0, lab_s)

    def patience_s(self, lab_s: float) -> float:
        return lab_s


@contextmanager
def without_noise() -> Iterator[None]:
    """Every normal deviate of the standard library is its mean."""
    gauss = random.Random.gauss
    random.Random.gauss = lambda self, mu=0.0, sigma=1.0: mu  # type: ignore[method-assign]
    try:
        yield
    finally:
        random.Random.gauss = gauss  # type: ignore[method-assign]


def settings_for(driver: str) -> dict[str, Any]:
    role = labchecks.DRIVERS[driver]
    given = {**SETTINGS.get(role, {}), **SETTINGS.get(driver, {})}
    if driver not in labchecks.SHUTTERLESS:
        given.pop("shutter_relay", None)
    return given


def instrument(driver: str, clock: StillClock, log: WorldLog) -> SimulatedInstrument:
    """The registered simulator of `driver` over a still lab, which writes what is hazardous to `log`."""
    config = {
        "devices": {NAME: {"driver": driver, "settings": settings_for(driver)}},
        "targets": {NAME: "Fe"} if labchecks.DRIVERS[driver] == "gun" else {},
        "slots": [1],
        "places": {
            "cassette/1": [112.0, 0.0, 20.0, 180.0, 0.0, 0.0],
            "deposition": [0.0, 200.0, 50.0, 180.0, 0.0, 0.0],
            "magnetometry": [0.0, -200.0, 50.0, 180.0, 0.0, 0.0],
        },
        "magnetometer": {
            "quantity": "moment",
            "scale": 1e-3,
            "field_per_ampere_mt": 40.0,
            "film_area_mm2": 25.0,
        },
        "chamber": {"pumping_speed_l_s": 80.0, "tooling": {"Fe": 1.0}},
        "limits": {"magnet_current_a": 10.0, "magnet_slew_a_s": 2.0},
    }
    simulated = SimulatedLab(config, clock, seed=1, truth=FormulaTruth(), log=log)  # type: ignore[arg-type]
    return serve.DRIVERS[driver].build(simulated, NAME, settings_for(driver))


def driver_class(driver: str) -> type[Instrument]:
    module, _, name = lab.DRIVERS[driver].partition(":")
    found: type[Instrument] = getattr(import_module(module), name)
    return found


def address(driver: str, port: int) -> str:
    return serve.DRIVERS[driver].tcp_address.format(port=port)
