"""A bench of three stations made of light devices: real settings, readings and ports, and no wire.

`Chamber`, `Magnet` and `Arm` are the world; it integrates what reaches the substrate, so that tests can ask
what really happened instead of what the plan believes.
"""

from __future__ import annotations

import math
import random
import threading
import time
from concurrent.futures import Future

from ophyd import Component as Cpt

from drivers.clock import RealClock
from drivers.errors import Fault, NoReply
from drivers.instrument import Instrument, Reading, Setting
from drivers.link import Port
from drivers.roles import DepositionStation, MagnetometryStation, Place, TransferStation, devices
from simulators.clock import ScaledClock

DENSITY = {"Fe": 7.86, "Co": 8.71, "Ni": 8.91}


class NoLink:
    """The end of a wire that leads nowhere."""

    address = "bench"
    timeout_s = 1.0

    def close(self) -> None:
        pass


class InlinePort:
    """Carries a conversation out at once, on the caller's thread."""

    def __init__(self) -> None:
        self.link = NoLink()
        self._lock = threading.RLock()

    def submit(self, conversation):
        future = Future()
        with self._lock:
            try:
                future.set_result(conversation())
            except Exception as error:  # noqa: BLE001 - as an executor does
                future.set_exception(error)
        return future

    def close(self) -> None:
        pass


class Done:
    """A status of something that has happened already; an ophyd one costs a thread."""

    def __init__(self, error) -> None:
        self.error = error

    def exception(self, timeout=None):
        return self.error

    def add_callback(self, callback) -> None:
        callback(self)


class StepClock:
    """Lab time that only moves when it is told to."""

    resolution_s = 0.0

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def advance(self, lab_s: float) -> None:
        self._now += lab_s

    def real_s(self, lab_s: float) -> float:
        return lab_s

    def sleep(self, lab_s: float) -> None:
        self.advance(lab_s)

    def patience_s(self, lab_s: float) -> float:
        return lab_s + 5.0


def open_clock(spec):
    return RealClock() if spec is None else ScaledClock(**spec)


# --- the world ------------------------------------------------------------------------------------------


class Chamber:
    """What is true in the chamber; `dose_nm` is what reached the substrate."""

    def __init__(self, clock, k=None) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.k = k or {"Fe": 1.2e-3, "Co": 1.0e-3, "Ni": 1.4e-3}
        self.tooling = dict.fromkeys(self.k, 1.0)
        self.power = dict.fromkeys(self.k, 0.0)
        self.lit = dict.fromkeys(self.k, False)
        self.shutter = dict.fromkeys(self.k, False)
        self.strikes_to_fail = dict.fromkeys(self.k, 0)
        self.substrate_open = False
        self.flow = 0.0
        self.pumping_m3_s = 0.082
        self.material = "Fe"
        self.crystal_failed = False
        self.noise = 0.0
        self.dose_nm = dict.fromkeys(self.k, 0.0)
        self.shown_nm = 0.0
        self.times_opened = 0
        self.gas_lost_at_dose_nm = math.inf
        self.unsafe: list[str] = []
        self._t = clock.now()

    @property
    def pressure_pa(self) -> float:
        lost = sum(self.dose_nm.values()) > self.gas_lost_at_dose_nm
        return (0.0 if lost else self.flow * 1.68875e-3 / self.pumping_m3_s) + 2e-4

    def rate(self, element: str) -> float:
        if not (self.lit[element] and self.shutter[element]):
            return 0.0
        return self.k[element] * self.power[element] ** 0.97

    def shown_rate(self) -> float:
        """At the crystal, which takes all it collects for `material`."""
        mass = sum(self.rate(el) / self.tooling[el] * DENSITY[el] for el in self.k)
        return mass / DENSITY[self.material]

    def bring(self) -> None:
        with self.lock:
            now = self.clock.now()
            dt, self._t = now - self._t, now
            self.shown_nm += self.shown_rate() * dt
            if self.substrate_open:
                for element in self.k:
                    self.dose_nm[element] += self.rate(element) * dt

    def open_substrate(self, open_: bool) -> None:
        with self.lock:
            self.bring()
            if open_ and not self.substrate_open:
                self.times_opened += 1
            self.substrate_open = open_

    def is_safe(self) -> bool:
        return not (self.substrate_open or any(self.lit.values()) or any(self.shutter.values()) or self.flow)


class Film:
    """A magnetic film on a magnet: a loop with reversible tails, and a lock-in that can be overloaded."""

    def __init__(self, ms_am2=2.0e-6, hc_mt=3.0, width_mt=0.8, background=-1e-6, noise=2e-9, seed=1) -> None:
        self.ms, self.hc, self.width, self.background, self.noise = ms_am2, hc_mt, width_mt, background, noise
        self.rng = random.Random(seed)
        self.current_a = 0.0
        self.rising = True
        self.sensitivity_v = 1.0
        self.highest_v = math.inf  # the input overloads beyond, at any sensitivity
        self.field_mt = 0.0

    def drive(self, current_a: float, field_per_ampere_mt: float) -> None:
        if current_a != self.current_a:
            self.rising = current_a > self.current_a
        self.current_a = current_a
        self.field_mt = current_a * field_per_ampere_mt

    def moment(self) -> float:
        switch = self.hc if self.rising else -self.hc
        m = math.tanh((self.field_mt - switch) / self.width)
        return self.ms * m + self.background * self.field_mt * 1e-3 + self.rng.gauss(0, self.noise)


class Arm:
    """Which places hold a sample, and what the gripper does there."""

    def __init__(self, occupied=("cassette/1",)) -> None:
        self.occupied = set(occupied)
        self.holding: bool = False
        self.closed = False
        self.pose = (0.0,) * 6
        self.slips_at = ""
        self.collisions: list[str] = []


# --- devices --------------------------------------------------------------------------------------------


class BenchInstrument(Instrument):
    """`fails` maps a verb to the error it raises."""

    def __init__(self, *args, world, **kwargs) -> None:
        self.world = world
        self.fails: dict[str, Exception] = {}
        self.slow_s = 0.0
        super().__init__(*args, **kwargs)

    def identify(self) -> str:
        return "bench"

    def act(self, conversation, *, timeout_s):
        if isinstance(self.port, InlinePort):
            return Done(self.port.submit(conversation).exception())
        return super().act(conversation, timeout_s=timeout_s)

    def stumble(self, verb: str) -> None:
        if self.slow_s:
            time.sleep(self.slow_s)
        if verb in self.fails:
            raise self.fails[verb]


class BenchGun(BenchInstrument):
    power = Cpt(Setting, units="W", precision=0, write="_write_power")
    output = Cpt(Setting, value="off", choices=("on", "off"), write="_write_output")
    shutter = Cpt(Setting, value="closed", choices=("open", "closed"), write="_write_shutter")
    actual_power = Cpt(Reading, units="W", precision=0)
    voltage = Cpt(Reading, units="V")
    current = Cpt(Reading, units="A")
    fault = Cpt(Reading, value="")

    def __init__(self, *args, target, **kwargs) -> None:
        self.target = target
        super().__init__(*args, **kwargs)

    def refresh(self) -> None:
        self.stumble("refresh")
        world, el = self.world, self.target
        world.bring()
        if world.pressure_pa < 0.15:
            world.lit[el] = False
        watts = world.power[el] if world.lit[el] else 0.0
        self.actual_power.update(watts)
        self.voltage.update(400.0 if world.lit[el] else 0.0)
        self.current.update(watts / 400.0)
        self.output.update("on" if world.lit[el] else "off")
        self.shutter.update("open" if world.shutter[el] else "closed")
        self.fault.update("")

    def make_safe(self) -> None:
        self._write_shutter("closed")
        self._write_output("off")

    def _write_power(self, watts: float) -> None:
        self.stumble("power")
        self.world.bring()
        self.world.power[self.target] = float(round(watts))
        self.power.update(float(round(watts)))
        self.refresh()

    def _write_output(self, state: str) -> None:
        world, el = self.world, self.target
        self.stumble(f"output {state}")
        world.bring()
        if state == "on" and (world.strikes_to_fail[el] > 0 or world.pressure_pa < 0.3):
            world.strikes_to_fail[el] -= 1
            raise Fault(f"{self.name}: no plasma")
        world.lit[el] = state == "on"
        self.output.update(state)
        self.refresh()

    def _write_shutter(self, state: str) -> None:
        self.stumble(f"shutter {state}")
        self.world.bring()
        self.world.shutter[self.target] = state == "open"
        self.shutter.update(state)


class BenchGas(BenchInstrument):
    gas = "Ar"
    flow = Cpt(Setting, units="sccm", write="_write_flow")
    actual_flow = Cpt(Reading, units="sccm")
    fault = Cpt(Reading, value="")

    def refresh(self) -> None:
        self.stumble("refresh")
        self.actual_flow.update(self.world.flow)
        self.fault.update("")

    def make_safe(self) -> None:
        self._write_flow(0.0)

    def _write_flow(self, sccm: float) -> None:
        self.stumble("flow")
        if sccm == 0 and any(self.world.lit.values()):
            self.world.unsafe.append("gas off with the plasma on")
        self.world.flow = sccm
        self.flow.update(sccm)
        self.refresh()


class BenchGauge(BenchInstrument):
    pressure = Cpt(Reading, units="Pa")
    fault = Cpt(Reading, value="")

    def refresh(self) -> None:
        self.stumble("refresh")
        self.pressure.update(self.world.pressure_pa)
        self.fault.update("")

    def make_safe(self) -> None:
        pass


class BenchMonitor(BenchInstrument):
    material = Cpt(Setting, value="Fe", choices=("Fe", "Co", "Ni"), write="_write_material")
    zero = Cpt(Setting, value=0, choices=(1,), write="_write_zero")
    substrate_shutter = Cpt(Setting, value="closed", choices=("open", "closed"), write="_write_shutter")
    rate = Cpt(Reading, units="nm/s", precision=4)
    thickness = Cpt(Reading, units="nm")
    frequency = Cpt(Reading, units="Hz")
    life = Cpt(Reading, units="%")
    fault = Cpt(Reading, value="")

    def refresh(self) -> None:
        self.stumble("refresh")
        world = self.world
        world.bring()
        failed = world.crystal_failed
        self.rate.update(0.0 if failed else world.shown_rate() * (1 + random.gauss(0, world.noise)))
        self.thickness.update(world.shown_nm)
        self.frequency.update(0.0 if failed else 5.9e6)
        self.life.update(0.0 if failed else 80.0)
        self.substrate_shutter.update("open" if world.substrate_open else "closed")
        self.fault.update("crystal failed" if failed else "")

    def make_safe(self) -> None:
        self._write_shutter("closed")

    def _write_material(self, element: str) -> None:
        self.world.bring()
        self.world.material = element
        self.material.update(element)

    def _write_zero(self, _: int) -> None:
        self.world.bring()
        self.world.shown_nm = 0.0
        self.zero.update(1)

    def _write_shutter(self, state: str) -> None:
        self.stumble(f"substrate {state}")
        self.world.open_substrate(state == "open")
        self.substrate_shutter.update(state)


class BenchMagnet(BenchInstrument):
    current = Cpt(Setting, units="A", write="_write_current", value=0.0)
    actual_current = Cpt(Reading, units="A")
    voltage = Cpt(Reading, units="V")
    fault = Cpt(Reading, value="")

    def refresh(self) -> None:
        self.stumble("refresh")
        self.actual_current.update(self.world.current_a)
        self.voltage.update(0.5 * self.world.current_a)
        self.fault.update("")

    def make_safe(self) -> None:
        self._write_current(0.0)

    def _write_current(self, amps: float) -> None:
        self.stumble("current")
        self.world.drive(amps, 40.0)
        self.current.update(amps)
        self.refresh()


class BenchFieldMeter(BenchInstrument):
    field = Cpt(Reading, units="mT")
    fault = Cpt(Reading, value="")

    def refresh(self) -> None:
        self.stumble("refresh")
        self.field.update(self.world.field_mt)
        self.fault.update("")

    def make_safe(self) -> None:
        pass


class BenchSignal(BenchInstrument):
    scale = 1e-3
    sensitivity = Cpt(Setting, units="V", precision=9, write="_write_sensitivity", value=1.0)
    time_constant = Cpt(Setting, units="s", write="_write_time_constant", value=1.0)
    x = Cpt(Reading, units="V", precision=9)
    y = Cpt(Reading, units="V", precision=9)
    overload = Cpt(Reading, value=0)
    fault = Cpt(Reading, value="")

    def refresh(self) -> None:
        self.stumble("refresh")
        signal = self.world.moment() / self.scale
        over = abs(signal) > min(1.1 * self.world.sensitivity_v, self.world.highest_v)
        self.x.update(signal)
        self.y.update(0.0)
        self.overload.update(int(over))
        self.fault.update("")

    def make_safe(self) -> None:
        pass

    def _write_sensitivity(self, volts: float) -> None:
        self.world.sensitivity_v = volts
        self.sensitivity.update(volts)

    def _write_time_constant(self, seconds: float) -> None:
        self.time_constant.update(seconds)


class BenchMover(BenchInstrument):
    pose = Cpt(Setting, units="mm, deg", write="_write_pose", value=(0.0,) * 6)
    gripper = Cpt(Setting, choices=("open", "closed"), write="_write_gripper", value="open")
    holding = Cpt(Reading, value=0)
    fault = Cpt(Reading, value="")

    def refresh(self) -> None:
        self.stumble("refresh")
        self.holding.update(int(self.world.holding))
        self.pose.update(self.world.pose)
        self.gripper.update("closed" if self.world.closed else "open")
        self.fault.update("")

    def make_safe(self) -> None:
        pass

    def _here(self) -> str:
        return next((name for name, place in PLACES.items() if place.pose == self.world.pose), "")

    def _write_pose(self, pose) -> None:
        self.stumble("pose")
        self.world.pose = tuple(pose)
        here = self._here()
        if here in self.world.occupied and (self.world.holding or self.world.closed):
            self.world.collisions.append(here)
        if here and self.world.slips_at == here:
            self.world.holding = False
        self.pose.update(tuple(pose))

    def _write_gripper(self, state: str) -> None:
        self.stumble("gripper")
        world, here = self.world, self._here()
        if state == "closed" and here in world.occupied:
            world.occupied.discard(here)
            world.holding = True
        elif state == "open" and world.holding:
            world.holding = False
            world.occupied.add(here)
        world.closed = state == "closed"
        self.gripper.update(state)


PLACES = {
    "cassette/1": Place("cassette/1", (100.0, 0.0, 40.0, 180.0, 0.0, 0.0)),
    "cassette/2": Place("cassette/2", (112.0, 0.0, 40.0, 180.0, 0.0, 0.0)),
    "deposition": Place("deposition", (60.0, 210.0, 120.0, 180.0, 0.0, 90.0)),
    "magnetometry": Place("magnetometry", (60.0, -210.0, 90.0, 180.0, 0.0, -90.0)),
}

# --- stations -------------------------------------------------------------------------------------------


def make_port(threads: bool):
    return Port(NoLink()) if threads else InlinePort()


def chamber(clock, *, threads=False, world=None, names=("gun1", "gun2", "gun3", "argon", "gauge", "monitor")):
    world = world or Chamber(clock)
    *guns, gas, gauge, monitor = names

    def place(cls, name, **kwargs):
        return cls(make_port(threads), name=name, clock=clock, world=world, **kwargs)

    station = DepositionStation(
        name="deposition",
        guns={
            el: place(BenchGun, name, target=el, limits={"power": (0, 200)})
            for el, name in zip(("Fe", "Co", "Ni"), guns, strict=True)
        },
        gas=place(BenchGas, gas, limits={"flow": (0, 50)}),
        gauge=place(BenchGauge, gauge),
        monitor=place(BenchMonitor, monitor),
        tooling=dict(world.tooling),
        tooling_sigma=0.01,
    )
    read_once(station)
    return station, world


def magnetometer(clock, *, threads=False, world=None, names=("magnet", "hall", "lockin")):
    world = world or Film()

    def place(cls, name, **kwargs):
        return cls(make_port(threads), name=name, clock=clock, world=world, **kwargs)

    station = MagnetometryStation(
        name="magnetometry",
        magnet=place(BenchMagnet, names[0], limits={"current": (-10, 10)}),
        field_meter=place(BenchFieldMeter, names[1]),
        signal=place(BenchSignal, names[2]),
        quantity="moment",
        scale=1e-3,
        scale_sigma=0.01,
        field_per_ampere_mt=40.0,
        film_area_mm2=25.0,
    )
    read_once(station)
    return station, world


def robot(clock, *, threads=False, world=None, name="arm"):
    world = world or Arm()
    mover = BenchMover(make_port(threads), name=name, clock=clock, world=world)
    station = TransferStation(name="robot", mover=mover, places=PLACES)
    read_once(station)
    return station, world


def read_once(station) -> None:
    for device in devices(station):
        device.port.submit(device.refresh).result()


def silence(device) -> None:
    """From now on `device` does not answer."""
    error = NoReply(f"{device.name}: nothing came")
    verbs = ("refresh", "power", "output on", "output off", "shutter open", "shutter closed", "flow")
    device.fails = dict.fromkeys(verbs, error)


def build_station(lab, station, addresses, clock):
    """The builder that a worker under test is given."""
    names = tuple(lab.stations[station].devices)
    match lab.stations[station].kind:
        case "deposition":
            return chamber(clock, threads=True, names=names)[0]
        case "magnetometry":
            return magnetometer(clock, threads=True, names=names)[0]
        case _:
            return robot(clock, threads=True, name=names[0])[0]
