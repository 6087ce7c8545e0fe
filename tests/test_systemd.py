"""What systemd is told, over a socket as it would listen on."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.systemd import OFTEN, Notifier, unit


@pytest.fixture
def listener(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def heard(listener) -> list[str]:
    return listener.recv(4096).decode().split("\n")


def nothing_more(listener) -> bool:
    listener.setblocking(False)
    try:
        listener.recv(4096)
    except BlockingIOError:
        return True
    return False


def test_ready_alive_and_stopping(listener, tmp_path):
    told = Notifier.from_environment(
        {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000000", "WATCHDOG_PID": str(os.getpid())}
    )
    told.ready("waits for\na campaign")
    assert heard(listener) == ["READY=1", "STATUS=waits for a campaign", "WATCHDOG=1"]
    told.alive("running")
    assert heard(listener) == ["WATCHDOG=1", "STATUS=running"]
    told.stopping("done")
    assert heard(listener) == ["STOPPING=1", "STATUS=done"]


def test_it_is_told_often_enough_and_not_at_every_tick(listener, tmp_path):
    now, sent = 0.0, 0
    told = Notifier(str(tmp_path / "notify"), watchdog_s=100.0, now=lambda: now)
    listener.setblocking(False)
    for _ in range(400):
        told.alive("running")
        try:
            listener.recv(4096)
            sent += 1
        except BlockingIOError:
            pass
        now += 0.25
    assert OFTEN <= sent <= OFTEN + 1


def test_an_abstract_socket():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0nightshift-test-{os.getpid()}")
        listening.settimeout(5)
        Notifier(f"@nightshift-test-{os.getpid()}").ready("here")
        assert heard(listening)[0] == "READY=1"


def test_outside_systemd_nothing_is_sent_and_a_deaf_one_holds_nobody_up(listener, tmp_path, caplog):
    Notifier.from_environment({}).ready("here")
    assert nothing_more(listener)
    Notifier(str(tmp_path / "nobody")).ready("here")
    assert "cannot be told READY=1" in caplog.text
    full = Notifier(str(tmp_path / "notify"))
    for _ in range(5000):  # more than its queue holds
        full.stopping("done")


def test_another_process_s_watchdog_is_not_ours(tmp_path):
    told = Notifier.from_environment({"NOTIFY_SOCKET": "x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"})
    assert told._every_s == 0.0


@pytest.mark.parametrize("home", ["/srv/nights/fe-co-ni", "/srv/my nights/50% iron"])
def test_the_unit_is_one_that_systemd_takes(home, tmp_path):
    text = unit(Path("/bin/true"), Path("/srv/labs/vsm.toml"), Path(home), "root")
    assert "--unattended" in text
    assert "KillMode=process" in text
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    file = tmp_path / "nightshift-test.service"
    file.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert "nightshift-test" not in done.stderr, done.stderr


def test_a_daemon_that_waits_for_a_campaign_is_ready_and_lives(listener, tmp_path):
    """The real one, as the unit starts it."""
    lab = Path(__file__).parents[1] / "campaigns/labs/vsm.toml"
    command = [sys.executable, "-m", "orchestrator.cli", "serve", str(lab), "--home", str(tmp_path / "home")]
    listener.settimeout(60)
    told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "10000000"}
    daemon = subprocess.Popen([*command, "--unattended", "--console", "none"], env={**os.environ, **told})
    try:
        assert heard(listener) == ["READY=1", "STATUS=waits for a campaign", "WATCHDOG=1"]
        assert heard(listener) == ["WATCHDOG=1", "STATUS=waits for a campaign"]
        assert heard(listener)[0] == "WATCHDOG=1"
    finally:
        daemon.terminate()
        daemon.wait(timeout=30)
