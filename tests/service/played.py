"""A lab that is played: a real daemon over a real journal, and stations and an optimizer that do as they are told."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from orchestrator import rpc
from orchestrator.campaign.commands import Request
from orchestrator.campaign.labspec import load_lab
from orchestrator.journal import SqliteJournal
from orchestrator.service import daemon as daemon_module
from orchestrator.service.daemon import Daemon
from orchestrator.service.happenings import StationTurned
from tests.execution.bench import StepClock
from tests.service.nights import COMPOSITION, DONE, campaign

LAB = load_lab(Path(__file__).parents[2] / "campaigns/labs/vsm.toml")
PATIENCE_S = 20.0


class Station:
    """A station that is played: `holds` names plans that do not end until they are told to."""

    def __init__(self, name, lab):
        self.name, self.lab = name, lab
        self.started = Counter()
        self.orders = {}
        self.waiting_on = ""
        self.state, self.told = "safe", []
        self.open = {}
        self.reachable = True
        self.faults = []

    def watch(self, on_turn):
        self.on_turn = on_turn

    def start(self, step, on_end):
        self.started[step["uid"]] += 1
        assert self.started[step["uid"]] == 1
        self.orders[step["uid"]] = step
        if step["plan"] in self.lab.holds:
            self.state = "running"
            self.open[step["uid"]] = on_end
            self.lab.begun.set()
        else:
            on_end(step["uid"], DONE[step["plan"]])

    def settle(self, uid, on_end):
        self.lab.settled.append(uid)
        if (said := self.lab.answers.get(uid.split("-")[-2])) is not None:
            on_end(uid, said)
        else:
            self.open[uid] = on_end
            self.lab.begun.set()

    def end(self, said):
        """The step under way ends so."""
        self.state = "safe"
        ((uid, on_end),) = self.open.items()
        self.open.clear()
        on_end(uid, said)

    def status(self):
        if not self.reachable:
            raise rpc.Unreachable("being started again")
        return {"state": self.state}

    def hold(self, reason):
        self._tell("hold", "held")

    def resume(self):
        self._tell("resume", "running")

    def abort(self, reason):
        self._tell("abort", "aborting")

    def _tell(self, order, state):
        if not self.reachable:
            raise rpc.Unreachable("being started again")
        self.told.append(order)
        self.state = self.state if self.state == "safe" else state

    def make_safe(self, reason):
        if not self.reachable:
            raise rpc.Unreachable("gone")
        return self.faults


class Suggestions:
    def watch(self, on_turn):
        self.on_turn = on_turn

    def ask(self, question, on_answer):
        on_answer(question.number, {"composition": COMPOSITION, "method": "gp", "seconds": 0.1})


class Dead(Exception):
    """The daemon is."""


def _die():
    raise Dead


class Lab:
    """A journal, and daemons that come and go over it."""

    def __init__(self, path):
        self.path = path
        self.holds, self.answers, self.settled = set(), {}, []
        self.begun = threading.Event()
        self.spec = campaign(samples=1)
        self.thread = None

    def start(self, ask=None, **run):
        """A daemon on a thread of its own."""
        self.die()
        self.begun.clear()
        self.stations = {name: Station(name, self) for name in LAB.stations}
        self.journal = SqliteJournal(self.path)
        self.suggestions = Suggestions()
        self.suggestions.ask = ask or self.suggestions.ask
        self.daemon = Daemon(
            self.spec, LAB, self.journal, self.stations, self.suggestions, StepClock(), by="tester", boot="boot"
        )
        self.thread = threading.Thread(target=self._live, args=(self.daemon, run), daemon=True)
        self.thread.start()

    def _live(self, daemon, run):
        with suppress(Dead):
            daemon.run(**run)

    def die(self):
        """End the daemon where it is, without a word."""
        if self.thread is not None:
            self.daemon._decide = _die
            self.thread.join(PATIENCE_S)
            assert not self.thread.is_alive()
            self.journal.close()
            self.thread = None

    def give(self, command):
        return self.ask(Request(command, "tester", "r"))["mode"]

    def ask(self, request):
        return self.daemon.command(request).result(PATIENCE_S)

    def turn(self, station, turn):
        self.stations[station].on_turn(StationTurned(station, turn, "died"))

    def until(self, condition):
        until = threading.Event()
        for _ in range(2000):
            if condition(self.daemon.state):
                return
            until.wait(0.01)
        pytest.fail(f"never: {[recorded.entry.kind for recorded in self.entries()]}")

    def ended(self):
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        return self.daemon.state.ended

    def entries(self):
        with closing(SqliteJournal(self.path)) as journal:
            return list(journal.read())

    def kinds(self):
        return [recorded.entry.kind for recorded in self.entries()]


@contextmanager
def played(path):
    """A lab whose journal is at `path`, and whose daemon looks about a hundred times a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(daemon_module, "TICK_S", 0.01)
        lab = Lab(path)
        yield lab
        lab.die()


def at_film(lab):
    """The deposition is under way."""
    lab.holds = {"deposit"}
    lab.start()
    assert lab.begun.wait(PATIENCE_S)
    return lab.stations["deposition"]
