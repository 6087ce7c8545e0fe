"""One campaign from start to end: processes up, the daemon's run, the report.

A rehearsal and a night on hardware differ in two arguments, the addresses and the clock; the lines that run
the campaign are the same.
"""

from __future__ import annotations

import os
import secrets
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from drivers.clock import RealClock
from orchestrator import rpc
from orchestrator.campaign.labspec import LabSpec, load_lab
from orchestrator.campaign.lifecycle import Command
from orchestrator.campaign.problems import SpecError
from orchestrator.campaign.spec import Campaign, load_campaign
from orchestrator.campaign.state import fold
from orchestrator.campaign.timeline import intervals, utilisation
from orchestrator.journal import SqliteJournal
from orchestrator.lab import SimulatedLab, addresses_of
from orchestrator.report import write_report
from orchestrator.service.api import Api
from orchestrator.service.daemon import Daemon
from orchestrator.service.home import Home
from orchestrator.service.status import Progress, status
from orchestrator.witness import Account, account, read_world

OnProgress = Callable[[Progress], None]


def load(campaign: Path, lab: Path | None, seed: int | None) -> tuple[Campaign, LabSpec]:
    """Read both files; `lab` defaults to the one that the campaign names.  Raises `SpecError`."""
    spec = load_campaign(campaign)
    if seed is not None:
        spec = spec.model_copy(update={"seed": seed})
    if lab is None and spec.lab is None:
        raise SpecError([f"{campaign}: lab: is missing; name the lab file there, or with --lab"])
    return spec, load_lab(lab or campaign.parent / str(spec.lab))


def rehearse(
    campaign: Campaign,
    lab: LabSpec,
    home: Home,
    *,
    speed: float,
    by: str,
    truth: Path | None = None,
    world: Path | None = None,
    on_progress: OnProgress = lambda _: None,
) -> dict[str, Any]:
    """Run `campaign` on a simulated lab; the summary as plain values."""
    began = time.monotonic()
    witness = world or home.path / "world.jsonl"
    with (
        SimulatedLab(lab, campaign.seed, home.path / "simulators.log", truth=truth, world=witness) as simulated,
        _daemon(campaign, lab, home, by, on_progress) as daemon,
    ):
        addresses = simulated.addresses()
        daemon.await_workers()
        clock = simulated.start_clock(speed)
        daemon.connect(addresses, clock, clock.spec())
        with _served(Api(lab), home) as api:
            _run(daemon, api)
    seen = account(read_world(witness), daemon.state)
    return _finish(home, campaign, time.monotonic() - began, seen)


def run_for_real(
    campaign: Campaign, lab: LabSpec, home: Home, *, by: str, on_progress: OnProgress = lambda _: None
) -> dict[str, Any]:
    """Run `campaign` on the instruments at the lab file's addresses; the summary as plain values."""
    began = time.monotonic()
    with _daemon(campaign, lab, home, by, on_progress) as daemon, _served(Api(lab), home) as api:
        daemon.await_workers()
        daemon.connect(addresses_of(lab), RealClock(), None)
        _run(daemon, api)
    return _finish(home, campaign, time.monotonic() - began, None)


def serve(lab: LabSpec, home: Home) -> dict[str, Any]:
    """Wait until an operator starts a campaign, then run it like `run_for_real`."""
    with _served(Api(lab), home) as api:
        campaign, by = api.await_campaign()
        began = time.monotonic()
        with _daemon(campaign, lab, home, by, lambda _: None) as daemon:
            daemon.await_workers()
            daemon.connect(addresses_of(lab), RealClock(), None)
            _run(daemon, api)
    return _finish(home, campaign, time.monotonic() - began, None)


def hand_over(campaign: Campaign, home: Home, *, by: str) -> str:
    """Start `campaign` in the daemon that serves `home`; what to do next, in words.  Raises `HomeError`."""
    with home.connect() as daemon:
        daemon.start(campaign.model_dump(mode="json"), by)
    return f"{campaign.name} runs in {home.path}: see `nightshift status --home {home.path}`"


@contextmanager
def serve_lab(
    lab: LabSpec, *, seed: int, speed: float, truth: Path | None, world: Path | None
) -> Iterator[dict[str, str]]:
    """The simulated lab alone, for whoever wants to talk to it: device name -> address."""
    log = Path(tempfile.gettempdir()) / f"nightshift-simulators-{os.getpid()}.log"
    with SimulatedLab(lab, seed, log, truth=truth, world=world) as simulated:
        addresses = simulated.addresses()
        simulated.start_clock(speed)
        yield addresses


@contextmanager
def _daemon(campaign: Campaign, lab: LabSpec, home: Home, by: str, on_progress: OnProgress) -> Iterator[Daemon]:
    daemon = Daemon(campaign, lab, SqliteJournal(home.journal), home.path, by=by, on_progress=on_progress)
    try:
        yield daemon
    finally:
        daemon.close()


@contextmanager
def _served(api: Api, home: Home) -> Iterator[Api]:
    """`api`, reachable for whoever can read the home."""
    token = secrets.token_hex(16)
    with rpc.serve({"daemon": api}, token) as server:
        home.announce(server.uris["daemon"], token)
        try:
            yield api
        finally:
            home.withdraw()


def _run(daemon: Daemon, api: Api) -> None:
    """Run the campaign; SIGINT and SIGTERM abort it, a second one ends our processes at once."""

    def abort(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        daemon.command(Command.ABORT, daemon.by, signal.Signals(number).name)

    before = {number: signal.signal(number, abort) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        api.serve(daemon)
        daemon.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _finish(home: Home, campaign: Campaign, wall_s: float, seen: Account | None) -> dict[str, Any]:
    """The summary of the night in `home`, and its report."""
    entries = list(SqliteJournal(home.journal).read())
    state = fold(entries)
    assert state.ended is not None
    now = status(state, campaign, state.time)
    write_report(entries, home.report, simulated=seen is not None, hazards=seen.hazards if seen else None)
    summary = {
        "campaign": campaign.name,
        "seed": campaign.seed,
        "end": state.ended.end,
        "reason": state.ended.reason,
        "samples": len(state.samples),
        "valid": now.valid,
        "censored": now.censored,
        "failed": now.failed,
        "best": now.best,
        "lab_hours": (state.time - state.started_at) / 3600,
        "wall_s": wall_s,
        "station_utilisation": utilisation(intervals(entries)),
        "home": str(home.path),
        "report": str(home.report),
    }
    if seen is not None:
        summary |= {
            "hazards": len(seen.hazards),
            "lost": len(seen.lost),
            "doubled": len(seen.doubled),
            "unmeasured": len(seen.unmeasured),
        }
    return summary


def progress_of(home: Home) -> Progress:
    """How the night in `home` stands, from its journal alone."""
    state = fold(SqliteJournal(home.need_journal()).read())
    assert state.started is not None
    return status(state, Campaign.model_validate(state.started.campaign), state.time)


def write_report_of(home: Home, output: Path | None) -> Path:
    """Write the report of the night in `home`; where it is."""
    entries = list(SqliteJournal(home.need_journal()).read())
    target = output or home.report
    world = home.path / "world.jsonl"
    seen = account(read_world(world), fold(entries)) if world.exists() else None
    write_report(entries, target, simulated=seen is not None, hazards=seen.hazards if seen else None)
    return target


def summary_lines(summary: dict[str, Any], home: Home) -> str:
    """The summary for a person."""
    lines = [
        f"{summary['campaign']}: {summary['end']} ({summary['reason']}), seed {summary['seed']}",
        f"{summary['samples']} samples: {summary['valid']} valid, {summary['censored']} censored, "
        f"{summary['failed']} failed, in {summary['lab_hours']:.1f} lab hours ({summary['wall_s']:.0f} s)",
    ]
    if summary["best"]:
        top = summary["best"]
        made = " ".join(f"{el}{100 * x:.1f}" for el, x in top["composition"].items() if x > 0.0005)
        lines.append(f"best: {top['value']:.4g} +- {top['sigma']:.2g} {top['unit']} at {made} (sample {top['sample']})")
    shares = ", ".join(f"{name} {share:.0%}" for name, share in summary["station_utilisation"].items())
    lines.append(f"stations at work: {shares}")
    if "hazards" in summary:
        lines.append(
            f"by the world log: {summary['hazards']} hazards, {summary['lost']} films lost, "
            f"{summary['doubled']} doubled"
        )
    lines.append(f"report: {summary['report']}")
    return "\n".join(lines)
