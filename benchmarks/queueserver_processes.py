"""Processes of a trial: all of them carry its mark, so that exactly these can be found and ended (Linux)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

MARK = "NIGHTSHIFT_BENCHMARK_TRIAL"


def launch(command: Sequence[str], log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, what it says appended to `log`."""
    with log.open("ab") as said:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            cwd=log.parent,
            start_new_session=True,
        )


def children(pid: int) -> list[int]:
    """Ids of the living children of `pid`."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if int(after_name[1]) == pid and after_name[0] not in "ZX":
            found.append(int(stat.parent.name))
    return sorted(found)


def tree(pid: int) -> list[int]:
    """`pid` and all that descend from it."""
    return [pid, *(below for child in children(pid) for below in tree(child))]


def holding_open(path: Path, among: Iterable[int]) -> list[int]:
    """Which of the processes have `path` open."""
    return [pid for pid in among if str(path) in _open_files(pid)]


def _open_files(pid: int) -> set[str]:
    links = set()
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            links.add(os.readlink(descriptor))
    except OSError:  # it ended, or closed a file, while we looked
        pass
    return links


def kill(*pids: int) -> None:
    """SIGKILL, all at one moment: they are stopped first, so that none sees another die."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in reversed(pids):  # children before their parents
            with suppress(ProcessLookupError):  # it is gone: what we want
                os.kill(pid, number)


def kill_marked(mark: str, patience_s: float = 10.0) -> list[int]:
    """End every process that carries `mark`; the ids of those that were still there."""
    left: set[int] = set()
    until = time.monotonic() + patience_s
    while (there := _marked(mark)) and time.monotonic() < until:
        left |= set(there)
        kill(*there)
        time.sleep(0.05)
    return sorted(left)


def _marked(mark: str) -> list[int]:
    wanted = f"{MARK}={mark}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        pid = int(environ.parent.name)
        try:
            if pid != os.getpid() and wanted in environ.read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:  # another user's, or gone
            continue
    return found


def free_port() -> int:
    """A TCP port of the loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
