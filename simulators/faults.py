"""Seeded faults by name: of the wire, around any simulated instrument, and of the world behind the instruments.

======================  ==========================================================================
``no_reply``            the request is acted upon, its reply is lost
``late``                the reply comes `delay_s` real seconds later (2 by default): after the time-out
``garbage_prefix``      the reply comes behind ``FF 00``
``partial``             only the first half of the reply comes
``disconnect``          the request is lost and the line drops (TCP closes; a serial line is dead for 1 s)
======================  ==========================================================================

A fault of the wire is ``{"device", "kind", "probability"}`` (of each reply) or ``{"device", "kind", "at"}`` (once,
with the first reply at least that many lab seconds after the start).

======================  ==========================================================================
``crystal_fails``       the thickness monitor's crystal stops oscillating, for good
``grips_nothing``       the gripper closes `times` times beside what it should hold (1 by default)
``turbo_fails``         the drive of the turbo pump stops it with error ``Err006``, and it coasts down
``water_fails``         the flow switch of the cooling water opens, where a relay box reads it
``sensor_breaks``       the thermocouple of the substrate heater is open
======================  ==========================================================================

A fault of the world is ``{"kind", "at"}`` and what else the table names.

======================  ==========================================================================
``scale``               everything is `size` times what it should be: a coil has moved
``noise``               white noise `size` times as strong
``drift``               `size` volts more for each lab hour since it began
``pick_up``             `size` volts of pick-up, which overload the lock-in
``cable_off``           nothing but the lock-in's own noise
``dead``                the lock-in shows 0, exactly
======================  ==========================================================================

A fault of the magnetometer's signal, before the lock-in has it, is ``{"kind", "size", "at", "until"}``, in lab seconds
after the start; until the end without `until`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from simulators.instrument import SimulatedInstrument
from simulators.physics import stream

if TYPE_CHECKING:
    from simulators.lab import SimulatedLab

KINDS = ("no_reply", "late", "garbage_prefix", "partial", "disconnect")
GARBAGE = b"\xff\x00"

WORLD_KINDS = ("crystal_fails", "grips_nothing", "turbo_fails", "water_fails", "sensor_breaks")
SIGNAL_KINDS = ("scale", "noise", "drift", "pick_up", "cable_off", "dead")


class FaultError(ValueError):
    """A fault in the configuration that cannot be set up."""


class Disconnected(Exception):
    """The line dropped; the server hangs up."""


@dataclass(frozen=True)
class WireFault:
    device: str
    kind: str
    probability: float = 0.0
    at: float | None = None
    delay_s: float = 2.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError(
                f"fault {self.kind!r} of {self.device}: must be one of "
                f"{', '.join((*KINDS, *WORLD_KINDS, *SIGNAL_KINDS))}"
            )
        if not 0 <= self.probability <= 1:
            raise FaultError(f"fault {self.kind} of {self.device}: probability {self.probability} is not 0 to 1")
        if (self.at is None) == (self.probability == 0.0):
            raise FaultError(f'fault {self.kind} of {self.device}: give either "probability" or "at"')


@dataclass(frozen=True)
class WorldFault:
    kind: str
    at: float
    times: int = 1


def world_faults(config: dict[str, Any]) -> list[WorldFault]:
    """Those of ``config["faults"]``, in the order of their times.  Raises `FaultError`."""
    try:
        faults = [WorldFault(**entry) for entry in config.get("faults", []) if entry.get("kind") in WORLD_KINDS]
    except TypeError as error:
        raise FaultError(f"a fault of the world: {error}") from error
    return sorted(faults, key=lambda fault: fault.at)


@dataclass(frozen=True)
class SignalFault:
    kind: str
    size: float = 1.0
    at: float = 0.0
    until: float = math.inf


class SignalFaults:
    """Those of ``config["faults"]``; `epoch` is the lab time of the start.  Raises `FaultError`."""

    def __init__(self, config: dict[str, Any], epoch: float) -> None:
        try:
            entries = [entry for entry in config.get("faults", []) if entry.get("kind") in SIGNAL_KINDS]
            self._faults = [SignalFault(**entry) for entry in entries]
        except TypeError as error:
            raise FaultError(f"a fault of the signal: {error}") from error
        self.epoch = epoch

    def volts(self, volts: float, t: float) -> float:
        """What becomes of the signal `volts` at lab time `t`."""
        for fault in self._now(t):
            match fault.kind:
                case "scale":
                    volts *= fault.size
                case "drift":
                    volts += fault.size * (t - self.epoch - fault.at) / 3600.0
                case "pick_up":
                    volts += fault.size
                case "cable_off" | "dead":
                    return 0.0
        return volts

    def noise(self, t: float) -> float:
        """By how much the noise is stronger at lab time `t`; 0 if there is none at all."""
        kinds = {fault.kind: fault.size for fault in self._now(t)}
        return 0.0 if "dead" in kinds else kinds.get("noise", 1.0)

    def _now(self, t: float) -> list[SignalFault]:
        return [fault for fault in self._faults if fault.at <= t - self.epoch < fault.until]


def wire_faults(config: dict[str, Any]) -> list[WireFault]:
    """Those of ``config["faults"]``.  Raises `FaultError`."""
    faults = []
    for entry in config.get("faults", []):
        if entry.get("kind") in (*WORLD_KINDS, *SIGNAL_KINDS):
            continue
        try:
            fault = WireFault(**entry)
        except TypeError as error:
            raise FaultError(f"fault {entry}: {error}") from error
        if fault.device not in config.get("devices", {}):
            raise FaultError(
                f"fault of {fault.device!r}: the devices are {', '.join(config.get('devices', {})) or 'none'}"
            )
        faults.append(fault)
    return faults


class FaultyInstrument(SimulatedInstrument):
    """`instrument` on a bad line."""

    def __init__(self, instrument: SimulatedInstrument, faults: list[WireFault], lab: SimulatedLab, seed: int) -> None:
        super().__init__()
        self.framing = instrument.framing
        self._instrument, self._lab = instrument, lab
        self._faults = list(faults)
        self._rng: Random = stream(seed, f"faults/{faults[0].device}")
        self._late: list[tuple[float, bytes]] = []

    def greeting(self) -> bytes:
        self._late.clear()
        return self._instrument.greeting()

    def receive(self, received: bytes) -> bytes:
        fault = self._strike()
        if fault is not None and fault.kind == "disconnect":
            raise Disconnected(fault.device)
        reply = self._instrument.receive(received)
        if fault is None or not reply:
            return reply
        match fault.kind:
            case "no_reply":
                return b""
            case "garbage_prefix":
                return GARBAGE + reply
            case "partial":
                return reply[: len(reply) // 2]
            case _:
                delay = fault.delay_s / self._lab.clock.real_s(1.0)
                self._late.append((self._lab.clock.now() + delay, reply))
                return b""

    def due(self) -> float | None:
        own = self._instrument.due()
        times = [t for t, _ in self._late[:1]] + ([] if own is None else [own])
        return min(times, default=None)

    def speak(self) -> bytes:
        if self._late and self._late[0][0] <= self._lab.clock.now():
            return self._late.pop(0)[1]
        return self._instrument.speak()

    def _strike(self) -> WireFault | None:
        """The fault that befalls this exchange, if any."""
        elapsed = self._lab.clock.now() - self._lab.clock.lab_epoch
        for fault in self._faults:
            if fault.at is not None:
                if elapsed >= fault.at:
                    self._faults.remove(fault)
                    return fault
            elif self._rng.random() < fault.probability:
                return fault
        return None
