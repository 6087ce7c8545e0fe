"""What a virtual station saves, and what a bad one costs: ``python -m benchmarks.hierarchy --data feconi_film.csv``.

The truth is a measured table: Kerr rotation of a sputtered Fe-Co-Ni spread (NIST combinatorial libraries,
usnistgov/remi).  Counted are the films until the first of the best 1 % is measured, by

- real: the optimizer without virtual stations;
- closed form: the same with the generalised Slater-Pauling model as a virtual station;
- reversed: with a station that says the opposite of it;
- unrelated: with a station that says something as smooth which has nothing to do with it;
- noise: with a station whose results are random.

While each film grows, up to ``--calculations`` are made, as many as are worth their price.  By default the films are
the rows of the table, known exactly, one after the other.  With ``--lab`` they are what the dry run's lab makes of the
campaign's space in steps of 1 at.%: off by what rates are uncertain, measured with noise, and one of them always under
way while the next is chosen; one is good whose true value is as high as that of the best 1 % of the table.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from orchestrator.campaign.spec import Campaign, OptimizerSettings, load_campaign
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.hierarchical import HierarchicalOptimizer
from orchestrator.optimizer.making import make_optimizer
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.suggestion import Candidate, Observation
from orchestrator.virtual.catalogue import quantities
from orchestrator.virtual.slater_pauling import SlaterPauling
from simulators.truth import TableTruth

ELEMENTS = ("Fe", "Co", "Ni")
STATION = "theory"
MADE_SIGMA, VALUE_SIGMA = 0.005, 0.005  # of a fraction, and of a value, relative: the dry run's lab
CAMPAIGN = Path(__file__).parents[1] / "campaigns/fe-co-ni-theory.toml"
Station = Callable[[np.ndarray], float]
"""Fractions (3,) -> what the station says of them."""


def stations(seed: int) -> dict[str, Station | None]:
    """By name; None: no station."""
    rng = np.random.default_rng([seed, 7])
    centre, width = rng.dirichlet(np.ones(3)), rng.uniform(0.2, 0.5)
    return {
        "real": None,
        "closed form": closed_form,
        "reversed": lambda x: -closed_form(x),
        "unrelated": lambda x: float(np.exp(-0.5 * np.sum((x - centre) ** 2) / width**2)),
        "noise": lambda x: float(np.random.default_rng([seed, *(x * 1e6).astype(int)]).standard_normal()),
    }


def closed_form(x: np.ndarray) -> float:
    found = quantities(SlaterPauling().calculate(dict(zip(ELEMENTS, x.tolist(), strict=True))))
    return float(found["kerr_rotation"]["value"])


class Rows:
    """The rows of the table, as they are."""

    pending = 0

    def __init__(self, X: np.ndarray, y: np.ndarray, good: float, seed: int) -> None:
        self._X, self._y, self._good, self._seed = X, y, good, seed

    def optimizer(self, virtual: bool, films: int) -> Optimizer:
        pool = Table(self._X, [Feature(element, "fraction") for element in ELEMENTS])
        kind = HierarchicalOptimizer if virtual else Optimizer
        return kind(pool, OptimizerSettings(), self._seed, budget=films)

    def fractions(self, chosen: Candidate) -> np.ndarray:
        return self._X[chosen.row]

    def film(self, number: int, chosen: Candidate) -> tuple[Observation, bool]:
        value = float(self._y[chosen.row])
        return Observation(number, value=value, sigma=0.0, row=chosen.row), value >= self._good

    def calculation(self, number: int, chosen: Candidate, value: float) -> Observation:
        return Observation(-number, value=value, sigma=0.0, row=chosen.row, station=STATION)


class Lab:
    """The dry run's lab, without its wires."""

    pending = 1

    def __init__(self, truth: TableTruth, campaign: Campaign, good: float, seed: int) -> None:
        self._truth, self._good = truth, good
        self._campaign = campaign.model_copy(update={"seed": seed})
        self._rng = np.random.default_rng([seed, 11])

    def optimizer(self, virtual: bool, films: int) -> Optimizer:
        budget = self._campaign.budget.model_copy(update={"samples": films})
        update = {"budget": budget, **({} if virtual else {"virtual": {}})}
        return make_optimizer(self._campaign.model_copy(update=update))

    def fractions(self, chosen: Candidate) -> np.ndarray:
        return np.array([chosen.composition.get(element, 0.0) for element in ELEMENTS])

    def film(self, number: int, chosen: Candidate) -> tuple[Observation, bool]:
        x = np.clip(self.fractions(chosen) + MADE_SIGMA * self._rng.standard_normal(3), 0.0, None)
        made = dict(zip(ELEMENTS, (x / x.sum()).tolist(), strict=True))
        true = self._truth.properties(made)["kerr_rotation_mrad"]
        sigma = VALUE_SIGMA * true
        told = Observation(
            number,
            composition=made,
            value=true + sigma * self._rng.standard_normal(),
            sigma=sigma,
            composition_sigma=dict.fromkeys(ELEMENTS, 0.002),
            asked=chosen,
        )
        return told, true >= self._good

    def calculation(self, number: int, chosen: Candidate, value: float) -> Observation:
        return Observation(-number, composition=chosen.composition, value=value, sigma=0.0, station=STATION)


def search(world: Rows | Lab, station: Station | None, films: int, calculations: int) -> tuple[int | None, int]:
    """Films until a good one is measured (None: not within `films`), and calculations made."""
    optimizer = world.optimizer(station is not None, films)
    calculated, growing = 0, deque[Candidate]()
    for number in range(1, films + 1):
        if station is not None:
            calculated += calculate(optimizer, world, station, calculations, calculated)
        growing.append(optimizer.suggest(list(growing), number).candidate)
        while len(growing) > (world.pending if number < films else 0):
            chosen = growing.popleft()
            seen, good = world.film(number - len(growing), chosen)
            if good:
                return number - len(growing), calculated
            optimizer.observe(seen)
    return None, calculated


def calculate(optimizer: Optimizer, world: Rows | Lab, station: Station, most: int, before: int) -> int:
    """While a film grows; how many were made."""
    assert isinstance(optimizer, HierarchicalOptimizer)
    for number in range(1, most + 1):
        wanted = optimizer.suggest_calculation({STATION: 0.001}, {}, before + number)
        if wanted is None:
            return number - 1
        chosen = Candidate(wanted.composition, wanted.settings, wanted.row)
        value = station(world.fractions(chosen))
        optimizer.observe(world.calculation(before + number, chosen, value), counted=False)
    return most


def read(path: Path, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Fractions (m, 3) and values (m,)."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    parts = np.array([[float(row[element]) for element in ELEMENTS] for row in rows])
    return parts / parts.sum(axis=1, keepdims=True), np.array([float(row[column]) for row in rows])


def tell(name: str, found: Sequence[tuple[int | None, int]], films: int, seconds: float) -> list[int]:
    """One line of the table; the films of every search."""
    counts = [films + 1 if count is None else count for count, _ in found]
    quarter, median, three = np.quantile(counts, [0.25, 0.5, 0.75])
    made = statistics.median(calculated for _, calculated in found)
    middle = f"median {median:5.1f} films ({quarter:.1f} to {three:.1f}), mean {np.mean(counts):5.2f}"
    print(f"{name:12s} {middle}, {made:4.0f} calculations, {seconds:.0f} s", flush=True)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="CSV with Fe, Co, Ni in at.% and kerr_rotation_mrad")
    parser.add_argument("--lab", action="store_true", help="films as the dry run's lab makes them")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--films", type=int, default=60, help="the most films of a search")
    parser.add_argument("--calculations", type=int, default=30, help="the most calculations while a film grows")
    parser.add_argument("--only", nargs="*", help="names of the searches to run; absent: all")
    parser.add_argument("--out", type=Path, help="file for the outcomes, as JSON")
    given = parser.parse_args()
    X, y = read(given.data, "kerr_rotation_mrad")
    good = float(np.sort(y)[-max(1, round(0.01 * len(y)))])
    truth, campaign = TableTruth(given.data), load_campaign(CAMPAIGN)
    print(f"{len(y)} measured films, the best 1 % from {good:.3f} mrad; {given.seeds} seeds\n", flush=True)
    outcomes: dict[str, list[int]] = {}
    for name in stations(0):
        if given.only and name not in given.only:
            continue
        begun, found = time.monotonic(), []
        for seed in range(given.seeds):
            world = Lab(truth, campaign, good, seed) if given.lab else Rows(X, y, good, seed)
            found += [search(world, stations(seed)[name], given.films, given.calculations)]
        outcomes[name] = tell(name, found, given.films, time.monotonic() - begun)
    if given.out:
        given.out.write_text(json.dumps(outcomes, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
