"""One crash and what follows it: the disk as it was left, the lab as it went on, and a new start.

A crash happens in the middle of a night, in a process of its own (a fork of the one in which the night goes on).
Nobody who was running then ever runs again; the record of what followed goes to `finish`, which ends the process.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import orchestrator.night
from orchestrator.audit import WORLD
from orchestrator.rpc import RpcError
from orchestrator.service.children import ChildError
from orchestrator.service.home import HomeError
from tests.chaos import aftermath
from tests.chaos.emulated import bench, boundaries, computer, threads
from tests.chaos.emulated.bench import Spec, World
from tests.chaos.emulated.boundaries import Boundary, Watch, Words
from tests.chaos.emulated.clock import Scheduler, begin, current_owner, scheduler
from tests.chaos.emulated.disk import Disk
from tests.chaos.emulated.orders import OPERATOR, Operators, misled
from tests.chaos.tally import judge, read_journal

TARGETS = ("all", "daemon", "deposition", "magnetometry", "robot", "optimizer")
"""Whom it hits: everything of ours, or one process."""
DOWN_S = (0.5, 20.0, 600.0)
"""Lab seconds from the death of the daemon to the next start."""
STARTED_AGAIN = 3
"""How often a daemon is started again that ended with an error."""

Finish = Callable[[dict[str, Any]], NoReturn]


@dataclass(frozen=True)
class Crash:
    """At which boundary of its night, whom it hits, what is lost, and how long the computer is down (lab seconds).

    What hits nobody but comes from an operator has the order instead of the loss (see `orders`), and for how long he
    waits in it.
    """

    boundary: int
    target: str
    loss: str
    down_s: float

    def __str__(self) -> str:
        return f"{self.boundary}:{self.target}:{self.loss}:{self.down_s:g}"

    @classmethod
    def parse(cls, text: str) -> Crash:
        """The reverse of `str`."""
        boundary, target, loss, down_s = text.split(":")
        return cls(int(boundary), target, loss, float(down_s))


@dataclass
class Scene:
    """Where crashes happen: the night, the lab outside, the disk, and a folder for what each leaves of it.

    `finish` takes the record, and ends the process.  `trail` has the boundaries at which something was hit,
    `down_s` how long a daemon that died alone is away, until it has been started again.
    """

    spec: Spec
    world: World
    disk: Disk
    place: Path
    finish: Finish
    trail: list[str] = field(default_factory=list)
    down_s: float | None = None
    started_again: int = 0
    operators: Operators = field(init=False)

    def __post_init__(self) -> None:
        self.operators = Operators(lambda: self.home, self.world)

    @property
    def home(self) -> Path:
        return self.disk.home


def happen(scene: Scene, crashes: list[Crash], boundary: Boundary) -> None:
    """The first of `crashes` happens now, the others in what follows.

    Returns if whoever runs now survives it; when the night that is under way has ended, `outlast` is to be called.
    """
    now, *later = crashes
    scene.trail.append(str(boundary))
    if now.target == OPERATOR:
        _expect(scene, later)
        scene.operators.order(now.loss, now.down_s)
        if boundary.kind != "instant":
            scheduler().park(0.0)  # until it has been heard, if that takes no time
        return
    if now.target == "all":
        _everything(scene, now, later)
    victim = _victim(now.target)
    if victim is None:
        scene.finish({"trail": scene.trail, "clean": True, "missed": now.target, "verdict": {}})
    victim.kill()
    if now.target == "daemon":
        scene.down_s = now.down_s
    _expect(scene, later)
    if current_owner().dead:
        scheduler().park()


def outlast(scene: Scene, boot: Callable[[], None] | None = None) -> NoReturn:
    """`boot` the night, and start again what has to be started again; then the record of it all."""
    trouble = ""
    try:
        if boot is not None:
            _start(scene, boot)
        while scene.down_s is not None:
            down_s, scene.down_s = scene.down_s / bench.SPEED, None
            scheduler().run(lambda down_s=down_s: scheduler().park(down_s), computer.POWER)
            _start(scene, lambda: _boot(scene))
    except Exception as error:  # noqa: BLE001 - whatever a recovery raises is a finding
        trouble = f"{type(error).__name__}: {error}"
    told = {"trail": scene.trail, "started_again": scene.started_again, "said": scene.operators.said}
    scene.finish({**told, **record(scene.world, scene.home, trouble, scene.operators)})


def _start(scene: Scene, boot: Callable[[], None]) -> None:
    """A daemon that ends because a process of its own did is started again, as a service would be; not for ever."""
    try:
        boot()
    except (ChildError, RpcError):
        scene.started_again += 1
        if scene.started_again > STARTED_AGAIN:
            raise
        scene.down_s = DOWN_S[0]


def left_of(place: Path, crash: int) -> Path:
    """Where the disk is kept as the crash of that number (from 1) leaves it."""
    return place / f"crash-{crash}"


def _everything(scene: Scene, now: Crash, later: list[Crash]) -> NoReturn:
    image = left_of(scene.place, len(scene.trail))
    if not image.exists():
        scene.disk.image(now.loss, image)
    scene.disk = Disk(image)
    scene.world.wires.hang_up()
    computer.processes.clear()
    threads.forget()
    if now.loss == "power":
        orchestrator.night.boot_id = lambda: f"boot {len(scene.trail)}"
    start = scheduler().now + now.down_s / bench.SPEED
    begin(Scheduler(start, seed=now.boundary, limit=start + bench.LONGEST_S))
    _expect(scene, later)
    scene.down_s = 0.0
    outlast(scene)


def _expect(scene: Scene, later: list[Crash]) -> None:
    """Count boundaries anew, and let the next crash happen at its own."""

    def on_boundary(number: int, kind: str, side: str, where: Words) -> None:
        if later and number == later[0].boundary:
            happen(scene, later, Boundary(number, kind, side, where()))

    boundaries.watch(Watch(scene.disk, on_boundary))


def _boot(scene: Scene) -> None:
    try:
        bench.boot(scene.spec, scene.home, scene.world)
    except HomeError as error:
        if "before the campaign began" not in str(error):
            raise
        # It says what to do: nothing has begun, so begin in another home.
        scene.disk.home = scene.home.with_name(scene.home.name + "-again")
        bench.boot(scene.spec, scene.home, scene.world)


def _victim(target: str) -> computer.Process | None:
    name = {"daemon": "night", "optimizer": "orchestrator.optimizer.service"}.get(target)
    for process in computer.processes:
        if not process.dead and (process.name == name or (name is None and process.station == target)):
            return process
    return None


# --- the verdict ------------------------------------------------------------------------------------------


def record(world: World, home: Path, trouble: str = "", operators: Operators | None = None) -> dict[str, Any]:
    """What became of the night in `home`, by its journal, its files and the world's own log."""
    boundaries.watch(Watch(None, lambda number, kind, side, where: None))  # it is over
    world.lab.now()
    verdict = judge(world.log.entries, read_journal(home / "journal.db"))
    if trouble:
        verdict.trouble.append(trouble)
    if operators is not None:
        verdict.trouble += operators.trouble + misled(operators.said, verdict.end.partition(":")[0])
    verdict.unsafe += _left_on(world)
    witness = home / WORLD
    witness.write_text("".join(json.dumps(entry) + "\n" for entry in world.log.entries))
    verdict.audit += aftermath.audit(home, witness)
    return {"verdict": asdict(verdict), "clean": verdict.clean}


def _left_on(world: World) -> list[str]:
    """What is not in its safe state."""
    chamber, magnet = world.lab.chamber, world.lab.magnetometer.magnet
    found = [f"{name}: output on" for name, gun in chamber.guns.items() if gun.on]
    found += [f"{name}: shutter open" for name, gun in chamber.guns.items() if gun.shutter_open]
    found += ["substrate shutter open"] if chamber.crystal.substrate_shutter_open else []
    found += [f"gas set to {chamber.gas.setpoint_sccm:g} sccm"] if chamber.gas.setpoint_sccm > 0 else []
    found += [f"magnet at {magnet.current_a:.2f} A"] if abs(magnet.current_a) > 0.05 else []
    return found
