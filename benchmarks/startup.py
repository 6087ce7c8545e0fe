"""How long a command takes from nothing: processor time of the whole process, the interpreter's start included.

``python -m benchmarks.startup HOME`` looks at the campaign in HOME as it stands: with a daemon, ended, or left by one
that died.  Processor time is told beside wall time, since other work on the machine lengthens that.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

NIGHTSHIFT = [sys.executable, "-m", "orchestrator.cli"]


def measured(command: list[str], runs: int) -> str:
    """Medians of processor and wall time of `command`, s."""
    processor, wall = [], []
    for _ in range(runs):
        before, began = _children_s(), time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        wall.append(time.perf_counter() - began)
        processor.append(_children_s() - before)
    return f"{statistics.median(processor):6.3f} s processor {statistics.median(wall):6.3f} s wall"


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, and print a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--runs", type=int, default=15)
    told = parser.parse_args()
    home = ["--home", str(told.home)]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import click": [sys.executable, "-c", "import click"],
        "nightshift status": [*NIGHTSHIFT, "status", *home],
        "nightshift status --json": [*NIGHTSHIFT, "status", "--json", *home],
        "nightshift samples": [*NIGHTSHIFT, "samples", *home],
    }
    for name, command in commands.items():
        print(f"{name:26} {measured(command, told.runs)}")


if __name__ == "__main__":
    main()
