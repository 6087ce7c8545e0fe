"""Alerts beside the daemon: at once, again, once more after a death, and never in its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import Alerts
from orchestrator.journal import SqliteJournal
from orchestrator.service.alerts.alert import Alert, Message, message
from orchestrator.service.alerts.alerting import Alerting, Channel
from orchestrator.service.alerts.courier import NotDelivered
from orchestrator.service.alerts.line import FIRST_RETRY_S, GAP_S, GATHER_S, MATTERS_S
from orchestrator.service.alerts.outbox import Outbox

PATIENCE_S = 20.0
URL = "json://lab:s3cret@example.org"
SECOND = "json://other.example.org"
SOON = Alerts.model_construct(escalate_after_min=0.02 / 60)
"""Escalates after 20 ms."""
ACK = e.AlertsAcknowledged(by="tester", reason="on my way")
STARTED = e.CampaignStarted(campaign={"name": "c"}, lab={"name": "l"}, by="tester")
DAEMON = e.DaemonStarted(boot="boot")
LOST = e.StationLost(station="robot", reason="why")
BACK = e.StationRestarted(station="robot", reason="why")
NEEDED = e.OperatorNeeded(reason="the robot")
QUARANTINED = e.SampleQuarantined(sample=1, reason="nobody knows")


class Wire:
    """A channel that is played, and its clock."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.down = ""
        self.now = 0.0
        self.lab_now = 1.7e9
        self.on_send: Callable[[], None] = lambda: None

    def send(self, url: str, told: Message) -> None:
        assert url == URL
        self.on_send()
        if self.down:
            raise NotDelivered(self.down)
        self.sent.append(told.body.splitlines()[:-1])

    def channel(self, outbox: Outbox) -> Channel:
        def render(alerts: Sequence[Alert], more: int) -> Message:
            return message(alerts, "campaign", "home", more)

        return Channel(1, URL, outbox, render, lambda: self.lab_now, self.send, lambda: self.now)


def alert(name: str, about: str = "") -> Alert:
    return Alert(name, 1.7e9, "warning", f"alert {name}", about)


def told(wire: Wire) -> list[list[str]]:
    """The last word of each line of each message."""
    return [[line.split()[-1] for line in lines] for lines in wire.sent]


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "alerts.jsonl")


# --- one channel, step by step ------------------------------------------------------------------------


def test_a_channel_that_is_down_is_told_all_of_it_when_it_is_back(outbox: Outbox) -> None:
    wire = Wire()
    channel = wire.channel(outbox)
    wire.down = "it does not answer"
    channel.put(alert("1"))
    assert channel.due_in() == GATHER_S
    channel.step()
    assert channel.due_in() == FIRST_RETRY_S
    channel.put(alert("2"))
    assert channel.due_in() == FIRST_RETRY_S, "a new alert does not make a dead channel be asked more often"
    wire.now, wire.down = FIRST_RETRY_S, ""
    assert channel.due_in() == 0.0
    channel.step()
    assert told(wire) == [["1", "2"]]
    assert channel.idle
    assert "it does not answer" in outbox.path.read_text()


def test_a_burst_becomes_one_message(outbox: Outbox) -> None:
    wire = Wire()
    channel = wire.channel(outbox)
    channel.put(alert("1"))
    channel.step()
    for number in range(2, 6):
        channel.put(alert(str(number)))
    assert channel.due_in() == GAP_S
    channel.step()
    assert told(wire) == [["1"], ["2", "3", "4", "5"]]


def test_what_comes_while_a_message_is_under_way_is_not_taken_for_told(outbox: Outbox) -> None:
    wire = Wire()
    channel = wire.channel(outbox)
    channel.put(alert("1", "robot"))
    wire.on_send = lambda: channel.put(alert("2", "robot"))
    channel.step()
    wire.on_send = lambda: None
    channel.step()
    assert told(wire) == [["1"], ["2"]]


def test_what_is_delivered_is_not_told_again_and_the_rest_is(outbox: Outbox) -> None:
    wire = Wire()
    first = wire.channel(outbox)
    first.put(alert("1"))
    first.step()
    second = wire.channel(Outbox(outbox.path))
    second.put(alert("1"))
    second.put(alert("2"))
    second.step()
    assert told(wire) == [["1"], ["2"]]


def test_a_death_between_the_delivery_and_its_record_tells_it_once_more(outbox: Outbox) -> None:
    """At least once: nobody can take a message back, and nobody can know that it had gone."""
    wire = Wire()
    dying = wire.channel(outbox)
    dying.put(alert("1"))

    class Died(BaseException):
        pass

    def delivered_then_died(url: str, what: Message) -> None:
        wire.send(url, what)
        raise Died

    dying._send = delivered_then_died
    with pytest.raises(Died):
        dying.step()
    after = wire.channel(Outbox(outbox.path))
    after.put(alert("1"))
    after.step()
    assert told(wire) == [["1"], ["1"]]


def test_what_is_too_old_is_let_go_and_said_so(outbox: Outbox) -> None:
    wire = Wire()
    channel = wire.channel(outbox)
    wire.down = "gone"
    channel.put(alert("1"))
    channel.step()
    wire.lab_now += MATTERS_S + 1
    wire.down = ""
    channel.put(Alert("2", wire.lab_now, "info", "alert 2"))
    channel.step()
    assert told(wire) == [["2"]]
    assert '"fate": "too old"' in outbox.path.read_text()


def test_channels_do_not_share_what_they_were_told(outbox: Outbox) -> None:
    wire = Wire()
    channel = wire.channel(outbox)
    channel.put(alert("1"))
    channel.step()
    assert outbox.settled("1 json", alert("1"))
    assert not outbox.settled("2 json", alert("1"))


# --- with its threads ---------------------------------------------------------------------------------


class Bench:
    """A journal with its daemons, whose alerts go to a queue."""

    def __init__(self, folder: Path) -> None:
        self.journal = SqliteJournal(folder / "journal.db")
        self.path = folder / "alerts.jsonl"
        self.came: Queue[Message] = Queue()
        self.second: Queue[Message] = Queue()
        self.down = threading.Event()
        self.tried = threading.Semaphore(0)
        self.version = 0

    def alerting(self, **more: Any) -> Alerting:
        outbox = Outbox(self.path)
        return Alerting([URL], outbox, self.journal, lambda: 1.7e9, subject="c", home="home", send=self._send, **more)

    def append(self, alerting: Alerting | None, *entries: e.Entry) -> None:
        """Commit, and tell `alerting`, as the daemon's books do."""
        for entry in entries:
            self.journal.append([entry], self.version, 1.7e9)
            self.version += 1
            if alerting is not None:
                alerting.recorded(e.Recorded(version=self.version, time=1.7e9, entry=entry))

    def next(self) -> str:
        return self.came.get(timeout=PATIENCE_S).body

    def _send(self, url: str, told: Message) -> None:
        if url == SECOND:
            self.second.put(told)
            return
        self.tried.release()
        if self.down.is_set():
            raise NotDelivered("down")
        self.came.put(told)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_an_entry_is_told_at_once(bench: Bench) -> None:
    with bench.alerting() as alerting:
        bench.append(alerting, STARTED, DAEMON, LOST)
        assert "Station robot was lost" in bench.next()


def test_what_waits_when_the_daemon_ends_is_told_before_it_goes(bench: Bench) -> None:
    with bench.alerting() as alerting:
        bench.append(alerting, STARTED, DAEMON, LOST)
        bench.next()
        bench.append(alerting, BACK, e.CampaignEnded(end="done", reason="budget"))
    body = bench.came.get_nowait().body
    assert "works again" in body
    assert "The campaign is done" in body
    assert bench.came.empty()


def test_a_channel_that_is_down_holds_nobody_up_and_the_next_daemon_tells(bench: Bench) -> None:
    bench.down.set()
    with bench.alerting() as alerting:
        bench.append(alerting, STARTED, DAEMON, QUARANTINED)
        assert bench.tried.acquire(timeout=PATIENCE_S)
    bench.down.clear()
    with bench.alerting() as alerting:
        bench.append(alerting, DAEMON)
        assert "Sample 1 is set aside" in bench.next()
    with bench.alerting() as alerting:
        bench.append(alerting, DAEMON)
    assert "Sample 1" not in bench.next(), "it had been told"
    assert bench.came.empty()


def test_what_nobody_came_to_write_down_is_told_by_the_next_daemon(bench: Bench) -> None:
    """A daemon that died between its commit and everything else."""
    bench.append(None, STARTED, DAEMON, LOST, QUARANTINED, NEEDED)
    with bench.alerting() as alerting:
        bench.append(alerting, DAEMON)
        body = bench.next()
    assert "Sample 1" in body
    assert "cannot go on alone" in body
    assert "robot was lost" not in body, "its worker is another now"


def test_what_has_been_recovered_from_is_not_told(bench: Bench) -> None:
    bench.append(None, STARTED, DAEMON, NEEDED)
    with bench.alerting() as alerting:
        bench.append(alerting, e.CommandGiven(command="recover", by="tester", reason="robot"), DAEMON)
    assert "cannot go on alone" not in bench.next()
    assert bench.came.empty()


def test_a_journal_that_cannot_be_written_is_told_all_the_same(bench: Bench) -> None:
    with bench.alerting() as alerting:
        alerting.unwritable("database is locked")
        assert "cannot be written (database is locked)" in bench.next()
        alerting.unwritable("")
    assert "can be written again" in bench.next()


def test_a_daemon_that_ends_by_itself_says_why(bench: Bench) -> None:
    with pytest.raises(OSError, match="no space"), bench.alerting() as alerting:  # noqa: PT012 - what ends the context
        bench.append(alerting, STARTED, DAEMON, LOST)
        bench.next()
        raise OSError("no space")
    assert "ended by itself (no space)" in bench.next()


def test_an_operator_who_interrupts_does_not_wait_for_a_channel(bench: Bench) -> None:
    let_go = threading.Event()
    alerting = bench.alerting()
    for channel in alerting.channels:
        channel._send = lambda *_: bool(let_go.wait(PATIENCE_S)) or bench.tried.release()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), alerting:  # noqa: PT012 - what ends the context
        bench.append(alerting, STARTED, DAEMON, LOST)
        raise KeyboardInterrupt
    assert time.monotonic() - began < PATIENCE_S / 2
    let_go.set()


def test_without_channels_it_is_only_written_down(bench: Bench) -> None:
    outbox = Outbox(bench.path)
    with Alerting([], outbox, bench.journal, lambda: 1.7e9, subject="c", home="home") as alerting:
        bench.append(alerting, STARTED, DAEMON, LOST)
    assert "Station robot was lost" in bench.path.read_text()


def test_no_secret_is_written_down(bench: Bench) -> None:
    with bench.alerting() as alerting:
        bench.append(alerting, STARTED, DAEMON, LOST)
        bench.next()
    assert "s3cret" not in bench.path.read_text()
    assert '"channel": "1 json", "fate": "delivered"' in bench.path.read_text()


# --- nobody answers -----------------------------------------------------------------------------------


def test_what_nobody_acknowledges_goes_to_somebody_else_once(bench: Bench) -> None:
    with bench.alerting(escalation=[SECOND], rules=SOON) as alerting:
        bench.append(alerting, STARTED, DAEMON, NEEDED)
        told = bench.second.get(timeout=PATIENCE_S)
        assert "Nobody has acknowledged this" in told.body
        assert "cannot go on alone" in told.body
        assert "cannot go on alone" in bench.next()
    with bench.alerting(escalation=[SECOND], rules=SOON) as alerting:
        bench.append(alerting, DAEMON)
        assert "started again" in bench.next()
    assert bench.second.empty(), "it had been told"


def test_what_is_acknowledged_goes_nowhere_else_not_with_the_next_daemon_either(bench: Bench) -> None:
    rules = Alerts.model_construct(escalate_after_min=60.0)
    with bench.alerting(escalation=[SECOND], rules=rules) as alerting:
        bench.append(alerting, STARTED, DAEMON, NEEDED)
        alerting.tell("critical", "a step makes no progress", "step", "stuck")
        bench.next()
        assert not alerting.idle, "it waits for a person"
        bench.append(alerting, ACK)
        until(lambda: alerting.idle)
    with bench.alerting(escalation=[SECOND], rules=SOON) as alerting:
        bench.append(alerting, DAEMON)
        until(lambda: alerting.idle)
    assert bench.second.empty()


@pytest.mark.parametrize("command", ["hold", "resume", "stop", "abort", "recover"])
def test_any_command_of_a_person_acknowledges(bench: Bench, command: Any) -> None:
    rules = Alerts.model_construct(escalate_after_min=60.0)
    with bench.alerting(escalation=[SECOND], rules=rules) as alerting:
        bench.append(alerting, STARTED, DAEMON, NEEDED)
        bench.next()
        bench.append(alerting, e.CommandGiven(command=command, by="tester", reason=""))
        until(lambda: alerting.idle)


def test_a_hold_by_policy_is_nobody_s_answer(bench: Bench) -> None:
    hold = e.CommandGiven(command="hold", by="recovery policy", reason="the gun arcs", after_steps=True)
    with bench.alerting(escalation=[SECOND], rules=SOON) as alerting:
        bench.append(alerting, STARTED, DAEMON, hold)
        assert "the gun arcs" in bench.second.get(timeout=PATIENCE_S).body


def test_what_is_not_critical_is_not_escalated(bench: Bench) -> None:
    with bench.alerting(escalation=[SECOND], rules=SOON) as alerting:
        bench.append(alerting, STARTED, DAEMON, QUARANTINED)
        bench.next()
        until(lambda: alerting.idle)
    assert bench.second.empty()


# --- quiet hours --------------------------------------------------------------------------------------

NIGHT = datetime(2026, 11, 29, 3, 0)
QUIET = Alerts.model_construct(quiet="22:00-07:00")


def test_at_night_only_what_is_critical_is_sent_and_takes_the_rest_along(bench: Bench) -> None:
    with bench.alerting(rules=QUIET, civil_now=lambda: NIGHT) as alerting:
        bench.append(alerting, STARTED, DAEMON, QUARANTINED)
        until(lambda: not alerting.channels[0].idle)
        assert (alerting.channels[0].due_in() or 0.0) > 3 * 3600
        assert bench.came.empty()
        bench.append(alerting, NEEDED)
        body = bench.next()
    assert "cannot go on alone" in body
    assert "Sample 1 is set aside" in body


@pytest.mark.parametrize("watched", [True, False])
def test_what_waits_for_the_morning_is_left_to_a_watch_or_told_at_the_end(bench: Bench, watched: bool) -> None:
    with bench.alerting(rules=QUIET, civil_now=lambda: NIGHT, leave_quiet=lambda: watched) as alerting:
        bench.append(alerting, STARTED, DAEMON, e.CampaignEnded(end="done", reason="budget"))
        until(lambda: not alerting.channels[0].idle)
    assert bench.came.empty() == watched
    morning = datetime(2026, 11, 29, 7, 0)
    with bench.alerting(rules=QUIET, civil_now=lambda: morning) as alerting:
        alerting.recorded(next(r for r in bench.journal.read() if r.version == bench.version))
        assert "is done" in bench.next()
        until(lambda: alerting.idle)
    assert bench.came.empty()


def until(true: Callable[[], bool]) -> None:
    """Wait for what another thread brings about."""
    over = threading.Event()
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        over.wait(0.005)


# --- what no entry tells ------------------------------------------------------------------------------


def test_what_follows_from_no_entry_outlives_the_daemon_too(bench: Bench) -> None:
    bench.down.set()
    with bench.alerting() as alerting:
        alerting.tell("critical", "a step makes no progress", "step", "stuck")
        assert bench.tried.acquire(timeout=PATIENCE_S)
    bench.down.clear()
    for expected in (1, 0):
        with bench.alerting() as alerting:
            until(lambda alerting=alerting: alerting.idle)
        assert bench.came.qsize() == expected
        bench.came.queue.clear()
