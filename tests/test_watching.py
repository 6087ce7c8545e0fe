"""A night watched from a terminal: until it has ended, and marked as old while nobody answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from orchestrator.campaign import entries as e
from orchestrator.display import watched
from orchestrator.journal import SqliteJournal
from orchestrator.service.contact import Contact, Word
from orchestrator.service.home import Home, HomeError
from orchestrator.service.status import progress_of
from orchestrator.watching import EVERY_S, watch
from tests.service.nights import campaign
from tests.service.test_contact import Daemon, serving


class Recorder:
    """Keeps what was shown, as text, and whether it was marked as old."""

    def __init__(self):
        self.shown = []

    def show(self, contact, now):
        console = Console(width=120, color_system=None)
        with console.capture() as capture:
            console.print(watched(contact, now))
        self.shown.append(capture.get())


@pytest.fixture
def home(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    started = e.CampaignStarted(campaign=campaign().model_dump(mode="json"), lab={}, by="tester")
    journal.append([started, e.DaemonStarted(boot="")], 0, 1.7e9)
    journal.close()
    return Home(tmp_path)


def ended(home):
    journal = SqliteJournal(home.journal)
    journal.append([e.CampaignEnded(end="done", reason="budget: 5 samples")], 2, 1.7e9 + 60)
    journal.close()


class Clock:
    """Time that passes when somebody waits; `then` are things that happen after so many waits."""

    def __init__(self, *then):
        self.t, self.then = 0.0, list(then)

    def now(self):
        return self.t

    def wait(self, seconds):
        self.t += seconds
        if self.then:
            self.then.pop(0)()


def nothing():
    pass


def test_it_shows_what_the_daemon_says_and_ends_with_the_campaign(home):
    screen = Recorder()
    daemon = Daemon(progress_of(home.journal).as_dict())
    with serving(home, daemon):
        clock = Clock(
            lambda: daemon.told.update(mode="holding"), lambda: daemon.told.update(end="done", mode="stopped")
        )
        watch(home, screen, now=clock.now, wait=clock.wait)
    assert len(screen.shown) == 3
    assert "running" in screen.shown[0]
    assert "live" in screen.shown[0]
    assert "holding" in screen.shown[1]
    assert "done" in screen.shown[2]


def test_after_five_seconds_of_silence_it_says_no_contact_and_finds_the_end_in_the_journal(home):
    screen = Recorder()
    served = serving(home, Daemon(progress_of(home.journal).as_dict()))
    served.__enter__()
    waits = int(7 / EVERY_S)

    def dies():
        served.__exit__(None, None, None)
        home.announce("PYRO:daemon@127.0.0.1:9", "token")  # as a daemon that was killed leaves it

    def is_over():
        home.withdraw()
        ended(home)

    clock = Clock(dies, *[nothing] * waits, is_over)
    watch(home, screen, now=clock.now, wait=clock.wait)
    old = ["NO CONTACT" in text for text in screen.shown]
    assert not any(old[: int(5 / EVERY_S)])
    assert all("last heard" in text for text in screen.shown[3 : int(5 / EVERY_S)])
    assert all(old[int(5 / EVERY_S) + 2 : -1])
    assert "NO CONTACT for 6 s" in "".join(screen.shown)
    assert "does not answer" in screen.shown[-2]
    assert "done" in screen.shown[-1]
    assert "NO CONTACT" not in screen.shown[-1]


def test_a_campaign_that_has_ended_is_shown_once(home):
    ended(home)
    screen = Recorder()
    watch(home, screen, now=lambda: 0.0, wait=lambda _: pytest.fail("there is nothing to wait for"))
    (text,) = screen.shown
    assert "done" in text


def test_there_is_nothing_to_watch(tmp_path):
    with pytest.raises(HomeError, match="holds no campaign"):
        watch(Home(tmp_path), Recorder())


def test_what_is_old_is_grey(home):
    contact = Contact(0.0)
    contact.heard(Word(replace(progress_of(home.journal), needs="look at the pump"), True), 0.0)
    contact.not_heard("its daemon does not answer")
    console = Console(width=120, force_terminal=True, color_system="truecolor")
    with console.capture() as capture:
        console.print(watched(contact, 10.0))
    badge, *rest = capture.get().splitlines()
    assert "NO CONTACT" in badge
    assert all("\x1b[" in line and "90m" in line for line in rest if line.strip())
