"""COMBO's benchmark: how often one of the best 30 of 17,982 grain-boundary structures is found, and how soon.

    python -m benchmarks.optimizer.combo --data DIR [--agents nightshift,physbo-combo,physbo-ei,random]
        [--seeds 20] [--budget 300] [--first 20] [--jobs 1] [--plot FILE.svg] [--json]

`physbo_gb_s5_210.csv` (Cu Sigma5(210), simulated) is the example of COMBO and of PHYSBO after it.  physbo-combo
is PHYSBO as that benchmark has it: Thompson sampling with 5000 random features, learning every 20 structures.
Outcomes are kept in --cache, as those of `benchmarks.optimizer`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.optimizer import environment
from benchmarks.optimizer.cache import FOLDER, Cache
from benchmarks.optimizer.pools import PoolError, PoolSpec, read_pool
from benchmarks.optimizer.roster import UnknownAgent, entrants
from benchmarks.optimizer.run import INTERRUPTED, Task, fill, results
from benchmarks.optimizer.search import Outcome, Plan

SPEC = PoolSpec("Cu grain boundary", "physbo_gb_s5_210.csv", "gb_energy", "min", ("dx", "gb", "dz"))
BEST = 30
TABLE_STEPS = 6


def success(outcomes: Mapping[int, Outcome], budget: int) -> list[float]:
    """Share of the searches that had found one after 1, 2, ... `budget` experiments."""
    found = np.array([outcome.experiments or np.inf for outcome in outcomes.values()])
    return [float(np.mean(found <= count)) for count in range(1, budget + 1)]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; exit codes as those of `benchmarks.optimizer`."""
    given = _arguments(arguments)
    plan = Plan(given.budget, given.first, best=BEST)
    try:
        pool = read_pool(SPEC, given.data)
        found, left_out = entrants(given.agents.split(","), given.env)
    except (PoolError, UnknownAgent) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    cache = Cache(given.cache)
    tasks = [Task(who, pool, seed, plan) for who in found for seed in range(given.seeds)]
    try:
        troubles = [] if given.only_cached else fill(tasks, cache, given.jobs, given.threads)
    except KeyboardInterrupt:
        return INTERRUPTED
    outcomes = results(found, [pool], given.seeds, plan, cache)[pool.name]
    curves = {name: success(of, plan.budget) for name, of in outcomes.items() if of}
    if given.plot is not None:
        _draw(curves, given.plot)
    versions = {entrant.name: entrant.version for entrant in found}
    print(_json(outcomes, curves, versions, plan) if given.json else _text(outcomes, curves, versions, plan))
    for words in [*left_out, *troubles]:
        sys.stderr.write(f"{words}\n")
    return 1 if troubles else 0


def _json(
    outcomes: Mapping[str, Mapping[int, Outcome]],
    curves: Mapping[str, list[float]],
    versions: Mapping[str, str],
    plan: Plan,
) -> str:
    agents: dict[str, Any] = {
        name: {
            "version": versions[name],
            "experiments": [outcome.experiments for _, outcome in sorted(outcomes[name].items())],
            "success": curve,
        }
        for name, curve in curves.items()
    }
    return json.dumps({"plan": asdict(plan), "agents": agents}, indent=1)


def _text(
    outcomes: Mapping[str, Mapping[int, Outcome]],
    curves: Mapping[str, list[float]],
    versions: Mapping[str, str],
    plan: Plan,
) -> str:
    counts = [plan.budget * step // TABLE_STEPS for step in range(1, TABLE_STEPS + 1)]
    head = f"One of the best {plan.best} found after so many experiments, {plan.first} of them shared random ones:"
    lines = [head, f"{'agent':<16} {'searches':>8} " + " ".join(f"{count:>6}" for count in counts)]
    for name, curve in curves.items():
        shares = " ".join(f"{curve[count - 1]:>6.0%}" for count in counts)
        lines.append(f"{name:<16} {len(outcomes[name]):>8} {shares}   {versions[name]}")
    return "\n".join(lines)


def _draw(curves: Mapping[str, list[float]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, curve in curves.items():
        axes.step(range(1, len(curve) + 1), curve, where="post", label=name)
    axes.set(xlabel="experiments", ylabel=f"share of searches that found one of the best {BEST}", ylim=(0, 1))
    axes.legend(frameon=False)
    figure.savefig(path)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.optimizer.combo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the table")
    parser.add_argument("--agents", default="nightshift,physbo-combo,physbo-ei,random")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--first", type=int, default=20, help="random experiments that all agents share")
    parser.add_argument("--jobs", type=int, default=1, help="searches at once")
    parser.add_argument("--threads", type=int, default=1, help="of each agent's numerical libraries")
    parser.add_argument("--env", type=Path, default=environment.FOLDER, help="the peers' environment")
    parser.add_argument("--cache", type=Path, default=FOLDER)
    parser.add_argument("--only-cached", action="store_true", help="make no search, tabulate what is there")
    parser.add_argument("--plot", type=Path, help="draw the curves into this file")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
