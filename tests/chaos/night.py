"""One night in a process of its own, to be killed: ``python -m tests.chaos.night``.

Reads one JSON line on standard input: ``home``, ``campaign`` and ``lab`` (paths), ``addresses`` of the simulated
instruments, and ``clock`` (three numbers, or null for real time).  Begins the campaign if the home's journal has none,
else carries on with the one that is there; prints the summary as one JSON line.  Ends with its parent.
SIGUSR1 writes what every thread is doing to standard error.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from orchestrator.journal import SqliteJournal
from orchestrator.lab import open_clock
from orchestrator.night import carry_on, load, run_at
from orchestrator.service.home import Home

BY = "chaos"


def night(config: dict[str, Any]) -> dict[str, Any]:
    """Run or carry on; the summary."""
    home = Home(Path(config["home"]))
    addresses, spec = config["addresses"], config["clock"]
    clock = open_clock(spec)
    if _begun(home):
        return carry_on(home, addresses, clock, spec, by=BY, on_progress=_ignore)
    campaign, lab = load(Path(config["campaign"]), Path(config["lab"]), None)
    home.path.mkdir(parents=True, exist_ok=True)
    return run_at(campaign, lab, home, addresses, clock, spec, by=BY, on_progress=_ignore)


def _begun(home: Home) -> bool:
    """Whether a campaign has begun here; killed before that, a night begins anew."""
    if not home.journal.exists():
        return False
    journal = SqliteJournal(home.journal)
    try:
        return any(True for _ in journal.read())
    finally:
        journal.close()


def _ignore(_: object) -> None:
    """Nobody looks at the progress."""


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    line = b""
    while not line.endswith(b"\n"):  # unbuffered: a thread left in a buffered reader cannot be left behind at exit
        line += (byte := os.read(0, 1))
        if not byte:
            return
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    summary = night(json.loads(line))
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
