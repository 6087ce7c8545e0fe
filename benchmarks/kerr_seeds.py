"""Films needed to reach the measured best 1 % of a real Fe-Co-Ni spread, over several seeds.

    python -m benchmarks.kerr_seeds TRUTH.csv [--seeds 10] [--speed 600] [--jobs 1] [--out FOLDER]

Each seed is a whole simulated night of `campaigns/fe-co-ni-kerr.toml` on the production code path, with the
measured Kerr rotation of TRUTH.csv as hidden truth.  A film counts by the world log: the true Kerr rotation
at the composition it really has, against the 99th percentile of the measured column.
Finished seeds in FOLDER are not run again.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
from pathlib import Path

CAMPAIGN = "campaigns/fe-co-ni-kerr.toml"
COLUMN = "kerr_rotation_mrad"


def best_percent(truth: Path) -> float:
    """The least value among the best 1 % of the rows, mrad."""
    values = sorted((float(row[COLUMN]) for row in csv.DictReader(truth.open())), reverse=True)
    return values[max(0, len(values) // 100 - 1)]


def run(seed: int, truth: Path, speed: float, out: Path) -> Path:
    """The world log of the night with `seed`."""
    home = out / f"seed-{seed}"
    summary = home / "summary.json"
    if not summary.exists():
        command = [sys.executable, "-m", "orchestrator.cli", "dry-run", CAMPAIGN, "--truth", str(truth)]
        command += ["--seed", str(seed), "--speed", str(speed), "--home", str(home), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"seed {seed} ended with exit code {done.returncode}: {done.stderr}")
        summary.write_text(done.stdout)
    return home


def films(home: Path) -> list[float]:
    """True Kerr rotation of each film in the order in which they were finished, mrad."""
    events = [json.loads(line) for line in (home / "world.jsonl").read_text().splitlines()]
    return [e["true_properties"][COLUMN] for e in events if e["event"] == "film_finished"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--speed", type=float, default=600)
    parser.add_argument("--out", type=Path, default=Path("nights/kerr-seeds"))
    args = parser.parse_args()
    if not args.truth.is_file():
        sys.exit(f"{args.truth}: no such file; it is measured data that we may not ship")
    args.out.mkdir(parents=True, exist_ok=True)
    goal = best_percent(args.truth)
    print(f"best 1 %: {COLUMN} >= {goal:.4f}\n")
    print(f"{'seed':>4} {'films':>5} {'first in best 1 %':>17} {'best true mrad':>14} {'wall s':>6} {'hazards':>7}")
    needed = []
    for seed in range(1, args.seeds + 1):
        home = run(seed, args.truth, args.speed, args.out)
        made = films(home)
        summary = json.loads((home / "summary.json").read_text())
        first = next((n for n, value in enumerate(made, 1) if value >= goal), None)
        needed.append(first if first is not None else float("inf"))
        shown = "-" if first is None else first
        print(f"{seed:4} {len(made):5} {shown:>17} {max(made):14.4f} {summary['wall_s']:6.0f} {summary['hazards']:7}")
    print(f"\nmedian films to the first of the best 1 %: {statistics.median(needed):g}")


if __name__ == "__main__":
    main()
