"""The step log: each step once, and what a death leaves behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from orchestrator.execution.documents import DocumentLog, DocumentLogError
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
    nothing = {"outcome": {}, "error": "", "fault": "", "run_uids": [], "marks": [], "evidence": None}
    assert log.answer("s-1") == {"state": "running", **nothing}


def test_its_end_is_kept(log, path):
    log.begin(STEP, 1.0)
    log.end("s-1", StepState.DONE, {"moved": True, "value": float("nan")}, "", ["r-1"], 2.0)
    other = StepLog(path)
    assert other.answer("s-1")["outcome"] == {"moved": True, "value": None}
    assert other.answer("s-1")["run_uids"] == ["r-1"]
    assert other.cut_off() == []
    other.close()


def test_a_step_that_a_death_cut_off_is_unknown_and_says_how_far_it_may_have_come(log, path):
    log.begin(STEP, 1.0)
    log.begin({**STEP, "uid": "s-2"}, 1.0)
    log.mark("s-1", "uncover", {"dose_s": 0.0}, 1.5)
    reborn = StepLog(path)
    assert sorted(reborn.cut_off()) == ["s-1", "s-2"]
    for uid in reborn.cut_off():
        reborn.interrupt(uid, {}, 9.0)
    assert reborn.cut_off() == []
    assert reborn.answer("s-1")["state"] == "unknown"
    assert "it had set out to: uncover" in reborn.answer("s-1")["error"]
    assert "nothing irreversible" in reborn.answer("s-2")["error"]
    assert reborn.answer("s-1")["marks"] == [{"mark": "uncover", "time": 1.5, "dose_s": 0.0}]
    assert not reborn.begin(STEP, 10.0)
    reborn.close()


def test_what_was_recorded_and_witnessed_outlives_the_worker(log, path):
    log.begin(STEP, 1.0)
    log.record("s-1", {"begun": False})
    log.record("s-1", {"begun": True})
    second = StepLog(path)  # dies before it has made the station safe
    second.witness("s-1", {"time": 3.0, "readings": {}})
    third = StepLog(path)
    assert third.cut_off() == ["s-1"]
    third.witness("s-1", {"time": 4.0, "readings": {}})
    third.interrupt("s-1", {"safe": {"begun": 4.5, "done": 5.0}, "after": {"time": 6.0}}, 6.0)
    answer = third.answer("s-1")
    assert answer["outcome"] == {"begun": True}
    assert [look["time"] for look in answer["evidence"]["before"]] == [3.0, 4.0]
    assert answer["evidence"]["safe"] == {"begun": 4.5, "done": 5.0}
    assert answer["evidence"]["after"] == {"time": 6.0}
    for other in (second, third):
        other.close()


def test_what_comes_after_the_end_is_not_recorded(log):
    log.begin(STEP, 1.0)
    log.end("s-1", StepState.FAILED, {"begun": True}, "arc", [], 2.0, {"after": {"time": 2.5}})
    log.record("s-1", {"begun": False})
    assert log.answer("s-1")["outcome"] == {"begun": True}
    assert log.answer("s-1")["evidence"] == {"after": {"time": 2.5}}


def test_a_log_of_an_older_version_is_refused_when_it_is_opened(path):
    StepLog(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE steps DROP COLUMN evidence")
    told = r"station\.db: .*another version of Nightshift: its table steps lacks evidence; go on with the version"
    with pytest.raises(DocumentLogError, match=told):
        StepLog(path)
    DocumentLog(path).close()  # whose own table is as it should be


def test_a_step_nobody_began(log):
    assert log.answer("s-9") is None
