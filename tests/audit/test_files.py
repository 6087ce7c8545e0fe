"""Files that are damaged, torn, missing or somebody else's: findings or a plain refusal, never a traceback."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orchestrator.audit import Unreadable, audit
from orchestrator.campaign import entries as e

from .doctor import Doctor
from .scribe import CAMPAIGN, LAB

JUNK: list[Any] = [None, 0, -1, 1e30, "x", "", [], {}, [1, "a"], {"a": 1}, True, 3.5]


def files(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.iterdir()}


def caught(home: Path) -> set[str]:
    return {name for name, _ in audit(home).breaches}


@pytest.fixture
def doctor(nights: dict[str, Path], tmp_path: Path) -> Doctor:
    return Doctor(nights["plain"], tmp_path / "home")


def test_no_journal(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"journal\.db: is not there"):
        audit(tmp_path)


def test_a_journal_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"It was a dark and stormy night. " * 200)
    with pytest.raises(Unreadable, match="cannot be read as a database"):
        audit(tmp_path)


def test_the_database_of_something_else(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(Unreadable, match="something else"):
        audit(tmp_path)


def test_a_world_log_that_was_named_and_is_not_there(doctor: Doctor) -> None:
    with pytest.raises(Unreadable, match="cannot be read"):
        audit(doctor.home, doctor.home / "elsewhere.jsonl")


def test_a_world_log_elsewhere(doctor: Doctor) -> None:
    elsewhere = doctor.world_log.rename(doctor.home.parent / "elsewhere.jsonl")
    report = audit(doctor.home, elsewhere)
    assert report.clean
    assert next(finding.looked for finding in report.findings if finding.check.name == "no-hazard")


def test_an_audit_changes_nothing(doctor: Doctor) -> None:
    before = files(doctor.home)
    audit(doctor.home)
    assert files(doctor.home) == before


def test_entries_that_are_only_in_the_write_ahead_log_are_read(doctor: Doctor, tmp_path: Path) -> None:
    """As a daemon leaves it that was killed."""
    killed = _killed(doctor, tmp_path / "killed")
    assert (killed / "journal.db-wal").stat().st_size
    before = files(killed)
    assert next(f.looked for f in audit(killed).findings if f.check.name == "given-up-by-name") == 5
    after = files(killed)
    assert {name: after[name] for name in ("journal.db", "journal.db-wal")} == {
        name: before[name] for name in ("journal.db", "journal.db-wal")
    }


def test_a_torn_write_ahead_log_loses_entries_and_the_stations_tell(doctor: Doctor, tmp_path: Path) -> None:
    """The whole journal is in the log, of which only the first half is left."""
    with doctor.journal() as db:
        rows = db.execute("SELECT * FROM journal ORDER BY version").fetchall()
    (doctor.home / "journal.db").unlink()
    with closing(sqlite3.connect(doctor.home / "journal.db", isolation_level=None)) as db:
        db.execute("PRAGMA application_id = 0x4E534A4C")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE journal (version INTEGER PRIMARY KEY, time REAL NOT NULL, entry TEXT NOT NULL) STRICT")
        for row in rows:
            db.execute("INSERT INTO journal VALUES (?, ?, ?)", row)
        torn = tmp_path / "torn"
        shutil.copytree(doctor.home, torn, ignore=shutil.ignore_patterns("*-shm"))
    log = torn / "journal.db-wal"
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2 + 100])
    report = audit(torn)
    assert 0 < report.entries < len(rows)
    assert {"runs-intended", "steps-agree", "films-known"} <= {name for name, _ in report.breaches}


def test_a_damaged_page_of_the_journal(doctor: Doctor) -> None:
    path = doctor.home / "journal.db"
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 4 * 4096] = bytes(4096)
    path.write_bytes(content)
    assert "journal-intact" in caught(doctor.home)


@pytest.mark.parametrize("keep", [0, 50, 5000])
def test_a_truncated_document_log(doctor: Doctor, keep: int) -> None:
    path = doctor.home / "deposition.documents.db"
    path.write_bytes(path.read_bytes()[:keep])
    found = caught(doctor.home)
    assert {"runs-logged", "steps-agree"} <= found
    assert ("documents-intact" in found) == (keep > 0)


def test_an_entry_of_a_later_version_is_named(doctor: Doctor) -> None:
    doctor.edit("station_made_safe", lambda entry: entry.update(v=2), station="robot")
    ((name, breach), *_) = audit(doctor.home).breaches
    assert name == "entries-known"
    assert breach.versions == (doctor.find("station_made_safe", station="robot")[0],)


@pytest.mark.parametrize("seed", range(80))
def test_whatever_is_damaged_there_is_an_answer(nights: dict[str, Path], tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    home = Doctor(nights[rng.choice(sorted(nights))], tmp_path / "home").home
    for _ in range(rng.choice([1, 1, 3])):
        rng.choice([_flip, _cut, _spoil_an_entry, _spoil_a_line, _spoil_a_document, _spoil_a_step])(rng, home)
    assert _answer(home)


def _answer(home: Path) -> str:
    try:
        report = audit(home)
    except Unreadable as refusal:
        return str(refusal)
    return report.as_text() + json.dumps(report.as_dict())


def _killed(doctor: Doctor, copy: Path) -> Path:
    """A copy of the night with three entries more, which are in its write-ahead log only."""
    aside = {"v": 1, "kind": "sample_discarded", "sample": 1, "by": "anna", "reason": "broken"}
    with closing(sqlite3.connect(doctor.home / "journal.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        for number in range(doctor.last() + 1, doctor.last() + 4):
            db.execute("INSERT INTO journal VALUES (?, 1e10, ?)", (number, json.dumps(aside)))
        shutil.copytree(doctor.home, copy)
    return copy


def _flip(rng: random.Random, home: Path) -> None:
    path = rng.choice(sorted(home.iterdir()))
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 20, 2000])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    path.write_bytes(content)


def _cut(rng: random.Random, home: Path) -> None:
    path = rng.choice(sorted(home.iterdir()))
    path.write_bytes(path.read_bytes()[: rng.randrange(1, path.stat().st_size)])


def _spoil_a_line(rng: random.Random, home: Path) -> None:
    path = home / "world.jsonl"
    lines = path.read_text(errors="replace").splitlines()
    number = rng.randrange(len(lines))
    lines[number] = _spoiled(rng, lines[number])
    path.write_text("\n".join(lines))


def _spoil_an_entry(rng: random.Random, home: Path) -> None:
    _spoil(rng, home / "journal.db", "journal", "entry")


def _spoil_a_document(rng: random.Random, home: Path) -> None:
    _spoil(rng, home / f"{rng.choice(sorted(LAB['stations']))}.documents.db", "documents", "body")


def _spoil_a_step(rng: random.Random, home: Path) -> None:
    column = rng.choice(["step", "outcome", "run_uids"])
    _spoil(rng, home / f"{rng.choice(sorted(LAB['stations']))}.documents.db", "steps", column)


def _spoil(rng: random.Random, path: Path, table: str, column: str) -> None:
    try:
        with closing(sqlite3.connect(path)) as db, db:
            rows = db.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
            number, text = rng.choice(rows)
            db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (_spoiled(rng, text), number))
    except (sqlite3.Error, UnicodeDecodeError, IndexError):
        pass  # an earlier damage of this test has made it unwritable


def _spoiled(rng: random.Random, text: str) -> str:
    """`text`, JSON, with junk for one value anywhere in it."""
    try:
        value = json.loads(text)
    except (ValueError, TypeError):
        return "{"
    places = list(_places(value))
    if not places:
        return json.dumps(rng.choice(JUNK))
    holder, key = rng.choice(places)
    if isinstance(holder, dict) and rng.random() < 0.3:
        del holder[key]
    else:
        holder[key] = rng.choice(JUNK)
    return json.dumps(value)


def _places(value: Any) -> list[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, child in inner for place in [(value, key), *_places(child)]]


def test_the_night_is_told_in_entries_that_we_know() -> None:
    """The made-up campaign and lab fit into the entry that holds them."""
    assert e.CampaignStarted(campaign=CAMPAIGN, lab=LAB, by="anna").kind == "campaign_started"
