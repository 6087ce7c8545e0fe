"""The same two films and the same faults on Nightshift.

    python -m benchmarks.queueserver_ours FILE

is one daemon, to be killed: FILE is JSON with ``home``, ``campaign``, ``lab`` (paths), ``addresses`` and ``clock``.
It begins the campaign, or carries on with the one that its home's journal has.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import queueserver_processes as processes
from benchmarks.queueserver_trial import RESTART_S, Act, Bench, Fault, Outcome, await_moment, fates, finished
from benchmarks.queueserver_world import FILMS, TrialError, World
from orchestrator.campaign.entries import Recorded
from orchestrator.journal import SqliteJournal
from orchestrator.lab import open_clock
from orchestrator.night import carry_on, load, run_at
from orchestrator.service.home import Home

CAMPAIGN = Path(__file__).parent / "queueserver_profile" / "campaign.toml"
CONTROLLER = "Nightshift"
LOOK_S = 0.05
MOST_STARTS = 5
BY = "benchmark"


class Nightshift:
    """One daemon with its workers, started again whenever it ends before the campaign does."""

    def __init__(self, world: World, bench: Bench, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.home.path.mkdir()
        self._log = folder / "nightshift.log"
        self._config = folder / "night.json"
        self._config.write_text(
            json.dumps(
                {
                    "home": str(self.home.path),
                    "campaign": str(CAMPAIGN.resolve()),
                    "lab": str(bench.lab_path.resolve()),
                    "addresses": world.addresses,
                    "clock": world.clock.spec(),
                }
            )
        )
        self._clock = world.clock
        self.starts: list[float] = []
        """Lab times."""

    def __enter__(self) -> Nightshift:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        processes.kill(*processes.tree(self._program.pid))
        self._program.wait()

    def start(self) -> None:
        self.starts.append(self._clock.now())
        self._program: subprocess.Popen[bytes] = processes.launch(
            [sys.executable, "-m", "benchmarks.queueserver_ours", str(self._config)],
            self._log,
            {"PYTHONPATH": str(Path(__file__).parent.parent)},
        )

    def aim(self, fault: Fault) -> Act:
        """What makes `fault` happen, all of it looked up.  Raises `TrialError` for one that has no counterpart."""
        everything = processes.tree(self._program.pid)
        match fault.kind:
            case "none":
                victims = []
            case "worker":
                victims = processes.holding_open(self.home.path / "deposition.documents.db", everything)
            case "all" | "power":
                victims = everything
            case "manager":
                victims = [self._program.pid]
            case other:
                raise TrialError(f"{other}: there is nothing like it here")
        return partial(processes.kill, *victims)

    def attend(self) -> bool:
        """What a service supervisor does: start again what ended before its time.  Whether all is over."""
        if self._program.poll() is None:
            return False
        if self._program.returncode == 0:
            return True
        if len(self.starts) > MOST_STARTS:
            raise TrialError(f"the daemon ended {len(self.starts)} times; see {self._log}")
        time.sleep(RESTART_S)
        self.start()
        return False

    def alive(self) -> None:
        """Raises `TrialError` if the daemon has ended."""
        if self._program.poll() is not None:
            raise TrialError(f"the daemon ended with exit code {self._program.returncode}; see {self._log}")

    def journal(self) -> list[Recorded]:
        journal = SqliteJournal(self.home.journal)
        try:
            return list(journal.read())
        finally:
            journal.close()


def trial(bench: Bench, fault: Fault, folder: Path) -> Outcome:
    """One fault on Nightshift."""
    outcome = Outcome(CONTROLLER, fault.name, bench.seed)
    with (
        World(bench.lab, folder, seed=bench.seed, speed=bench.speed) as world,
        Nightshift(world, bench, folder) as night,
    ):
        act = await_moment(world, fault, night.alive, partial(night.aim, fault))
        act()
        at, begun = world.clock.now(), time.monotonic()
        known = [recorded for recorded in night.journal() if recorded.time <= at]
        outcome.within = not any(recorded.entry.kind == "film_deposited" for recorded in known)
        while not night.attend():
            if time.monotonic() - begun > bench.both_films_s:
                raise TrialError(f"the night has not ended {bench.both_films_s:.0f} s after the fault")
            time.sleep(LOOK_S)
        entries = night.journal()
        outcome.watched_s = time.monotonic() - begun
        outcome.noticed_s, outcome.noticed_at = _noticed(entries[len(known) :], at, night.starts[1:2], world)
        outcome.alone = finished(world)
        outcome.left_alone = fates(world)
        outcome.person = [
            f"asked for: {recorded.entry.reason}" for recorded in entries if recorded.entry.kind == "operator_needed"
        ][:1]
        outcome.kept = "all kept" if entries[: len(known)] == known else "**changed**"
        outcome.record = [_words(recorded, at, world) for recorded in entries[len(known) :]]
        outcome.witness(world)
        _tell_what_was_recorded(entries, outcome)
    return outcome


def _tell_what_was_recorded(entries: list[Recorded], outcome: Outcome) -> None:
    """Of a film that is not as wanted: what the journal has of it."""
    for recorded in entries:
        told = recorded.entry
        if told.kind == "film_deposited" and not told.finished:
            outcome.fates[list(FILMS)[told.sample - 1]] += f", recorded as ({told.thickness_nm:.0f} nm)"
        if told.kind in ("sample_discarded", "sample_quarantined"):
            name = list(FILMS)[told.sample - 1]
            outcome.fates[name] += f" ({told.kind.removeprefix('sample_')}: {told.reason})"


def _noticed(new: list[Recorded], at: float, restarts: list[float], world: World) -> tuple[float | None, str]:
    """When the journal first tells of the fault, real seconds; counted from the restart if there was one."""
    since, what = (restarts[0], "after the restart") if restarts else (at, "after the fault")
    for recorded in new:
        told = recorded.entry
        unsettled = told.kind == "step_ended" and told.end in ("unknown", "interrupted")
        if told.kind in ("station_lost", "station_restarted", "daemon_started", "operator_needed") or unsettled:
            return world.clock.real_s(recorded.time - since), what
    return None, ""


def _words(recorded: Recorded, at: float, world: World) -> str:
    entry = recorded.entry.model_dump(exclude={"v", "kind", "loop", "quantities", "kwargs", "campaign", "lab"})
    short = ", ".join(f"{name}={str(value)[:60]}" for name, value in entry.items() if value not in ("", [], None))
    return f"+{(recorded.time - at) / world.clock.speed:.2f} s {recorded.entry.kind}: {short}"


def main(path: str) -> None:
    """Be a daemon."""
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    config: dict[str, Any] = json.loads(Path(path).read_text())
    home, addresses, spec = Home(Path(config["home"])), config["addresses"], config["clock"]
    clock = open_clock(spec)
    if home.journal.exists():
        carry_on(home, addresses, clock, spec, by=BY)
        return
    campaign, lab = load(Path(config["campaign"]), Path(config["lab"]), None)
    run_at(campaign, lab, home, addresses, clock, spec, by=BY)


if __name__ == "__main__":
    main(sys.argv[1])
