"""What bluesky-queueserver loads: one simulated lab's devices, and simple plans for them.

The devices are Nightshift's own drivers, built from the same lab file and connected to the same simulated
lab as Nightshift's.  The plans are what one writes for a beamline or a chamber with Bluesky's own stubs: they
close down behind themselves when a plan fails, look at the gripper before they carry on, and keep nothing
beyond their documents.

`NIGHTSHIFT_BENCHMARK` names a JSON file: {"lab": path, "addresses": {device: address}, "clock": {...},
"worker_pid": path of a file to write this process's id to}.
"""

import json
import os
from pathlib import Path

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky import RunEngine
from bluesky.utils import FailedStatus

from orchestrator.campaign.labspec import load_lab
from orchestrator.lab import build_station, open_clock

CONFIG = json.loads(Path(os.environ["NIGHTSHIFT_BENCHMARK"]).read_text())
Path(CONFIG["worker_pid"]).write_text(str(os.getpid()))

RE = RunEngine({})

_lab = load_lab(Path(CONFIG["lab"]))
_clock = open_clock(CONFIG["clock"])
_chamber, _magnetometer, _robot = (
    build_station(_lab, _lab.station(kind)[0], CONFIG["addresses"], _clock)
    for kind in ("deposition", "magnetometry", "transfer")
)

ARGON_SCCM = 23.7  # 0.5 Pa at 80 l/s
CLEARANCE_MM = 40.0
STRIKES = 4


def _wait(lab_s):
    yield from bps.sleep(_clock.real_s(lab_s))


def carry(source: str, destination: str):
    """Carry the sample at `source` to `destination`."""
    arm, places = _robot.mover, _robot.places

    def above(place):
        x, y, z, *angles = places[place].pose
        yield from bps.mv(arm.pose, (x, y, z + CLEARANCE_MM, *angles))

    @bpp.run_decorator(md={"source": source, "destination": destination})
    def inner():
        yield from bps.mv(arm.gripper, "open")
        yield from above(source)
        yield from bps.mv(arm.pose, places[source].pose)
        yield from bps.mv(arm.gripper, "closed")
        yield from bps.trigger(arm, wait=True)
        if not arm.holding.get():
            yield from bps.mv(arm.gripper, "open")
            yield from above(source)
            raise RuntimeError(f"gripped nothing at {source}")
        yield from above(source)
        yield from above(destination)
        yield from bps.mv(arm.pose, places[destination].pose)
        yield from bps.mv(arm.gripper, "open")
        yield from above(destination)
        yield from above("cassette/1")

    yield from inner()


def deposit(sample: str, power_w: float = 100.0, presputter_s: float = 30.0, growth_s: float = 60.0):
    """Grow an Fe-Co film on the substrate in the chamber."""
    guns = [_chamber.guns["Fe"], _chamber.guns["Co"]]
    shutter = _chamber.monitor.substrate_shutter

    def strike(gun):
        yield from bps.mv(gun.power, power_w)
        for left in reversed(range(STRIKES)):
            try:
                yield from bps.mv(gun.output, "on")
            except FailedStatus:
                if not left:
                    raise
                yield from bps.mv(gun.output, "off")
            else:
                return

    def grow():
        yield from bps.mv(_chamber.gas.flow, ARGON_SCCM)
        yield from _wait(15.0)
        for gun in guns:
            yield from strike(gun)
        yield from _wait(presputter_s)
        for gun in guns:
            yield from bps.mv(gun.shutter, "open")
        yield from bps.mv(shutter, "open")
        for _ in range(10):
            yield from _wait(growth_s / 10)
            yield from bps.trigger_and_read([_chamber.gauge, _chamber.monitor])
        yield from close_down()

    def close_down():
        yield from bps.mv(shutter, "closed")
        for gun in guns:
            yield from bps.mv(gun.shutter, "closed")
            yield from bps.mv(gun.output, "off")
        yield from bps.mv(_chamber.gas.flow, 0.0)

    @bpp.run_decorator(md={"sample": sample})
    def inner():
        yield from bpp.contingency_wrapper(grow(), except_plan=lambda _: close_down())
        yield from _wait(15.0)  # pumped out before the robot comes

    yield from inner()


def measure(sample: str, max_field_mt: float = 100.0, step_mt: float = 10.0, dwell_s: float = 2.0):
    """A hysteresis loop of the film in the magnetometer."""
    magnet, field, signal = _magnetometer.magnet, _magnetometer.field_meter, _magnetometer.signal
    points = round(2 * max_field_mt / step_mt)
    branch = [max_field_mt - step_mt * i for i in range(points + 1)]

    def sweep():
        for wanted_mt in (*branch, *reversed(branch)):
            yield from bps.mv(magnet.current, wanted_mt / _magnetometer.field_per_ampere_mt)
            yield from _wait(dwell_s)
            yield from bps.trigger_and_read([field, signal])

    @bpp.run_decorator(md={"sample": sample})
    def inner():
        yield from bpp.finalize_wrapper(sweep(), lambda: bps.mv(magnet.current, 0.0))

    yield from inner()


def film(sample: str, slot: int):
    """One film from its slot and back: load, deposit, measure, unload."""
    yield from carry(f"cassette/{slot}", "deposition")
    yield from deposit(sample)
    yield from carry("deposition", "magnetometry")
    yield from measure(sample)
    yield from carry("magnetometry", f"cassette/{slot}")
