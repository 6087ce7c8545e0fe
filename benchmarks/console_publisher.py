"""A daemon's books and its console, as a process: a campaign that is written ten times a second, and commanded.

    python -m benchmarks.console_publisher FOLDER PORT [--films 40] [--hz 10]

What is written are the entries of films made one after the other (`benchmarks.journal.film`), each commit synced as a
daemon's are; commands are taken between two of them.  Everything from the journal to the socket is what a night has;
instruments, stations and the optimizer are not there.  A journal that FOLDER has already is gone on with.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import chain, count
from pathlib import Path
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import Any

from benchmarks.journal import commits, film
from drivers.clock import RealClock
from orchestrator.campaign import commands
from orchestrator.campaign import entries as e
from orchestrator.campaign.actions import SearchRequest
from orchestrator.campaign.commands import Request
from orchestrator.campaign.labspec import load_lab
from orchestrator.campaign.lifecycle import CommandRefused, next_mode
from orchestrator.campaign.spec import load_campaign
from orchestrator.console.serve import Address, Console
from orchestrator.console.source import Source
from orchestrator.journal import SqliteJournal
from orchestrator.service.books import Books

CAMPAIGN, LAB = Path("campaigns/fe-co-ni.toml"), Path("campaigns/labs/vsm.toml")
SIGNALS = 12
"""Readings of each station."""


class Publisher:
    """In the daemon's place."""

    def __init__(self, path: Path, films: int) -> None:
        self.campaign, self.lab = load_campaign(CAMPAIGN), load_lab(LAB)
        self._books = Books(SqliteJournal(path), RealClock())
        self._orders: SimpleQueue[tuple[Request, Future[dict[str, Any]]]] = SimpleQueue()
        if self.state.started is None:
            began = e.CampaignStarted(campaign=self.campaign.model_dump(mode="json"), lab={}, by="benchmark")
            self._books.append(began, *chain.from_iterable(map(film, range(1, films + 1))))
        self._next = self._rest()
        self.decided_s = 0.0

    @property
    def state(self) -> Any:
        return self._books.state

    def command(self, request: Request) -> Future[dict[str, Any]]:
        reply: Future[dict[str, Any]] = Future()
        self._orders.put((request, reply))
        return reply

    def act(self, request: SearchRequest) -> Future[dict[str, Any]]:
        raise NotImplementedError("nobody acts on the search here")

    def run(self, hz: float) -> None:
        """Write for ever, `hz` commits a second."""
        due = time.monotonic()
        while True:
            due += 1 / hz
            while (left := due - time.monotonic()) > 0:
                try:
                    self._obey(*self._orders.get(timeout=left))
                except Empty:
                    break
            self._books.append(*next(self._next))

    def _obey(self, request: Request, reply: Future[dict[str, Any]]) -> None:
        try:
            commands.check(request, self.state.mode, self.state.commands, self.state.needed_at)
        except CommandRefused as refusal:
            reply.set_exception(refusal)
            return
        changed = next_mode(self.state.mode, request.command) is not self.state.mode
        told = {"command": request.command.value, "by": request.by, "reason": request.reason}
        self._books.append(e.CommandGiven.model_validate({**told, "key": request.key, "seen": request.seen}))
        mode = self.state.mode.value
        reply.set_result({"mode": mode, "changed": changed, "again": False, "note": "", "first": None})

    def _rest(self) -> Iterator[list[e.Entry]]:
        """Commits to come, from where the journal ends: a film that was begun is finished first."""
        entries = [e.CampaignStarted, e.CommandGiven]
        done = sum(type(r.entry) not in entries for r in self._books._journal.read())
        each = len(list(film(1)))
        begun, within = divmod(done, each)
        upcoming = iter(list(film(begun + 1))[within:])
        return chain(commits(upcoming), chain.from_iterable(commits(film(number)) for number in count(begun + 2)))

    def heard(self) -> dict[str, Any]:
        """What stations would say of themselves."""
        now = time.monotonic()
        told = {}
        for name, station in self.lab.stations.items():
            readings = {
                f"{device}_signal{n}": {"value": now % 60 + n, "unit": "V"}
                for device in station.devices
                for n in range(SIGNALS // len(station.devices) + 1)
            }
            status = {"state": "running", "progress": {"fraction": now % 1, "text": "film"}, "readings": readings}
            told[name] = SimpleNamespace(at=now, status=status)
        return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--films", type=int, default=40, help="made before it begins")
    parser.add_argument("--hz", type=float, default=10.0)
    args = parser.parse_args()
    publisher = Publisher(args.folder / "journal.db", args.films)
    source = Source(
        publisher,
        SqliteJournal(args.folder / "journal.db"),
        RealClock(),
        True,
        publisher.heard,
        lambda candidates, pending, number: {},
    )
    address = Address("127.0.0.1", args.port, exact=True)
    with Console(address, "benchmark", args.folder) as console, console.attached(source):
        sys.stdout.write(f"{console.url}\n")
        sys.stdout.flush()
        publisher.run(args.hz)


if __name__ == "__main__":
    main()
