"""A queue of films A and B on bluesky-queueserver, a fault just after A was deposited, and what came of it.

Nothing but queueserver's own means is used: its RE manager with its watchdog, a startup script, a queue of
plans, and after the fault what an operator does who finds the queue stopped and does not know what the
world log knows: destroy an environment that does not answer, open one, start the queue as it stands.  A
program that ended is started again after `RESTART_S`, as a service supervisor would.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import queueserver_processes as processes
from benchmarks.queueserver_env import Environment
from benchmarks.queueserver_trial import RESTART_S, Act, Bench, Fault, Outcome, await_moment, fates, finished
from benchmarks.queueserver_world import FILMS, TrialError, World

PROFILE = Path(__file__).parent / "queueserver_profile"
REPOSITORY = Path(__file__).parent.parent
START_S = 60.0
LOOK_S = 0.1
QUIET_S = 4.0
"""A queue that has been idle for so long, real seconds, does not go on by itself."""
OPERATOR = {"user": "operator", "user_group": "primary"}

REDIS_OPTIONS = {"power-aof": ("--appendonly", "yes")}
"""By fault."""

Status = dict[str, Any]


def film_items(name: str, slot: int) -> list[dict[str, Any]]:
    """One item a film."""
    return [{"name": "film", "kwargs": {"sample": name, "slot": slot}}]


def step_items(name: str, slot: int) -> list[dict[str, Any]]:
    """One item a step."""

    def carry(source: str, destination: str) -> dict[str, Any]:
        return {"name": "carry", "kwargs": {"source": source, "destination": destination}}

    home = f"cassette/{slot}"
    return [
        carry(home, "deposition"),
        {"name": "deposit", "kwargs": {"sample": name}},
        carry("deposition", "magnetometry"),
        {"name": "measure", "kwargs": {"sample": name}},
        carry("magnetometry", home),
    ]


ITEMS = {"one item a film": film_items, "one item a step": step_items}


class Queueserver:
    """One bluesky-queueserver with its Redis, and the operator at it."""

    def __init__(
        self, environment: Environment, world: World, lab: Path, folder: Path, redis_options: Sequence[str] = ()
    ) -> None:
        self._environment, self._folder = environment, folder
        self._redis_options = redis_options
        self._control, self._info, self._redis_port = (processes.free_port() for _ in range(3))
        self._pid_file = folder / "worker.pid"
        config = folder / "profile.json"
        config.write_text(
            json.dumps(
                {
                    "lab": str(lab.resolve()),
                    "addresses": world.addresses,
                    "clock": world.clock.spec(),
                    "worker_pid": str(self._pid_file),
                }
            )
        )
        self._variables = {"NIGHTSHIFT_BENCHMARK": str(config), "PYTHONPATH": str(REPOSITORY)}
        self.console = folder / "queueserver.log"
        self._programs: list[subprocess.Popen[Any]] = []
        with self.console.open("ab") as said:
            self._bridge = subprocess.Popen(
                [str(environment.python), str(PROFILE / "bridge.py"), f"tcp://127.0.0.1:{self._control}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                bufsize=1,
            )
        self._programs.append(self._bridge)

    # --- programs -------------------------------------------------------------------------------------

    def __enter__(self) -> Queueserver:
        self.start_redis()
        self.start_manager()
        return self

    def __exit__(self, *_: object) -> None:
        """End every program; idempotent."""
        for program in self._programs:
            processes.kill(*processes.tree(program.pid))
            program.wait(START_S)
        for pipe in (self._bridge.stdin, self._bridge.stdout):
            if pipe is not None:
                pipe.close()

    def start_redis(self) -> None:
        """Redis in its default configuration but for `redis_options`, on its own port of the loopback."""
        self._redis = processes.launch(
            [
                str(self._environment.redis),
                "--port",
                str(self._redis_port),
                "--bind",
                "127.0.0.1",
                *self._redis_options,
            ],
            self._folder / "redis.log",
            {},
        )
        self._programs.append(self._redis)

    def start_manager(self) -> None:
        self._program = processes.launch(
            [
                str(self._environment.python.with_name("start-re-manager")),
                *("--zmq-control-addr", f"tcp://127.0.0.1:{self._control}"),
                *("--zmq-info-addr", f"tcp://127.0.0.1:{self._info}"),
                *("--redis-addr", f"127.0.0.1:{self._redis_port}"),
                *("--startup-script", str(PROFILE / "startup.py")),
                *("--existing-plans-devices", str(self._folder)),
                *("--user-group-permissions", str(PROFILE / "user_group_permissions.yaml")),
            ],
            self.console,
            self._variables,
        )
        self._programs.append(self._program)
        self._await("the RE manager to answer", lambda s: s.get("manager_state") == "idle")

    @property
    def worker(self) -> int:
        return int(self._pid_file.read_text())

    @property
    def manager(self) -> int:
        """The RE manager: the watchdog's other child."""
        others = [pid for pid in processes.children(self._program.pid) if pid != self.worker]
        if not others:
            raise TrialError("the watchdog has no RE manager")
        return others[0]

    # --- faults ---------------------------------------------------------------------------------------

    def aim(self, fault: Fault) -> Act:
        """What makes `fault` happen, all of it looked up."""
        everything = processes.tree(self._program.pid)
        match fault.kind:
            case "none":
                return lambda: None
            case "worker":
                return partial(processes.kill, self.worker)
            case "manager":
                return partial(processes.kill, self.manager)
            case "all":
                return partial(processes.kill, *everything)
            case "power":
                return partial(processes.kill, *everything, self._redis.pid)
            case "redis-killed":
                return partial(self._redis.send_signal, signal.SIGKILL)
            case "redis-restarted":
                return partial(self._redis.send_signal, signal.SIGTERM)
        raise TrialError(f"{fault.kind}: there is nothing like it here")

    def await_other_manager(self) -> None:
        """Wait until the watchdog has started another RE manager in place of the one that was killed."""
        until = time.monotonic() + START_S
        while not any(pid != self.worker for pid in processes.children(self._program.pid)):
            if time.monotonic() > until:
                raise TrialError(f"the watchdog started no RE manager in {START_S:g} s; see {self.console}")
            time.sleep(LOOK_S)

    def redis_again(self) -> None:
        """Start Redis again as soon as it has ended."""
        self._redis.wait(START_S)
        self.start_redis()

    def ensure_programs(self) -> None:
        """What a service supervisor does: start again what has ended."""
        if self._redis.poll() is not None:
            self.start_redis()
        if self._program.poll() is not None:
            self.start_manager()

    # --- the operator ---------------------------------------------------------------------------------

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One request to the RE manager; {"unreachable": why} if it does not answer."""
        assert self._bridge.stdin is not None
        assert self._bridge.stdout is not None
        self._bridge.stdin.write(json.dumps({"method": method, "params": params}) + "\n")
        self._bridge.stdin.flush()
        answer: dict[str, Any] = json.loads(self._bridge.stdout.readline())
        return answer

    def command(self, method: str, **params: Any) -> None:
        """A request that must be granted.  Raises `TrialError`."""
        answer = self.ask(method, **params)
        if not answer.get("success"):
            raise TrialError(f"{method} was refused: {answer.get('msg') or answer}")

    def status(self) -> Status:
        return self.ask("status")

    def open_environment(self) -> None:
        self.command("environment_open")
        self._await("the environment to open", _ready)

    def submit(self, items: Sequence[dict[str, Any]]) -> None:
        for item in items:
            self.command("queue_item_add", item={"item_type": "plan", **item}, **OPERATOR)

    def attend(self) -> list[str]:
        """What an operator does who finds the queue not running; the steps taken."""
        taken = []
        state = self.status()
        if state["worker_environment_exists"] and state["manager_state"] != "idle":
            self.command("environment_destroy")
            self._await("the environment to be destroyed", lambda s: not s.get("worker_environment_exists", True))
            taken.append("destroys the environment")
        if not self.status()["worker_environment_exists"]:
            self.open_environment()
            taken.append("opens one")
        if self.status()["items_in_queue"]:
            self.command("queue_start")
            taken.append("starts the queue")
        return taken

    def follow(self, patience_s: float, until: Callable[[Status], bool] = lambda _: False) -> float | None:
        """Watch until the queue is at rest or `until` holds; after how many seconds it did, if it did."""
        begun = quiet = time.monotonic()
        while (now := time.monotonic()) - begun < patience_s:
            state = self.status()
            if until(state):
                return now - begun
            if "unreachable" in state or state["manager_state"] != "idle":
                quiet = now
            if now - quiet > QUIET_S:
                return None
            time.sleep(LOOK_S)
        return None

    def queue(self) -> list[str]:
        """Items that still wait or run, in words."""
        answer = self.ask("queue_get")
        running = [answer["running_item"]] if answer.get("running_item") else []
        return [_words(item) for item in (*running, *answer.get("items", []))]

    def history(self) -> list[str]:
        """Items that ended, in words."""
        items = self.ask("history_get").get("items", [])
        return [
            f"{_words(item)}: {item['result']['exit_status']} {_last(item['result']['msg'])}".strip() for item in items
        ]

    def alive(self) -> None:
        """Raises `TrialError` if the queue is at rest."""
        state = self.status()
        if state.get("manager_state") == "idle":
            raise TrialError(f"the queue stopped by itself: {self.history()[-1:]}, see {self.console}")

    def _await(self, what: str, ready: Callable[[Status], bool]) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if ready(self.status()):
                return
            time.sleep(LOOK_S)
        raise TrialError(f"waited {START_S:g} s for {what}; see {self.console}")


def _ready(state: Status) -> bool:
    return state.get("manager_state") == "idle" and state.get("worker_environment_state") == "idle"


def _words(item: dict[str, Any]) -> str:
    return f"{item['name']}({', '.join(str(value) for value in item['kwargs'].values())})"


def _last(message: str) -> str:
    return message.strip().splitlines()[-1] if message.strip() else ""


# --- a trial ------------------------------------------------------------------------------------------


def trial(environment: Environment, bench: Bench, fault: Fault, items: str, folder: Path) -> Outcome:
    """One fault on queueserver, with a queue of `items` (a key of `ITEMS`)."""
    outcome = Outcome(f"queueserver, {items}", fault.name, bench.seed)
    with (
        World(bench.lab, folder, seed=bench.seed, speed=bench.speed) as world,
        Queueserver(environment, world, bench.lab_path, folder, REDIS_OPTIONS.get(fault.name, ())) as server,
    ):
        server.open_environment()
        queue = [item for name, slot in FILMS.items() for item in ITEMS[items](name, slot)]
        server.submit(queue)
        server.command("queue_start")
        act = await_moment(world, fault, server.alive, partial(server.aim, fault))
        act()
        begun = time.monotonic()
        _watch(server, fault, outcome, bench.both_films_s if fault.kind == "none" else bench.patience_s)
        outcome.watched_s = time.monotonic() - begun
        outcome.alone = finished(world)
        outcome.left_alone = fates(world)
        outcome.within = outcome.alone or not any(line.startswith(_OVER) for line in server.history())
        outcome.kept = _kept([_words(item) for item in queue], server)
        if not outcome.alone:
            outcome.person = server.attend()
            server.follow(bench.both_films_s)
        if server.status()["items_in_queue"]:
            outcome.person.append(f"and again: {server.history()[-1]}")
        outcome.record = server.history()
        outcome.witness(world)
    return outcome


def _watch(server: Queueserver, fault: Fault, outcome: Outcome, patience_s: float) -> None:
    """See whether the fault is noticed, and wait until the queue is at rest or patience ends."""
    begun = time.monotonic()
    outcome.noticed_at = "after the fault"
    match fault.kind:
        case "worker":
            outcome.noticed_s = server.follow(patience_s, _worker_is_gone)
        case "manager":
            server.await_other_manager()
            outcome.noticed_s = time.monotonic() - begun
        case "all" | "power":
            time.sleep(RESTART_S)
            begun = time.monotonic()
            server.ensure_programs()
            if any(": unknown" in line for line in server.history()):
                outcome.noticed_s, outcome.noticed_at = time.monotonic() - begun, "after the restart"
        case "redis-killed" | "redis-restarted":
            server.redis_again()
            if fault.name.endswith("-asked"):
                server.queue()
    server.follow(patience_s - (time.monotonic() - begun))


_OVER = ("deposit(A): completed", "film(A, 1): completed")


def _worker_is_gone(state: Status) -> bool:
    return not state.get("worker_environment_exists", True) or state.get("manager_state") == "idle"


def _kept(submitted: list[str], server: Queueserver) -> str:
    """How many of the submitted items it still knows of, waiting or ended."""
    known = [*server.queue(), *(line.split(": ")[0] for line in server.history())]
    still = sum(item in known for item in submitted)
    if still == len(submitted):
        return "all kept"
    return f"{still} of {len(submitted)} items kept" if still else "**all lost**"
