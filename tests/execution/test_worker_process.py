"""The worker as the daemon sees it: a process of its own, reached by calls, ended by its standard input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import rpc
from orchestrator.campaign.labspec import load_lab
from orchestrator.execution.steps import StepLog
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
    def __init__(self, path, station="deposition", speed=2000.0) -> None:
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


def test_a_wrong_configuration_ends_with_its_reason(tmp_path):
    config = {"station": "attic", "lab": {}, "addresses": {}, "clock": None, "log": "x", "token": TOKEN}
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
