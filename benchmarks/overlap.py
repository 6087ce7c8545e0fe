"""How well deposition and measurement overlap in a night, beside the same steps one after the other.

    python -m benchmarks.overlap HOME

HOME is the folder of a finished campaign (`nightshift dry-run CAMPAIGN --home HOME`).  The sequential
schedule is the sum of the very same steps, film by film, without the moves to a waiting slot and back that
only an overlapped night needs.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

from orchestrator.campaign.timeline import Interval, intervals, utilisation
from orchestrator.journal import SqliteJournal


def main(home: Path) -> None:
    steps = intervals(SqliteJournal(home / "journal.db").read())
    films = [i for i in steps if i.step.plan == "deposit"]
    if not films:
        sys.exit(f"{home}: no film was deposited")
    overlapped = max(i.end for i in steps) - min(i.start for i in steps)
    sequential = sum(i.end - i.start for i in steps if not _parked(i, steps))
    shares = utilisation(steps)

    print(f"{'station':14} {'own steps':>9} {'median min':>10} {'at work':>8} {'sequential':>10}")
    for station, share in shares.items():
        own = sorted(i.end - i.start for i in steps if i.step.station == station)
        claimed = sum(i.end - i.start for i in steps if station in i.step.claims and not _parked(i, steps))
        median = own[len(own) // 2] / 60
        print(f"{station:14} {len(own):9} {median:10.1f} {share:8.1%} {claimed / sequential:10.1%}")
    gaps = [b.start - a.end for a, b in pairwise(films)]
    print(f"\nnight: {overlapped / 3600:.2f} h overlapped, {sequential / 3600:.2f} h one after the other")
    print(
        f"from one film's end to the next one's start: median {sorted(gaps)[len(gaps) // 2]:.0f} s,"
        f" worst {max(gaps):.0f} s"
        if gaps
        else "one film only"
    )


def _parked(interval: Interval, steps: list[Interval]) -> bool:
    """Whether this step is a move of a film to its own slot before its measurement, or from there."""
    step = interval.step
    if step.plan != "transfer":
        return False
    later = (i.step for i in steps if i.start > interval.start)
    unmeasured = any(other.sample == step.sample and other.plan == "measure" for other in later)
    return unmeasured and step.kwargs["source"] == "deposition" and step.kwargs["destination"].startswith("cassette/")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
