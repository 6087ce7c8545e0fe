"""Death in the middle of a night, in real processes: what was under way is settled, and the night goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.audit import audit as examined
from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.state import CampaignState, fold
from orchestrator.journal import SqliteJournal
from orchestrator.lab import SimulatedLab
from orchestrator.night import load
from orchestrator.service.home import Home
from simulators.clock import ScaledClock

from .conftest import nightshift, small_campaign
from .test_commands import child, doing, until

pytestmark = [pytest.mark.night, pytest.mark.timeout(180)]

SPEED = 700.0
FILMS = 2
WORKER = "orchestrator.execution.worker"


class Lab:
    """A simulated lab that outlives whoever works in it, and a home."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.home.path.mkdir()
        self.campaign = small_campaign(folder, FILMS)
        self.spec, self.lab = load(self.campaign, None, None)
        self.world_log = folder / "world.jsonl"
        self.simulated = SimulatedLab(self.lab, self.spec.seed, folder / "simulators.log", world=self.world_log)
        self.addresses = self.simulated.addresses()
        self.clock: ScaledClock = self.simulated.start_clock(SPEED)
        self.night: subprocess.Popen[str] | None = None
        self.nights = 0

    def start(self) -> subprocess.Popen[str]:
        """Begin the campaign, or carry on with it."""
        self.nights += 1
        log = (self.home.path.parent / f"night-{self.nights}.log").open("w")
        command = [sys.executable, "-m", "tests.night.alone"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        self.night = subprocess.Popen(command, text=True, **pipes)
        told = {"home": str(self.home.path), "campaign": str(self.campaign), "addresses": self.addresses}
        self.night.stdin.write(json.dumps({**told, "clock": self.clock.spec()}) + "\n")
        self.night.stdin.flush()
        log.close()
        return self.night

    def until(self, true_of: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return until(self.home, true_of)

    def until_world(self, event: str, count: int = 1) -> None:
        """Wait until the world has seen `event` so often."""
        deadline = time.monotonic() + 60
        while sum(seen["event"] == event for seen in self.world()) < count:
            assert time.monotonic() < deadline, f"no {event} in 60 s"
            time.sleep(0.01)

    def summary(self) -> dict[str, Any]:
        assert self.night is not None
        stdout, _ = self.night.communicate(timeout=120)
        assert stdout, (self.home.path.parent / f"night-{self.nights}.log").read_text()
        return dict(json.loads(stdout))

    def world(self) -> list[dict[str, Any]]:
        lines = self.world_log.read_text().splitlines() if self.world_log.exists() else []
        return [json.loads(line) for line in lines]

    def journal(self) -> list[e.Recorded]:
        return list(SqliteJournal(self.home.journal).read())

    def entries(self, kind: type) -> list[Any]:
        return [r.entry for r in self.journal() if isinstance(r.entry, kind)]

    def worker(self, station: str) -> int:
        """Process id of the worker that has `station` now."""
        return int((self.home.path / f"{station}.documents.lock").read_text())

    def kill_everything(self) -> None:
        assert self.night is not None
        pids = [self.night.pid, *(self.worker(name) for name in self.lab.stations)]
        pids.append(child(self.night.pid, "orchestrator.optimizer.service"))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.night.communicate()

    def close(self) -> None:
        if self.night is not None and self.night.poll() is None:
            self.night.kill()
            self.night.communicate()
        self.simulated.__exit__()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def settled(lab: Lab) -> CampaignState:
    """What must be true of every night, by the journal and by the world's own log."""
    state = fold(lab.journal())
    assert state.ended is not None
    assert state.ended.end == "done", state.ended
    assert not state.open_steps
    assert all(sample.at_home and sample.finished for sample in state.samples.values())
    seen = Counter((event["event"], event.get("substrate")) for event in lab.world())
    assert [event for event in lab.world() if event["event"] == "hazard"] == []
    films = [sample for sample in state.samples.values() if sample.film is not None]
    assert sorted(sample.slot for sample in films) == sorted(s for event, s in seen if event == "film_begun")
    for sample in films:
        assert seen["film_begun", sample.slot] == 1
        assert seen["measured", sample.slot] >= 1
        assert sample.phase is Phase.OBSERVED
    observed = Counter(observation.sample for observation in lab.entries(e.ObservationMade))
    assert set(observed.values()) == {1}
    made = {event["substrate"]: event for event in lab.world() if event["event"] == "film_finished"}
    for sample in films:
        truth, film = made[sample.slot], sample.film
        assert film.thickness_nm == pytest.approx(truth["thickness_nm"], abs=5 * film.thickness_sigma_nm)
        for element, fraction in film.composition.items():
            sigma = film.composition_sigma[element]
            assert fraction == pytest.approx(truth["composition"].get(element, 0.0), abs=5 * sigma + 0.003)
    return state


def interrupted(lab: Lab, plan: str) -> list[e.StepEnded]:
    plans = {intent.step: intent.plan for intent in lab.entries(e.StepIntended)}
    return [ended for ended in lab.entries(e.StepEnded) if ended.end == "interrupted" and plans[ended.step] == plan]


def test_a_worker_killed_in_its_film_is_replaced_and_the_film_is_measured_as_it_is(lab: Lab) -> None:
    lab.start()
    lab.until_world("film_begun")
    os.kill(lab.worker("deposition"), signal.SIGKILL)
    summary = lab.summary()
    assert (summary["end"], summary["valid"]) == ("done", FILMS)
    state = settled(lab)
    assert state.samples[1].film is not None
    assert not state.samples[1].film.finished
    assert [lost.station for lost in lab.entries(e.StationLost)] == ["deposition"]
    assert [back.station for back in lab.entries(e.StationRestarted)] == ["deposition"]
    (ended,) = interrupted(lab, "deposit")
    assert ended.evidence is not None
    assert ended.evidence["before"][0]["readings"]["monitor"]["substrate_shutter"] == "open"


def test_a_worker_that_hangs_is_replaced_like_a_dead_one(lab: Lab) -> None:
    lab.start()
    lab.until(lambda s: doing(s, "magnetometry", "measure"))
    began = time.monotonic()
    os.kill(lab.worker("magnetometry"), signal.SIGSTOP)
    while not lab.entries(e.StationLost):
        assert time.monotonic() - began < 8
        time.sleep(0.1)
    assert lab.summary()["valid"] == FILMS
    settled(lab)
    assert "has not answered" in lab.entries(e.StationLost)[0].reason


@pytest.mark.parametrize("event", ["film_begun", "picked"])
def test_a_daemon_killed_is_carried_on_where_it_was(lab: Lab, event: str) -> None:
    night = lab.start()
    lab.until_world(event)
    night.kill()
    night.communicate()
    lab.start()
    assert lab.summary()["valid"] == FILMS
    settled(lab)
    assert len(lab.entries(e.DaemonStarted)) == 2


@pytest.mark.parametrize("event", ["film_begun", "placed"])
def test_everything_killed_at_once_is_carried_on_where_it_was(lab: Lab, event: str) -> None:
    lab.start()
    lab.until_world(event)
    lab.kill_everything()
    lab.start()
    assert lab.summary()["valid"] == FILMS
    settled(lab)


def test_lab_time_goes_on_though_the_machine_s_clock_was_set_back(lab: Lab) -> None:
    lab.start()
    lab.until_world("placed")
    lab.kill_everything()
    before = lab.journal()
    lab.clock.lab_epoch -= 10 * 3600.0
    lab.start()
    assert lab.summary()["valid"] == FILMS
    settled(lab)
    times = [recorded.time for recorded in lab.journal()[len(before) - 1 :]]
    assert times == sorted(times)
    assert len(set(times)) > len(times) // 2  # it does not stand still
    assert times[-1] - times[0] < 9 * 3600  # a busy machine takes lab hours; but not those that the clock lost
    assert examined(lab.home.path, lab.world_log).clean


def test_only_one_daemon_at_a_time_lives_in_a_home(lab: Lab) -> None:
    lab.start()
    lab.until(lambda s: s["mode"] == "running")
    refused = nightshift("recover", "--home", lab.home.path)
    assert refused.returncode == 2
    assert f"a daemon lives here (process {lab.night.pid if lab.night else 0})" in refused.stderr


def test_a_campaign_that_has_ended_is_only_summed_up(lab: Lab) -> None:
    lab.start()
    lab.until(lambda s: s["mode"] == "running")
    nightshift("abort", "--home", lab.home.path)
    assert lab.summary()["end"] == "aborted"
    before = lab.journal()
    lab.start()
    assert lab.summary()["end"] == "aborted"
    assert lab.journal() == before
    again = nightshift("recover", "--home", lab.home.path, "--json")
    assert (again.returncode, json.loads(again.stdout)["end"]) == (4, "aborted")
    aborted = nightshift("recover", "--abort", "--home", lab.home.path, "--json")
    assert (aborted.returncode, lab.journal()) == (4, before)
    refused = nightshift("recover", "--abort", "--unattended", "--home", lab.home.path)
    assert refused.returncode == 2
    assert "does not go with --unattended" in refused.stderr


def test_a_rehearsal_is_not_gone_on_with_on_the_real_instruments(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.journal.touch()
    home.simulators_log.touch()
    refused = nightshift("recover", "--home", tmp_path)
    assert refused.returncode == 2
    assert "was a rehearsal, and its simulated lab is gone" in refused.stderr
