"""A whole night in this process: our processes, a simulated lab, and the wires between them.

Import this only after `threads.install`.
"""

from __future__ import annotations

import importlib
import logging
import signal
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import event_model

import orchestrator.execution.worker
import orchestrator.night
import orchestrator.optimizer.service
import orchestrator.service.children
import protocols.calibration
import simulators.clock
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.spec import Campaign
from orchestrator.lab import DRIVERS, simulator_config
from orchestrator.night import carry_on, load, run_at
from orchestrator.service.home import Home
from simulators.clock import ScaledClock
from simulators.lab import SimulatedLab
from simulators.truth import FormulaTruth
from simulators.worldlog import WorldLog
from tests.chaos.emulated import computer, wire
from tests.chaos.emulated.clock import Scheduler, begin, scheduler
from tests.chaos.emulated.computer import Process

HERE = Path(__file__).parent
SPEED = 50.0
"""Lab seconds in a virtual second.  Little, so that a start takes the lab only some seconds, as a real one does."""
PACE_S = 1.2
"""Virtual seconds between two looks of a monitor at a device: seldom, since they are most of the wire's traffic."""
LAB_EPOCH = 1.9e9
LONGEST_S = 3600.0
"""Virtual seconds after which a night counts as endless."""
BY = "chaos"


@dataclass(frozen=True)
class Spec:
    """What is run: the same for a night and for what follows its crash."""

    campaign: Campaign
    lab: LabSpec


class World:
    """The lab outside our computer; it goes on when that dies."""

    def __init__(self, spec: Spec, clock: ScaledClock, seed: int) -> None:
        config = simulator_config(spec.lab)
        self.clock = clock
        self.log = WorldLog()
        self.lab = SimulatedLab(config, clock, seed=seed, truth=FormulaTruth(), log=self.log)
        self.wires = wire.Wires(self.lab, config)


_worlds: list[World] = []


def install() -> None:
    """Replace what production code asks of the system; once."""
    mains = {
        "orchestrator.execution.worker": orchestrator.execution.worker.main,
        "orchestrator.optimizer.service": orchestrator.optimizer.service.main,
    }
    computer.install(orchestrator.service.children, mains)
    drivers = {}
    for name, path in DRIVERS.items():
        module, _, cls = path.partition(":")
        drivers[name] = getattr(importlib.import_module(module), cls)
    wire.install(drivers, lambda: _worlds[-1].wires)
    # Signals are the system's, and this process's own; standard output is for our results.
    still = SimpleNamespace(
        SIGTERM=signal.SIGTERM,
        SIGINT=signal.SIGINT,
        Signals=signal.Signals,
        signal=lambda number, handler: handler,
        SIGKILL=signal.SIGKILL,
        default_int_handler=signal.default_int_handler,
    )
    orchestrator.execution.worker.signal = still  # type: ignore[attr-defined]
    orchestrator.night.signal = still  # type: ignore[attr-defined]
    orchestrator.execution.worker.os = SimpleNamespace(kill=computer.kill)  # type: ignore[attr-defined]
    orchestrator.execution.worker._is_worker = lambda pid: True
    orchestrator.execution.worker.sys = SimpleNamespace(stdout=None, stderr=None)  # type: ignore[attr-defined]
    orchestrator.night.write_apart = lambda *args, **kwargs: ""
    simulators.clock.PACE_S = PACE_S
    wire.LATENCY_S = 2e-3 / SPEED
    # What is measured and what documents look like is tested elsewhere; here they only cost time.
    protocols.calibration.READINGS = (8, 10)
    for name in list(event_model.schema_validators):
        event_model.schema_validators[name] = SimpleNamespace(validate=lambda document: None)
    logging.disable(logging.CRITICAL)


def spec(seed: int) -> Spec:
    """The campaign of `seed`.  Every other one puts the plasma out in a hold; every third is in a lab with a reference
    specimen, whose nights are twice as long."""
    campaign, lab = load(HERE / "campaign.toml", None, seed)
    lab = lab if seed % 3 == 0 else lab.model_copy(update={"reference": None})
    policy = campaign.recovery.model_copy(update={"hold_plasma": "keep" if seed % 2 else "off"})
    return Spec(campaign.model_copy(update={"recovery": policy}), lab)


def begin_world(spec: Spec, seed: int) -> World:
    """A new lab, and time at its beginning; `seed` is the lab's, and decides in which order strands take turns."""
    begin(Scheduler(1000.0, seed=seed, limit=1000.0 + LONGEST_S))
    world = World(spec, ScaledClock(SPEED, LAB_EPOCH, scheduler().now), seed)
    _worlds.append(world)
    return world


def boot(spec: Spec, home: Path, world: World) -> None:
    """Start our computer and let it run the night to its end: a new one, or the one that `home` tells of."""
    scheduler().run(lambda: start(spec, home, world), computer.POWER)


def start(spec: Spec, home: Path, world: World) -> None:
    """The night's own process, from a strand that waits until it has ended.  Raises what it died of."""
    night = Process("night")
    night.start(lambda: _night(spec, Home(home), world))
    night.ended.wait()
    if night.error is not None:
        raise night.error


def _night(spec: Spec, home: Home, world: World) -> dict[str, Any]:
    addresses, clock = world.wires.addresses, world.clock
    if home.journal.exists():
        return carry_on(home, addresses, clock, clock.spec(), by=BY)
    return run_at(spec.campaign, spec.lab, home, addresses, clock, clock.spec(), by=BY)
