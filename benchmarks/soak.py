"""Many nights' worth of films in one daemon: do memory and open files stay flat?

    python -m benchmarks.soak [--films 1000] [--speed 2000] [--out FOLDER]

One campaign over a large simulated cassette, on the production code path; 24 films count as a night.  Resident
memory and open files of every process of ours are read from /proc at each twentieth film.  The slope is fitted
over the second half, when caches are full.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from orchestrator.campaign.labspec import parse_lab
from orchestrator.campaign.spec import parse_campaign
from orchestrator.night import rehearse
from orchestrator.service.home import Home
from orchestrator.service.status import Progress

FILMS_A_NIGHT = 24
LAB = Path("campaigns/labs/vsm.toml")
CAMPAIGN = Path("campaigns/fe-co-ni.toml")


def family(pid: int = 0) -> dict[str, int]:
    """Name -> process id of this process and its children."""
    ours = Path("/proc/self") if pid == 0 else Path(f"/proc/{pid}")
    me = int((ours / "stat").read_text().split()[0])
    found = {"daemon": me}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (entry / "cmdline").read_text().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if parent == me and "-m" in words:
            module = words[words.index("-m") + 1].rsplit(".", 2)
            found[f"{'.'.join(module[-2:])} {entry.name}"] = int(entry.name)
    return found


def sample(pid: int) -> tuple[float, int]:
    """Resident MiB and open files of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=50 * FILMS_A_NIGHT)
    parser.add_argument("--speed", type=float, default=2000)
    parser.add_argument("--out", type=Path, default=Path(f"nights/soak-{time.strftime('%Y%m%d-%H%M%S')}"))
    args = parser.parse_args()
    slots = args.films + 10
    lab = LAB.read_text().replace("slots = 48", f"slots = {slots}").replace("columns = 8", "columns = 34")
    lab = lab.replace("pitch_mm = 12", "pitch_mm = 5")
    campaign = CAMPAIGN.read_text().replace("samples = 24", f"samples = {args.films}")
    campaign = campaign.replace("lab_hours = 12", "lab_hours = 9999").replace("step = 2", "step = 1")
    campaign = campaign.replace("presputter_s = 420", "presputter_s = 60").replace(
        "thickness_nm = 80", "thickness_nm = 20"
    )
    home = Home(args.out)
    home.make()
    history: dict[str, list[tuple[int, float, int]]] = defaultdict(list)

    def look(progress: Progress) -> None:
        done = progress.valid + progress.censored + progress.failed
        if done % 20 == 0 and (not history["daemon"] or history["daemon"][-1][0] != done):
            for name, pid in family().items():
                history[name].append((done, *sample(pid)))
            sys.stderr.write(f"{done} films\n")

    summary = rehearse(
        parse_campaign(campaign), parse_lab(lab), home, speed=args.speed, by="benchmark", on_progress=look
    )
    nights = summary["samples"] / FILMS_A_NIGHT
    print(
        f"{summary['samples']} films ({nights:.0f} nights), {summary['lab_hours']:.0f} lab hours, end: {summary['end']}"
    )
    print(f"hazards {summary['hazards']}, lost {summary['lost']}, doubled {summary['doubled']}\n")
    print(f"{'process':40} {'MiB first':>9} {'last':>7} {'MiB/night, 2nd half':>20} {'files first':>11} {'last':>5}")
    for name, rows in history.items():
        if len(rows) < 4:
            continue
        half = np.array(rows[len(rows) // 2 :], dtype=float)
        slope = np.polyfit(half[:, 0], half[:, 1], 1)[0] * FILMS_A_NIGHT
        first, last = rows[0], rows[-1]
        print(f"{name:40} {first[1]:9.1f} {last[1]:7.1f} {slope:20.3f} {first[2]:11} {last[2]:5}")


if __name__ == "__main__":
    main()
