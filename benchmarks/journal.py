"""How long a large journal takes to open (read and fold everything) and to append to.

    python -m benchmarks.journal [--entries 100000] [--folder FOLDER]

The entries are those of films made and measured one after the other, with their loops, as a night writes them.
FOLDER should be on the disk that a home would be on; appends are synced.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from orchestrator.campaign import entries as e
from orchestrator.campaign.spec import load_campaign
from orchestrator.campaign.state import fold
from orchestrator.journal import SqliteJournal

LOOP = {"field_mt": [0.1234 * i for i in range(116)], "signal": [1e-6 * i for i in range(116)], "unit": "A m2"}
MADE = {"Fe": 0.6, "Co": 0.3, "Ni": 0.1}


def film(number: int) -> Iterator[e.Entry]:
    """Everything a journal says of one sample."""
    slot = f"cassette/{number}"
    yield e.SampleSuggested(
        sample=number, slot=number, composition=MADE, method="gp", observed=number - 1, pending=[], seconds=0.004
    )
    yield from move(number, slot, "deposition")
    dose = {"thickness_nm": 20.0, "seconds": 600.0, "power_w": 50.0}
    yield from step(
        number,
        "deposit",
        "deposition",
        e.FilmDeposited(
            sample=number, finished=True, composition=MADE, composition_sigma=dict.fromkeys(MADE, 0.004),
            thickness_nm=60.0, thickness_sigma_nm=0.5, doses=dict.fromkeys(MADE, dose), shutter_open_s=600.0,
        ),
    )  # fmt: skip
    yield from move(number, "deposition", "magnetometry")
    yield from step(
        number,
        "measure",
        "magnetometry",
        e.ObservationMade(
            sample=number, composition=MADE, composition_sigma=dict.fromkeys(MADE, 0.004), value=1800.0, sigma=20.0,
            unit="kA/m", validity="valid", quantities={}, loop=LOOP,
        ),
    )  # fmt: skip
    yield from move(number, "magnetometry", slot)


def move(number: int, source: str, destination: str) -> Iterator[e.Entry]:
    moved = e.SampleMoved(sample=number, source=source, destination=destination)
    yield from step(number, "transfer", "robot", moved, source=source, destination=destination)


def step(number: int, plan: e.Plan, station: str, fact: e.Entry, **kwargs: str) -> Iterator[e.Entry]:
    uid = f"{number}-{plan}-{kwargs.get('destination', '')}"
    yield e.StepIntended(
        step=uid, plan=plan, sample=number, attempt=1, station=station, claims=[station], kwargs=dict(kwargs)
    )
    yield fact
    yield e.StepEnded(step=uid, end="done", run_uids=["0" * 36])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=None)
    args = parser.parse_args()
    campaign = load_campaign("campaigns/fe-co-ni.toml").model_dump(mode="json")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "journal.db"
        journal = SqliteJournal(path)
        version = journal.append([e.CampaignStarted(campaign=campaign, lab={}, by="benchmark")], 0, 0.0)
        number = 0
        while version < args.entries - 100:
            batch = [entry for n in range(number + 1, number + 101) for entry in film(n)]
            version = journal.append(batch, version, float(version))
            number += 100
        times = []
        for entry in [entry for n in range(number + 1, number + 13) for entry in film(n)]:
            begun = time.perf_counter()
            version = journal.append([entry], version, float(version))
            times.append(1e3 * (time.perf_counter() - begun))
        journal.close()
        begun = time.perf_counter()
        again = SqliteJournal(path)
        state = fold(again.read())
        opened = time.perf_counter() - begun
        print(f"{version} entries, {len(state.samples)} films, {path.stat().st_size / 2**20:.0f} MiB")
        print(f"opened (read and folded): {opened:.2f} s")
        print(f"one synced append: median {statistics.median(times):.2f} ms, worst {max(times):.2f} ms")


if __name__ == "__main__":
    main()
