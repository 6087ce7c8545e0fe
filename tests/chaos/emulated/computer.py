"""Processes of ours inside one: their pipes, signals of death, and calls to one another.

`install` replaces what production code asks of the operating system (`subprocess.Popen`, the ends of standard input
and output, `orchestrator.rpc`'s connections); the modules that run as processes run here unchanged, from their
`main`.  A killed process never runs again: what it has not written to a file is gone, its pipes close, calls to it
are lost.
"""

from __future__ import annotations

import fcntl
import json
import logging
import subprocess
import threading
from collections.abc import Callable, Mapping
from itertools import count
from types import SimpleNamespace
from typing import Any

import orchestrator.locks
from orchestrator import rpc
from tests.chaos.emulated import threads
from tests.chaos.emulated.clock import Owner, current_owner, scheduler

log = logging.getLogger(__name__)

KILLED = -9


class Process(Owner):
    """One of ours.  `exit_code` is None while it runs."""

    def __init__(self, name: str, parent: Process | None = None) -> None:
        super().__init__(name)
        self.pid = next(_pids)
        self.parent = parent
        self.stdin, self.stdout = Pipe(), Pipe()
        self.exit_code: int | None = None
        self.served: dict[str, tuple[Any, str]] = {}
        self.told: dict[str, Any] = {}
        self.files: list[Any] = []  # with a `close`: what the system closes when a process ends
        self.ended = threading.Event()
        self.error: BaseException | None = None
        processes.append(self)

    @property
    def station(self) -> str:
        """Of a worker, once it has been told."""
        return str(self.told.get("station", ""))

    def start(self, main: Callable[[], Any]) -> None:
        def run() -> None:
            code = 1
            try:
                main()
                code = 0
            except Exception as error:  # process edge: it dies of it, with a code that is not 0
                log.exception("%s", self.name)
                self.error = error
            finally:
                self.end(code)

        scheduler().spawn(run, self)

    def end(self, code: int) -> None:
        """It is over: every strand of it, its children's standard input, its calls and connections."""
        if self.exit_code is not None:
            return
        self.exit_code = code
        self.dead = True
        threads.bury()
        self.stdout.close()
        for child in processes:
            if child.parent is self:
                child.stdin.close()
        for file in self.files:
            file.close()
        self.ended.set()

    def kill(self) -> None:
        self.end(KILLED)


class Pipe:
    """Lines from one process to another."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._rest = ""
        self._closed = False
        self._changed = threading.Condition()

    def write(self, text: str) -> int:
        if self._closed:
            raise BrokenPipeError(32, "Broken pipe")
        *lines, self._rest = (self._rest + text).split("\n")
        with self._changed:
            self._lines += [line + "\n" for line in lines]
            self._changed.notify_all()
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def readline(self) -> str:
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            return self._lines.pop(0) if self._lines else ""

    def __iter__(self) -> Any:
        return iter(self.readline, "")

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        """The reader leaves; what is still written is nobody's."""


class Popen:
    """What `subprocess.Popen` gives for ``python -m module``, of a module in `MAINS`."""

    def __init__(self, command: list[str], **_: Any) -> None:
        module = command[command.index("-m") + 1]
        parent = current_owner()
        self._process = Process(module, parent if isinstance(parent, Process) else None)
        self.stdin, self.stdout = self._process.stdin, self._process.stdout
        self.pid, self.args = self._process.pid, command
        self._process.start(MAINS[module])

    @property
    def returncode(self) -> int | None:
        return self._process.exit_code

    def poll(self) -> int | None:
        return self._process.exit_code

    def wait(self, timeout: float | None = None) -> int:
        if not self._process.ended.wait(timeout):
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        assert self._process.exit_code is not None
        return self._process.exit_code

    def kill(self) -> None:
        self._process.kill()

    terminate = kill

    def send_signal(self, number: int) -> None:
        self._process.kill()


MAINS: dict[str, Callable[[], Any]] = {}
"""Module -> its main."""

processes: list[Process] = []
_pids = count(1000)

POWER = Owner("power")
"""Of what is no process: whoever switches the computer on."""


def here() -> Process:
    """The process of the strand that asks."""
    owner = current_owner()
    assert isinstance(owner, Process), f"{owner.name} is no process"
    return owner


# --- calls ------------------------------------------------------------------------------------------------


class Server:
    """Stands in for `rpc.Server`."""

    def __init__(self, objects: Mapping[str, object], token: str) -> None:
        self._process = here()
        self.uris = {name: f"here:{self._process.pid}/{name}" for name in objects}
        for name, target in objects.items():
            self._process.served[self.uris[name]] = (rpc._Endpoint(target), token)

    def start(self) -> None:
        """It answers as soon as it is there."""

    loop = start

    def close(self) -> None:
        for uri in self.uris.values():
            self._process.served.pop(uri, None)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Connections:
    """Stands in for `rpc._Connections`: the same errors, the same JSON text."""

    def __init__(self, uri: str, token: str) -> None:
        self.uri, self._token = uri, token

    def take(self, timeout_s: float | None) -> None:
        self._find()

    def give_back(self, _: None) -> None:
        """Nothing was taken."""

    def close(self) -> None:
        """Nothing is open."""

    def exchange(self, method: str, request: str, timeout_s: float | None) -> str:
        process, endpoint = self._find()
        answers: list[str] = []
        ended = threading.Event()

        def answer() -> None:
            answers.append(endpoint.call(request))
            ended.set()

        scheduler().spawn(answer, process)
        process.files.append(hang_up := SimpleNamespace(close=ended.set))
        in_time = ended.wait(timeout_s)
        process.files.remove(hang_up)
        if not answers:
            why = "the connection broke" if in_time else "timed out"
            raise rpc.CallLost(f"{self.uri}: no answer to {method!r} ({why}); it may have been done")
        return answers[0]

    def _find(self) -> tuple[Process, Any]:
        for process in processes:
            if self.uri in process.served and not process.dead:
                endpoint, token = process.served[self.uri]
                if token != self._token:
                    raise rpc.Denied(f"{self.uri} refuses our token; is it another lab's?")
                return process, endpoint
        raise rpc.Unreachable(f"{self.uri}: cannot connect; is that process running?")


def install(children: Any, mains: Mapping[str, Callable[[], Any]]) -> None:
    """`children` is the module that starts processes; `mains` are those it can start."""
    MAINS.update(mains)
    children.subprocess = SimpleNamespace(
        Popen=Popen,
        PIPE=subprocess.PIPE,
        DEVNULL=subprocess.DEVNULL,
        STDOUT=subprocess.STDOUT,
        TimeoutExpired=subprocess.TimeoutExpired,
    )
    orchestrator.locks.fcntl = SimpleNamespace(  # type: ignore[attr-defined]
        flock=_flock, LOCK_EX=fcntl.LOCK_EX, LOCK_NB=fcntl.LOCK_NB
    )
    orchestrator.locks.os = SimpleNamespace(getpid=lambda: here().pid)  # type: ignore[attr-defined]
    rpc._Connections = Connections  # type: ignore[assignment,misc]
    rpc.serve = lambda objects, token, **_: Server(objects, token)  # type: ignore[assignment]
    rpc.read_config = lambda stdin=None: _told(here())
    rpc.tell_parent = lambda message, stdout=None: _tell(message)
    rpc.await_orphaned = lambda stdin=None: _await_end(here().stdin)


def _flock(file: Any, how: int) -> None:
    """The system's own; what a process holds is let go when it dies."""
    fcntl.flock(file, how)
    here().files.append(file)


def kill(pid: int, number: int) -> None:
    """Stands in for `os.kill`."""
    for process in processes:
        if process.pid == pid:
            process.kill()
            return
    raise ProcessLookupError(pid)


def _told(process: Process) -> dict[str, Any]:
    line = process.stdin.readline()
    if not line:
        raise EOFError("standard input ended before the configuration line came")
    process.told = json.loads(line)
    return process.told


def _tell(message: Mapping[str, Any]) -> None:
    here().stdout.write(json.dumps(message) + "\n")


def _await_end(stdin: Pipe) -> None:
    for _ in stdin:
        """Nothing else is expected."""
