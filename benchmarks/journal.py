"""How long a large journal takes to open (read, check and fold everything), what a synced append through the daemon's
books costs then, and what a look at the state costs that comes before every step.

    python -m benchmarks.journal [--entries 100000] [--folder FOLDER]

The entries are those of films made and measured one after the other, with their loops, as a night writes them.
FOLDER should be on the disk that a home would be on; appends are synced.  Opening is told in real time and in
processor time, which other programs on the machine lengthen less.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from drivers.clock import RealClock
from orchestrator.campaign import entries as e
from orchestrator.campaign.spec import Budget, Campaign, Stopping, load_campaign
from orchestrator.campaign.state import CampaignState, fold, observations_for_model
from orchestrator.journal import SqliteJournal
from orchestrator.service import policy
from orchestrator.service.books import Books
from orchestrator.service.schedule import Layout, next_steps
from orchestrator.service.status import status

LOOP = {"field_mt": [0.1234 * i for i in range(116)], "signal": [1e-6 * i for i in range(116)], "unit": "A m2"}
LAYOUT = Layout("deposition", "magnetometry", "robot")
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


def written(path: Path, campaign: Campaign, entries: int) -> int:
    """Write a journal of about so many entries, one a second; how many films it tells of."""
    journal, start, number = SqliteJournal(path), RealClock().now() - 2 * entries, 0
    begun = e.CampaignStarted(campaign=campaign.model_dump(mode="json"), lab={}, by="benchmark")
    version = journal.append([begun], 0, start)
    while version < entries:
        batch = [entry for n in range(number + 1, number + 101) for entry in film(n)]
        version = journal.append(batch, version, start + version)
        number += 100
    journal.close()
    return number


def opening(path: Path) -> tuple[CampaignState, float, float]:
    """The state, and seconds that opening takes: real, and of the processor."""
    real, processor = time.perf_counter(), time.process_time()
    journal = SqliteJournal(path)
    state = fold(journal.read())
    took = time.perf_counter() - real, time.process_time() - processor
    journal.close()
    return state, *took


def appending(path: Path, films: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of every append through the daemon's books, real and of the processor, and of every decision between
    two, for 12 films more."""
    journal = SqliteJournal(path)
    books = Books(journal, RealClock())
    campaign = Campaign.model_validate(books.state.started.campaign)  # type: ignore[union-attr]
    appends, busy, decisions = [], [], []
    for entries in map(film, range(films + 1, films + 13)):
        for commit in commits(entries):
            begun, working = time.perf_counter(), time.process_time()
            books.append(*commit)
            appends.append(1e3 * (time.perf_counter() - begun))
            busy.append(1e3 * (time.process_time() - working))
            begun = time.perf_counter()
            decide(books.state, campaign)
            decisions.append(1e3 * (time.perf_counter() - begun))
    journal.close()
    return appends, busy, decisions


def commits(entries: Iterator[e.Entry]) -> Iterator[list[e.Entry]]:
    """`entries` as the daemon commits them: what came of a step together with its end."""
    together: list[e.Entry] = []
    for entry in entries:
        together.append(entry)
        if isinstance(entry, e.SampleSuggested | e.StepIntended | e.StepEnded):
            yield together
            together = []


def decide(state: CampaignState, campaign: Campaign) -> None:
    """What the daemon asks of the state after every happening."""
    now = state.time
    policy.verdicts(state, campaign, now, "benchmark")
    next_steps(state, LAYOUT)
    policy.wants_sample(state, campaign, LAYOUT, now)
    policy.conclusion(state, campaign, LAYOUT, now)
    status(state, campaign, now)


def asking(state: CampaignState) -> float:
    """Milliseconds in which everything is gathered that the optimizer is told once a film."""
    begun = time.perf_counter()
    observations_for_model(state)
    return 1e3 * (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5, help="How often the journal is opened.")
    parser.add_argument("--folder", type=Path, default=None)
    args = parser.parse_args()
    campaign = load_campaign("campaigns/fe-co-ni.toml")
    endless = {"budget": Budget(samples=100_000, lab_hours=10_000), "stopping": Stopping()}
    campaign = campaign.model_copy(update=endless)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "journal.db"
        films = written(path, campaign, args.entries)
        real, processor = [], []
        for _ in range(args.times):
            state, *took = opening(path)
            real.append(took[0])
            processor.append(took[1])
        print(f"{state.version} entries, {len(state.samples)} films, {path.stat().st_size / 2**20:.0f} MiB")
        told = f"median {statistics.median(real):.2f} s, best {min(real):.2f} s; "
        print(f"opened (read, checked, folded): {told}processor median {statistics.median(processor):.2f} s")
        appends, busy, decisions = appending(path, films)
        told = f"median {statistics.median(appends):.2f} ms, {worst(appends)}; "
        print(f"one synced append through the books: {told}processor median {statistics.median(busy):.2f} ms")
        print(f"one decision and its progress: median {statistics.median(decisions):.3f} ms, {worst(decisions)}")
        gathered = statistics.median(asking(state) for _ in range(args.times))
        print(f"gathering all observations for the optimizer, once a film: median {gathered:.1f} ms")


def worst(times: list[float]) -> str:
    return f"99 in 100 within {statistics.quantiles(times, n=100)[-1]:.2f} ms"


if __name__ == "__main__":
    main()
