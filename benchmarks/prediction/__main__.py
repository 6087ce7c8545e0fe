"""How far is the predicted end of a night from its actual one?

    python -m benchmarks.prediction [--nights 20] [--seed 1] [--real SPEED] [--out FOLDER]

Dry-run nights of a few films, each another campaign: films, thickness, pre-sputtering, powers and loops are drawn from
a seed.  Each night is predicted before it begins, from the plans' own figures and from the nights before it, and once
more in its middle, from its own steps too.  The error is relative to what was still to come.

The nights are the production code and the simulated lab in one process, on a clock that jumps (`tests.chaos.emulated`):
they last as long by lab time as on instruments, whatever else the machine does.  With ``--real SPEED`` they are real
processes at so many lab seconds in a second, as `nightshift dry-run` runs them; our own work then counts in lab time.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=float, default=None, metavar="SPEED")
    parser.add_argument("--out", type=Path, default=None, help="keep the nights there, and take those that are")
    args = parser.parse_args()
    if args.real is None:
        if os.environ.get("PYTHONHASHSEED") != "0":
            command = [sys.executable, "-m", "benchmarks.prediction", *sys.argv[1:]]
            os.execve(sys.executable, command, os.environ | {"PYTHONHASHSEED": "0"})
        from tests.chaos.emulated import threads  # before anything else is imported

        threads.install()
    from benchmarks.prediction.nights import run

    run(args.nights, args.seed, args.real, args.out)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # nobody is left to join the emulated threads


if __name__ == "__main__":
    main()
