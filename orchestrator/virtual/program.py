"""A program of others, run in a folder: with a time-out, so many cores, and nothing of it left when we are gone."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from orchestrator.virtual.calculator import (
    CalculationStopped,
    CalculationTimeout,
    ProgramCrashed,
    ProgramMissing,
)

OUTPUT = "stdout.txt"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOOK_S = 0.25
"""Real seconds between looks whether a result is still wanted."""
GOING_S = 5.0
"""Real seconds that a program has to go after it was asked to."""
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
TAIL = 400
"""Characters of its last words that are told."""


@dataclass(frozen=True)
class Program:
    """How `command` is run: `cores` threads, at most `timeout_s` real seconds, and until `stopped` says that its result
    is not wanted any more; `niceness` is added to ours."""

    command: Sequence[str]
    timeout_s: float
    cores: int = 1
    niceness: int = 10
    stopped: Callable[[], bool] = lambda: False

    def run(self, folder: Path, stdin: Path | None = None) -> float:
        """Run it in `folder`, its standard output and errors into `OUTPUT` there; real seconds that it took.

        Raises `ProgramMissing`, `CalculationTimeout` or `ProgramCrashed`.
        """
        program = found(self.command[0])
        environment = {**os.environ, **dict.fromkeys(THREADS, str(self.cores))}
        begun = time.monotonic()
        with (folder / OUTPUT).open("wb") as output, open(stdin or os.devnull, "rb") as given:
            process = subprocess.Popen(
                [program, *self.command[1:]],
                cwd=folder,
                stdin=given,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # so that its own children end with it
                preexec_fn=partial(_begin, os.getpid(), self.niceness),
            )
        try:
            code = self._await(process)
        except BaseException:
            _end(process)
            raise
        if code:
            how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
            raise ProgramCrashed(f"{self.command[0]} ended {how}; its last words: {tail(folder / OUTPUT)}")
        return time.monotonic() - begun

    def _await(self, process: subprocess.Popen[bytes]) -> int:
        """Its exit code."""
        until = time.monotonic() + self.timeout_s
        while (left := until - time.monotonic()) > 0:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(min(left, LOOK_S))
            if self.stopped():
                raise CalculationStopped(f"{self.command[0]} was ended: its result is not wanted any more")
        raise CalculationTimeout(
            f"{self.command[0]} was ended after {self.timeout_s:g} s: give it more time or cores, or a coarser mesh"
        )


def found(command: str) -> str:
    """The path of `command`.  Raises `ProgramMissing`."""
    path = shutil.which(command)
    if path is None:
        raise ProgramMissing(f"there is no program {command!r} here: install it, or give its path in the lab file")
    return path


def tail(path: Path) -> str:
    """The last words in a file, on one line."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return "(nothing was written)"
    return " ".join(text[-TAIL:].split()) or "(nothing was written)"


def _begin(parent: int, niceness: int) -> None:
    """In the child, before it becomes the program: it is nice, and ends when we do, also when we are killed.  (What it
    has started itself does not, if we are killed: a wrapper had better `exec`.)"""
    os.nice(niceness)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # we were gone before it was said
        os._exit(1)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and whatever it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GOING_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
