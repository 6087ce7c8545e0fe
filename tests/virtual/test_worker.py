"""The worker of a virtual station, in this process and in one of its own."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

import pytest

from orchestrator import rpc
from orchestrator.campaign.labspec import load_lab
from orchestrator.service.children import Child
from orchestrator.virtual.calculator import Calculation, CalculationStopped, CalculationTimeout
from orchestrator.virtual.catalogue import calculator_of, quantities
from orchestrator.virtual.worker import CalculatorBusy, Worker

LAB = load_lab(Path(__file__).parents[2] / "campaigns/labs/moke-theory.toml")
PATIENCE_S = 60.0


class Played:
    """A calculator that does as it is told, when it is told."""

    fidelity, typical_s = "played", 1.0

    def __init__(self, stopped):
        self.stopped, self.go, self.begun = stopped, threading.Event(), threading.Event()
        self.failure = None

    def calculate(self, composition):
        self.begun.set()
        while not self.go.wait(0.01):
            if self.stopped():
                raise CalculationStopped("not wanted")
        if self.failure:
            raise self.failure
        return Calculation(composition, 2.0, 0.0, 11.5, 1.0)


@pytest.fixture
def worker():
    made = []
    worker = Worker("theory.1", lambda stopped: made.append(Played(stopped)) or made[0])
    worker.played = made[0]
    yield worker
    worker.close()


def step(uid="c1"):
    return {"uid": uid, "plan": "calculate", "kwargs": {"composition": {"Fe": 1.0}}}


def test_a_step_runs_until_it_is_done_and_its_outcome_has_quantities(worker):
    assert worker.start(step())["state"] == "running"
    assert worker.wait("c1", 0.01)["state"] == "running"
    assert worker.status()["step"] == {"uid": "c1", "plan": "calculate"}
    worker.played.go.set()
    answer = worker.wait("c1", PATIENCE_S)
    assert answer["state"] == "done"
    assert answer["outcome"]["fidelity"] == "played"
    assert answer["outcome"]["quantities"]["saturation_magnetisation"]["unit"] == "kA/m"
    assert worker.status()["state"] == "safe"


def test_the_same_uid_is_one_calculation_and_another_has_to_wait(worker):
    worker.start(step())
    assert worker.start(step())["state"] == "running"
    with pytest.raises(CalculatorBusy, match="c1"):
        worker.start(step("c2"))
    worker.played.go.set()
    worker.wait("c1", PATIENCE_S)
    assert worker.start(step())["state"] == "done"


def test_what_was_never_begun_here_says_so(worker):
    assert worker.wait("another", 0.0)["state"] == "never begun"


def test_an_abort_ends_the_calculation(worker):
    worker.start(step())
    assert worker.played.begun.wait(PATIENCE_S)
    worker.abort("enough")
    assert worker.wait("c1", PATIENCE_S)["state"] == "aborted"
    worker.played.go.set()
    worker.start(step("c2"))
    assert worker.wait("c2", PATIENCE_S)["state"] == "done"


@pytest.mark.parametrize(
    ("failure", "fault"), [(CalculationTimeout("too long"), "timeout"), (ZeroDivisionError("a bug"), "protocol")]
)
def test_failures_are_classed_and_the_worker_lives(worker, failure, fault):
    worker.played.failure = failure
    worker.played.go.set()
    worker.start(step())
    answer = worker.wait("c1", PATIENCE_S)
    assert (answer["state"], answer["fault"]) == ("failed", fault)
    assert type(failure).__name__ in answer["error"]
    worker.played.failure = None
    worker.start(step("c2"))
    assert worker.wait("c2", PATIENCE_S)["state"] == "done"


def test_the_process_calculates_and_ends_with_its_parent(tmp_path):
    token = secrets.token_hex(8)
    child = Child("calculator", ["orchestrator.virtual.worker"], tmp_path / "theory.1.log")
    try:
        assert child.hear(PATIENCE_S) == {"started": True}
        log = str(tmp_path / "theory.1.documents.db")
        child.tell({"station": "theory.1", "lab": LAB.model_dump(mode="json"), "log": log, "token": token})
        assert child.hear(PATIENCE_S) == {"configured": True}
        with rpc.connect(child.hear(PATIENCE_S)["uri"], token, timeout_s=PATIENCE_S) as worker:
            worker.start({"uid": "c1", "plan": "calculate", "kwargs": {"composition": {"Fe": 0.7, "Co": 0.3}}})
            answer = worker.wait("c1", 30.0)
        assert answer["state"] == "done"
        value = answer["outcome"]["quantities"]["saturation_magnetisation"]["value"]
        assert value == pytest.approx(1974, abs=20)
    finally:
        child.close()
    assert child.exit_code == 0


@pytest.mark.parametrize("calculator", ["slater-pauling", "elk", "akaikkr"])
def test_every_calculator_of_a_lab_file_can_be_made_and_keeps_the_contract(calculator, tmp_path):
    spec = LAB.virtual["theory"].model_copy(update={"calculator": calculator, "program": "no-such-program"})
    made = calculator_of(spec, tmp_path)
    assert made.fidelity
    assert made.typical_s >= 0
    if calculator == "slater-pauling":
        told = quantities(made.calculate({"Fe": 1.0}))
        assert set(told) == {"saturation_magnetisation", "kerr_rotation", "moment_per_atom"}
