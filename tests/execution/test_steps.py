"""The step log: each step once, and what a death leaves behind."""

from __future__ import annotations

import pytest

from orchestrator.execution.steps import StepLog, StepState

STEP = {"uid": "s-1", "plan": "deposit", "kwargs": {"thickness_nm": 50}, "metadata": {"sample": 1}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "station.db"


@pytest.fixture
def log(path):
    log = StepLog(path)
    yield log
    log.close()


def test_a_step_begins_once(log):
    assert log.begin(STEP, 1.0)
    assert not log.begin(STEP, 2.0)
    assert log.answer("s-1") == {"state": "running", "outcome": {}, "error": "", "run_uids": [], "marks": []}


def test_its_end_is_kept(log, path):
    log.begin(STEP, 1.0)
    log.end("s-1", StepState.DONE, {"moved": True, "value": float("nan")}, "", ["r-1"], 2.0)
    other = StepLog(path)
    assert other.answer("s-1")["outcome"] == {"moved": True, "value": None}
    assert other.answer("s-1")["run_uids"] == ["r-1"]
    assert other.interrupt(3.0) == []
    other.close()


def test_a_step_that_a_death_cut_off_is_unknown_and_says_how_far_it_may_have_come(log, path):
    log.begin(STEP, 1.0)
    log.begin({**STEP, "uid": "s-2"}, 1.0)
    log.mark("s-1", "uncover", {"dose_s": 0.0}, 1.5)
    reborn = StepLog(path)
    assert sorted(reborn.interrupt(9.0)) == ["s-1", "s-2"]
    assert reborn.answer("s-1")["state"] == "unknown"
    assert "it had set out to: uncover" in reborn.answer("s-1")["error"]
    assert "nothing irreversible" in reborn.answer("s-2")["error"]
    assert reborn.answer("s-1")["marks"] == [{"mark": "uncover", "time": 1.5, "dose_s": 0.0}]
    assert not reborn.begin(STEP, 10.0)
    reborn.close()


def test_a_step_nobody_began(log):
    assert log.answer("s-9") is None
