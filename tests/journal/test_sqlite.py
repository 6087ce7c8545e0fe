"""The journal in an SQLite file: the contract, and what can be wrong with a file."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.campaign.entries import CampaignHeld, CampaignStarted, to_json
from orchestrator.journal import JournalError, SqliteJournal
from orchestrator.journal import sqlite as sqlite_journal
from tests.journal.conformance import PATIENCE_S, PROCESSES, JournalContract, _append_and_die, need


def open_sqlite(place: Path) -> SqliteJournal:
    return SqliteJournal(place)


class TestSqliteJournal(JournalContract):
    open_journal = staticmethod(open_sqlite)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


def edit(path: Path, *statements: str) -> None:
    """As somebody with a database browser would."""
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


def written(path: Path, *texts: str) -> None:
    with closing(SqliteJournal(path)) as journal:
        journal.append([need(text) for text in texts], 0, 0.0)


# --- durability -----------------------------------------------------------------------------------------


def test_every_commit_is_synced_to_a_write_ahead_log(path):
    with closing(SqliteJournal(path)) as journal:
        assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert path.read_bytes()[18:20] == b"\x02\x02"  # the file itself asks for WAL, whoever opens it


def test_a_log_torn_at_its_tail_leaves_a_valid_prefix(tmp_path, path):
    writer = PROCESSES.Process(target=_append_and_die, args=(open_sqlite, path, 4))
    writer.start()
    writer.join(PATIENCE_S)
    assert writer.exitcode == -signal.SIGKILL
    wal = path.with_name("journal.db-wal")
    whole = wal.read_bytes()
    assert len(whole) > 4 * 4096
    lengths = set()
    for kept in [0, 10, 32, *range(33, len(whole), 1531), len(whole) - 1, len(whole)]:
        torn = tmp_path / f"torn-{kept}" / path.name
        torn.parent.mkdir()
        shutil.copy(path, torn)
        torn.with_name(wal.name).write_bytes(whole[:kept])
        with closing(SqliteJournal(torn)) as journal:
            recorded = list(journal.read())
            reasons = [f"{n}{half}" for n in range(4) for half in "ab"]
            assert [r.entry.reason for r in recorded] == reasons[: len(recorded)]
            assert len(recorded) % 2 == 0  # an append stands together
            assert journal.append([need("on")], len(recorded), 0.0) == len(recorded) + 1
        lengths.add(len(recorded))
    assert lengths == {0, 2, 4, 6, 8}


def test_garbage_in_the_tail_of_the_log_is_not_believed(tmp_path, path):
    writer = PROCESSES.Process(target=_append_and_die, args=(open_sqlite, path, 3))
    writer.start()
    writer.join(PATIENCE_S)
    wal = path.with_name("journal.db-wal")
    whole = bytearray(wal.read_bytes())
    whole[-2000:] = bytes(2000)
    wal.write_bytes(whole)
    with closing(SqliteJournal(path)) as journal:
        assert [r.entry.reason for r in journal.read()] == ["0a", "0b", "1a", "1b"]


# --- files that are no journal --------------------------------------------------------------------------


def test_a_folder(tmp_path):
    with pytest.raises(JournalError, match=f"{tmp_path}: cannot be opened as a journal"):
        SqliteJournal(tmp_path)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(JournalError, match=r"nowhere/journal\.db: cannot be opened"):
        SqliteJournal(tmp_path / "nowhere" / "journal.db")


def test_a_file_of_something_else(path):
    path.write_text("name = 'fe-co-ni'\n" * 100)
    before = path.read_bytes()
    with pytest.raises(JournalError, match="file is not a database"):
        SqliteJournal(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("made_by", ["CREATE TABLE documents (n)", "PRAGMA application_id = 7"])
def test_a_database_of_something_else_is_left_alone(path, made_by):
    edit(path, made_by)
    before = path.read_bytes()
    with pytest.raises(JournalError, match="database of something else"):
        SqliteJournal(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("ALTER TABLE journal DROP COLUMN time", "its table journal lacks time"),
        ("ALTER TABLE journal ADD COLUMN author TEXT", "its table journal also has author"),
        ("ALTER TABLE journal RENAME COLUMN entry TO event", "journal lacks entry; its table journal also has event"),
    ],
)
def test_a_journal_of_another_version_is_refused_and_left_alone(path, changed, told):
    written(path, "a")
    edit(path, changed)
    with pytest.raises(JournalError, match=rf"journal\.db: .*another version of Nightshift: .*{told}; go on with the"):
        SqliteJournal(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM journal").fetchone() == (1,)


@pytest.fixture
def unprivileged():
    """A folder of a user who is not the superuser, to whom no permission is denied; and to be that user."""
    folder = Path(tempfile.mkdtemp(prefix="journal-"))
    if os.geteuid() != 0:
        yield folder
    else:
        nobody = 65534
        os.chown(folder, nobody, nobody)
        os.seteuid(nobody)
        yield folder
        os.seteuid(0)
    shutil.rmtree(folder)


def test_a_file_that_may_not_be_written(unprivileged):
    path = unprivileged / "journal.db"
    written(path, "a")
    path.chmod(0o444)
    with closing(SqliteJournal(path)) as journal:
        with pytest.raises(JournalError, match=r"journal\.db: cannot be written .*readonly.*nothing was appended"):
            journal.append([need("b")], 1, 0.0)
        assert [r.entry for r in journal.read()] == [need("a")]


def test_an_empty_file_that_may_not_be_written(unprivileged):
    path = unprivileged / "journal.db"
    path.touch(mode=0o444)
    with pytest.raises(JournalError, match=r"journal\.db: cannot be opened as a journal .*readonly"):
        SqliteJournal(path)


def test_a_folder_that_may_not_be_written(unprivileged):
    unprivileged.chmod(0o555)
    with pytest.raises(JournalError, match=r"journal\.db: cannot be opened"):
        SqliteJournal(unprivileged / "journal.db")
    unprivileged.chmod(0o755)


def test_a_disk_that_fills_up_leaves_the_journal_as_it_was(path):
    with closing(SqliteJournal(path)) as journal:
        journal.append([need("a")], 0, 0.0)
        (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
        journal._db.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(JournalError, match=r"full.*nothing was appended"):
            journal.append([need("b"), need("x" * 50_000)], 1, 0.0)
        assert [r.entry for r in journal.read()] == [need("a")]
        assert journal.append([need("c")], 1, 0.0) == 2


# --- entries that cannot be read ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"kind": "sample_cloned", "v": 1, "sample": 7}', "sample_cloned"),
        ('{"v": 1}', "kind"),
        ('{"kind": "campaign_held", "v": 2}', "v"),
        ('{"kind": "campaign_held", "v": 1, "mood": "good"}', "mood"),
        ("{", "EOF"),
        ("", "EOF"),
    ],
)
def test_an_entry_that_we_do_not_know_is_named(path, text, why):
    written(path, "a", "b", "c")
    edit(path, f"UPDATE journal SET entry = '{text}' WHERE version = 2")
    with closing(SqliteJournal(path)) as journal:
        reading = journal.read()
        assert next(reading).entry == need("a")
        with pytest.raises(JournalError, match=rf"(?s)journal\.db: entry 2 is not one we know: .*{why}"):
            next(reading)


def test_an_entry_that_is_missing_is_named(path):
    written(path, "a", "b", "c")
    edit(path, "DELETE FROM journal WHERE version = 2")
    with (
        closing(SqliteJournal(path)) as journal,
        pytest.raises(JournalError, match="entry 2 is missing"),
    ):
        list(journal.read())


def test_the_file_can_be_read_by_anybody_with_sqlite(path):
    entries = [CampaignHeld(), CampaignStarted(campaign={"name": "x"}, lab={}, by="me")]
    with closing(SqliteJournal(path)) as journal:
        journal.append(entries, 0, 4.5)
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT version, time, entry FROM journal ORDER BY version").fetchall()
    assert rows == [(1, 4.5, to_json(entries[0])), (2, 4.5, to_json(entries[1]))]


@pytest.mark.parametrize(("after", "limit"), [(0, None), (2, None), (0, 3), (1, 4), (0, 6), (3, 7), (9, 1), (10, None)])
def test_a_long_journal_is_read_in_pages_as_if_in_one(tmp_path, monkeypatch, after, limit):
    monkeypatch.setattr(sqlite_journal, "PAGE", 3)
    with closing(SqliteJournal(tmp_path / "journal.db")) as journal:
        journal.append([need(str(n)) for n in range(10)], 0, 0.0)
        read = [int(recorded.entry.reason) for recorded in journal.read(after, limit)]
        assert read == list(range(10))[after:][:limit]
