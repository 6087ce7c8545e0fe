"""Nights, predicted and run."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from orchestrator.campaign.labspec import LabSpec, load_lab
from orchestrator.campaign.spec import Campaign, parse_campaign
from orchestrator.campaign.state import CampaignState, fold
from orchestrator.journal import SqliteJournal
from orchestrator.night import rehearse
from orchestrator.service.forecast import Forecast, before, forecast
from orchestrator.service.history import History
from orchestrator.service.home import Home

LAB = Path("campaigns/labs/vsm.toml")
CAMPAIGN = Path("campaigns/fe-co-ni.toml")
LAB_SEED = 1
"""All nights are in one lab: its targets' rates follow from this, the campaigns from seeds of their own."""


@dataclass(frozen=True)
class Night:
    """Lab seconds: predicted before it and in its middle (early, likely, late), and actual; real seconds."""

    films: int
    basis: str
    first: tuple[float, float, float]
    actual_s: float
    middle: tuple[float, float, float] | None
    left_s: float
    wall_s: float

    @property
    def error(self) -> float:
        return self.first[1] / self.actual_s - 1

    @property
    def inside(self) -> bool:
        return self.first[0] <= self.actual_s <= self.first[2]

    @property
    def middle_error(self) -> float | None:
        return None if self.middle is None else self.middle[1] / self.left_s - 1


def campaign(rng: Random) -> Campaign:
    """One of two to five films."""
    text = CAMPAIGN.read_text()
    for old, new in (
        ("samples = 24", f"samples = {rng.randint(2, 5)}"),
        ("presputter_s = 420", f"presputter_s = {rng.randint(30, 420)}"),
        ("thickness_nm = 80", f"thickness_nm = {rng.randint(20, 100)}"),
        ("power_w = 100 ", f"power_w = {rng.randint(60, 150)} "),
        ("dwell_s = 6", f"dwell_s = {rng.choice((1, 2, 3))}"),
        ("coarse_step_mt = 20", f"coarse_step_mt = {rng.choice((20, 40))}"),
        ("fine_step_mt = 1", f"fine_step_mt = {rng.choice((2, 5))}"),
        ("initial_samples = 6", "initial_samples = 2"),
    ):
        if old not in text:
            raise SystemExit(f"{CAMPAIGN}: has no {old!r} any more")
        text = text.replace(old, new)
    return parse_campaign(text).model_copy(update={"seed": rng.randrange(10_000)})


Run = Callable[[Campaign, LabSpec, Home], None]
"""Runs a campaign on a simulated lab, in a home."""


def at_speed(speed: float) -> Run:
    """In real processes."""

    def run(spec: Campaign, lab: LabSpec, home: Home) -> None:
        home.make()
        rehearse(spec.model_copy(update={"seed": LAB_SEED}), lab, home, speed=speed, by="benchmark")

    return run


def emulated() -> Run:
    """In this process, whose threads have been replaced."""
    import protocols.calibration
    from tests.chaos.emulated import bench, boundaries, computer

    readings = protocols.calibration.READINGS
    bench.install()
    protocols.calibration.READINGS = readings  # which chaos does with fewer of

    def run(spec: Campaign, lab: LabSpec, home: Home) -> None:
        chosen = bench.Spec(spec, lab)
        world = bench.begin_world(chosen, LAB_SEED)
        computer.processes.clear()
        boundaries.watch(boundaries.Watch(None, lambda *_: None))
        bench.boot(chosen, home.path, world)

    return run


def night(spec: Campaign, lab: LabSpec, home: Home, run: Run, history: History) -> tuple[Night, CampaignState]:
    """Predict it, run it, and compare."""
    told = before(spec, lab, 0.0, history)
    began = time.perf_counter()
    if not home.journal.exists():
        run(spec, lab, home)
    entries = list(SqliteJournal(home.journal).read())
    state = fold(entries)
    if state.ended is None or state.ended.end != "done":
        raise SystemExit(f"{home.path}: did not end as it should: {state.ended}")
    # In its middle: when half of its films have been measured.
    seen, half = CampaignState(), spec.budget.samples // 2
    for recorded in entries:
        seen.apply(recorded)
        if len(seen.observations) >= half:
            break
    later = forecast(seen, spec, lab, seen.time, history)
    found = Night(
        films=spec.budget.samples,
        basis=told.basis,
        first=_ends(told, 0.0),
        actual_s=state.time - state.started_at,
        middle=None if later is None else _ends(later, seen.time),
        left_s=state.time - seen.time,
        wall_s=time.perf_counter() - began,
    )
    return found, state


def _ends(told: Forecast, since: float) -> tuple[float, float, float]:
    return told.early - since, told.likely - since, told.late - since


def table(nights: Sequence[Night]) -> None:
    print("| night | films | by | predicted, min | range, min | actual, min | error | in its middle |")
    print("|---|---|---|---|---|---|---|---|")
    for number, one in enumerate(nights, 1):
        early, likely, late = (seconds / 60 for seconds in one.first)
        middle = "" if one.middle_error is None else f"{one.middle_error:+.1%}"
        print(
            f"| {number} | {one.films} | {one.basis} | {likely:.1f} | {early:.1f} to {late:.1f} | "
            f"{one.actual_s / 60:.1f} | {one.error:+.1%} | {middle} |"
        )
    known = [one for one in nights if one.basis != "the plans"]
    for words, chosen in (("all", nights), ("with a history", known)):
        if not chosen:
            continue
        errors = [abs(one.error) for one in chosen]
        middles = [abs(one.middle_error) for one in chosen if one.middle_error is not None]
        inside = sum(one.inside for one in chosen)
        print(
            f"\n{words}: median error {statistics.median(errors):.1%}, largest {max(errors):.1%}; in the middle median "
            f"{statistics.median(middles):.1%}; {inside} of {len(chosen)} ends within the range"
        )


def run(nights: int, seed: int, speed: float | None, out: Path | None) -> None:
    """So many nights, and their table; `speed` of real processes, None for emulated ones.  A night that is in `out`
    already is not run again: no prediction changes it."""
    rng, lab = Random(seed), load_lab(LAB)
    carry_out = emulated() if speed is None else at_speed(speed)
    earlier: list[tuple[CampaignState, bool]] = []
    found: list[Night] = []
    with tempfile.TemporaryDirectory(prefix="nightshift-prediction-") as made:
        for number in range(1, nights + 1):
            home = Home((out or Path(made)) / f"night-{number}")
            one, state = night(campaign(rng), lab, home, carry_out, History.of(earlier, lab))
            found.append(one)
            earlier.append((state, True))
            sys.stderr.write(f"night {number}: {one.error:+.1%} in {one.wall_s:.0f} s\n")
    table(found)
