"""One simulated lab: chamber, magnetometer and robot over one clock, one truth and one witness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.arm import Arm, Places
from simulators.chamber import Chamber
from simulators.clock import ScaledClock
from simulators.faults import world_faults
from simulators.hazards import Hazards
from simulators.heater import HeatedHolder
from simulators.magnetometer import Magnetometer
from simulators.physics import ELEMENTS, stream
from simulators.relays import WATER, RelayPanel
from simulators.samples import Sample
from simulators.truth import Truth, TruthError
from simulators.turbo import Turbo
from simulators.worldlog import WorldLog


class SimulatedLab:
    """The physical state behind all instruments; `config` is what `simulators.serve` documents.

    The same seed draws the same hidden numbers whatever the timing of requests; readings carry noise.
    Raises `TruthError` if the truth does not know the properties of an element that is to be sputtered.
    """

    def __init__(self, config: dict[str, Any], clock: ScaledClock, *, seed: int, truth: Truth, log: WorldLog) -> None:
        self.clock = clock
        self.log = log
        self.truth = truth
        unknown = sorted({*config.get("targets", {}).values()} - truth.elements)
        if unknown:
            raise TruthError(
                f"the truth knows nothing of {', '.join(unknown)}; it covers {', '.join(sorted(truth.elements))}"
            )
        strange = sorted({*config.get("targets", {}).values()} - ELEMENTS.keys())
        if strange:
            raise ValueError(f"no sputter rate for {', '.join(strange)}; known: {', '.join(ELEMENTS)}")
        hazards = Hazards(log)
        self.chamber = Chamber(config, self._lab_time, seed=seed, truth=truth, log=log, hazards=hazards)
        self.heater = HeatedHolder(self._lab_time)
        self.turbo = Turbo(self._lab_time, self.chamber.set_pump)
        self.relays = RelayPanel(_shutters(config, self.chamber))
        self.magnetometer = Magnetometer(config, self._lab_time, seed=seed, truth=truth, log=log, hazards=hazards)
        poses = {name: tuple(pose) for name, pose in config.get("places", {}).items()}
        self.samples = [Sample(slot) for slot in config.get("slots", [])]
        if reference := config.get("reference"):
            self.samples.append(Sample(reference["slot"]))
            off = stream(seed, "reference").gauss(0, reference["sigma"])
            self.samples[-1].known = reference["value"] + off
        self.places = Places(poses, list(self.samples), self.chamber, self.magnetometer)
        self.arm = Arm(self.places, self.chamber, self.now, log, hazards)
        self._faults = world_faults(config)

    def now(self) -> float:
        """Bring the whole lab to the present, and return it."""
        self._strike()
        self.turbo.bring()
        self.magnetometer.bring()
        return self.chamber.bring()

    def real_s(self, lab_s: float) -> float:
        """Real seconds in which `lab_s` lab seconds pass, by the clock of now."""
        return self.clock.real_s(lab_s)

    def _strike(self) -> None:
        """Let come what is due of the world's faults."""
        elapsed = self.clock.now() - self.clock.lab_epoch
        while self._faults and self._faults[0].at <= elapsed:
            fault = self._faults.pop(0)
            match fault.kind:
                case "crystal_fails":
                    self.chamber.crystal.fail()
                case "grips_nothing":
                    self.arm.misses += fault.times
                case "turbo_fails":
                    self.turbo.trip("Err006")
                case "water_fails":
                    self.relays.inputs[WATER] = False
                case "sensor_breaks":
                    self.heater.broken = True

    def restart(self, clock: ScaledClock) -> None:
        """Go on by `clock`, from whatever time it shows; nothing happens in between."""
        self.now()
        self.clock = clock
        self.chamber.restart()
        self.magnetometer.restart()
        self.turbo.restart()
        self.heater.restart()

    def summary(self) -> dict[str, Any]:
        """What the witness saw: hazards, and every film begun."""
        self.now()
        return {
            "hazards": self.log.of("hazard"),
            "films": [sample.summary() for sample in self.samples if sample.begun_at is not None],
        }

    def _lab_time(self) -> float:
        return self.clock.now()


def _shutters(config: dict[str, Any], chamber: Chamber) -> dict[int, Callable[[bool], None]]:
    """Relay -> the shutter that hangs on it, by the guns' setting ``shutter_relay``."""
    devices = config.get("devices", {})
    relays = {name: int((devices.get(name, {}).get("settings") or {}).get("shutter_relay", 0)) for name in chamber.guns}
    return {relay: chamber.guns[name].set_shutter for name, relay in relays.items() if relay}
