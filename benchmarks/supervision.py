"""How soon a death is noticed, and how soon somebody has been alerted to it.

    python -m benchmarks.supervision [--kills 20] [--seed 1] [--out FOLDER]

A campaign in real time, by `nightshift run` with its alerts on, in a simulated lab that is served apart; beside it
`nightshift watch`.  Station workers, the optimizer and the daemon are killed (SIGKILL) and hung (SIGSTOP) in turn, at
seeded random moments; after the daemon's the night is gone on with by `nightshift recover`.  A death counts as noticed
when the journal has it, and the daemon's when the watch says so; as alerted when an HTTP server on this machine has
got the message whole.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import TypeVar

from orchestrator.campaign.entries import Recorded
from orchestrator.journal import SqliteJournal
from orchestrator.night import load, rehearsal_of
from orchestrator.service.home import Home

LAB = Path("campaigns/labs/vsm.toml")
CAMPAIGN = Path("campaigns/fe-co-ni.toml")
STATIONS = ("deposition", "magnetometry", "robot")
SIGNALS = (signal.SIGKILL, signal.SIGSTOP)
WAIT_S = 120.0
PAUSE_S = (3.0, 20.0)
"""Between what a death brought about and the next one."""

T = TypeVar("T")


@dataclass
class Mailbox:
    """An alert channel on this machine: the messages, and when (civil time) each had come."""

    got: list[tuple[float, str]] = field(default_factory=list)

    def serve(self) -> str:
        box = self

        class Request(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                box.got.append((time.time(), told["message"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"json://127.0.0.1:{server.server_address[1]}/"

    def first(self, since: float, words: str) -> float | None:
        return next((at for at, text in self.got if at >= since and words in text), None)


class Bench:
    """The lab, the night and the watch."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.mailbox = Mailbox()
        self.log = (folder / "nightshift.log").open("ab")
        self.simulator = self._start("simulate", str(LAB), "--json")
        assert self.simulator.stdout is not None
        addresses = json.loads(self.simulator.stdout.readline())["addresses"]
        lab = folder / "lab.toml"
        lab.write_text(self._lab(addresses))
        rehearsed = Home(folder / "rehearsed")  # as if it had passed: this is no lab
        rehearsed.make()
        unharmed = {"end": "done", "hazards": 0, "lost": 0, "doubled": 0, "unmeasured": 0}
        rehearsal_of(*load(CAMPAIGN, lab, None), unharmed).write(rehearsed)
        ready = ("--home", str(self.home.path), "--rehearsed", str(rehearsed.path), "--arm", "--json")
        self.night = self._start("run", str(CAMPAIGN), "--lab", str(lab), *ready)
        until("a daemon", lambda: self.home.announced)
        self.watch = self._start("watch", "--home", str(self.home.path))
        self.said: list[tuple[float, str]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def pid(self, target: str) -> int:
        """Whom to hit now."""
        daemon = until("a daemon", lambda: self.home.announced)
        if target == "daemon":
            return daemon
        if target == "optimizer":
            return until("an optimizer", lambda: child(daemon, "orchestrator.optimizer.service"))
        return int((self.home.path / f"{target}.documents.lock").read_text())

    def journal(self) -> list[Recorded]:
        return list(SqliteJournal(self.home.journal).read())

    def recover(self) -> None:
        self.night.kill()
        self.night.wait()
        self.night = self._start("recover", "--home", str(self.home.path), "--json")
        until("the next daemon", lambda: self.home.announced == self.night.pid)

    def close(self) -> None:
        for process in (self.night, self.watch, self.simulator):
            process.kill()
            process.wait()

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "orchestrator.cli", *arguments]
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1
        )

    def _lab(self, addresses: dict[str, str]) -> str:
        text = LAB.read_text().replace("channels = []", f'channels = ["{self.mailbox.serve()}"]')
        for device, address in addresses.items():
            text = re.sub(rf"(devices\.{device}\]\n(?:.+\n)*?address = )\".*\"", rf'\g<1>"{address}"', text)
        return text

    def _listen(self) -> None:
        assert self.watch.stdout is not None
        for line in self.watch.stdout:
            self.said.append((time.time(), line))


def until(what: str, found: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.02)
    raise TimeoutError(f"no {what} in {WAIT_S:g} s")


def child(parent: int, module: str) -> int | None:
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended while we looked
            ppid = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if ppid == parent and module in (entry / "cmdline").read_text():
                return int(entry.name)
    return None


def hit(bench: Bench, target: str, number: signal.Signals) -> tuple[float, float]:
    """Seconds until it was noticed, and until somebody was alerted; returns when the night is well again."""
    pid, before = bench.pid(target), bench.journal()[-1].version
    at = time.time()
    os.kill(pid, number)
    if target == "daemon":
        noticed = until("word of the watch", lambda: first(bench.said, at, "daemon"))
        alerted = until("alert", lambda: bench.mailbox.first(at, "The campaign has not ended"))
        bench.recover()
        return noticed - at, alerted - at
    kind, words = ("optimizer", "The optimizer") if target == "optimizer" else ("station", f"Station {target}")

    def told(suffix: str) -> float | None:
        entries = (r for r in bench.journal() if r.version > before and r.entry.kind == f"{kind}_{suffix}")
        return next((r.time for r in entries if getattr(r.entry, "station", target) == target), None)

    noticed = until("entry", lambda: told("lost"))
    alerted = until("alert", lambda: bench.mailbox.first(at, words))
    until("new process", lambda: told("restarted"))
    return noticed - at, alerted - at


def first(said: list[tuple[float, str]], since: float, words: str) -> float | None:
    return next((at for at, line in said if at >= since and words in line), None)


def plan(kills: int, rng: Random) -> Iterator[tuple[str, signal.Signals]]:
    """`kills` of each kind; the daemon's come after some of each other, since nothing may die too often under one."""
    for number in range(kills):
        rest = [(STATIONS[number % 3], SIGNALS[0]), (STATIONS[(number + 1) % 3], SIGNALS[1])]
        rest += [("optimizer", name) for name in SIGNALS]
        rng.shuffle(rest)
        yield from rest[:2]
        yield "daemon", SIGNALS[0]
        yield from rest[2:]
        yield "daemon", SIGNALS[1]


def at_share(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None)
    args = parser.parse_args()
    folder = args.out or Path(tempfile.mkdtemp(prefix="nightshift-supervision-"))
    folder.mkdir(parents=True, exist_ok=True)
    rng = Random(args.seed)
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    bench = Bench(folder)
    try:
        for target, number in plan(args.kills, rng):
            time.sleep(rng.uniform(*PAUSE_S))
            noticed, alerted = hit(bench, target, number)
            kind = "station worker" if target in STATIONS else target
            found[kind, number.name].append((noticed, alerted))
            sys.stderr.write(f"{target} {number.name}: noticed {noticed:.2f} s, alerted {alerted:.2f} s\n")
    finally:
        bench.close()
        table(found)


def table(found: dict[tuple[str, str], list[tuple[float, float]]]) -> None:
    print("| what | signal | n | noticed p50, p99, max, s | alerted p50, p99, max, s |")
    print("|---|---|---|---|---|")
    for (kind, name), times in found.items():
        cells = [
            ", ".join(f"{at_share(list(values), share):.1f}" for share in (0.5, 0.99, 1.0))
            for values in zip(*times, strict=True)
        ]
        print(f"| {kind} | {name} | {len(times)} | {cells[0]} | {cells[1]} |")


if __name__ == "__main__":
    main()
