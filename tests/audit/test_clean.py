"""A night that kept every invariant passes, and no check passes for want of anything to look at."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import orchestrator.audit
from orchestrator.audit import audit
from orchestrator.audit.records import Records
from orchestrator.audit.report import examine
from orchestrator.audit.ruling import FINE, Breach, Check, Unchecked
from orchestrator.audit.table import CHECKS

from .doctor import Doctor


@pytest.mark.parametrize("name", ["plain", "troubled", "taken up", "checked", "acted"])
def test_a_clean_night_is_clean(nights: dict[str, Path], name: str) -> None:
    report = audit(nights[name])
    assert report.breaches == []
    assert report.clean


def test_every_check_has_looked_at_something(nights: dict[str, Path]) -> None:
    looked = {finding.check.name for night in nights.values() for finding in audit(night).findings if finding.looked}
    assert looked == {check.name for check in CHECKS}


def test_every_check_has_a_name_and_an_invariant_of_its_own() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert {check.invariant for check in CHECKS} == set(range(1, 11))
    assert [check.invariant for check in CHECKS] == sorted(check.invariant for check in CHECKS)


def test_without_a_world_log_its_checks_say_so(nights: dict[str, Path], tmp_path: Path) -> None:
    doctor = Doctor(nights["plain"], tmp_path / "home")
    with_log = {finding.check.name: finding for finding in audit(doctor.home).findings}
    doctor.world_log.unlink()
    for finding in audit(doctor.home).findings:
        if finding.unchecked != with_log[finding.check.name].unchecked:
            assert finding.looked == 0
            assert [unchecked.message for unchecked in finding.unchecked] == ["there is no world log"]
    without = sum(not finding.looked for finding in audit(doctor.home).findings)
    assert without >= 12


def test_an_empty_journal_is_clean_and_looked_at_nothing(tmp_path: Path) -> None:
    (tmp_path / "journal.db").touch()
    report = audit(tmp_path)
    assert report.clean
    assert all(finding.looked == 0 for finding in report.findings)


def test_a_campaign_under_way_may_have_films_waiting(nights: dict[str, Path], tmp_path: Path) -> None:
    """Cut off at any entry, nothing but what the stations and the world did later is amiss."""
    later = {
        "runs-intended", "steps-agree", "marks-after-intent", "acts-within-steps", "films-known", "moves-agree",
        "world-in-order", "begun-once",
    }  # fmt: skip
    doctor = Doctor(nights["plain"], tmp_path / "home")
    for version in range(doctor.last() - 1, 0, -1):
        with doctor.journal() as db:
            db.execute("DELETE FROM journal WHERE version > ?", (version,))
        report = audit(doctor.home)
        assert report.end is None
        assert {name for name, _ in report.breaches} <= later


def test_what_looked_at_nothing_is_told_from_what_found_nothing() -> None:
    records = Records(facts=())
    breach, unchecked = Breach("wrong"), Unchecked("nobody knows")
    check = Check("some-check", 3, "something", lambda _: [FINE, breach, unchecked, FINE])
    idle = Check("idle-check", 3, "something", lambda _: [])
    first, second = examine(records, (check, idle))
    assert (first.looked, first.breaches, first.unchecked) == (3, (breach,), (unchecked,))
    assert (second.looked, second.breaches, second.unchecked) == (0, (), ())


def test_it_shares_no_code_with_the_writers() -> None:
    """Of all that is ours it imports itself and the types of the entries."""
    ours = ("orchestrator", "protocols", "drivers", "simulators")
    package = Path(orchestrator.audit.__file__).parent
    imported = set()
    for file in package.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    foreign = {name for name in imported if name.startswith(ours) and not name.startswith("orchestrator.audit.")}
    assert foreign == {"orchestrator.campaign.entries"}
