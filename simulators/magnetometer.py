"""The magnetometer: coil with lag and yoke, Hall probe, and the lock-in's input over the sample."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from simulators.faults import SignalFaults
from simulators.hall import MU_0_T_M_KA, Contacts, FilmAtContacts
from simulators.hazards import Hazards, SlewRule
from simulators.hysteresis import Hysteresis
from simulators.physics import Wander, stream
from simulators.samples import Sample
from simulators.truth import Truth
from simulators.worldlog import WorldLog

FULL_SCALE_A = 200.0  # of the supply, unless its settings say
COIL_LAG_S = 0.1  # L/R of 0.05 H over 0.5 ohm
COIL_RESISTANCE_OHM = 0.5
COIL_INDUCTANCE_H = 0.05
YOKE_REMANENCE_MT = 0.4
YOKE_PLAY_A = 0.2
QUANTITIES = ("moment", "kerr_rotation", "hall_resistance")
FIELD_SEEN_MT = 1.0  # readings count as a loop once they reach beyond this on both sides

MOMENT_NOISE_AM2 = 5e-10  # rms at 1 s a point (0.5 uemu: vendor figure, VSM at 3.5 mm coil gap)
DIAMAGNETISM_AM2_T_MM2 = -4e-8  # 0.5 mm silicon: -4e-9 emu/Oe for each mm2
KERR_NOISE_MRAD_RTHZ = 0.01
KERR_SLOPE_MRAD_T = 0.05  # Faraday rotation in the optics
KERR_DEPTH_NM = 7.5  # light goes in and out

REFERENCE_COERCIVITY_MT = 2.0  # a soft film
REFERENCE_SQUARENESS = 0.9
REFERENCE_THICKNESS_M = 50e-9
REFERENCE_SATURATION_T = 0.6


@dataclass(frozen=True)
class MagnetReading:
    on: bool
    current_a: float
    voltage_v: float


class MagnetCircuit:
    """A bipolar supply on an iron-yoke coil; switched off, the current decays through the coil itself."""

    def __init__(
        self,
        bring: Callable[[], float],
        max_current_a: float,
        limits: dict[str, Any],
        hazards: Hazards,
        rng: Random,
    ) -> None:
        self.max_current_a = max_current_a
        self.on = False
        self.setpoint_a = 0.0
        self.current_a = 0.0
        self.aim_a = 0.0
        self.yoke_a = 0.0
        self._ramp_a_s: float | None = None
        self._bring, self._hazards, self._rng = bring, hazards, rng
        self._limit_a = limits.get("magnet_current_a", math.inf)
        self.slew = SlewRule(limits.get("magnet_slew_a_s", math.inf))

    def now(self) -> float:
        return self._bring()

    def set_output(self, on: bool) -> None:
        self._drive(on, self.setpoint_a)

    def command(self, current_a: float) -> None:
        self._ramp_a_s = None
        self._drive(self.on, current_a)

    def ramp(self, current_a: float, rate_a_s: float) -> None:
        """The supply itself goes to `current_a` at `rate_a_s`, its output on."""
        t = self._bring()
        self.on, self.setpoint_a, self._ramp_a_s = True, current_a, rate_a_s
        self._hazards.watch(
            "magnet_slew",
            self.aim_a != current_a and self.slew.exceeded_by(rate_a_s),
            t,
            f"a ramp at {rate_a_s:.3g} A/s",
            where="ramp",
        )
        self._watch_current(t)

    def read(self) -> MagnetReading:
        self._bring()
        voltage = COIL_RESISTANCE_OHM * self.current_a
        voltage += COIL_INDUCTANCE_H * (self.aim_a - self.current_a) / COIL_LAG_S
        gauss = self._rng.gauss
        current = self.current_a + gauss(0, 5e-4)
        return MagnetReading(self.on, current, voltage + gauss(0, 2e-3) if self.on else 0.0)

    def _drive(self, on: bool, current_a: float) -> None:
        t = self._bring()
        self.on, self.setpoint_a = on, current_a
        aim = min(max(current_a, -self.max_current_a), self.max_current_a) if on else 0.0
        step, self.aim_a = aim - self.aim_a, aim
        if step:
            broken = self.slew.broken_by(step, t)
            self._hazards.watch("magnet_slew", bool(broken), t, broken)
        self._watch_current(t)

    def _watch_current(self, t: float) -> None:
        self._hazards.watch(
            "magnet_current",
            self.on and abs(self.setpoint_a) > self._limit_a * 1.001,
            t,
            f"{self.setpoint_a:.3g} A commanded, the coil bears {self._limit_a:g} A",
        )

    def advance(self, dt: float) -> None:
        if self._ramp_a_s is not None and self.aim_a != self.setpoint_a:
            dt = self._advance_ramp(dt, self._ramp_a_s)
        excess = self.current_a - self.aim_a
        if not excess:
            return
        excess *= math.exp(-dt / COIL_LAG_S)
        self.current_a = self.aim_a + (excess if abs(excess) > 1e-7 else 0.0)
        self.yoke_a = min(max(self.yoke_a, self.current_a - YOKE_PLAY_A), self.current_a + YOKE_PLAY_A)

    def _advance_ramp(self, dt: float, rate_a_s: float) -> float:
        """Along the ramp for at most `dt`; what is left of it.  The coil trails by its lag times the rate."""
        way = self.setpoint_a - self.aim_a
        lasts = min(dt, abs(way) / rate_a_s)
        slope = math.copysign(rate_a_s, way)
        excess = self.current_a - self.aim_a + slope * COIL_LAG_S
        self.aim_a = self.setpoint_a if lasts < dt else self.aim_a + slope * lasts
        self.current_a = self.aim_a - slope * COIL_LAG_S + excess * math.exp(-lasts / COIL_LAG_S)
        self.yoke_a = min(max(self.yoke_a, self.current_a - YOKE_PLAY_A), self.current_a + YOKE_PLAY_A)
        return dt - lasts

    def field_mt(self, field_per_ampere_mt: float) -> float:
        """Coil plus yoke: after a positive excursion a little positive field remains."""
        remanence = YOKE_REMANENCE_MT * (self.yoke_a - self.current_a) / YOKE_PLAY_A
        return field_per_ampere_mt * self.current_a + remanence


class HallProbe:
    """Seeded errors of 0.05 % in gain and some 0.02 mT in zero; 5 uT of noise a reading."""

    def __init__(self, bring: Callable[[], float], field_mt: Callable[[], float], rng: Random) -> None:
        self._bring, self._field_mt, self._rng = bring, field_mt, rng
        self._gain = 1 + rng.gauss(0, 5e-4)
        self._zero_mt = rng.gauss(0, 0.02)

    def now(self) -> float:
        return self._bring()

    def read_t(self) -> float:
        self._bring()
        return (self._field_mt() * self._gain + self._zero_mt + self._rng.gauss(0, 0.005)) * 1e-3


class Detector:
    """The pick-up signal behind a single low-pass of `time_constant_s`, with white noise in its bandwidth."""

    def __init__(self, bring: Callable[[], float], noise_v_rthz: float, rng: Random) -> None:
        self.time_constant_s = 0.3
        self.signal_v = 0.0
        self.readings = 0
        self.on_read: Callable[[], None] = lambda: None
        self.noise_at: Callable[[float], float] = lambda t: 1.0
        self._bring, self._rng = bring, rng
        self._density = noise_v_rthz
        self._noise = [0.0, 0.0]
        self._noise_at = -math.inf

    def now(self) -> float:
        return self._bring()

    def read(self) -> tuple[float, float]:
        """X and Y in volts rms."""
        t = self._bring()
        tau = max(self.time_constant_s, 1e-5)
        memory = math.exp(-max(0.0, t - self._noise_at) / tau)
        sigma = self._density * math.sqrt(1.0 / (4.0 * tau))  # equivalent noise bandwidth of one pole
        louder = self.noise_at(t)
        fresh = louder * sigma * math.sqrt(1.0 - memory * memory)
        self._noise = [memory * noise + self._rng.gauss(0, fresh) for noise in self._noise]
        self._noise_at = t
        self.on_read()
        if not louder:
            return 0.0, 0.0
        return self.signal_v + self._noise[0], 0.01 * self.signal_v + self._noise[1]

    def advance(self, target_v: float, dt: float) -> None:
        self.signal_v += (target_v - self.signal_v) * -math.expm1(-dt / max(self.time_constant_s, 1e-5))

    def forget(self) -> None:
        self._noise_at = -math.inf


class Magnetometer:
    """`config["magnetometer"]`: quantity "moment" (scale in A m2/V) or "kerr_rotation" (scale in mrad/V).

    The true scale differs from the lab file's by a seeded 0.5 %, and each placing of a sample by another 0.3 %.
    """

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
        settings = config.get("magnetometer", {})
        self.quantity = settings.get("quantity", "moment")
        if self.quantity not in QUANTITIES:
            raise ValueError(f"magnetometer quantity {self.quantity!r}: must be one of {', '.join(QUANTITIES)}")
        moment = self.quantity == "moment"
        self._now, self._truth, self._log = now, truth, log
        self._t = now()
        rng = stream(seed, "magnetometer")
        self._scale = settings.get("scale", 1e-6 if moment else 1.0)
        self._gain = 1 + rng.gauss(0, 0.005)
        self._centring = 1.0
        self._field_per_ampere_mt = settings.get("field_per_ampere_mt", 10.0)
        self._area_mm2 = settings.get("film_area_mm2", 25.0)
        self._rng = rng
        self._gain_drift = Wander(rng, 0.001, 1800.0, 20000.0)
        noise = MOMENT_NOISE_AM2 * math.sqrt(2.0) if moment else KERR_NOISE_MRAD_RTHZ
        self._zero_drift = Wander(rng, 2e-9 if moment else 2e-3, 1800.0, 20000.0)
        self.sample: Sample | None = None
        self._readings = 0
        self._reached_mt = [0.0, 0.0]
        self._field_now_mt = 0.0
        limits = config.get("limits", {})
        supply = next(
            (s for d in config.get("devices", {}).values() if "max_current_a" in (s := d.get("settings") or {})), {}
        )
        self.magnet = MagnetCircuit(
            self.bring, supply.get("max_current_a", FULL_SCALE_A), limits, hazards, stream(seed, "magnet")
        )
        self.probe = HallProbe(self.bring, lambda: self._field_now_mt, stream(seed, "probe"))
        self.detector = Detector(self.bring, noise / self._scale, stream(seed, "detector"))
        self.detector.on_read = self._count
        self.contacts = Contacts(
            self.bring, self._at_contacts, lambda: self._field_now_mt * 1e-3, stream(seed, "contacts")
        )
        self.contacts.on_read = self._count
        self._faults = SignalFaults(config, self._t)
        self.detector.noise_at = self._faults.noise

    def now(self) -> float:
        return self.bring()

    def put_sample(self, sample: Sample) -> None:
        self.sample = sample
        self._centring = 1 - abs(self._rng.gauss(0, 0.003))
        self._readings, self._reached_mt = 0, [0.0, 0.0]
        if sample.magnetic is None and sample.amounts_mol_cm2:
            properties = sample.properties(self._truth)
            sample.magnetic = Hysteresis(properties["coercivity_mt"], properties.get("squareness", 0.9))
        elif sample.magnetic is None and sample.known is not None:
            sample.magnetic = Hysteresis(REFERENCE_COERCIVITY_MT, REFERENCE_SQUARENESS)
        if sample.magnetic is not None:
            sample.magnetic.apply(self._field_now_mt)

    def take_sample(self) -> Sample:
        """The robot takes the sample away; what was read of it counts as a measurement if it was a loop."""
        if self.sample is None:
            raise LookupError("there is no sample in the magnetometer")
        sample, self.sample = self.sample, None
        if self._reached_mt[0] < -FIELD_SEEN_MT and self._reached_mt[1] > FIELD_SEEN_MT:
            sample.measurements += 1
            reach = max(self._reached_mt[1], -self._reached_mt[0])
            self._log.write("measured", t=self._t, substrate=sample.slot, readings=self._readings, max_field_mt=reach)
        return sample

    def restart(self) -> None:
        """The clock has been restarted: go on from its present."""
        self._t = self._now()
        self._faults.epoch = self._t
        self.magnet.slew.forget()
        self.detector.forget()

    def bring(self) -> float:
        """Bring everything to the present, and return it."""
        present = self._now()
        dt = present - self._t
        if dt > 0:
            self._t = present
            self.magnet.advance(dt)
            field = self.magnet.field_mt(self._field_per_ampere_mt)
            if field != self._field_now_mt:
                self._field_now_mt = field
                if self.sample is not None and self.sample.magnetic is not None:
                    self.sample.magnetic.apply(field)
            self.detector.advance(self._signal_v(), dt)
        return self._t

    def _count(self) -> None:
        if self.sample is not None:
            self._readings += 1
            self._reached_mt[0] = min(self._reached_mt[0], self._field_now_mt)
            self._reached_mt[1] = max(self._reached_mt[1], self._field_now_mt)

    def _signal_v(self) -> float:
        quantity = self._zero_drift.at(self._t)
        if self.sample is not None:
            quantity += self._of_sample(self.sample)
        volts = quantity * self._gain * (1 + self._gain_drift.at(self._t)) / self._scale
        return self._faults.volts(volts, self._t)

    def _at_contacts(self) -> FilmAtContacts | None:
        """The film in the holder, with leads on it; None without one, or while a cable is off."""
        sample = self.sample
        if sample is None or self._faults.volts(1.0, self._t) == 0.0:
            return None
        if sample.known is not None:  # ohm at saturation, of a soft specimen
            return FilmAtContacts(REFERENCE_THICKNESS_M, sample.known * REFERENCE_THICKNESS_M, REFERENCE_SATURATION_T)
        if not sample.amounts_mol_cm2:
            return None
        properties = sample.properties(self._truth)
        return FilmAtContacts(
            sample.thickness_nm * 1e-9,
            properties["anomalous_hall_uohm_cm"] * 1e-8,
            MU_0_T_M_KA * properties["saturation_magnetisation_ka_m"],
        )

    def _of_sample(self, sample: Sample) -> float:
        """A m2, or mrad."""
        field_t = self._field_now_mt * 1e-3
        film = 0.0
        if sample.magnetic is not None:
            properties = sample.properties(self._truth) if sample.amounts_mol_cm2 else {}
            if sample.known is not None:
                film = sample.known
            elif self.quantity == "moment":
                volume_m3 = self._area_mm2 * 1e-6 * sample.thickness_nm * 1e-9
                film = properties["saturation_magnetisation_ka_m"] * 1e3 * volume_m3
            else:
                seen = 1 - math.exp(-sample.thickness_nm / KERR_DEPTH_NM)
                film = properties["kerr_rotation_mrad"] * seen
            film *= sample.magnetic.magnetisation * self._centring
        if self.quantity == "hall_resistance":
            return 0.0
        if self.quantity == "moment":
            return film + DIAMAGNETISM_AM2_T_MM2 * self._area_mm2 * field_t
        return film + KERR_SLOPE_MRAD_T * field_t
