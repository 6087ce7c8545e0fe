"""The worker as the daemon sees it: a process of its own, reached by calls, ended by its standard input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orchestrator import rpc
from orchestrator.campaign.labspec import load_lab
from orchestrator.execution import worker as worker_module
from orchestrator.execution.steps import StepLog
from orchestrator.locks import FileLock, Held
from simulators.clock import ScaledClock

LAB = Path(__file__).parents[2] / "campaigns" / "labs" / "vsm.toml"
TOKEN = "bench"
FILM = {
    "composition": {"Fe": 0.5, "Co": 0.5},
    "thickness_nm": 10.0,
    "argon_pressure_pa": 0.5,
    "power_w": 100.0,
    "presputter_s": 10.0,
}


class Process:
    def __init__(self, path, station="deposition", speed=2000.0, **config) -> None:
        self.path = path
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.execution.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        config = {
            "station": station,
            "lab": load_lab(LAB).model_dump(mode="json"),
            "addresses": {},
            "clock": ScaledClock.starting_now(speed).spec(),
            "log": str(path),
            "token": TOKEN,
            "builder": "tests.execution.bench:build_station",
            **config,
        }
        self.popen.stdin.write(json.dumps(config) + "\n")
        self.popen.stdin.flush()
        for said in ({"started": True}, {"configured": True}):
            assert json.loads(self.popen.stdout.readline()) == said
        line = self.popen.stdout.readline()
        assert line, self.popen.stderr.read()
        self.worker = rpc.connect(json.loads(line)["uri"], TOKEN, timeout_s=60)

    def step_state(self, uid):
        log = StepLog(self.path)
        answer = log.answer(uid)
        log.close()
        return answer

    def end(self):
        self.worker.close()
        if self.popen.poll() is None:
            self.popen.kill()
        if self.popen.stdin.closed:
            self.popen.stdin = None
        self.popen.communicate()


@pytest.fixture
def launch(tmp_path):
    processes = []

    def make(**kwargs):
        processes.append(Process(tmp_path / "station.db", **kwargs))
        return processes[-1]

    yield make
    for process in processes:
        process.end()


def begin(process, uid="s-1", **changes):
    film = {**FILM, **changes}
    return process.worker.start({"uid": uid, "plan": "deposit", "kwargs": film, "metadata": {"sample": 1}})


def test_a_step_is_started_once_waited_for_held_and_aborted(launch):
    process = launch()
    worker = process.worker
    assert worker.status()["state"] == "safe"
    begin(process)
    assert begin(process)["state"] in ("running", "done")
    assert worker.wait("s-1", 50)["state"] == "done"
    begin(process, "s-2", thickness_nm=1e5)
    assert worker.wait("s-2", 0.01)["state"] == "running"
    with pytest.raises(rpc.RemoteError, match="StationBusy"):
        begin(process, "s-3")
    worker.hold("coffee")
    while worker.status()["state"] != "held":
        pass
    assert worker.resume() == "running"
    worker.abort("enough")
    answer = worker.wait("s-2", 50)
    assert answer["state"] == "aborted"
    assert answer["error"].startswith("enough")
    assert worker.safe("bedtime")["safe"]
    assert worker.status()["state"] == "safe"


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM", "SIGINT", "shutdown"])
def test_every_way_out_aborts_makes_safe_and_exits(launch, ending):
    process = launch()
    begin(process, thickness_nm=1e5)
    while process.worker.status()["progress"]["text"] != "depositing":
        pass
    match ending:
        case "end of input":
            process.popen.stdin.close()
        case "shutdown":
            process.worker.shutdown()
        case name:
            process.popen.send_signal(getattr(signal, name))
    assert process.popen.wait(30) == 0
    answer = process.step_state("s-1")
    assert answer["state"] == "aborted"
    assert not answer["outcome"]["finished"]


def test_a_killed_worker_s_step_is_unknown_to_the_next(launch):
    first = launch()
    begin(first, thickness_nm=1e5)
    while first.worker.status()["progress"]["text"] != "depositing":
        pass
    while not first.step_state("s-1")["marks"]:
        pass
    first.popen.kill()
    first.popen.wait()
    second = launch()
    answer = begin(second)
    assert answer["state"] == "unknown"
    assert "it had set out to: uncover" in answer["error"]
    assert answer["marks"][0]["film"]["begun"] is True
    assert answer["marks"][0]["film"]["growth"]["rates_nm_s"].keys() == {"Fe", "Co"}
    assert answer["evidence"]["before"][0]["readings"]["monitor"]["substrate_shutter"] == "closed"  # a new bench
    assert second.worker.wait("s-9", 0)["state"] == "never begun"


def test_a_worker_whose_daemon_is_silent_makes_itself_safe_and_waits_for_it(launch):
    process = launch(silence_s=1.0)
    begin(process, thickness_nm=1e5)
    while process.step_state("s-1")["state"] == "running":
        threading.Event().wait(0.05)  # nobody calls
    assert "the daemon was silent for" in process.step_state("s-1")["error"]
    assert process.popen.poll() is None
    assert process.worker.status()["state"] == "safe"
    assert process.worker.wait("s-1", 0)["state"] == "aborted"


def test_a_worker_waits_for_the_one_before_it_to_go(launch, tmp_path):
    first = launch()
    begin(first, thickness_nm=1e5)
    assert (tmp_path / "station.lock").read_text() == str(first.popen.pid)
    first.popen.stdin.close()  # its daemon has died
    successor = launch()
    assert first.popen.wait(30) == 0
    assert (tmp_path / "station.lock").read_text() == str(successor.popen.pid)
    assert successor.worker.wait("s-1", 0)["state"] == "aborted"


def test_a_worker_that_does_not_go_is_ended_by_its_successor(launch, tmp_path, monkeypatch):
    first = launch()
    first.popen.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(worker_module, "GOING_S", 0.2)
    with worker_module.claim(tmp_path / "station.db"):
        assert first.popen.wait(30) == -signal.SIGKILL


def test_whoever_else_holds_the_file_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_module, "GOING_S", 0.2)
    with FileLock(tmp_path / "station.lock"), pytest.raises(Held):
        worker_module.claim(tmp_path / "station.db")


def test_a_wrong_configuration_ends_with_its_reason(tmp_path):
    config = {"station": "attic", "lab": {}, "addresses": {}, "clock": None, "token": TOKEN}
    config["log"] = str(tmp_path / "station.db")
    ended = subprocess.run(
        [sys.executable, "-m", "orchestrator.execution.worker"],
        input=json.dumps(config) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert "uri" not in ended.stdout
    assert "cassette" in ended.stderr
