"""Journal and state, kept together."""

from __future__ import annotations

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import LifecycleError
from orchestrator.campaign.state import fold
from orchestrator.journal import Conflict, JournalError, SqliteJournal
from orchestrator.service import books as books_module
from orchestrator.service.books import Books, Listener
from tests.campaign.stories import suggested
from tests.execution.bench import StepClock

STARTED = e.CampaignStarted(campaign={}, lab={}, by="me")


@pytest.fixture
def journal(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    yield journal
    journal.close()


@pytest.fixture
def books(journal):
    return Books(journal, StepClock())


def test_the_state_is_the_fold_of_the_journal(books, journal):
    books.append(STARTED, e.DaemonStarted(boot="b"))
    books.append(suggested(1))
    assert vars(books.state) == vars(fold(journal.read()))
    assert vars(Books(journal, StepClock()).state) == vars(books.state)


def test_what_cannot_follow_is_not_written(books, journal):
    """A bug of ours must not leave a journal that nobody can take up."""
    books.append(STARTED, suggested(1))
    before = vars(books.state).copy()
    with pytest.raises(LifecycleError, match="sample 1 was suggested twice"):
        books.append(suggested(2), suggested(1))
    assert books.state.version == 2
    assert vars(books.state) == before
    assert list(books.state.samples) == [1]
    assert len(list(journal.read())) == 2


def times(journal):
    return [recorded.time for recorded in journal.read()]


def test_lab_time_goes_on_when_the_clock_is_set_back(journal):
    clock = StepClock(10_000.0)
    books = Books(journal, clock)
    books.append(STARTED)
    clock.advance(20.0)
    assert books.now() == 10_020.0
    clock.advance(-3600.0)
    books.append(suggested(1))
    clock.advance(5.0)
    books.append(suggested(2))
    clock.advance(-60.0)  # and once more
    books.append(suggested(3))
    clock.advance(5.0)
    books.append(suggested(4))
    assert times(journal) == [10_000.0, 10_020.0, 10_025.0, 10_025.0, 10_030.0]
    assert books.now() == 10_030.0


def test_lab_time_goes_on_from_the_last_entry_if_the_clock_was_set_back_between_two_daemons(journal):
    Books(journal, StepClock(10_000.0)).append(STARTED)
    clock = StepClock(10_000.0 - 3600.0)
    books = Books(journal, clock)
    books.append(suggested(1))
    clock.advance(7.0)
    books.append(suggested(2))
    assert times(journal) == [10_000.0, 10_000.0, 10_007.0]


def test_a_clock_that_is_right_is_not_meddled_with(journal):
    Books(journal, StepClock(10_000.0)).append(STARTED)
    clock = StepClock(10_500.0)
    books = Books(journal, clock)
    books.append(suggested(1))
    clock.advance(3600.0)  # set forward: it cannot be told from time that has passed
    books.append(suggested(2))
    assert times(journal) == [10_000.0, 10_500.0, 14_100.0]


class Stubborn:
    """A journal that cannot be written for a while."""

    def __init__(self, journal, error, times):
        self.journal, self.error, self.times = journal, error, times

    def read(self, after=0):
        return self.journal.read(after)

    def append(self, *args):
        if self.times:
            self.times -= 1
            raise self.error
        return self.journal.append(*args)


def test_a_journal_that_cannot_be_written_is_waited_for(monkeypatch, journal):
    monkeypatch.setattr(books_module, "RETRY_S", 0.001)
    books = Books(Stubborn(journal, JournalError("database is locked"), 3), StepClock())
    books.append(STARTED)
    assert books.state.version == 1


class Ears(Listener):
    def __init__(self):
        self.heard = []

    def recorded(self, recorded):
        self.heard.append(recorded)

    def unwritable(self, reason):
        self.heard.append(reason)


def test_who_listens_is_told_of_every_entry_once_it_is_committed(journal):
    ears = Ears()
    Books(journal, StepClock(), ears).append(STARTED, e.DaemonStarted(boot="b"))
    assert ears.heard == list(journal.read())
    Books(journal, StepClock(), ears).append(suggested(1))
    assert ears.heard == list(journal.read())


def test_who_listens_is_told_once_that_the_journal_cannot_be_written_and_once_that_it_can(monkeypatch, journal):
    monkeypatch.setattr(books_module, "RETRY_S", 0.001)
    ears = Ears()
    books = Books(Stubborn(journal, JournalError("database is locked"), 3), StepClock(), ears)
    books.append(STARTED)
    books.append(suggested(1))
    assert ears.heard[:2] == ["database is locked", ""]
    assert [told.version for told in ears.heard[2:]] == [1, 2]


def test_but_not_for_ever(monkeypatch, journal):
    monkeypatch.setattr(books_module, "RETRY_S", 0.001)
    monkeypatch.setattr(books_module, "PATIENCE_S", 0.01)
    books = Books(Stubborn(journal, JournalError("disk full"), 10**6), StepClock())
    with pytest.raises(JournalError, match="disk full"):
        books.append(STARTED)
    assert books.state.version == 0


def test_whoever_else_writes_the_journal_is_not_waited_for(journal):
    books, other = Books(journal, StepClock()), Books(journal, StepClock())
    other.append(STARTED)
    with pytest.raises(Conflict):
        books.append(STARTED)
