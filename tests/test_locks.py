"""A file that is held for as long as its holder lives."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from orchestrator.locks import FileLock, Held, holder


def test_one_holds_it(tmp_path):
    with FileLock(tmp_path / "lock"):
        with pytest.raises(Held, match=f"held by process {os.getpid()}") as held:
            FileLock(tmp_path / "lock")
        assert held.value.pid == os.getpid()
    FileLock(tmp_path / "lock").release()


def test_who_is_patient_gets_it(tmp_path):
    first = FileLock(tmp_path / "lock")
    threading.Timer(0.3, first.release).start()
    FileLock(tmp_path / "lock", patience_s=30.0).release()


def test_the_dead_hold_nothing(tmp_path):
    code = f"""
import os, pathlib, sys
from orchestrator.locks import FileLock
lock = FileLock(pathlib.Path({str(tmp_path / "lock")!r}))
sys.stdout.write("held\\n"); sys.stdout.flush()
sys.stdin.read()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(Held) as held:
        FileLock(tmp_path / "lock")
    assert held.value.pid == process.pid
    process.kill()
    process.communicate()
    FileLock(tmp_path / "lock").release()


def test_who_only_looks_sees_the_holder_and_holds_nothing(tmp_path):
    path = tmp_path / "lock"
    assert holder(path) is None
    with FileLock(path):
        assert holder(path) == os.getpid()
    assert holder(path) is None
    with FileLock(path):
        assert path.read_text() == str(os.getpid())
