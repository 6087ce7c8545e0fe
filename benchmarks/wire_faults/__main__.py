"""See `benchmarks.wire_faults`."""

from __future__ import annotations

import argparse
import logging
import sys
import time

from benchmarks.wire_faults.faults import kinds_for
from benchmarks.wire_faults.trials import FAILED, HANG, LOST, RIGHT, STRANGE, WRONG, Result, try_driver
from orchestrator.campaign.labchecks import DRIVERS

HEAD = (
    "| driver | faults | right | classed error | silent wrong | beyond its time | other error | not recovered "
    "| hazards | longest s | stated s |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def row(result: Result) -> str:
    counts = [result.total(outcome) for outcome in (RIGHT, FAILED, WRONG, HANG, STRANGE, LOST)]
    cells = [
        f"`{result.driver}`",
        result.trials,
        *counts,
        result.hazards,
        f"{result.longest_s:.1f}",
        f"{result.stated_s:.1f}",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description="Seeded faults on the line of each driver.")
    parser.add_argument("--driver", action="append", choices=list(DRIVERS), help="may be given several times")
    parser.add_argument("--all", action="store_true", help="every driver of the registry")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout-s", type=float, default=0.15)
    parser.add_argument("--by-kind", action="store_true", help="outcomes of each kind of fault too")
    given = parser.parse_args()
    if not given.all and not given.driver:
        parser.error("give --driver or --all")
    logging.disable(logging.CRITICAL)  # pymodbus reports every spoiled frame
    print(HEAD)
    good = True
    for driver in list(DRIVERS) if given.all else given.driver:
        begun = time.monotonic()
        result = try_driver(driver, given.faults, given.seed, given.timeout_s)
        print(row(result), flush=True)
        if given.by_kind:
            for kind in kinds_for(driver):
                counts = {what: n for (k, what), n in sorted(result.counts.items()) if k == kind}
                print(f"    {kind}: {counts}")
            print(f"    errors: {dict(result.errors)}; {time.monotonic() - begun:.0f} s")
        for note in result.notes[:5]:
            print(f"    {note}"[:400])
        good &= result.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
