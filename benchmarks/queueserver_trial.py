"""What a trial is, and what is told of it: the same for both controllers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.queueserver_world import FILMS, TrialError, World
from orchestrator.campaign.labspec import LabSpec

GROWN_LAB_S = 30.0
"""How long A has grown, lab seconds, when the fault comes "while A grows": about half of its film."""
RESTART_S = 2.0
"""After so many real seconds a service supervisor starts again what has ended."""
MADE_S = 300.0
"""Real seconds within which A is made, or the trial is void."""

Act = Callable[[], None]

DEPOSITED, GROWING = "just after A was deposited", "while A grows"


@dataclass(frozen=True)
class Fault:
    """`name` is what `--faults` takes; `lab_pace` slows the lab down, for outages while a film grows.

    `kind` is what happens.
    """

    name: str
    kind: str
    what: str
    when: str = DEPOSITED
    lab_pace: float = 1.0

    def __str__(self) -> str:
        return f"{self.what}, {self.when}" if self.kind != "none" else self.what


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("none", "none", "none"),
        Fault("worker", "worker", "the worker is killed"),
        Fault("all", "all", "every process of the controller is killed"),
        Fault("power", "power", "the same, and Redis with them, as in a power cut"),
        Fault("power-aof", "power", "the same, Redis told to keep an append-only file"),
        Fault("redis-killed", "redis-killed", "Redis is killed, and is back at once"),
        Fault("redis-restarted", "redis-restarted", "Redis is restarted in good order"),
        Fault("redis-restarted-asked", "redis-restarted", "the same, and a client asks for the queue"),
        Fault("manager", "manager", "the manager (the daemon) is killed"),
        Fault("worker-growing", "worker", "the worker is killed", GROWING, 0.1),
        Fault("all-growing", "all", "every process of the controller is killed", GROWING, 0.1),
    )
}


@dataclass(frozen=True)
class Bench:
    """What every trial is given.  `patience_s`: how long, real seconds, a queue that does nothing is watched."""

    lab_path: Path
    lab: LabSpec
    speed: float
    seed: int
    patience_s: float

    @property
    def both_films_s(self) -> float:
        """Real seconds within which a controller that goes on has made and measured both films."""
        return 60.0 + 4000.0 / self.speed

    def paced(self, fault: Fault) -> Bench:
        return replace(self, speed=self.speed * fault.lab_pace)


@dataclass
class Outcome:
    """What came of one fault.

    `noticed_s`: real seconds from the fault until the controller knew of it by itself, None if it never did;
    counted from its restart for a controller that was killed itself (`noticed_at` says which).
    `within`: whether the fault came before the controller knew that the deposition was over.
    `alone`: whether it went on by itself; `person`: what a person had to do.  `kept`: what it still knew of.
    `void`: why there is nothing to tell.
    """

    controller: str
    fault: str
    seed: int = 0
    noticed_s: float | None = None
    noticed_at: str = ""
    watched_s: float = 0.0
    within: bool = True
    alone: bool = False
    left_alone: dict[str, str] = field(default_factory=dict)
    person: list[str] = field(default_factory=list)
    kept: str = ""
    films: dict[str, dict[str, Any]] = field(default_factory=dict)
    fates: dict[str, str] = field(default_factory=dict)
    hazards: list[str] = field(default_factory=list)
    record: list[str] = field(default_factory=list)
    wall_s: float = 0.0
    void: str = ""

    def witness(self, world: World) -> None:
        """Take down how things ended, by the world log."""
        films = {name: world.film(name) for name in FILMS}
        self.films = {name: asdict(film) for name, film in films.items()}
        self.fates = {name: film.fate for name, film in films.items()}
        self.hazards = world.hazards()


def fates(world: World) -> dict[str, str]:
    return {name: world.film(name).fate for name in FILMS}


def finished(world: World) -> bool:
    """Both films have been measured."""
    return all(world.film(name).measured for name in FILMS)


def await_moment(world: World, fault: Fault, alive: Callable[[], None], aim: Callable[[], Act]) -> Act:
    """Wait until the fault is due, by the world log alone; what then makes it happen.

    `aim` finds out beforehand, while A grows, whom to kill: looking for processes takes longer than the step's rest.
    """
    world.await_event("film_begun", "A", MADE_S, alive)
    act = aim()
    if fault.when == GROWING:
        time.sleep(world.clock.real_s(GROWN_LAB_S))
        if any(new["event"] == "film_finished" for new in world.look()):
            raise TrialError("A was finished before the fault could come")
    else:
        world.await_event("film_finished", "A", MADE_S, alive)
    return act
