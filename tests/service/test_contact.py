"""How the night stands: by a daemon that answers, one that does not, and the journal alone."""

from __future__ import annotations

import os
from contextlib import contextmanager

import pytest

from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.journal import SqliteJournal
from orchestrator.locks import FileLock
from orchestrator.service.contact import SILENT_S, Contact, Word, ask, look
from orchestrator.service.home import Home, HomeError
from orchestrator.service.progress import Progress
from orchestrator.service.status import progress_of
from tests.campaign.stories import film, intended, suggested
from tests.service.nights import campaign


class Daemon:
    """Answers with what a real one would, or with what a test wants."""

    def __init__(self, told, decided_s=0.1):
        self.told, self.decided = told, decided_s

    def status(self):
        return self.told

    def decided_s(self):
        return self.decided


@pytest.fixture
def home(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    started = e.CampaignStarted(campaign=campaign().model_dump(mode="json"), lab={}, by="tester")
    journal.append([started, suggested(1), intended("dep", "deposit", 1, ["chamber"])], 0, 1.7e9)
    journal.append([film(1)], 3, 1.7e9 + 600.5)
    journal.close()
    return Home(tmp_path)


@contextmanager
def serving(home, daemon):
    with rpc.serve({"daemon": daemon}, "token") as server:
        home.announce(server.uris["daemon"], "token")
        try:
            yield
        finally:
            home.withdraw()


def test_progress_crosses_as_it_is(home):
    progress = progress_of(home.journal)
    assert Progress.of(progress.as_dict()) == progress


def test_a_daemon_is_asked(home):
    told = progress_of(home.journal).as_dict() | {"mode": "holding", "now": 1.8e9}
    with serving(home, Daemon(told)):
        word = look(home)
    assert word.live
    assert (word.progress.mode, word.progress.now, word.note) == ("holding", 1.8e9, "")


def test_a_daemon_without_a_campaign(tmp_path):
    home = Home(tmp_path)
    with serving(home, Daemon({"mode": "idle"})):
        word = look(home)
    assert word.live
    assert word.progress is None
    assert "nightshift run" in word.note


def test_a_daemon_that_does_not_answer_leaves_the_journal(home):
    with serving(home, Daemon({"mode": "running"})):
        pass
    home.announce("PYRO:daemon@127.0.0.1:9", "token")  # where nobody is
    with FileLock(home.path / "daemon.lock"):  # held by a process that lives
        word = look(home)
    assert not word.live
    assert word.progress == progress_of(home.journal)
    assert "no contact with the daemon" in word.note


def test_a_daemon_of_another_version_is_not_guessed_at(home):
    with serving(home, Daemon({"mode": "running", "stations": {}, "concerns": [], "colour": "red"})):
        with pytest.raises(HomeError, match="another version"):
            ask(home)
        assert look(home).progress == progress_of(home.journal)


def test_without_a_daemon_the_journal_tells_and_says_so(home):
    word = look(home)
    assert not word.live
    assert word.progress == progress_of(home.journal)
    assert "nightshift recover" in word.note


def test_what_the_last_daemon_noted_counts_until_the_journal_goes_on(home):
    told = progress_of(home.journal).as_dict()
    home.keep_last(told | {"campaign": "as noted"})
    assert look(home).progress.campaign == "as noted"
    journal = SqliteJournal(home.journal)
    journal.append([e.OperatorNeeded(reason="look")], 4, 1.7e9 + 700)
    journal.close()
    assert look(home).progress == progress_of(home.journal)


@pytest.mark.parametrize("noted", ["", "[]", '{"version": 4}', '{"version": 4, "stations": {}, "concerns": []}'])
def test_a_note_that_is_damaged_or_of_another_version_is_passed_over(home, noted):
    (home.path / "last.json").write_text(noted)
    assert look(home).progress == progress_of(home.journal)


def test_a_note_that_cannot_be_written_ends_no_night(home, caplog):
    os.mkdir(home.path / "last.new")  # where the new one would be written first
    try:
        home.keep_last({"version": 1})
    except IsADirectoryError:  # pragma: no cover - what must not be
        pytest.fail("it must only be told")
    assert "last.json: cannot be written" in caplog.text


def test_silence_is_told_after_five_seconds():
    contact = Contact(100.0)
    progress = object()
    contact.heard(Word(progress, True), 101.0)
    assert not contact.lost(101.0 + SILENT_S)
    contact.not_heard("its daemon does not answer")
    assert not contact.lost(102.0)
    assert contact.lost(101.1 + SILENT_S)
    assert contact.silence_s(111.0) == 10.0
    assert contact.progress is progress
    contact.heard(Word(progress, True), 112.0)
    assert not contact.lost(112.0)
    assert contact.trouble == ""


def test_a_daemon_that_decides_nothing_is_as_old_as_its_last_decision():
    contact = Contact(100.0)
    contact.heard(Word(object(), True, decided_s=12.0), 101.0)
    assert contact.lost(101.0)
    assert contact.silence_s(101.0) == 12.0
    assert "decides nothing" in contact.trouble
