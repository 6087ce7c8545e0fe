"""The document log: complete, valid, and there after a death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from orchestrator.execution.documents import DocumentLog, DocumentLogError, plain

KILLED = """
import os, signal, sys
from orchestrator.execution.documents import DocumentLog
log = DocumentLog(sys.argv[1])
log.append("start", {"uid": "run-1", "time": 1.0})
log.append("descriptor", {"uid": "d-1", "run_start": "run-1", "time": 2.0})
for number in range(1, 51):
    log.append("event", {"uid": f"e-{number}", "descriptor": "d-1", "seq_num": number, "time": 2.0 + number})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_appended_survives_a_kill(tmp_path):
    path = tmp_path / "documents.db"
    died = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, env=os.environ)
    assert died.returncode == -signal.SIGKILL
    log = DocumentLog(path)
    documents = list(log.read())
    assert [d.name for d in documents] == ["start", "descriptor"] + ["event"] * 50
    assert [d.number for d in documents] == list(range(1, 53))
    assert [d.document["seq_num"] for d in log.run("run-1") if d.name == "event"] == list(range(1, 51))
    log.append("start", {"uid": "run-2", "time": 99.0})
    assert [d.document["uid"] for d in log.read(after=52)] == ["run-2"]
    log.close()


def test_reading_goes_on_where_it_ended(tmp_path):
    log = DocumentLog(tmp_path / "documents.db")
    for number in range(5):
        log.append("start", {"uid": f"run-{number}", "time": 0.0})
    first = list(log.read(limit=2))
    assert [d.document["uid"] for d in first] == ["run-0", "run-1"]
    assert [d.document["uid"] for d in log.read(after=first[-1].number)] == ["run-2", "run-3", "run-4"]
    log.close()


def test_numbers_from_numpy_and_numbers_that_are_none(tmp_path):
    document = {
        "uid": "x",
        "time": np.float64(1.5),
        "n": np.int32(3),
        "values": np.arange(3.0),
        "pose": (1, 2.0),
        "bad": float("nan"),
        "worse": [np.inf],
        1: True,
    }
    log = DocumentLog(tmp_path / "documents.db")
    log.append("start", document)
    (logged,) = log.read()
    assert logged.document == {
        "uid": "x",
        "time": 1.5,
        "n": 3,
        "values": [0.0, 1.0, 2.0],
        "pose": [1, 2.0],
        "bad": None,
        "worse": [None],
        "1": True,
    }
    log.close()


def test_what_cannot_be_kept_is_an_error_and_not_a_guess():
    with pytest.raises(TypeError, match="cannot be kept"):
        plain({"when": object()})


def test_a_log_that_cannot_be_opened_says_which(tmp_path):
    with pytest.raises(DocumentLogError, match="nowhere"):
        DocumentLog(tmp_path / "nowhere" / "documents.db")
