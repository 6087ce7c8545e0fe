"""Processes of ours, well-behaved and otherwise."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

import orchestrator
from orchestrator.service.children import Child, ChildError

ROOT = Path(orchestrator.__file__).parents[1]
PATIENCE_S = 30.0
HOPELESS_S = 0.1

ECHO = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"heard": json.loads(line)}), flush=True)
"""


@pytest.fixture
def launch(tmp_path, monkeypatch):
    """A function that starts `source` as a child."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    children = []

    def start(source):
        name = f"child_{len(children)}"
        (tmp_path / f"{name}.py").write_text(source)
        children.append(Child("the child", [name], tmp_path / f"{name}.log"))
        return children[-1]

    yield start
    for child in children:
        child.close(patience_s=0.0)


def test_a_child_hears_and_answers(launch):
    child = launch(ECHO)
    child.tell({"name": "Ångström"})
    assert child.hear(PATIENCE_S) == {"heard": {"name": "Ångström"}}
    child.tell({"n": 2})
    child.tell({"n": 3})
    assert [child.hear(PATIENCE_S)["heard"]["n"] for _ in range(2)] == [2, 3]
    assert child.exit_code is None
    child.close(PATIENCE_S)
    assert child.exit_code == 0


def test_children_start_side_by_side(launch):
    children = [launch(ECHO) for _ in range(3)]
    for number, child in enumerate(children):
        child.tell({"n": number})
    assert [child.hear(PATIENCE_S) for child in children] == [{"heard": {"n": n}} for n in range(3)]


def test_standard_error_goes_to_the_log_of_all_starts(launch, tmp_path):
    source = "import sys; sys.stderr.write('trouble\\n')"
    (tmp_path / "child_0.log").write_text("before\n")
    child = launch(source)
    child.close(PATIENCE_S)
    assert child.log.read_text() == "before\ntrouble\n"


# --- children that do not answer ------------------------------------------------------------------------


def test_a_child_that_says_nothing(launch):
    child = launch("import sys; sys.stdin.read()")
    with pytest.raises(ChildError, match=r"the child said nothing for 0\.1 s; see .*child_0\.log"):
        child.hear(HOPELESS_S)
    assert child.exit_code is None


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("raise SystemExit(3)", "3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "-9"),
        ("import no_such_module", "1"),
    ],
)
def test_a_child_that_dies_at_once(launch, source, code):
    child = launch(source)
    for _ in range(2):  # however often one asks
        with pytest.raises(ChildError, match=rf"the child ended with exit code {code}; see .*child_0\.log"):
            child.hear(PATIENCE_S)
    child.close()


def test_a_child_that_dies_after_its_answer(launch):
    child = launch("print('{}', flush=True)")
    assert child.hear(PATIENCE_S) == {}
    with pytest.raises(ChildError, match="ended with exit code 0"):
        child.hear(PATIENCE_S)


def test_a_child_that_closes_its_output_and_lives(launch):
    child = launch("import os, sys; os.close(1); sys.stdin.read()")
    with pytest.raises(ChildError, match="closed its standard output, and still runs"):
        child.hear(PATIENCE_S)


def test_telling_a_dead_child(launch):
    child = launch("raise SystemExit(3)")
    with pytest.raises(ChildError):
        child.hear(PATIENCE_S)
    with pytest.raises(ChildError, match=r"the child is gone \(exit code 3\)"):
        child.tell({"to": "nobody"})
    child.close()


@pytest.mark.parametrize(
    ("printed", "what"),
    [
        ("hello", "not JSON"),
        ("{'uri': 1}", "not JSON"),
        ('["uri"]', "not an object"),
        ("3", "not an object"),
        ("", "not JSON"),
    ],
)
def test_a_child_that_says_something_else(launch, printed, what):
    child = launch(f"print({printed!r}, flush=True)")
    with pytest.raises(ChildError, match=f"the child said .*{what}"):
        child.hear(PATIENCE_S)


def test_a_child_that_says_bytes_that_are_no_text(launch):
    child = launch("import sys; sys.stdout.buffer.write(b'\\xff\\xfe{}\\n{}\\n')")
    with pytest.raises(ChildError, match="not JSON"):
        child.hear(PATIENCE_S)
    assert child.hear(PATIENCE_S) == {}


# --- ends -----------------------------------------------------------------------------------------------


def test_closing_twice_is_closing_once(launch):
    child = launch(ECHO)
    child.close(PATIENCE_S)
    child.close(PATIENCE_S)
    assert child.exit_code == 0


def test_a_stubborn_child_is_killed(launch):
    child = launch(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('{}', flush=True)\n"
        "while True: time.sleep(60)"
    )
    child.hear(PATIENCE_S)
    child.close(HOPELESS_S)
    assert child.exit_code == -signal.SIGKILL


def test_a_child_that_prints_without_end_can_be_closed(launch):
    child = launch("while True: print('{}')")
    child.hear(PATIENCE_S)
    child.close(HOPELESS_S)
    assert child.exit_code is not None


def test_a_grandchild_that_keeps_the_output_does_not_keep_us(launch):
    child = launch(
        "import json, subprocess, sys\n"
        "heir = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], stdin=subprocess.DEVNULL)\n"
        "print(json.dumps({'pid': heir.pid}), flush=True)\n"
    )
    heir = child.hear(PATIENCE_S)["pid"]
    closed = threading.Thread(target=child.close, args=(PATIENCE_S,), daemon=True)
    closed.start()
    closed.join(PATIENCE_S)
    assert not closed.is_alive()
    assert child.exit_code == 0
    os.kill(heir, signal.SIGKILL)
    child._listener.join(PATIENCE_S)


def test_a_ctrl_c_at_our_terminal_is_not_the_childs(launch):
    child = launch(ECHO)
    assert os.getsid(child.pid) == child.pid


def test_when_the_parent_is_killed_its_children_see_the_end_of_their_input(tmp_path, monkeypatch):
    """Neither of two children keeps the other's input open."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    (tmp_path / "orphan.py").write_text("import sys\nprint('{}', flush=True)\nsys.stdin.read()\n")
    reading, writing = os.pipe()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, pass_fds=[writing], text=True
    )
    with closing(parent.stdout), os.fdopen(reading):
        os.close(writing)
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        watched = [os.pidfd_open(pid) for pid in pids]
        parent.kill()
        parent.wait(PATIENCE_S)
        for descriptor in watched:
            ended, _, _ = select.select([descriptor], [], [], PATIENCE_S)
            assert ended
            os.close(descriptor)


PARENT = """
import sys, time
from pathlib import Path
from orchestrator.service.children import Child
folder = Path(sys.argv[1])
children = [Child(name, ["orphan"], folder / name) for name in "ab"]
for child in children:
    child.hear(30)
print(*[child.pid for child in children], flush=True)
time.sleep(600)
"""
