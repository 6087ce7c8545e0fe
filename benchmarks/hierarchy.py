"""What a virtual station saves, and what a bad one costs: ``python -m benchmarks.hierarchy --data feconi_film.csv``.

Films are rows of a measured table: Kerr rotation of a sputtered Fe-Co-Ni spread (NIST combinatorial libraries,
usnistgov/remi).  Counted are the films until the first of the best 1 % is measured, by

- real: the optimizer without virtual stations;
- closed form: the same with the generalised Slater-Pauling model as a virtual station;
- reversed: with a station that says the opposite of it, film by film;
- unrelated: with a station that says something as smooth which has nothing to do with it;
- noise: with a station whose results are random.

While each film grows, up to ``--calculations`` are made, as many as are worth their price.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.hierarchical import HierarchicalOptimizer
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.suggestion import Candidate, Observation
from orchestrator.virtual.catalogue import quantities
from orchestrator.virtual.slater_pauling import SlaterPauling

ELEMENTS = ("Fe", "Co", "Ni")
STATION = "theory"
Station = Callable[[int], float]
"""A row of the table -> what the station says of it."""


def read(path: Path, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Fractions (m, 3) and values (m,)."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    parts = np.array([[float(row[element]) for element in ELEMENTS] for row in rows])
    return parts / parts.sum(axis=1, keepdims=True), np.array([float(row[column]) for row in rows])


def stations(X: np.ndarray, seed: int) -> dict[str, Station | None]:
    """By name; None: no station."""
    model = SlaterPauling()
    told = [quantities(model.calculate(dict(zip(ELEMENTS, row, strict=True)))) for row in X.tolist()]
    closed = np.array([float(each["kerr_rotation"]["value"]) for each in told])
    rng = np.random.default_rng([seed, 7])
    centre, width = rng.dirichlet(np.ones(3)), rng.uniform(0.2, 0.5)
    unrelated = np.exp(-0.5 * np.sum((X - centre) ** 2, axis=1) / width**2)
    noise = rng.standard_normal(len(X))
    return {
        "real": None,
        "closed form": lambda row: float(closed[row]),
        "reversed": lambda row: float(-closed[row]),
        "unrelated": lambda row: float(unrelated[row]),
        "noise": lambda row: float(noise[row]),
    }


def search(
    X: np.ndarray, y: np.ndarray, good: set[int], seed: int, station: Station | None, films: int, calculations: int
) -> tuple[int | None, int]:
    """Films until a good one (None: not within `films`), and calculations made."""
    pool = Table(X, [Feature(element, "fraction") for element in ELEMENTS])
    kind = Optimizer if station is None else HierarchicalOptimizer
    optimizer = kind(pool, OptimizerSettings(), seed, budget=films)
    calculated = 0
    for number in range(1, films + 1):
        if station is not None:
            calculated += calculate(optimizer, station, calculations, calculated)
        row = optimizer.suggest([], number).row
        if row in good:
            return number, calculated
        optimizer.observe(Observation(number, value=float(y[row]), sigma=0.0, row=row))
    return None, calculated


def calculate(optimizer: Optimizer, station: Station, most: int, before: int) -> int:
    """While a film grows; how many were made."""
    assert isinstance(optimizer, HierarchicalOptimizer)
    for number in range(1, most + 1):
        wanted = optimizer.suggest_calculation({STATION: 0.001}, {}, before + number)
        if wanted is None:
            return number - 1
        made = Candidate(row=wanted.row)
        optimizer.observe(
            Observation(-number, value=station(wanted.row), sigma=0.0, row=made.row, station=STATION), counted=False
        )
    return most


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="CSV with Fe, Co, Ni in at.% and the column")
    parser.add_argument("--column", default="kerr_rotation_mrad")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--films", type=int, default=60, help="the most films of a search")
    parser.add_argument("--calculations", type=int, default=30, help="the most calculations while a film grows")
    parser.add_argument("--only", nargs="*", help="names of the searches to run; absent: all")
    parser.add_argument("--out", type=Path, help="file for the outcomes, as JSON")
    given = parser.parse_args()
    X, y = read(given.data, given.column)
    good = set(np.argsort(-y, kind="stable")[: max(1, round(0.01 * len(y)))].tolist())
    print(f"{len(y)} films, {len(good)} of them good; {given.seeds} seeds, at most {given.films} films\n", flush=True)
    outcomes: dict[str, list[int]] = {}
    for name in stations(X, 0):
        if given.only and name not in given.only:
            continue
        begun, found = time.monotonic(), []
        for seed in range(given.seeds):
            station = stations(X, seed)[name]
            found += [search(X, y, good, seed, station, given.films, given.calculations)]
        counts = [given.films + 1 if films is None else films for films, _ in found]
        outcomes[name] = counts
        quarter, median, three = np.quantile(counts, [0.25, 0.5, 0.75])
        made = statistics.median(calculations for _, calculations in found)
        print(
            f"{name:12s} median {median:5.1f} films ({quarter:.1f} to {three:.1f}), mean {np.mean(counts):5.2f}, "
            f"{made:4.0f} calculations, {time.monotonic() - begun:.0f} s",
            flush=True,
        )
    if given.out:
        given.out.write_text(json.dumps(outcomes, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
