"""An operator at a running night: hold, resume, stop, abort, from another process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.state import fold
from orchestrator.journal import SqliteJournal
from orchestrator.service.home import Home, HomeError

from .conftest import nightshift, small_campaign

pytestmark = [pytest.mark.night, pytest.mark.timeout(180)]


class Running:
    """A dry run in its own process."""

    def __init__(self, folder: Path, films: int, speed: float) -> None:
        self.home = Home(folder / "home")
        campaign = small_campaign(folder, films)
        command = [sys.executable, "-m", "orchestrator.cli", "dry-run", str(campaign), "--json"]
        command += ["--home", str(self.home.path), "--speed", str(speed)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def until(self, true_of: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return until(self.home, true_of)

    def give(self, command: str) -> subprocess.CompletedProcess[str]:
        return nightshift(command, "--home", self.home.path, "--by", "tester", "--reason", "a test")

    def summary(self) -> dict[str, Any]:
        stdout, stderr = self.process.communicate(timeout=120)
        assert stdout, stderr
        return dict(json.loads(stdout))

    def world(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.home.path / "world.jsonl").read_text().splitlines()]


def until(home: Home, true_of: Callable[[dict[str, Any]], bool], patience_s: float = 60) -> dict[str, Any]:
    """Poll the status of the daemon in `home` until `true_of` it."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            with home.connect() as daemon:
                status = daemon.status()
        except HomeError:
            status = {"mode": "not there", "stations": {}}
        if true_of(status):
            return dict(status)
        time.sleep(0.05)
    pytest.fail(f"still {status} after {patience_s} s")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    night = Running(tmp_path, films=2, speed=400)
    yield night
    if night.process.poll() is None:
        night.process.kill()
        night.process.communicate()


def doing(status: dict[str, Any], station: str, plan: str) -> bool:
    return bool(status.get("stations", {}).get(station, {}).get("step") == plan)


def test_hold_and_resume_lose_nothing(running: Running) -> None:
    running.until(lambda s: doing(s, "deposition", "deposit"))
    assert running.give("hold").stdout.strip() == "holding"
    running.until(lambda s: s["mode"] == "held")
    again = running.give("hold")
    assert (again.returncode, again.stdout.strip()) == (0, "held")
    assert again.stderr.startswith("it was so already: hold by tester at ")
    assert running.give("resume").stdout.strip() == "running"
    summary = running.summary()
    assert (summary["end"], summary["valid"], summary["hazards"], summary["doubled"]) == ("done", 2, 0, 0)
    given = [r.entry for r in SqliteJournal(running.home.journal).read() if r.entry.kind == "command_given"]
    assert [(c.command, c.by, c.reason) for c in given] == [
        ("hold", "tester", "a test"),
        ("hold", "tester", "a test"),  # another one to be lifted
        ("resume", "tester", "a test"),
    ]


def test_stop_finishes_the_films_in_flight(running: Running) -> None:
    running.until(lambda s: doing(s, "deposition", "deposit"))
    assert running.give("stop").stdout.strip() == "stopping"
    summary = running.summary()
    assert (running.process.returncode, summary["end"], summary["samples"]) == (0, "stopped", 1)
    assert (summary["valid"], summary["lost"], summary["hazards"]) == (1, 0, 0)


def test_abort_ends_in_the_safe_state(running: Running) -> None:
    running.until(lambda s: doing(s, "deposition", "deposit"))
    assert running.give("abort").stdout.strip() == "aborting"
    summary = running.summary()
    assert (running.process.returncode, summary["end"], summary["hazards"]) == (4, "aborted", 0)
    state = fold(SqliteJournal(running.home.journal).read())
    assert not state.open_steps
    assert state.samples[1].phase in (Phase.SUGGESTED, Phase.DEPOSITED)


def test_ctrl_c_is_an_abort(running: Running) -> None:
    running.until(lambda s: doing(s, "deposition", "deposit"))
    running.process.send_signal(2)
    assert running.summary()["end"] == "aborted"
    assert running.process.returncode == 4


def test_a_command_that_makes_no_sense_says_which_would(running: Running) -> None:
    running.until(lambda s: s["mode"] == "running")
    running.give("stop")
    refused = running.give("resume")
    assert refused.returncode == 5
    assert "cannot resume" in refused.stderr
    assert "before you came stop by tester" in refused.stderr
    running.give("abort")
    running.summary()


def test_no_daemon_no_command(tmp_path: Path) -> None:
    refused = nightshift("hold", "--home", tmp_path)
    assert refused.returncode == 2
    assert "no daemon runs here" in refused.stderr


def child(parent: int, module: str) -> int:
    """Process id of the child of `parent` that runs `module`."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            ppid = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (entry / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if ppid == parent and module in command:
            return int(entry.name)
    raise LookupError(f"process {parent} has no child that runs {module}")


def test_the_night_goes_on_without_its_optimizer(running: Running) -> None:
    """A fallback suggestion, or one of the optimizer that was started again: never none."""
    running.until(lambda s: doing(s, "deposition", "deposit") and s["suggested"] == 1)
    os.kill(child(running.process.pid, "orchestrator.optimizer.service"), signal.SIGKILL)
    summary = running.summary()
    assert (summary["end"], summary["valid"], summary["hazards"]) == ("done", 2, 0)
    suggested = [r.entry for r in SqliteJournal(running.home.journal).read() if r.entry.kind == "sample_suggested"]
    assert suggested[0].composition != suggested[1].composition


def test_the_night_goes_on_after_a_worker_died(running: Running) -> None:
    running.until(lambda s: doing(s, "deposition", "deposit"))
    os.kill(child(running.process.pid, "orchestrator.execution.worker"), signal.SIGKILL)
    summary = running.summary()
    assert (running.process.returncode, summary["end"]) == (0, "done")
    assert summary["lost"] == summary["doubled"] == summary["hazards"] == 0
    kinds = [r.entry.kind for r in SqliteJournal(running.home.journal).read()]
    assert "station_restarted" in kinds
