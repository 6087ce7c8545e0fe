"""From the files of a home to its report, here and in a process of its own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator import morning
from orchestrator.campaign import entries as e
from orchestrator.journal import SqliteJournal
from orchestrator.morning import gas_of, write_apart, write_report_of
from orchestrator.report.consumables import Gas
from orchestrator.service.home import Home, HomeError
from orchestrator.witness import WitnessError
from tests.report.synthetic import LAB
from tests.report.test_page import parsed, words

HAZARD = {"t": 60.0, "event": "hazard", "kind": "robot_collision", "detail": "slot 3"}


def a_home(folder: Path, entries: Sequence[e.Recorded]) -> Home:
    """A home with `entries` in its journal."""
    home = Home(folder)
    with closing(SqliteJournal(home.journal)) as journal:
        for recorded in entries:
            journal.append([recorded.entry], recorded.version - 1, recorded.time)
    return home


def test_a_report_of_a_night_that_goes_on(tmp_path: Path, journal: list[e.Recorded]) -> None:
    home = a_home(tmp_path, journal[:60])
    with closing(SqliteJournal(home.journal)):  # as its daemon has it open
        page = write_report_of(home).read_text()
    assert "Not ended: running" in words(page)
    assert "SIMULATED" not in page
    assert [path.name for path in tmp_path.glob("report*")] == ["report.html"]


def test_whatever_ran_on_the_simulated_lab_is_marked(tmp_path: Path, journal: list[e.Recorded]) -> None:
    home = a_home(tmp_path, journal[:30])
    home.simulators_log.touch()
    assert "SIMULATED" in write_report_of(home).read_text()


def test_the_world_log_may_be_elsewhere_and_under_way(tmp_path: Path, journal: list[e.Recorded]) -> None:
    home = a_home(tmp_path, journal[:30])
    world = tmp_path / "elsewhere.jsonl"
    world.write_text(f'{json.dumps(HAZARD)}\n{{"t": 61.0, "eve')
    page = write_report_of(home, tmp_path / "mine.html", world).read_text()
    assert "robot collision" in page
    assert not home.report.exists()
    world.write_text('{"t": 61.0, "eve\n')
    with pytest.raises(WitnessError, match=r"elsewhere\.jsonl:1"):
        write_report_of(home, None, world)


def test_a_process_of_its_own_writes_it(tmp_path: Path, journal: list[e.Recorded]) -> None:
    home = a_home(tmp_path, journal)
    assert write_apart(home) == ""
    parsed(home.report.read_text())
    assert "22 valid" in home.report.read_text()


def test_a_report_that_fails_is_told_and_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = Home(tmp_path)
    with pytest.raises(HomeError):
        write_report_of(home)
    assert "holds no campaign" in write_apart(home)
    assert "no report of" in caplog.text


def test_a_report_that_never_ends_is_not_waited_for(
    tmp_path: Path, journal: list[e.Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(morning, "PATIENCE_S", 0.01)
    assert "longer than" in write_apart(a_home(tmp_path, journal[:5]))


def test_the_flow_of_gas_is_read_from_the_documents(tmp_path: Path) -> None:
    devices = {"argon": {"role": "gas"}, "gun1": {"role": "gun"}}
    lab = LAB | {"stations": {"deposition": {"kind": "deposition", "devices": devices}, "robot": None}}
    home = Home(tmp_path)
    assert gas_of(home, lab) is None
    with closing(sqlite3.connect(tmp_path / "deposition.documents.db")) as db, db:
        db.execute("CREATE TABLE documents (number INTEGER PRIMARY KEY, run TEXT, name TEXT, body TEXT)")
        for name, data in [
            ("start", {}),
            *(("event", {"argon_actual_flow": flow, "gun1_power": 100.0}) for flow in (19.0, 21.0, 20.0, None, 0.0)),
        ]:
            db.execute("INSERT INTO documents (run, name, body) VALUES ('r', ?, ?)", (name, json.dumps({"data": data})))
    assert gas_of(home, lab) == Gas(20.0, 3)
    (tmp_path / "deposition.documents.db").write_bytes(b"no database at all, but long enough to be looked at" * 40)
    assert gas_of(home, lab) is None
