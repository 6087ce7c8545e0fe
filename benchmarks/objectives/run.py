"""Hypervolume against experiments on tables with several targets: our optimizer beside its peers.

    python -m benchmarks.objectives --data DIR [--agents nightshift,...] [--problem "NAME;..."] [--seeds 20]
        [--budget 40] [--first 5] [--here] [--only-cached] [--json]

Every search of a seed begins with the same random rows.  The reference point is told to all that take one.  A figure is
the share of the whole pool's hypervolume that was found; `mean` is its mean over all experiments after the first ones.
Outcomes are kept in --cache, so that a comparison goes on where the last one stopped.  The peers are those of
`benchmarks.optimizer`, in the same environment (--env).  Seconds are those of the processor, in the agent's process.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.objectives.problems import Problem, read_problems
from benchmarks.objectives.table import Searches, as_plain, as_text
from benchmarks.optimizer import environment
from benchmarks.optimizer.pools import PoolError
from benchmarks.optimizer.process import AgentFailed, AgentGone, AgentProcess, Took
from benchmarks.optimizer.roster import Agent, Entrant, UnknownAgent, entrants

FOLDER = Path.home() / ".cache" / "nightshift" / "objectives-results"
AGENTS = {
    agent.name: agent
    for agent in (
        Agent("nightshift", "several_ours.py", ("nightshift-lab",), ours=True),
        Agent(
            "nightshift-parego",
            "several_ours.py",
            ("nightshift-lab",),
            {"acquisition": "scalarised", "trade_off": "random"},
            ours=True,
        ),
        Agent("botorch-qlognehvi", "several_botorch.py", ("botorch", "gpytorch", "torch")),
        Agent("botorch-qlogehvi", "several_botorch.py", ("botorch", "gpytorch", "torch"), {"noisy": False}),
        Agent("physbo-hvpi", "several_physbo.py", ("physbo",)),
        Agent("physbo-ehvi", "several_physbo.py", ("physbo",), {"score": "EHVI"}),
        Agent("random", "at_random.py", ("numpy",)),
    )
}
COMPARED = ("nightshift", "botorch-qlognehvi", "physbo-hvpi", "physbo-ehvi", "random")


@dataclass(frozen=True)
class Task:
    """One search that is to be made."""

    entrant: Entrant
    problem: Problem
    seed: int
    budget: int
    first: int

    @property
    def key(self) -> str:
        told = (self.problem.digest, self.entrant.name, self.entrant.version, self.seed, self.budget, self.first)
        return json.dumps(told)


@dataclass(frozen=True)
class Search:
    """The rows that were asked for, and the seconds of each decision; `error` says why it ended early."""

    rows: tuple[int, ...]
    decisions: tuple[Took, ...]
    error: str = ""


class Cache:
    """Searches by key, one JSON line each; several processes may add to it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "searches.jsonl"
        self._kept: dict[str, Search] = {}
        for line in self._file.read_text().splitlines() if self._file.exists() else []:
            key, told = json.loads(line)
            self._kept[key] = Search(tuple(told["rows"]), tuple(Took(*took) for took in told["decisions"]))

    def get(self, task: Task) -> Search | None:
        return self._kept.get(task.key)

    def put(self, task: Task, search: Search) -> None:
        self._kept[task.key] = search
        if search.error:
            return  # it is made again the next time
        told = {"rows": search.rows, "decisions": [[round(t.wall, 4), round(t.cpu, 4)] for t in search.decisions]}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as lines:
            fcntl.flock(lines, fcntl.LOCK_EX)
            lines.write(json.dumps([task.key, told]) + "\n")


def search(process: AgentProcess, task: Task, inputs: Path) -> Search:
    """Raises `AgentGone`."""
    problem = task.problem
    rows: list[int] = np.random.default_rng(task.seed).choice(len(problem.X), task.first, replace=False).tolist()
    decisions: list[Took] = []
    reference = problem.reference.tolist()
    try:
        process.begin(inputs, problem.features, problem.composition, task.seed, task.budget, reference=reference)
        for row in rows:
            process.tell(row, problem.Y[row].tolist())  # type: ignore[arg-type]  # JSON takes it as it is
        told = Took()
        while len(rows) < task.budget:
            row, took = process.ask([])
            decisions.append(told + took)
            if row in rows:
                raise AgentFailed(f"row {row} was asked for twice")
            rows.append(row)
            told = process.tell(row, problem.Y[row].tolist())  # type: ignore[arg-type]
    except AgentFailed as error:
        return Search(tuple(rows), tuple(decisions), str(error))
    return Search(tuple(rows), tuple(decisions))


def fill(tasks: Sequence[Task], cache: Cache, threads: int) -> list[str]:
    """Make the searches that are missing; in words, those that could not be made."""
    troubles: list[str] = []
    missing = [task for task in tasks if cache.get(task) is None]
    with tempfile.TemporaryDirectory(prefix="objectives-") as folder:
        for number, task in enumerate(missing, 1):
            inputs = Path(folder) / f"{task.problem.digest}.npy"
            np.save(inputs, task.problem.X)
            with AgentProcess(task.entrant, threads) as process:
                try:
                    done = search(process, task, inputs)
                except AgentGone as error:
                    done = Search((), (), str(error))
            cache.put(task, done)
            where = f"{task.entrant.name}, {task.problem.name}, seed {task.seed}"
            if done.error:
                troubles.append(f"{where}: {done.error.strip().splitlines()[-1]}")
            found = done.error or f"{task.problem.found(done.rows)[-1]:.3f}"
            print(f"{number}/{len(missing)} {where}: {found}", file=sys.stderr)
    return troubles


def main(arguments: Sequence[str] | None = None) -> int:
    """0: a table was made; 1: searches could not be made; 2: nothing to compare."""
    given = _arguments(arguments)
    names = given.problem.split(";") if given.problem else None
    try:
        problems, missing = read_problems(given.problems, given.data, names)
        found, left_out = entrants(given.agents.split(","), None if given.here else given.env, AGENTS)
    except (PoolError, UnknownAgent) as error:
        print(error, file=sys.stderr)
        return 2
    for words in [*missing, *left_out]:
        print(words, file=sys.stderr)
    if not problems or not found:
        print("nothing to compare: no problem has its table, or no agent can be started", file=sys.stderr)
        return 2
    cache = Cache(given.cache)
    tasks = [
        Task(who, problem, seed, given.budget, given.first)
        for seed in range(given.seeds)
        for problem in problems
        for who in found
    ]
    troubles = [] if given.only_cached else fill(tasks, cache, given.threads)
    made: Searches = {}
    for task in tasks:
        if (done := cache.get(task)) is not None and not done.error:
            seconds = [took.cpu for took in done.decisions]
            curve = task.problem.found(done.rows)
            made.setdefault(task.problem.name, {}).setdefault(task.entrant.name, {})[task.seed] = (curve, seconds)
    if not made:
        print("no search has been made yet", file=sys.stderr)
        return 2
    said = json.dumps(as_plain(made, given.first), indent=1) if given.json else as_text(made, given.first)
    print(said)
    for entrant in found:
        print(f"{entrant.name}: {entrant.version}", file=sys.stderr)
    for words in troubles:
        print(words, file=sys.stderr)
    return 1 if troubles else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.objectives",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--problems", type=Path, default=Path(__file__).parent / "problems.toml")
    parser.add_argument("--data", type=Path, required=True, help="folder with the tables")
    parser.add_argument("--problem", help="only the problems of these names, separated by semicolons")
    parser.add_argument("--agents", default=",".join(COMPARED), help=f"of {', '.join(AGENTS)}")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=40, help="experiments, the first ones included")
    parser.add_argument("--first", type=int, default=5, help="random experiments that all agents share")
    parser.add_argument("--threads", type=int, default=1, help="of each agent's numerical libraries")
    parser.add_argument("--env", type=Path, default=environment.FOLDER, help="the peers' environment")
    parser.add_argument("--here", action="store_true", help="peers in this environment: those that it has")
    parser.add_argument("--cache", type=Path, default=FOLDER)
    parser.add_argument("--only-cached", action="store_true", help="make no search, tabulate what is there")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    given = parser.parse_args(arguments)
    if given.first < 2 or given.budget <= given.first or given.seeds < 1:
        parser.error("first is at least 2, budget more than first, seeds at least 1")
    return given
