"""Experiments to the first of the best 1 % of measured pools: our optimizer beside its peers.

    python -m benchmarks.optimizer --pools benchmarks/optimizer/pools.toml --data DIR
        [--agents nightshift,baybe,...] [--seeds 20] [--budget 60] [--first 5] [--split tune|held-out]
        [--noise] [--failures 0.1] [--region 0.2] [--pending 4] [--jobs 1] [--here] [--only-cached] [--json]

Every search of a seed begins with the same random rows, and a row measured for the same time shows every agent
the same.  The first agent named is compared with each of the others.  Outcomes are kept in --cache by the
pool's content, the agent, its version, the seed and the mode, so that a comparison goes on where the last one
stopped; several processes may work on it at once.

The peers' newest releases are installed into an environment of their own (--env).  What cannot be installed, a
table that is missing in DIR and a search that fails are said on stderr and in the table.  Each agent runs in a
process with the same thread limit; seconds are only worth comparing on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.optimizer import environment
from benchmarks.optimizer.cache import FOLDER, Cache, Key
from benchmarks.optimizer.pools import SPLITS, Pool, PoolError, PoolSpec, read_pool, read_specs
from benchmarks.optimizer.process import AgentFailed, AgentGone, AgentProcess
from benchmarks.optimizer.roster import AGENTS, COMPARED, Entrant, UnknownAgent, entrants
from benchmarks.optimizer.search import Mode, Outcome, Plan, inputs_file, search
from benchmarks.optimizer.table import Findings, Results, as_json, as_text

SEEDS = 20
INTERRUPTED = 130
MOST_REGION = 0.5  # beyond, most good rows may not be left outside of it


@dataclass(frozen=True)
class Task:
    """One search that is to be made."""

    entrant: Entrant
    pool: Pool
    seed: int
    plan: Plan

    @property
    def key(self) -> Key:
        return Key(self.pool.digest, self.entrant.name, self.entrant.version, self.seed, self.plan)


@dataclass
class Work:
    """Tasks taken by one worker at a time; each worker keeps its agent's process from task to task."""

    tasks: queue.SimpleQueue[Task]
    total: int
    cache: Cache
    inputs: Path
    threads: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    troubles: list[str] = field(default_factory=list)
    stopped: bool = False

    def work(self) -> None:
        """Until no task is left."""
        process: AgentProcess | None = None
        of: Entrant | None = None
        try:
            while not self.stopped and (task := self._next()) is not None:
                if process is None or of is not task.entrant:
                    if process is not None:
                        process.close()
                    process, of = AgentProcess(task.entrant, self.threads), task.entrant
                if not self._make(process, task):
                    process.close()
                    process = None
        finally:
            if process is not None:
                process.close()

    def _next(self) -> Task | None:
        """The next task that no other process has done meanwhile."""
        while True:
            try:
                task = self.tasks.get_nowait()
            except queue.Empty:
                return None
            with self.lock:
                if self.cache.get(task.key) is None:
                    return task

    def _make(self, process: AgentProcess, task: Task) -> bool:
        """Whether the process can go on with another task."""
        try:
            outcome = attempt(process, task, self.inputs)
        except AgentGone as error:
            if not self.stopped:
                self._say(f"{task.entrant.name}, {task.pool.name}, seed {task.seed}: {error}")
            return False
        with self.lock:
            self.cache.put(task.key, outcome)
            _progress(task, outcome, self.total - self.tasks.qsize(), self.total)
        return outcome.error is None

    def _say(self, words: str) -> None:
        with self.lock:
            self.troubles.append(words)


def attempt(process: AgentProcess, task: Task, inputs: Path) -> Outcome:
    """The search of `task`.  Raises `AgentGone`; an error that the agent reports is an outcome."""
    spec, plan = task.pool.spec, task.plan
    file = inputs_file(task.pool, inputs)
    try:
        process.begin(file, spec.features, spec.composition, task.seed, plan.budget)
    except AgentFailed as error:
        return Outcome(None, (), (), str(error))
    return search(process, task.pool, task.seed, plan, own_start=task.entrant.agent.own_start)


def fill(tasks: Sequence[Task], cache: Cache, jobs: int, threads: int) -> list[str]:
    """Make the searches that are missing in the cache; in words, those that could not be made."""
    missing = [task for task in tasks if cache.get(task.key) is None]
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for task in missing:
        waiting.put(task)
    with tempfile.TemporaryDirectory(prefix="optimizer-pools-") as folder:
        for pool in {task.pool.digest: task.pool for task in missing}.values():
            inputs_file(pool, Path(folder))
        work = Work(waiting, len(missing), cache, Path(folder), threads)
        workers = [threading.Thread(target=work.work) for _ in range(min(jobs, len(missing)))]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                worker.join()
        except KeyboardInterrupt:
            work.stopped = True
            _say("stopping after the searches under way; what is done is kept")
            for worker in workers:
                worker.join()
            raise
    return work.troubles


def results(found: Sequence[Entrant], pools: Sequence[Pool], seeds: int, plan: Plan, cache: Cache) -> Results:
    """What the cache has of the comparison."""
    outcomes: Results = {
        pool.name: {entrant.name: _of_seeds(entrant, pool, seeds, plan, cache) for entrant in found} for pool in pools
    }
    return outcomes


def sequential(plan: Plan) -> Plan:
    """The same with no results outstanding."""
    return replace(plan, mode=replace(plan.mode, pending=0))


def _of_seeds(entrant: Entrant, pool: Pool, seeds: int, plan: Plan, cache: Cache) -> dict[int, Outcome]:
    made = {seed: cache.get(Task(entrant, pool, seed, plan).key) for seed in range(seeds)}
    return {seed: outcome for seed, outcome in made.items() if outcome is not None}


def chosen_pools(specs: Sequence[PoolSpec], folder: Path, split: str | None, names: str | None) -> Iterator[Pool]:
    """Those whose tables are there; the others are said on stderr."""
    wanted = None if names is None else names.split(",")
    for spec in specs:
        if (split is None or spec.split == split) and (wanted is None or spec.name in wanted):
            try:
                yield read_pool(spec, folder)
            except PoolError as error:
                _say(f"left out: {error}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.  0: a table was made; 1: searches could not be made; 2: nothing to compare; 130: interrupted."""
    given = _arguments(arguments)
    plan = Plan(given.budget, given.first, Mode(given.noise, given.failures, given.pending, given.region))
    names = given.agents.split(",")
    try:
        pools = list(chosen_pools(read_specs(given.pools), given.data, given.split, given.pool))
        found, left_out = entrants(names, None if given.here else given.env)
    except (PoolError, UnknownAgent) as error:
        _say(str(error))
        return 2
    if not pools or not found:
        _say("\n".join([*left_out, "nothing to compare: no pool has its table, or no agent can be started"]))
        return 2
    cache = Cache(given.cache)
    tasks = [Task(who, pool, seed, plan) for who in found for pool in pools for seed in range(given.seeds)]
    try:
        troubles = [] if given.only_cached else fill(tasks, cache, given.jobs, given.threads)
    except KeyboardInterrupt:
        return INTERRUPTED
    outcomes = results(found, pools, given.seeds, plan, cache)
    alone = results(found, pools, given.seeds, sequential(plan), cache) if plan.mode.pending else {}
    findings = Findings(found, pools, plan, given.seeds, left_out, outcomes, alone)
    print(as_json(findings) if given.json else as_text(findings))
    for words in [*left_out, *troubles]:
        _say(words)
    return 1 if troubles else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.optimizer", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pools", type=Path, default=Path(__file__).parent / "pools.toml")
    parser.add_argument("--data", type=Path, required=True, help="folder with the tables")
    parser.add_argument("--split", choices=SPLITS, help="only this half of the pools")
    parser.add_argument("--pool", help="only the pools of these names, comma-separated")
    parser.add_argument("--agents", default=",".join(COMPARED), help=f"of {', '.join(AGENTS)}")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--budget", type=int, default=60, help="experiments, the first ones included")
    parser.add_argument("--first", type=int, default=5, help="random experiments that all agents share")
    parser.add_argument("--noise", action="store_true", help="measurements are off by a repeat's deviation")
    parser.add_argument("--failures", type=float, default=0.0, help="share of measurements that yield nothing")
    parser.add_argument("--pending", type=int, default=0, help="results outstanding whenever a row is asked for")
    parser.add_argument("--region", type=float, default=0.0, help="share of rows, close together, that always fail")
    parser.add_argument("--jobs", type=int, default=1, help="searches at once")
    parser.add_argument("--threads", type=int, default=1, help="of each agent's numerical libraries")
    parser.add_argument("--env", type=Path, default=environment.FOLDER, help="the peers' environment")
    parser.add_argument("--here", action="store_true", help="peers in this environment: those that it has")
    parser.add_argument("--cache", type=Path, default=FOLDER)
    parser.add_argument("--only-cached", action="store_true", help="make no search, tabulate what is there")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    given = parser.parse_args(arguments)
    if not 0 <= given.failures < 1 or given.pending < 0 or given.first < 1 or given.budget < given.first:
        parser.error("failures is at least 0 and below 1, pending at least 0, budget at least first, first at least 1")
    if not 0 <= given.region <= MOST_REGION:
        parser.error(f"region is from 0 to {MOST_REGION:g}")
    return given


def _progress(task: Task, outcome: Outcome, number: int, total: int) -> None:
    found = "failed" if outcome.error else "-" if outcome.experiments is None else str(outcome.experiments)
    line = f"{number}/{total} {task.entrant.name}, {task.pool.name}, seed {task.seed}: {found}"
    _say(line if outcome.error is None else f"{line}: {outcome.error.strip().splitlines()[-1]}")


def _say(words: str) -> None:
    sys.stderr.write(words + os.linesep)
