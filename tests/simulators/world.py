"""A simulated lab under a clock that the test moves by hand."""

from __future__ import annotations

from typing import Any

from simulators.lab import SimulatedLab
from simulators.truth import FormulaTruth, Truth
from simulators.worldlog import WorldLog

DEPOSITION = (0.0, 200.0, 50.0, 180.0, 0.0, 0.0)
MAGNETOMETRY = (0.0, -200.0, 50.0, 180.0, 0.0, 0.0)
HOME = (150.0, 0.0, 300.0, 0.0, 0.0, 0.0)


def slot(number: int) -> tuple[float, ...]:
    return (100.0 + 12.0 * number, 0.0, 20.0, 180.0, 0.0, 0.0)


class HandClock:
    lab_epoch = 1_700_000_000.0

    def __init__(self) -> None:
        self.t = self.lab_epoch

    def now(self) -> float:
        return self.t

    def real_s(self, lab_s: float) -> float:
        return max(0.0, lab_s)


class World:
    """A lab of three guns, with the steps of an experiment as verbs."""

    def __init__(self, *, seed: int = 1, truth: Truth | None = None, log: WorldLog | None = None, **config: Any):
        self.clock = HandClock()
        self.log = log or WorldLog()
        guns = {"gun1": "Fe", "gun2": "Co", "gun3": "Ni"}
        self.lab = SimulatedLab(
            {
                "devices": {gun: {"driver": "aja-dcxs", "settings": {}} for gun in guns},
                "targets": guns,
                "slots": [1, 2, 3],
                "places": {f"cassette/{n}": slot(n) for n in range(1, 5)}
                | {"deposition": DEPOSITION, "magnetometry": MAGNETOMETRY},
                "magnetometer": {
                    "quantity": "moment",
                    "scale": 1e-4,
                    "field_per_ampere_mt": 10.0,
                    "film_area_mm2": 25.0,
                },
                "chamber": {"pumping_speed_l_s": 80.0, "tooling": {"Fe": 1.0, "Co": 1.2, "Ni": 0.8}},
                "limits": {"magnet_current_a": 10.0, "magnet_slew_a_s": 2.0},
            }
            | config,
            self.clock,  # type: ignore[arg-type]
            seed=seed,
            truth=truth or FormulaTruth(),
            log=self.log,
        )
        self.chamber, self.magnetometer, self.arm = self.lab.chamber, self.lab.magnetometer, self.lab.arm

    def wait(self, seconds: float) -> None:
        self.clock.t += seconds
        self.lab.now()

    def carry(self, source: tuple[float, ...], destination: tuple[float, ...]) -> None:
        for pose, closed in ((source, True), (destination, False)):
            self.arm.move_to(pose)
            self.wait(2)
            self.arm.grip(closed)
        self.arm.move_to(HOME)

    def argon(self, sccm: float = 24.0) -> None:
        self.chamber.gas.set_flow(sccm)
        self.wait(20)

    def strike(self, gun: str, watts: float = 100.0) -> None:
        """Try until it burns."""
        magnetron = self.chamber.guns[gun]
        magnetron.set_power(watts)
        while not magnetron.read().lit:
            magnetron.set_output(False)
            magnetron.set_output(True)
            self.wait(5)

    def expose(self, seconds: float, *guns: str) -> None:
        for gun in guns:
            self.chamber.guns[gun].set_shutter(True)
        self.chamber.crystal.set_substrate_shutter(True)
        self.wait(seconds)
        self.chamber.crystal.set_substrate_shutter(False)
        for gun in guns:
            self.chamber.guns[gun].set_shutter(False)

    def put_out(self) -> None:
        for gun in self.chamber.guns.values():
            gun.set_output(False)
        self.chamber.gas.set_flow(0)
        self.wait(10)

    def film(self, seconds: float, *guns: str) -> None:
        """A correct deposition on whatever is in the chamber."""
        self.argon()
        for gun in guns:
            self.strike(gun)
        self.wait(300)
        self.expose(seconds, *guns)
        self.put_out()

    def ramp(self, current_a: float, slew_a_s: float = 2.0) -> None:
        magnet = self.magnetometer.magnet
        while magnet.setpoint_a != current_a:
            missing = current_a - magnet.setpoint_a
            step = max(-0.5 * slew_a_s, min(0.5 * slew_a_s, missing))
            magnet.command(current_a if abs(missing) <= abs(step) else magnet.setpoint_a + step)
            self.wait(0.5)

    def hazards(self) -> list[str]:
        return [entry["kind"] for entry in self.log.of("hazard")]
