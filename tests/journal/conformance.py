"""What every journal owes the campaign.

A test class for an implementation inherits `JournalContract` and says how to open a journal; `open_journal`
is a function of this module's kind, so that other processes can call it too:

    class TestMine(JournalContract):
        open_journal = staticmethod(mine.open_journal)     # (place: Path) -> Journal
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.campaign.entries import Entry, OperatorNeeded, SampleMoved, StationLost
from orchestrator.journal import Conflict, Journal, JournalError

Opener = Callable[[Path], Journal]
PROCESSES = multiprocessing.get_context("spawn")
PATIENCE_S = 60


def need(text: str) -> Entry:
    return OperatorNeeded(reason=text)


class JournalContract:
    open_journal: Opener

    @pytest.fixture
    def place(self, tmp_path):
        return tmp_path / "journal"

    @pytest.fixture
    def journal(self, place):
        journal = self.open_journal(place)
        yield journal
        journal.close()

    def reopened(self, place):
        return list(self.open_journal(place).read())

    # --- append, read ---------------------------------------------------------------------------------

    def test_a_new_journal_is_empty(self, journal):
        assert list(journal.read()) == []

    def test_so_many_are_read_as_are_wanted(self, journal):
        journal.append([need(str(n)) for n in range(1, 8)], 0, 0.0)
        assert [r.version for r in journal.read(2, 3)] == [3, 4, 5]
        assert [r.version for r in journal.read(5, 3)] == [6, 7]
        assert list(journal.read(0, 0)) == []

    def test_what_is_appended_is_read(self, journal):
        entries = [need("a"), StationLost(station="robot", reason="µ–☃"), need("b")]
        assert journal.append(entries, 0, 12.5) == 3
        recorded = list(journal.read())
        assert [r.entry for r in recorded] == entries
        assert [r.time for r in recorded] == [12.5] * 3

    def test_times_are_kept_exactly(self, journal):
        times = [0.1, 1e9 + 1 / 3, 1763800000.123456]
        for version, time in enumerate(times):
            journal.append([need("x")], version, time)
        assert [r.time for r in journal.read()] == times

    def test_versions_count_from_1_without_gaps(self, journal):
        version = 0
        for size in (1, 3, 0, 2, 1):
            version = journal.append([need("x")] * size, version, 0.0)
        assert version == 7
        assert [r.version for r in journal.read()] == [1, 2, 3, 4, 5, 6, 7]

    def test_a_failed_append_uses_no_version_up(self, journal):
        journal.append([need("x")], 0, 0.0)
        with pytest.raises(Conflict):
            journal.append([need("y")] * 5, 4, 0.0)
        assert journal.append([need("z")], 1, 0.0) == 2

    @pytest.mark.parametrize("after", [0, 1, 4, 5, 6, 100])
    def test_read_after(self, journal, after):
        journal.append([need(str(n)) for n in range(1, 6)], 0, 0.0)
        assert [r.entry for r in journal.read(after)] == [need(str(n)) for n in range(after + 1, 6)]

    def test_entries_appended_while_reading_do_not_disturb(self, journal):
        journal.append([need("a"), need("b")], 0, 0.0)
        reading = journal.read()
        first = next(reading)
        journal.append([need("c")], 2, 0.0)
        assert [first.version, *(r.version for r in reading)] in ([1, 2], [1, 2, 3])

    # --- conflicts ------------------------------------------------------------------------------------

    @pytest.mark.parametrize("expected", [0, 1, 3, 99, -1])
    @pytest.mark.parametrize("size", [0, 1, 3])
    def test_a_conflict_leaves_nothing(self, journal, expected, size):
        journal.append([need("a"), need("b")], 0, 0.0)
        before = list(journal.read())
        with pytest.raises(Conflict, match="version 2"):
            journal.append([need("c")] * size, expected, 0.0)
        assert list(journal.read()) == before

    def test_a_conflict_is_a_journal_error(self):
        assert issubclass(Conflict, JournalError)

    def test_all_of_an_append_or_none(self, journal):
        journal.append([need("a")], 0, 0.0)
        unwritable = need("b").model_copy(update={"reason": "\udc80"})
        with pytest.raises(Exception, match=r"surrogate|utf-8"):
            journal.append([need("c"), unwritable, need("d")], 1, 0.0)
        assert [r.entry for r in journal.read()] == [need("a")]

    def test_a_time_that_is_no_number_is_refused(self, journal):
        with pytest.raises(JournalError):
            journal.append([need("a"), need("b")], 0, float("nan"))
        assert list(journal.read()) == []

    def test_the_second_of_two_writers_is_told(self, place, journal):
        other = self.open_journal(place)
        journal.append([need("mine")], 0, 0.0)
        with pytest.raises(Conflict):
            other.append([need("theirs")], 0, 0.0)
        assert [r.entry for r in other.read()] == [need("mine")]
        assert other.append([need("then")], 1, 0.0) == 2
        other.close()

    def test_threads_may_share_a_journal(self, journal):
        def append_ten(name: str) -> None:
            appended = version = 0
            while appended < 10:
                try:
                    version = journal.append([need(name), need(name)], version, 0.0)
                    appended += 1
                except Conflict:
                    version = len(list(journal.read()))

        threads = [threading.Thread(target=append_ten, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        reasons = [r.entry.reason for r in journal.read()]
        assert len(reasons) == 40
        assert reasons[::2] == reasons[1::2]  # each append stands together

    def test_of_two_processes_that_append_at_once_one_wins(self, place, journal):
        rounds, gate = 20, PROCESSES.Barrier(2)
        racers = [PROCESSES.Process(target=_race, args=(self.open_journal, place, gate, name, rounds)) for name in "ab"]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join(PATIENCE_S)
            assert racer.exitcode == 0
        recorded = list(journal.read())
        assert [r.version for r in recorded] == list(range(1, 2 * rounds + 1))
        assert all(a.entry == b.entry for a, b in zip(recorded[::2], recorded[1::2], strict=True))

    # --- durability -----------------------------------------------------------------------------------

    def test_entries_survive_closing(self, place, journal):
        entries = [need("a"), SampleMoved(sample=1, source="cassette/1", destination="deposition")]
        journal.append(entries, 0, 3.0)
        journal.close()
        assert [r.entry for r in self.reopened(place)] == entries

    def test_closing_twice_is_closing_once(self, journal):
        journal.close()
        journal.close()

    def test_a_closed_journal_says_so(self, journal):
        journal.close()
        with pytest.raises(JournalError):
            journal.append([need("a")], 0, 0.0)
        with pytest.raises(JournalError):
            list(journal.read())

    @pytest.mark.parametrize("appends", [1, 5])
    def test_what_was_appended_survives_a_killed_writer(self, place, appends):
        writer = PROCESSES.Process(target=_append_and_die, args=(self.open_journal, place, appends))
        writer.start()
        writer.join(PATIENCE_S)
        assert writer.exitcode == -signal.SIGKILL
        recorded = self.reopened(place)
        assert [r.entry.reason for r in recorded] == [f"{n}{half}" for n in range(appends) for half in "ab"]
        assert self.open_journal(place).append([need("on")], len(recorded), 1.0) == len(recorded) + 1

    def test_a_writer_killed_within_an_append_leaves_all_of_it_or_nothing(self, place, journal):
        started = PROCESSES.Event()
        writer = PROCESSES.Process(target=_append_for_ever, args=(self.open_journal, place, started))
        writer.start()
        assert started.wait(PATIENCE_S)
        writer.kill()
        writer.join(PATIENCE_S)
        recorded = list(journal.read())
        assert recorded
        assert len(recorded) % 3 == 0


def _race(open_journal: Opener, place: Path, gate: threading.Barrier, name: str, rounds: int) -> None:
    """At each round both racers append at the same version; the winner's two entries stand."""
    journal = open_journal(place)
    for version in range(0, 2 * rounds, 2):
        gate.wait(PATIENCE_S)
        with suppress(Conflict):
            assert journal.append([need(f"{name}{version}")] * 2, version, 0.0) == version + 2
    journal.close()


def _append_and_die(open_journal: Opener, place: Path, appends: int) -> None:
    journal = open_journal(place)
    for n in range(appends):
        journal.append([need(f"{n}a"), need(f"{n}b")], 2 * n, 0.0)
    os.kill(os.getpid(), signal.SIGKILL)


def _append_for_ever(open_journal: Opener, place: Path, started: threading.Event) -> None:
    journal, version = open_journal(place), 0
    while True:
        version = journal.append([need("x" * 5000)] * 3, version, 0.0)
        started.set()
