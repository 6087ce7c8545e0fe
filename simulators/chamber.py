"""The deposition chamber: guns, gas, gauge and crystal share one state that is brought forward on demand.

Nothing runs between requests.  Whoever asks brings the chamber to the present first, in steps over which it is
smooth: one closed-form step while no supply is on, quarter seconds while the pressure settles under a plasma,
five seconds in a steady discharge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.crystal import Crystal, CrystalReading
from simulators.hazards import PLASMA_WINDOW_PA, Hazards
from simulators.magnetron import Magnetron, MagnetronReading
from simulators.physics import areal_mass_ug_cm2, stream
from simulators.samples import Sample
from simulators.truth import Truth
from simulators.vacuum import GasLine, GasReading, Vacuum, VacuumGauge
from simulators.worldlog import WorldLog

__all__ = [
    "Chamber",
    "Crystal",
    "CrystalReading",
    "GasLine",
    "GasReading",
    "Magnetron",
    "MagnetronReading",
    "VacuumGauge",
]

GAS_STEP_S = 0.25
OPEN_CIRCUIT_GRACE_S = 60.0  # high voltage without a plasma and outside the pressure window
FLOW_WITHOUT_PUMP_SCCM = 0.5


class Chamber:
    """`config`: the rehearsal's configuration; `now` gives lab time."""

    def __init__(
        self,
        config: dict[str, Any],
        now: Callable[[], float],
        *,
        seed: int,
        truth: Truth,
        log: WorldLog,
        hazards: Hazards,
    ) -> None:
        self._now, self._truth, self._log, self._hazards = now, truth, log, hazards
        self._t = now()
        self.substrate: Sample | None = None
        self.robot_in = False
        self._was_exposed = self._was_powered = self._robot_was_in = self._pump_was_off = False
        self._dark_s = 0.0  # how long a supply has been on outside the window, unlit
        settings = {name: device.get("settings") or {} for name, device in config.get("devices", {}).items()}
        chamber = config.get("chamber", {})
        self.vacuum = Vacuum(chamber, stream(seed, "vacuum"))
        full_scale = chamber.get("full_scale_sccm", 100.0)
        self.gas = GasLine(self.vacuum, full_scale, self.bring, stream(seed, "gas"))
        self.gauge = VacuumGauge(self.vacuum, self.bring, stream(seed, "gauge"))
        self.crystal = Crystal(self.bring, self.settle, stream(seed, "crystal"))
        self.guns: dict[str, Magnetron] = {}
        self._tooling: dict[str, float] = {}  # thickness on the substrate over that at the crystal, by gun
        for name, target in config.get("targets", {}).items():
            rng = stream(seed, name)
            self.guns[name] = Magnetron(
                target, settings.get(name, {}), self.bring, self.settle, lambda: self.vacuum.pressure_pa, rng
            )
            self._tooling[name] = chamber.get("tooling", {}).get(target, 1.0) * (1 + rng.gauss(0, 0.01))
        self._guns = list(self.guns.items())

    def now(self) -> float:
        """Lab time; everything here has been brought to it."""
        return self.bring()

    def set_pump(self, on: bool) -> None:
        """Start or stop the turbo pump (no instrument of the lab does: a failure, or an operator)."""
        self.bring()
        self.vacuum.pump_on = on
        self.settle()

    def take_sample(self) -> Sample:
        """The robot takes the substrate away; whatever film was begun is finished."""
        sample, self.substrate = self._substrate_or_raise(), None
        if sample.growing:
            sample.finish(self._t, self._log, self._truth)
        self.vacuum.transfer()
        return sample

    def put_sample(self, sample: Sample) -> None:
        self.substrate = sample
        self.vacuum.transfer()

    def restart(self) -> None:
        """The clock has been restarted: go on from its present."""
        self._t = self._now()

    # --- physics ------------------------------------------------------------------------------------------

    def bring(self) -> float:
        """Bring everything to the present, and return it."""
        present = self._now()
        if present <= self._t:
            return self._t
        while (remaining := present - self._t) > 0:
            longest = self._longest_step_s()
            self._step(min(remaining, longest))
            if remaining <= longest:
                break
        self._t = present
        self.settle()
        return present

    def _longest_step_s(self) -> float:
        longest = float("inf")
        powered = False
        for _, gun in self._guns:
            if gun.on:
                powered = True
                longest = min(longest, gun.longest_step_s())
        return min(longest, GAS_STEP_S) if powered and not self.vacuum.settled else longest

    def _step(self, dt: float) -> None:
        begin, before_pa = self._t, self.vacuum.pressure_pa
        exposed = self._flux_to_substrate
        if exposed and self.substrate is not None:
            self._expose(self.substrate)
        self.vacuum.advance(dt)
        pressure_pa = 0.5 * (before_pa + self.vacuum.pressure_pa)
        collected_ug = 0.0
        for name, gun in self._guns:
            emitting = gun.emitting
            grown_nm = gun.advance(dt, pressure_pa, begin + 0.5 * dt)
            if emitting:
                collected_ug += areal_mass_ug_cm2(gun.element, grown_nm / self._tooling[name])
                if exposed and self.substrate is not None:
                    self.substrate.grow(gun.target, grown_nm)
        self.crystal.advance(collected_ug, dt)
        self._t = begin + dt
        self._watch_pressure(dt)

    @property
    def _flux_to_substrate(self) -> bool:
        return self.crystal.substrate_shutter_open and any(gun.emitting for _, gun in self._guns)

    # --- what the witness looks for -----------------------------------------------------------------------

    def settle(self) -> None:
        """After any change: is the film finished, is anything hazardous now?"""
        self._watch_flux(self._flux_to_substrate)
        sample = self.substrate
        if sample is not None and sample.growing and not any(gun.on for _, gun in self._guns):
            sample.finish(self._t, self._log, self._truth)
        if self.robot_in or self._robot_was_in:
            self._watch_robot()
        if not self.vacuum.pump_on or self._pump_was_off:
            self._watch_pump()

    def _expose(self, sample: Sample) -> None:
        """Flux reaches the substrate: a film begins, goes on, or is begun once more."""
        if sample.finished_at is not None:
            detail = f"flux onto the finished film of substrate {sample.slot}"
            self._hazards.happened("deposition_twice", self._t, detail)
        if not sample.growing:
            sample.begin(self._t, self._log)

    def _watch_flux(self, exposed: bool) -> None:
        if not exposed and not self._was_exposed:
            return
        self._was_exposed = exposed
        self._hazards.watch(
            "deposition_on_no_substrate",
            exposed and self.substrate is None,
            self._t,
            "flux towards the substrate holder, and no substrate there",
        )

    def _watch_robot(self) -> None:
        open_ = [name for name, gun in self._guns if gun.emitting]
        if self.crystal.substrate_shutter_open:
            open_.append("substrate shutter")
        self._hazards.watch(
            "shutter_open_while_robot_in",
            self.robot_in and bool(open_),
            self._t,
            f"the arm is at the substrate holder and open: {', '.join(open_)}",
        )
        self._robot_was_in = self.robot_in

    def _watch_pump(self) -> None:
        flow = self.vacuum.flow_sccm
        self._hazards.watch(
            "gas_without_pump",
            not self.vacuum.pump_on and flow > FLOW_WITHOUT_PUMP_SCCM,
            self._t,
            f"{flow:.1f} sccm of argon flow into a chamber that is not pumped",
        )
        self._pump_was_off = not self.vacuum.pump_on

    def _watch_pressure(self, dt: float) -> None:
        powered = [name for name, gun in self._guns if gun.on]
        if not powered and not self._was_powered:
            return
        self._was_powered = bool(powered)
        pressure = self.vacuum.pressure_pa
        low, high = PLASMA_WINDOW_PA
        outside = bool(powered) and not low <= pressure <= high
        self._dark_s = self._dark_s + dt if outside else 0.0
        lit = any(gun.lit for _, gun in self._guns)
        striking = any(gun.strike_in_s is not None for _, gun in self._guns)
        self._hazards.watch(
            "plasma_outside_pressure_window",
            outside and (lit or striking or self._dark_s > OPEN_CIRCUIT_GRACE_S),
            self._t,
            f"{', '.join(powered)} on at {pressure:.3g} Pa, allowed {low:g} to {high:g} Pa",
        )

    def _substrate_or_raise(self) -> Sample:
        if self.substrate is None:
            raise LookupError("there is no substrate in the chamber")
        return self.substrate
