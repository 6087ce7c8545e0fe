"""Experiments needed to find one of the best 1 % of a measured pool: our optimizer, random, scikit-learn.

    python benchmarks/optimizer_pool.py feconi_film.csv --inputs Fe,Co,Ni --goal kerr_rotation_mrad

The table is any CSV with a header; every experiment looks a row up.  All methods start from the same random
rows, and find only what they ask for.  The scikit-learn peer is what one writes in ten lines with
GaussianProcessRegressor: Matern-5/2 with a lengthscale for each input, learned noise, expected improvement
over the best observation.  A run that does not find one counts as budget + 1 in the quartiles.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from orchestrator.optimizer.acquisition import ACQUISITIONS
from orchestrator.optimizer.surrogate import Surrogate

Floats = NDArray[np.float64]
# (all inputs (m, d), rows asked for, what they yielded, random numbers) -> the next row
Chooser = Callable[[Floats, list[int], list[float], np.random.Generator], int]


@dataclass(frozen=True)
class Run:
    """Experiments until the first of the best (budget + 1 if none was found), and seconds a decision."""

    experiments: int
    seconds: float


def read_pool(path: Path, inputs: list[str], goal: str, direction: str) -> tuple[Floats, Floats]:
    """Inputs (m, d) and goal (m,), larger is better; rows without a goal are left out."""
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row[goal].strip()]
    X = np.array([[float(row[name]) for name in inputs] for row in rows])
    y = np.array([float(row[goal]) for row in rows])
    return X, y if direction == "max" else -y


def ours(acquisition: str) -> Callable[[Floats], Chooser]:
    """Our Gaussian process and acquisition over the rows not yet asked for."""

    def begin(X: Floats) -> Chooser:
        few = np.random.default_rng(0).permutation(len(X))[:500]
        model = Surrogate(X[few])

        def choose(X: Floats, asked: list[int], got: list[float], rng: np.random.Generator) -> int:
            for row, value in zip(asked[len(model) :], got[len(model) :], strict=True):
                model.add(X[row], value, 0.0)
            posterior = model.posterior()
            incumbent = posterior.predict(posterior.X)[0].max(axis=0)
            mean, sigma = posterior.predict(model.inputs(X))
            return best_free(ACQUISITIONS[acquisition](mean, sigma, incumbent), asked)

        return choose

    return begin


def at_random(X: Floats) -> Chooser:
    def choose(X: Floats, asked: list[int], got: list[float], rng: np.random.Generator) -> int:
        return int(rng.choice(np.setdiff1d(np.arange(len(X)), asked)))

    return choose


def scikit_learn(X: Floats) -> Chooser:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    span = np.ptp(X, axis=0)
    scaled = (X - X.min(axis=0)) / np.where(span > 0, span, 1.0)

    def choose(X: Floats, asked: list[int], got: list[float], rng: np.random.Generator) -> int:
        kernel = ConstantKernel() * Matern(np.ones(X.shape[1]), nu=2.5) + WhiteKernel(1e-2)
        model = GaussianProcessRegressor(kernel, normalize_y=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its optimiser reports parameters at their bounds
            model.fit(scaled[asked], got)
        mean, sigma = model.predict(scaled, return_std=True)
        z = (mean - max(got)) / sigma
        return best_free(sigma * (norm.pdf(z) + z * norm.cdf(z)), asked)

    return choose


METHODS: dict[str, Callable[[Floats], Chooser]] = {
    "nightshift LogEI": ours("log_ei"),
    "nightshift UCB": ours("ucb"),
    "scikit-learn GP EI": scikit_learn,
    "random": at_random,
}


def best_free(scores: Floats, asked: list[int]) -> int:
    scores[asked] = -np.inf
    return int(np.argmax(scores))


def search(begin: Callable[[Floats], Chooser], X: Floats, y: Floats, seed: int, first: int, budget: int) -> Run:
    """One search, ended by the first of the best 1 % or by the budget."""
    good = y >= np.sort(y)[-math.ceil(0.01 * len(y))]
    asked = np.random.default_rng(seed).choice(len(X), first, replace=False).tolist()
    if good[asked].any():
        return Run(int(np.argmax(good[asked])) + 1, math.nan)
    rng, choose, begun = np.random.default_rng([seed, 1]), begin(X), time.perf_counter()
    while len(asked) < budget:
        asked.append(choose(X, asked, y[asked].tolist(), rng))
        if good[asked[-1]]:
            break
    seconds = (time.perf_counter() - begun) / (len(asked) - first)
    return Run(len(asked) if good[asked[-1]] else budget + 1, seconds)


def line(name: str, runs: list[Run], budget: int) -> str:
    experiments = np.array([run.experiments for run in runs])
    low, middle, high = np.percentile(experiments, [25, 50, 75])
    found = int((experiments <= budget).sum())
    mean, error = experiments.mean(), experiments.std() / math.sqrt(len(runs))
    decision = 1000 * np.nanmean([run.seconds for run in runs])
    return (
        f"{name:<20} {middle:>6g} [{low:g} -> {high:g}]".ljust(44)
        + f"{mean:>6.1f} +- {error:<5.1f} {found:>3}/{len(runs):<4} {decision:>9.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--inputs", required=True, help="columns, comma-separated")
    parser.add_argument("--goal", required=True, help="column")
    parser.add_argument("--direction", choices=("max", "min"), default="max")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=5, help="random experiments that all methods share")
    parser.add_argument("--budget", type=int, default=50)
    parser.add_argument("--methods", default=",".join(METHODS))
    given = parser.parse_args()
    X, y = read_pool(given.csv, given.inputs.split(","), given.goal, given.direction)
    print(f"{given.csv.name}: {len(y)} rows, {X.shape[1]} inputs, {given.direction} {given.goal};", end=" ")
    print(f"{given.seeds} seeds, {given.first} random first, budget {given.budget};", end=" ")
    print(f"scikit-learn {version('scikit-learn')}\n")
    print(f"{'method':<20} {'median [quartiles]':<23} {'mean':>6} +- {'s.e.':<5} {'found':<8} {'ms/choice':>9}")
    for name in given.methods.split(","):
        runs = [search(METHODS[name], X, y, seed, given.first, given.budget) for seed in range(given.seeds)]
        print(line(name, runs, given.budget))


if __name__ == "__main__":
    main()
