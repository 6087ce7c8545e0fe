"""A space beyond people: at most 6 of 17 elements in steps of 0.5 at.%, searched by a Gaussian process, by compositions
grown as a tree, and at random.

    python -m benchmarks.trillions [--seeds 10] [--films 150] [--methods gp,growing,random] [--results FILE]

The truth is the closed-form room-temperature saturation magnetisation of the simulated lab (`simulators.magnetism`),
shown with 1 % noise; it says nothing of real alloys of these elements.  The best known is that of a scan of all
Fe-Co-X in steps of 1 at.%.  Results are kept in FILE, a line for each method and seed, and what is there is not run
again.  Memory is the peak of a process that has done nothing but the one search.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from orchestrator.campaign.space import Space
from orchestrator.campaign.spec import Campaign, parse_campaign
from orchestrator.optimizer.making import make_optimizer
from simulators.magnetism import MAGNETIC, SLOPE_IN_BCC, saturation_magnetisation_ka_m

ELEMENTS = (*MAGNETIC, *SLOPE_IN_BCC)
AT_ONCE, STEP = 6, 0.5
NOISE = 0.01
LOOKS = (25, 50, 100, 150)


@dataclass(frozen=True)
class Searched:
    """`best` is the true value of the best film so far (kA/m), after each film; `seconds` those of each decision."""

    method: str
    seed: int
    best: list[float]
    seconds: list[float]
    peak_mib: float
    composition: dict[str, float]


def campaign(method: str, seed: int, films: int) -> Campaign:
    """The search, as a campaign file has it."""
    elements = "\n".join(f"{element} = {{ step = {STEP} }}" for element in ELEMENTS)
    return parse_campaign(
        f"""
name = "trillions"
seed = {seed}
at_most = {AT_ONCE}
[elements]
{elements}
[film]
argon_pressure_pa = 0.5
power_w = 100
thickness_nm = 50
[[objectives]]
quantity = "saturation_magnetisation"
direction = "max"
unit = "kA/m"
[budget]
samples = {films}
lab_hours = 1000
[optimizer]
method = "{method}"
"""
    )


def search(method: str, seed: int, films: int) -> Searched:
    """One search; in a process of its own, so that its memory is its own."""
    optimizer, rng = make_optimizer(campaign(method, seed, films)), np.random.default_rng(seed)
    true, seconds, made = [], [], []
    for number in range(1, films + 1):
        begun = time.perf_counter()
        suggestion = optimizer.suggest()
        seconds.append(time.perf_counter() - begun)
        composition = {element: x for element, x in suggestion.composition.items() if x > 0}
        true.append(saturation_magnetisation_ka_m(composition))
        made.append(composition)
        value = true[-1] * (1 + NOISE * rng.normal())
        optimizer.observe({"sample": number, "composition": suggestion.composition, "value": value,
                           "sigma": NOISE * max(true[-1], 1.0), "validity": "valid"})  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    best = np.maximum.accumulate(true).tolist()
    return Searched(method, seed, best, seconds, peak, made[int(np.argmax(true))])


def best_known() -> tuple[float, dict[str, float]]:
    """The largest value of Fe-Co-X for any X, and where."""
    found = [
        {"Fe": iron / 100, "Co": cobalt / 100, third: (100 - iron - cobalt) / 100}
        for third in ELEMENTS[2:]
        for iron in range(1, 100)
        for cobalt in range(101 - iron)
    ]
    mixed = [{element: x for element, x in one.items() if x > 0} for one in found]
    values = [saturation_magnetisation_ka_m(one) for one in mixed]
    return max(values), mixed[int(np.argmax(values))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--films", type=int, default=max(LOOKS))
    parser.add_argument("--methods", default="gp,growing,random")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/outcomes/trillions.jsonl"))
    args = parser.parse_args()
    methods = args.methods.split(",")
    args.results.parent.mkdir(parents=True, exist_ok=True)
    lines = args.results.read_text().splitlines() if args.results.exists() else []
    done = {(one.method, one.seed): one for one in (Searched(**json.loads(line)) for line in lines)}
    for seed in range(args.seeds):
        for method in methods:
            if (method, seed) in done and len(done[method, seed].best) >= args.films:
                continue
            with multiprocessing.get_context("spawn").Pool(1) as alone:
                found = done[method, seed] = alone.apply(search, (method, seed, args.films))
            with args.results.open("a") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    report(done, methods, args.seeds)


def report(done: dict[tuple[str, int], Searched], methods: list[str], seeds: int) -> None:
    """Print the table."""
    most, where = best_known()
    space = Space.of(campaign("gp", 0, 10))
    print(f"{space.size(10**18):.2e} compositions; best known {most:.1f} kA/m at {named(where)}\n")
    head = "".join(f"{f'after {n}':>12}" for n in LOOKS)
    print(f"{'method':10}{'seeds':>6}{head}{'within 1 %':>12}{'s, median':>11}{'s, worst':>10}{'MiB, peak':>11}")
    for method in methods:
        runs = [done[method, seed] for seed in range(seeds)]
        after = "".join(
            f"{100 * statistics.median(run.best[min(n, len(run.best)) - 1] for run in runs) / most:>11.1f}%"
            for n in LOOKS
        )
        within = sum(run.best[-1] >= 0.99 * most for run in runs)
        seconds = [one for run in runs for one in run.seconds]
        print(
            f"{method:10}{len(runs):>6}{after}{f'{within} of {len(runs)}':>12}{statistics.median(seconds):>11.3f}"
            f"{max(seconds):>10.2f}{max(run.peak_mib for run in runs):>11.0f}"
        )
    for method in methods:
        run = max((done[method, seed] for seed in range(seeds)), key=lambda one: one.best[-1])
        print(f"best by {method}: {run.best[-1]:.1f} kA/m at {named(run.composition)}")


def named(composition: dict[str, float]) -> str:
    """at.%, the most first."""
    parts = sorted(composition.items(), key=lambda item: -item[1])
    return " ".join(f"{element}{100 * x:g}" for element, x in parts)


if __name__ == "__main__":
    main()
