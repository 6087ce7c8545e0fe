"""Work that a daemon hands to a process of its own, with a low priority: whatever becomes of it, the daemon goes on."""

from __future__ import annotations

import os
import subprocess
import sys

NICENESS = 5
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class NotDone(Exception):
    """The message says why in one line; `said` is all that the process wrote to standard error."""

    def __init__(self, why: str, said: str = "") -> None:
        super().__init__(why)
        self.said = said


class TooSlow(NotDone):
    """It took longer than it may."""


def step_back() -> None:
    """What the other process does first: let all others go before it."""
    os.nice(NICENESS)


def run(module: str, *arguments: str, patience_s: float) -> str:
    """What ``python -m module arguments...`` writes to standard output.  Raises `NotDone`, for one `TooSlow` after
    `patience_s` real seconds."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience_s,
            env={**os.environ, **_ONE_THREAD},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TooSlow(f"it took longer than {patience_s:g} s") from None
    except OSError as error:
        raise NotDone(f"no process could be started ({error.strerror})") from error
    if done.returncode:
        said = done.stderr.strip()
        raise NotDone(said.splitlines()[-1] if said else f"exit code {done.returncode}", said)
    return done.stdout
