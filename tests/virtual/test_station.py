"""A virtual station as the daemon has it: a worker process that may be killed, and a program that ends with it."""

from __future__ import annotations

import os
import queue
import secrets
import signal
import threading
from pathlib import Path

import pytest

from orchestrator.campaign.labspec import LabSpec, load_lab
from orchestrator.locks import FileLock
from orchestrator.service.crew import CALCULATOR
from orchestrator.service.spares import Spares
from orchestrator.service.workers import WorkerStation
from tests.virtual.published import SPECIES

PATIENCE_S = 60.0
LAB = load_lab(Path(__file__).parents[2] / "campaigns/labs/moke-theory.toml")


@pytest.fixture
def station(tmp_path, monkeypatch):
    """Makes a station whose program is played with a `behaviour`; and what its steps ended as."""
    monkeypatch.setenv("FAKE_ELK_LOG", str(tmp_path / "log.txt"))
    (tmp_path / "species").mkdir()
    for name, text in SPECIES.items():
        (tmp_path / "species" / f"{name}.in").write_text(text)
    program = tmp_path / "elk"
    made = []

    def make(behaviour):
        program.write_text(f'#!/bin/sh\nexec sh "{Path(__file__).with_name("fake_elk.sh")}" {behaviour}\n')
        program.chmod(0o755)
        spec = {"kind": "virtual", "calculator": "elk", "program": str(program), "species": str(tmp_path / "species")}
        lab = LabSpec.model_validate({**LAB.model_dump(mode="json"), "stations": {**_plain(LAB), "theory": spec}})
        spares = Spares(CALCULATOR, tmp_path / "spare.log")
        it = WorkerStation("theory.1", tmp_path, secrets.token_hex(8), spares, module=CALCULATOR)
        made.extend([it, spares])
        it.await_started()
        it.configure({"lab": lab.model_dump(mode="json"), "addresses": {}, "clock": None})
        it.connect()
        it.watch(lambda turned: None)
        return it

    yield make
    for each in made:
        each.close()


def _plain(lab):
    return lab.model_dump(mode="json")["stations"]


def step(cobalt=0.3):
    return {"uid": f"c{cobalt}", "plan": "calculate", "kwargs": {"composition": {"Fe": 1 - cobalt, "Co": cobalt}}}


def test_a_worker_that_is_killed_takes_its_program_with_it_and_the_next_one_calculates(station, tmp_path):
    it, ended = station("alone"), queue.Queue()
    it.start(step(), lambda uid, answer: ended.put((uid, answer["state"])))
    turn = threading.Event()
    state = tmp_path / "calculations/elk/scratch"
    while not list(state.glob("*/STATE.OUT")):
        turn.wait(0.05)
    os.kill(it._process.child.pid, signal.SIGKILL)
    assert ended.get(timeout=PATIENCE_S) == ("c0.3", "never begun")
    FileLock(tmp_path / "log.txt.alive", patience_s=20.0).release()
    program = (tmp_path / "elk").read_text()
    (tmp_path / "elk").write_text(program.replace("alone", "well"))
    it.start({**step(), "uid": "again"}, lambda uid, answer: ended.put((uid, answer["outcome"])))
    uid, outcome = ended.get(timeout=PATIENCE_S)
    assert uid == "again"
    assert outcome["fidelity"] == "elk"
    assert (tmp_path / "log.txt").read_text().splitlines()[-1].startswith("task 1")  # gone on with


def test_an_abort_ends_the_program(station, tmp_path):
    it, ended = station("hangs"), queue.Queue()
    it.start(step(), lambda uid, answer: ended.put(answer["state"]))
    turn = threading.Event()
    while not (tmp_path / "log.txt").exists():
        turn.wait(0.05)
    it.abort("enough")
    assert ended.get(timeout=PATIENCE_S) == "aborted"
    FileLock(tmp_path / "log.txt.alive", patience_s=20.0).release()
