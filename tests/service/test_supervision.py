"""Keeping a process alive: busy, blocked and dead are three things."""

from __future__ import annotations

import threading
from queue import Queue

import pytest

from orchestrator import rpc
from orchestrator.service import supervision
from orchestrator.service.children import ChildError
from orchestrator.service.supervision import Restarts, Supervisor


class Child:
    def __init__(self, number):
        self.number, self.exit_code, self.answers, self.hangs, self.killed = number, None, True, "", False

    def kill(self):
        self.exit_code, self.killed = -9, True

    def close(self, patience_s=0.0):
        self.exit_code = 0 if self.exit_code is None else self.exit_code


class Remote:
    def __init__(self, child):
        self.child = child

    def within(self, timeout_s):
        return self

    def close(self):
        pass


class Nursery:
    """Children, and what is said of them."""

    def __init__(self):
        self.children, self.barren, self.turns = [], 0, Queue()

    def launch(self):
        self.children.append(Child(len(self.children)))
        return self.children[-1]

    def take_up(self, child):
        if self.barren:
            self.barren -= 1
            raise ChildError("the gauge does not answer")
        return Remote(child)

    def probe(self, remote):
        if not remote.child.answers:
            raise rpc.CallLost("no answer")
        return remote.child.hangs

    def told(self):
        return self.turns.get(timeout=10)


@pytest.fixture
def nursery():
    return Nursery()


@pytest.fixture
def kept(monkeypatch, nursery):
    for name, value in {"LOOK_S": 0.005, "BEAT_S": 0.02, "SILENT_S": 0.2}.items():
        monkeypatch.setattr(supervision, name, value)
    restarts = Restarts(limit=3, first_delay_s=0.01)
    supervisor = Supervisor("it", nursery.launch, nursery.take_up, nursery.probe, restarts)
    supervisor.connect()
    supervisor.watch(lambda turn, reason: nursery.turns.put((turn, reason)))
    yield supervisor
    supervisor.close()


def test_one_that_dies_is_replaced(kept, nursery):
    first = kept.remote
    nursery.children[0].exit_code = -9
    assert nursery.told() == ("lost", "its process died (exit code -9)")
    assert nursery.told() == ("back", "its process died (exit code -9)")
    successor, _ = kept.await_remote(after=1)
    assert successor is not first
    assert kept.remote is successor


def test_one_that_does_not_answer_is_killed_and_replaced(kept, nursery):
    nursery.children[0].answers = False
    turn, reason = nursery.told()
    assert turn == "lost"
    assert reason.startswith("it has not answered for")
    assert nursery.children[0].killed
    assert nursery.told()[0] == "back"


def test_one_that_says_that_something_in_it_hangs_is_killed_at_once(kept, nursery):
    nursery.children[0].hangs = "a call to gun1 hangs since 3.4 s"
    assert nursery.told() == ("lost", "a call to gun1 hangs since 3.4 s")
    assert nursery.children[0].killed


def test_one_answer_that_is_late_is_no_death(kept, nursery):
    beats = threading.Semaphore(0)
    fails = iter([True, False, True, False, False, False])

    def probe(remote):
        beats.release()
        if next(fails, False):
            raise rpc.CallLost("late")
        return ""

    kept._probe = probe
    for _ in range(8):
        assert beats.acquire(timeout=10)
    assert nursery.turns.empty()


def test_one_that_cannot_be_started_is_tried_again_and_then_given_up(kept, nursery):
    nursery.barren = 99
    nursery.children[0].exit_code = 1
    assert nursery.told()[0] == "lost"
    turn, reason = nursery.told()
    assert turn == "given up"
    assert reason.count("the gauge does not answer") == 3
    assert len(nursery.children) == 4
    assert all(child.killed for child in nursery.children)
    assert kept.await_remote() is None
    with pytest.raises(rpc.Unreachable, match="it is given up"):
        kept.remote  # noqa: B018 - raises


def test_while_it_is_started_again_it_cannot_be_reached_and_whoever_waits_gets_the_next(monkeypatch, nursery):
    monkeypatch.setattr(supervision, "LOOK_S", 0.005)
    supervisor = Supervisor("it", nursery.launch, nursery.take_up, nursery.probe, Restarts(first_delay_s=0.01))
    supervisor.connect()
    ready = threading.Event()

    def slowly(child):
        assert ready.wait(10)
        return Remote(child)

    supervisor._take_up = slowly
    supervisor.watch(lambda turn, reason: nursery.turns.put((turn, reason)))
    nursery.children[0].exit_code = -9
    assert nursery.told()[0] == "lost"
    with pytest.raises(rpc.Unreachable, match="it is being started again"):
        supervisor.remote  # noqa: B018 - raises
    assert supervisor.await_remote(timeout_s=0.01) is None
    ready.set()
    assert nursery.told()[0] == "back"
    assert supervisor.await_remote() is not None
    supervisor.close()


def test_closing_ends_whoever_waits(kept):
    kept.close()
    assert kept.await_remote() is None
    assert kept.child.exit_code == 0


def test_restarts_are_slower_each_time_and_limited():
    restarts = Restarts(limit=3, window_s=600.0, first_delay_s=1.0)
    assert [restarts.delay_s(now) for now in (0.0, 10.0, 20.0, 30.0)] == [0.0, 1.0, 2.0, None]
    assert restarts.delay_s(599.0) is None
    assert restarts.delay_s(601.0) == 2.0  # the first is forgotten
    assert restarts.delay_s(5000.0) == 0.0
