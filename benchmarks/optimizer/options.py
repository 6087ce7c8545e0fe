"""Our optimizer's own options beside its defaults, on measured pools: what to choose, and what it is worth.

    python -m benchmarks.optimizer.options WHAT --data DIR [--pools FILE] [--split tune] [--pool NAMES] [--seeds 10]
        [--budget 60]

WHAT is one of:

acquisitions   experiments to the first of the best 1 %, by each acquisition and schedule of exploration
noise          the same where every measurement is off by a repeat's deviation
feasibility    experiments, and failed films among them, where a fifth of the rows always fails, and where a tenth of
               all measurements does
cost           what films cost until the first of the best 1 %, where those of one input cost up to eleven times as much
replicates     nights of --budget noisy films to the end: how often the film that is reported is one of the best 1 %,
               by the largest posterior mean and by the largest value

Searches are pairs: of a seed, all begin with the same rows and see the same noise.  Everything runs in this process.
Each option is compared with the first of its table: ratios of geometric means over pools, with paired bootstrap
intervals.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.optimizer.pools import SPLITS, Pool, read_specs
from benchmarks.optimizer.process import Took
from benchmarks.optimizer.run import chosen_pools
from benchmarks.optimizer.search import Measurements, Mode, Outcome, Plan, failing_rows, first_rows, search
from benchmarks.optimizer.statistics import compare, figure
from orchestrator.campaign.cost import Cost
from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.suggestion import Candidate, Observation

FIRST = 5
DEARER = 10.0  # a film of the dear input alone costs so much more than one without it


@dataclass(frozen=True)
class Option:
    """`settings` of [optimizer]; `aware` of what films cost."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    aware: bool = False


ACQUISITIONS = (
    Option("log_ei"),
    Option("log_nei", {"acquisition": "log_nei"}),
    Option("pi", {"acquisition": "pi"}),
    Option("thompson", {"acquisition": "thompson"}),
    Option("knowledge_gradient", {"acquisition": "knowledge_gradient"}),
    Option("ucb", {"acquisition": "ucb"}),
    Option("ucb, decreasing", {"acquisition": "ucb", "exploration": "decreasing"}),
    Option("ucb, srinivas", {"acquisition": "ucb", "exploration": "srinivas"}),
)
FEASIBILITY = (Option("off"), Option("learned", {"feasibility": "learned"}))
COSTS = (Option("blind"), Option("aware", aware=True))
REPLICATES = (Option("when_exhausted"), Option("by_value", {"replicate": "by_value"}))


class Here:
    """An agent of `search` in this process."""

    def __init__(self, pool: Pool, seed: int, option: Option, budget: int) -> None:
        fractions = set(pool.spec.composition)
        features = [Feature(name, "fraction" if name in fractions else "number") for name in pool.spec.features]
        cost = price(pool, features) if option.aware else None
        settings = OptimizerSettings(initial_samples=1, **option.settings)
        self.optimizer = Optimizer(Table(pool.X, features), settings, seed, budget=budget, cost=cost)
        self._told = 0

    def tell(self, row: int, value: float | None) -> Took:
        self._told += 1
        validity = "failed" if value is None else "valid"
        self.optimizer.observe(Observation(self._told, value=value, validity=validity, row=row))
        return Took()

    def ask(self, pending: list[int]) -> tuple[int, Took]:
        row = self.optimizer.suggest([Candidate(row=row) for row in pending]).row
        assert row is not None
        return row, Took()


def price(pool: Pool, features: Sequence[Feature]) -> Cost:
    """By the first input, from 0 at its least to `DEARER` at its greatest."""
    low, high = pool.X[:, 0].min(), pool.X[:, 0].max()
    each = DEARER / (high - low)
    if features[0].kind == "fraction":
        return Cost(film=1.0, elements={features[0].name: each})
    return Cost(film=1.0, settings={features[0].name: each})


def paid(pool: Pool, outcome: Outcome, budget: int) -> float:
    """What the films of a search cost."""
    low, high = pool.X[:, 0].min(), pool.X[:, 0].max()
    return float(np.sum(1.0 + DEARER * (pool.X[list(outcome.rows), 0] - low) / (high - low)))


@dataclass(frozen=True)
class Night:
    """Whether the film that was reported is truly one of the best, by mean and by value; and how many were repeats."""

    by_mean: bool
    by_value: bool
    repeats: int


def night(pool: Pool, seed: int, option: Option, budget: int) -> Night:
    agent, measure = Here(pool, seed, option, budget), Measurements(pool, seed, Mode(noise=True))
    rows = first_rows(pool, seed, FIRST)
    values = [measure(row) for row in rows]
    for row, value in zip(rows, values, strict=True):
        agent.tell(row, value)
    while len(rows) < budget:
        row, _ = agent.ask([])
        rows.append(row)
        values.append(measure(row))
        agent.tell(row, values[-1])
    best = agent.optimizer.recommend()
    assert best is not None
    assert best.row is not None
    luckiest = rows[int(np.argmax(np.array(values, dtype=float)))]
    return Night(bool(pool.good[best.row]), bool(pool.good[luckiest]), len(rows) - len(set(rows)))


def searches(pools: Sequence[Pool], options: Sequence[Option], seeds: int, plan: Plan) -> list[list[list[Outcome]]]:
    """By option, pool and seed."""
    found: list[list[list[Outcome]]] = []
    for option in options:
        found.append([])
        for pool in pools:
            _say(f"{plan.mode.label}: {option.name}, {pool.name}")
            found[-1].append([search(Here(pool, seed, option, plan.budget), pool, seed, plan) for seed in range(seeds)])
    return found


def tabulate(title: str, pools: Sequence[Pool], options: Sequence[Option], numbers: np.ndarray) -> None:
    """Means by pool, figure and ratio to the first option, of `numbers` (options, pools, seeds)."""
    print(f"\n{title}\n")
    print("| | " + " | ".join(pool.name for pool in pools) + " | figure | against the first |")
    print("|---" * (len(pools) + 3) + "|")
    for k, option in enumerate(options):
        means = numbers[k].mean(axis=1)
        told = compare({p.name: (numbers[k, i], numbers[0, i]) for i, p in enumerate(pools)}) if k else None
        beside = f"{told.ratio:.2f} [{told.low:.2f}-{told.high:.2f}], p {told.p:.2g}" if told else ""
        print(f"| {option.name} | " + " | ".join(f"{m:.1f}" for m in means) + f" | {figure(means):.1f} | {beside} |")
    sys.stdout.flush()


def experiments(found: list[list[list[Outcome]]], budget: int) -> np.ndarray:
    return np.array([[[one.experiments or budget for one in seeds] for seeds in pools] for pools in found], dtype=float)


def compare_acquisitions(pools: Sequence[Pool], seeds: int, budget: int, mode: Mode) -> None:
    found = searches(pools, ACQUISITIONS, seeds, Plan(budget, FIRST, mode))
    title = f"Experiments to the first of the best 1 %, {seeds} seeds, budget {budget}, {mode.label}"
    tabulate(title, pools, ACQUISITIONS, experiments(found, budget))


def compare_feasibility(pools: Sequence[Pool], seeds: int, budget: int) -> None:
    for mode in (Mode(region=0.2), Mode(failures=0.1)):
        found = searches(pools, FEASIBILITY, seeds, Plan(budget, FIRST, mode))
        tabulate(f"Experiments, {seeds} seeds, {mode.label}", pools, FEASIBILITY, experiments(found, budget))
        if mode.region:
            failing = [[failing_rows(pool, seed, mode.region) for seed in range(seeds)] for pool in pools]
            lost = np.array(
                [
                    [
                        [failing[i][k][list(one.rows)].sum() for k, one in enumerate(of_pool)]
                        for i, of_pool in enumerate(of_option)
                    ]
                    for of_option in found
                ],
                dtype=float,
            )
            tabulate("Failed films among them, and one", pools, FEASIBILITY, lost + 1.0)


def compare_costs(pools: Sequence[Pool], seeds: int, budget: int) -> None:
    found = searches(pools, COSTS, seeds, Plan(budget, FIRST))
    spent = [
        [[paid(pool, one, budget) for one in of_pool] for pool, of_pool in zip(pools, of_option, strict=True)]
        for of_option in found
    ]
    tabulate(f"Cost, {seeds} seeds, budget {budget}", pools, COSTS, np.array(spent))
    tabulate("Experiments", pools, COSTS, experiments(found, budget))


def compare_replicates(pools: Sequence[Pool], seeds: int, budget: int) -> None:
    print(f"\nNights of {budget} noisy films whose reported film is truly one of the best 1 %, of {seeds} each\n")
    print("| replicate | pool | by mean | by value | repeats |")
    print("|---|---|---|---|---|")
    for option in REPLICATES:
        told = []
        for pool in pools:
            nights = [night(pool, seed, option, budget) for seed in range(seeds)]
            told += nights
            _row(option.name, pool.name, nights)
        _row(option.name, "all", told)


def _row(option: str, pool: str, nights: Sequence[Night]) -> None:
    shares = [np.mean([getattr(one, name) for one in nights]) for name in ("by_mean", "by_value", "repeats")]
    print(f"| {option} | {pool} | {100 * shares[0]:.0f} % | {100 * shares[1]:.0f} % | {shares[2]:.1f} |")
    sys.stdout.flush()


COMPARISONS: dict[str, Callable[[Sequence[Pool], int, int], None]] = {
    "acquisitions": lambda pools, seeds, budget: compare_acquisitions(pools, seeds, budget, Mode()),
    "noise": lambda pools, seeds, budget: compare_acquisitions(pools, seeds, budget, Mode(noise=True)),
    "feasibility": compare_feasibility,
    "cost": compare_costs,
    "replicates": compare_replicates,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.optimizer.options",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("what", choices=COMPARISONS)
    parser.add_argument("--pools", type=Path, default=Path(__file__).parent / "pools.toml")
    parser.add_argument("--data", type=Path, required=True, help="folder with the tables")
    parser.add_argument("--split", choices=SPLITS)
    parser.add_argument("--pool", help="only the pools of these names, comma-separated")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budget", type=int, default=60)
    given = parser.parse_args(arguments)
    pools = list(chosen_pools(read_specs(given.pools), given.data, given.split, given.pool))
    if not pools:
        _say("nothing to compare: no pool has its table")
        return 2
    COMPARISONS[given.what](pools, given.seeds, given.budget)
    return 0


def _say(words: str) -> None:
    sys.stderr.write(words + "\n")


if __name__ == "__main__":
    sys.exit(main())
