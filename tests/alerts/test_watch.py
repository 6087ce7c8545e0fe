"""A daemon watched from outside: dead, silent, starting, stuck; and what it left untold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import Alerts
from orchestrator.journal import SqliteJournal
from orchestrator.service.alerts.alert import Message
from orchestrator.service.alerts.alerting import Alerting, Send
from orchestrator.service.alerts.outbox import Outbox
from orchestrator.service.alerts.watch import PATIENCE_S, STARTING_S, STUCK_S, Sight, Vigil, Watch
from orchestrator.service.home import Home

WAIT_S = 20.0
WELL = Sight(1, True, 0.2)
DEAD = Sight(None)
SILENT = Sight(1, True, None)
STARTING = Sight(1, False)


# --- what is wrong, from looks alone ------------------------------------------------------------------


def test_a_daemon_that_is_well_is_well() -> None:
    vigil = Vigil(0.0)
    assert [vigil.seen(WELL, float(now)) for now in range(0, 1000, 50)] == [("", False)] * 20


@pytest.mark.parametrize(("sight", "trouble"), [(DEAD, "dead"), (SILENT, "silent")])
def test_somebody_is_alerted_when_it_has_lasted(sight: Sight, trouble: str) -> None:
    vigil = Vigil(0.0)
    vigil.seen(WELL, 100.0)
    assert vigil.seen(sight, 101.0) == (trouble, False)
    assert vigil.seen(sight, 100.0 + PATIENCE_S - 0.1) == (trouble, False)
    assert vigil.seen(sight, 100.0 + PATIENCE_S) == (trouble, True)
    assert vigil.seen(WELL, 120.0) == ("", False)
    assert vigil.seen(sight, 121.0) == (trouble, False)


def test_one_that_is_started_again_at_once_alerts_nobody() -> None:
    vigil = Vigil(0.0)
    vigil.seen(WELL, 100.0)
    for now, sight in ((101.0, DEAD), (104.0, STARTING), (120.0, STARTING), (121.0, WELL), (130.0, DEAD)):
        assert not vigil.seen(sight, now)[1]


def test_starts_that_come_to_nothing_do_not_hide_a_death() -> None:
    vigil = Vigil(0.0)
    vigil.seen(WELL, 100.0)
    vigil.seen(STARTING, 109.0)
    assert vigil.seen(DEAD, 111.0) == ("dead", True)
    assert vigil.seen(STARTING, 100.0 + STARTING_S) == ("starting", True)


def test_one_that_answers_and_does_nothing_is_stuck() -> None:
    vigil = Vigil(0.0)
    assert vigil.seen(Sight(1, True, STUCK_S), 1.0) == ("", False)
    assert vigil.seen(Sight(1, True, STUCK_S + 1), 2.0) == ("stuck", True)


# --- a real home --------------------------------------------------------------------------------------


class Answering:
    """The daemon's API as far as a watch asks it."""

    def decided_s(self) -> float:
        return 0.1


class Place:
    """A home with a daemon that comes and goes, and a watch over it on a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.journal = SqliteJournal(self.home.journal)
        self.now = 0.0
        self.came: Queue[Message] = Queue()
        self.said: list[str] = []
        self.on_pause: Callable[[], None] = lambda: None
        self.version = 0
        self._daemon = ExitStack()
        self.append(e.CampaignStarted(campaign={"name": "c"}, lab={"name": "l"}, by="tester"), e.DaemonStarted(boot=""))

    def append(self, *entries: e.Entry) -> None:
        self.version = self.journal.append(entries, self.version, 1.7e9)

    def alerting(
        self, outbox: Path, journal: SqliteJournal | None, send: Send | None = None, **escalation: Any
    ) -> Alerting:
        return Alerting(
            ["json://host"],
            Outbox(outbox),
            journal,
            lambda: 1.7e9,
            subject="c",
            home="home",
            send=send or (lambda _, message: self.came.put(message)),
            **escalation,
        )

    def watch(self, own: Alerting) -> Watch:
        return Watch(
            self.home,
            own,
            lambda: self.alerting(self.home.alerts, self.journal),
            self.said.append,
            now=lambda: self.now,
            pause=lambda _: self.on_pause(),
        )

    def live(self) -> None:
        """A daemon comes, and answers."""
        self._daemon.enter_context(self.home.claimed())
        server = self._daemon.enter_context(rpc.serve({"daemon": Answering()}, "token"))
        self.home.announce(server.uris["daemon"], "token")

    def die(self) -> None:
        self._daemon.close()

    def next(self) -> Message:
        return self.came.get(timeout=WAIT_S)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.die()
    place.journal.close()


def test_a_death_is_seen_at_once_told_once_and_taken_back(place: Place) -> None:
    with place.alerting(place.home.watch, None) as own:
        watch = place.watch(own)
        place.live()
        assert not watch.look()
        place.die()
        place.now = 1.0
        watch.look()
        assert place.said == [f"{place.home.path}: no daemon lives there"]
        place.now = PATIENCE_S
        watch.look()
        told = place.next()
        assert told.severity == "critical"
        assert "no daemon lives there" in told.body
        assert "`nightshift recover`" in told.body
        place.now = 3 * PATIENCE_S
        watch.look()
        place.live()
        watch.look()  # notices that its connection was to the daemon that died
        watch.look()
    assert "lives and answers again" in place.next().body
    assert place.came.empty()


def test_a_watch_that_was_started_again_does_not_repeat_itself(place: Place) -> None:
    for _ in range(2):
        with place.alerting(place.home.watch, None) as own:
            watch = place.watch(own)
            place.now += PATIENCE_S
            watch.look()
    assert "no daemon lives there" in place.next().body
    assert place.came.empty()


def test_a_daemon_that_does_not_answer_is_silent(place: Place) -> None:
    with place.alerting(place.home.watch, None) as own:
        watch = place.watch(own)
        with place.home.claimed():
            place.home.announce("PYRO:daemon@127.0.0.1:1", "token")  # nobody listens there
            watch.look()
            place.now = PATIENCE_S
            watch.look()
            assert "does not answer" in place.next().body


def test_before_a_campaign_nobody_is_missed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.home = Home(tmp_path / "empty")
    place.home.path.mkdir()
    with place.alerting(place.home.watch, None) as own:
        watch = place.watch(own)
        place.now = 10 * PATIENCE_S
        assert not watch.look()
    assert place.came.empty()
    place.journal.close()


def test_what_a_daemon_that_has_ended_could_not_tell_is_told(place: Place) -> None:
    place.live()
    place.append(e.OperatorNeeded(reason="the robot"), e.CampaignEnded(end="needs operator", reason="the robot"))
    place.on_pause = place.die  # the daemon goes while it is watched
    with place.alerting(place.home.watch, None) as own:
        assert place.watch(own).run() == "needs operator"
    body = place.next().body
    assert "cannot go on alone: the robot" in body
    assert "has ended and needs you" in body
    with place.alerting(place.home.watch, None) as own:
        assert place.watch(own).run() == "needs operator"
    assert place.came.empty(), "it had been told"


def escalating(
    place: Place, second: Queue[Message], journal: SqliteJournal | None, outbox: Path, minutes: float = 0.02 / 60
) -> Alerting:
    def send(url: str, told: Message) -> None:
        (second if url == "json://second" else place.came).put(told)

    rules = Alerts.model_construct(escalate_after_min=minutes)
    return place.alerting(outbox, journal, send, escalation=["json://second"], rules=rules)


def test_when_the_daemon_has_gone_the_watch_calls_somebody_else_and_waits_for_an_answer(place: Place) -> None:
    second: Queue[Message] = Queue()
    place.append(e.OperatorNeeded(reason="the robot"), e.CampaignEnded(end="needs operator", reason="the robot"))
    with escalating(place, second, None, place.home.watch) as own:
        watch = place.watch(own)
        watch._theirs = lambda: escalating(place, second, place.journal, place.home.alerts)
        assert watch.run() == "needs operator"
    assert "Nobody has acknowledged this" in second.get(timeout=WAIT_S).body


def test_a_campaign_that_is_gone_on_with_is_watched_on(place: Place) -> None:
    place.append(e.OperatorNeeded(reason="the robot"), e.CampaignEnded(end="needs operator", reason="the robot"))
    recover = e.CommandGiven(command="recover", by="tester", reason="done")
    acts = [
        lambda: place.append(recover, e.DaemonStarted(boot="")),
        lambda: place.append(e.CampaignEnded(end="stopped", reason="stop")),
    ]
    place.on_pause = lambda: acts.pop(0)() if acts else None
    second: Queue[Message] = Queue()
    with escalating(place, second, None, place.home.watch, 60.0) as own:
        watch = place.watch(own)
        watch._theirs = lambda: escalating(place, second, place.journal, place.home.alerts, 60.0)
        assert watch.run() == "stopped", "it waited for an answer, and that was to go on"
    assert second.empty()
    assert acts == []


def test_a_journal_that_cannot_be_read_is_read_later(place: Place, tmp_path: Path) -> None:
    with place.alerting(place.home.watch, None) as own:
        watch = place.watch(own)
        place.journal.close()  # and its write-ahead log with it
        os.rename(place.home.journal, tmp_path / "aside")
        place.home.journal.write_text("not a journal at all, but as long as a header of one must be" * 20)
        watch.look()
        watch.look()
        (said,) = place.said
        assert "journal.db: cannot be" in said
        os.replace(tmp_path / "aside", place.home.journal)
        place.now = PATIENCE_S
        watch.look()
        assert "no daemon lives there" in place.next().body
