"""Nights crashed at many of their boundaries, each crash in a fork of the process that runs the night.

The fork inherits the simulated lab as it is at that moment, and the files; it starts our computer anew and runs the
night to its end.  Meanwhile the first process goes on to the next boundary.
"""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tests.chaos.emulated import bench, boundaries, computer, crash
from tests.chaos.emulated.boundaries import Boundary, Watch, Words
from tests.chaos.emulated.crash import Crash, Scene
from tests.chaos.emulated.disk import Disk

AT_ONCE = max(2, os.cpu_count() or 1)
PATIENCE_S = 60.0
"""Real seconds after which what follows a crash counts as hung."""
MEMORY = Path("/dev/shm")
RECORD = "record.json"
COMMAND = "python -m tests.chaos.emulated"

Record = dict[str, Any]
Plan = Mapping[int, list[list[Crash]]]
"""By the number of a boundary: what to let happen there, each a crash and those of its aftermath."""


class NotClean(Exception):
    """The night is not clean even undisturbed."""


class Night:
    """The night of one seed, to be run any number of times, always the same."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.spec = bench.spec(seed)

    def boundaries(self) -> list[Boundary]:
        """All of them, from running it once undisturbed.  Raises `NotClean`."""
        passed: list[Boundary] = []

        def on_boundary(number: int, kind: str, side: str, where: Words) -> None:
            passed.append(Boundary(number, kind, side, where()))

        with _folder() as place:
            disk = Disk(place / "home")
            world = self._begin(Watch(disk, on_boundary))
            bench.boot(self.spec, disk.home, world)
            told = crash.record(world, disk.home)
        if not told["clean"]:
            raise NotClean(f"seed {self.seed}, undisturbed: {told['verdict']}")
        return passed

    def crashed(self, plan: Plan, on_record: Callable[[Record], None]) -> None:
        """Run it with everything in `plan`; `on_record` is given what became of each, in any order."""
        with _folder() as place:
            nursery = Nursery(self.seed, place, on_record)
            for crashes in (crashes for several in plan.values() for crashes in several):
                if crashes[0].target != "all" and (folder := nursery.fork(crashes)) is not None:
                    self._survived_in(folder, crashes)
            self._ended_in(nursery, place / "home", plan)
            nursery.wait()

    def _ended_in(self, nursery: Nursery, home: Path, plan: Plan) -> None:
        """The night in `home`, with a fork at each crash that ends everything."""
        disk = Disk(home)

        def on_boundary(number: int, kind: str, side: str, where: Words) -> None:
            for crashes in plan.get(number, ()):
                if crashes[0].target == "all" and (folder := nursery.fork(crashes, disk)) is not None:
                    with _told_in(folder):
                        scene = Scene(self.spec, world, disk, folder, _finish(folder))
                        crash.happen(scene, crashes, Boundary(number, kind, side, where()))

        world = self._begin(Watch(disk, on_boundary))
        bench.boot(self.spec, home, world)

    def _survived_in(self, folder: Path, crashes: list[Crash]) -> NoReturn:
        """In a fork: the whole night again, whose files nobody shares with those who survive."""
        disk = Disk(folder / "home")

        def on_boundary(number: int, kind: str, side: str, where: Words) -> None:
            if number == crashes[0].boundary:
                crash.happen(scene, crashes, Boundary(number, kind, side, where()))

        with _told_in(folder):
            scene = Scene(self.spec, self._begin(Watch(disk, on_boundary)), disk, folder, _finish(folder))
            crash.outlast(scene, lambda: bench.boot(self.spec, disk.home, scene.world))
        raise AssertionError("a scene that ended without a record")

    def _begin(self, watch: Watch) -> bench.World:
        world = bench.begin_world(self.spec, self.seed)
        computer.processes.clear()
        boundaries.watch(watch)
        return world


@dataclass(frozen=True)
class Child:
    """A fork under way: its process, its folder, what it was made for, and when (real s)."""

    pid: int
    place: Path
    known: Record
    began: float


class Nursery:
    """The forks that are under way."""

    def __init__(self, seed: int, place: Path, on_record: Callable[[Record], None]) -> None:
        self._seed = seed
        self._place = place
        self._on_record = on_record
        self._running: dict[int, Child] = {}  # by the descriptor that tells of its end
        self._count = 0

    def fork(self, crashes: list[Crash], disk: Disk | None = None) -> Path | None:
        """In the fork, a folder of its own; None in the process that goes on.

        `disk` is what the first crash leaves: it is copied now, before whoever goes on writes to it.
        """
        self.wait(AT_ONCE - 1)
        self._count += 1
        folder = self._place / str(self._count)
        folder.mkdir()
        if disk is not None:
            disk.image(crashes[0].loss, crash.left_of(folder, 1))
        if (pid := os.fork()) == 0:
            return folder
        replay = f"{COMMAND} --seed {self._seed} --crash {','.join(map(str, crashes))}"
        known = {"seed": self._seed, "crashes": [str(crash) for crash in crashes], "replay": replay}
        self._running[os.pidfd_open(pid)] = Child(pid, folder, known, time.perf_counter())
        return None

    def wait(self, left: int = 0) -> None:
        """Until no more than `left` are under way."""
        while len(self._running) > left:
            for descriptor in select.select(list(self._running), [], [], 1.0)[0]:
                self._came(descriptor)
            for child in self._running.values():
                if time.perf_counter() - child.began > PATIENCE_S:
                    os.kill(child.pid, signal.SIGKILL)

    def _came(self, descriptor: int) -> None:
        child = self._running.pop(descriptor)
        os.close(descriptor)
        code = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
        try:
            record = json.loads((child.place / RECORD).read_text())
        except (OSError, ValueError):
            record = _broken(f"it hung for {PATIENCE_S:.0f} s" if code == -signal.SIGKILL else f"exit code {code}")
        shutil.rmtree(child.place, ignore_errors=True)
        self._on_record({**child.known, **record, "wall_s": time.perf_counter() - child.began})


@contextmanager
def _told_in(folder: Path) -> Iterator[None]:
    """What goes wrong in a fork, here and not in the night, is told: nobody else can."""
    try:
        yield
    except Exception:  # noqa: BLE001 - as above
        _finish(folder)(_broken(traceback.format_exc()))


def _broken(why: str) -> Record:
    return {"trail": [], "clean": False, "verdict": {"trouble": [f"no verdict: {why}"]}}


def _finish(folder: Path) -> crash.Finish:
    def finish(record: Record) -> NoReturn:
        (folder / RECORD).write_text(json.dumps(record))
        os._exit(0)

    return finish


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in memory, if there is such a place: syncing costs nothing there."""
    path = Path(tempfile.mkdtemp(prefix="emulated-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def prepare() -> None:
    """Once, before anything: replace what has to be replaced, and make forks cheap."""
    bench.install()
    boundaries.install()
    gc.disable()
    gc.freeze()
