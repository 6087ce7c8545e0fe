"""Where the experiments of searches went: until a good region was found, or within it.

    python -m benchmarks.optimizer.stages --data DIR [--agents nightshift,baybe] [--seeds 20] [--budget 60] [--first 5]

Reads the outcomes that `python -m benchmarks.optimizer` keeps in --cache, and makes no search.  Of every pool and
agent, over the seeds that are there: mean experiments to the first row of the best 5 %, 2 % and 1 %, the budget where
there was none; and of the rows that the agent chose, how far they are from the best row until then, in typical
distances of the pool (each input on [0, 1]): the median, and the share nearer than a quarter.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.optimizer import environment
from benchmarks.optimizer.cache import FOLDER, Cache
from benchmarks.optimizer.pools import SPLITS, Pool, PoolError, read_specs
from benchmarks.optimizer.roster import UnknownAgent, entrants
from benchmarks.optimizer.run import chosen_pools, results
from benchmarks.optimizer.search import Outcome, Plan
from orchestrator.optimizer.kernels import typical_distance

Floats = NDArray[np.float64]

SHARES = (0.05, 0.02, 0.01)
NEAR = 0.25  # typical distances
REPRESENTATIVES = 500  # rows by which the typical distance of a pool is told


@dataclass(frozen=True)
class Stages:
    """Of one agent in one pool.

    `experiments` to each of `SHARES`, means; `step` in typical distances and `near` are NaN if it chose no row.
    """

    searches: int
    experiments: tuple[float, ...]
    step: float
    near: float


def stages(pool: Pool, outcomes: Sequence[Outcome], plan: Plan) -> Stages:
    """Of at least one search, with measurements that neither fail nor are noisy."""
    wanted = [pool.best(math.ceil(share * len(pool.y))) for share in SHARES]
    counts = [[reached(good, outcome.rows, plan.budget) for outcome in outcomes] for good in wanted]
    unit = scaled(pool)
    lengths = np.concatenate([steps(unit, pool.y, outcome.rows, plan.first) for outcome in outcomes])
    typical = typical_distance(unit[_representatives(len(unit))], "matern52")
    away = lengths / typical if len(lengths) else np.array([math.nan])
    near = math.nan if not len(lengths) else float(np.mean(away < NEAR))
    return Stages(len(outcomes), tuple(float(np.mean(count)) for count in counts), float(np.median(away)), near)


def reached(good: NDArray[np.bool_], rows: Sequence[int], budget: int) -> int:
    """The number of the first of `rows` that is `good` (m,), from 1; the budget if none is."""
    return next((number for number, row in enumerate(rows, 1) if good[row]), budget)


def steps(unit: Floats, y: Floats, rows: Sequence[int], first: int) -> Floats:
    """How far in `unit` (m, d) each of `rows` after the `first` is from the best by `y` (m,) of those before it."""
    values = y[list(rows)]
    best = [rows[int(np.argmax(values[:count]))] for count in range(first, len(rows))]
    away: Floats = np.linalg.norm(unit[list(rows[first:])] - unit[best], axis=1)
    return away


def scaled(pool: Pool) -> Floats:
    """The inputs (m, d), each divided by its span."""
    span = np.ptp(pool.X, axis=0)
    unit: Floats = pool.X / np.where(span > 0, span, 1.0)
    return unit


def as_text(rows: Iterable[tuple[str, str, Stages]]) -> str:
    """A table of (pool, agent, stages)."""
    shares = " ".join(f"{f'best {share:.0%}':>8}" for share in SHARES)
    lines = [f"{'pool':<26} {'agent':<21} {'searches':>8} {shares} {'step':>6} {'near':>6}"]
    for pool, agent, of in rows:
        counts = " ".join(f"{count:>8.1f}" for count in of.experiments)
        lines.append(f"{pool:<26} {agent:<21} {of.searches:>8} {counts} {of.step:>6.2f} {of.near:>6.0%}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.  0: a table was made; 2: there is nothing to tabulate."""
    given = _arguments(arguments)
    plan = Plan(given.budget, given.first)
    try:
        pools = list(chosen_pools(read_specs(given.pools), given.data, given.split, given.pool))
        found, left_out = entrants(given.agents.split(","), None if given.here else given.env)
    except (PoolError, UnknownAgent) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    made = results(found, pools, given.seeds, plan, Cache(given.cache))
    rows = [
        (pool.name, name, stages(pool, list(outcomes.values()), plan))
        for pool in pools
        for name, outcomes in made[pool.name].items()
        if outcomes
    ]
    for words in left_out:
        sys.stderr.write(f"{words}\n")
    if not rows:
        sys.stderr.write(f"{given.cache} has none of these searches: make them by python -m benchmarks.optimizer\n")
        return 2
    print(as_text(rows))
    return 0


def _representatives(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).choice(count, min(count, REPRESENTATIVES), replace=False)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.optimizer.stages",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pools", type=Path, default=Path(__file__).parent / "pools.toml")
    parser.add_argument("--data", type=Path, required=True, help="folder with the tables")
    parser.add_argument("--split", choices=SPLITS, help="only this half of the pools")
    parser.add_argument("--pool", help="only the pools of these names, comma-separated")
    parser.add_argument("--agents", default="nightshift,baybe")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=60, help="experiments, the first ones included")
    parser.add_argument("--first", type=int, default=5, help="random experiments that all agents share")
    parser.add_argument("--env", type=Path, default=environment.FOLDER, help="the peers' environment")
    parser.add_argument("--here", action="store_true", help="peers in this environment: those that it has")
    parser.add_argument("--cache", type=Path, default=FOLDER)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
