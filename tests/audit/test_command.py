"""`nightshift audit` as a person and as a program use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestrator.audit.table import CHECKS
from orchestrator.cli import main

from .doctor import Doctor


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["audit", *map(str, arguments)])


@pytest.fixture
def doctored(nights: dict[str, Path], tmp_path: Path) -> Path:
    """A night with one breach."""
    doctor = Doctor(nights["plain"], tmp_path / "home")
    doctor.without("measured", 2)
    return doctor.home


def test_a_clean_night_exits_with_0_and_a_table(nights: dict[str, Path]) -> None:
    result = run(nights["plain"])
    assert result.exit_code == 0, result.output
    assert "the campaign ended as done" in result.stdout
    assert all(check.name in result.stdout for check in CHECKS)
    assert result.stdout.splitlines()[-1].startswith("clean:")
    assert "Breaches:" not in result.stdout


def test_a_check_that_looked_at_nothing_says_so(nights: dict[str, Path]) -> None:
    (line,) = [line for line in run(nights["plain"]).stdout.splitlines() if " quarantine-alerts " in line]
    assert "nothing" in line


def test_a_breach_exits_with_1_and_is_named(doctored: Path) -> None:
    result = run(doctored)
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("  measured-for-real:")]
    assert "the world saw nothing measured" in line
    assert "sample 2" in line
    assert "substrate 2" in line
    assert result.stdout.splitlines()[-1].startswith("1 breach:")


def test_json_is_one_object(doctored: Path) -> None:
    result = run(doctored, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["clean"] is False
    assert told["end"] == "done"
    assert [check["check"] for check in told["checks"]] == [check.name for check in CHECKS]
    (found,) = [check for check in told["checks"] if check["breaches"]]
    assert found["invariant"] == 4
    assert found["breaches"][0]["sample"] == 2


def test_what_cannot_be_told_is_listed(nights: dict[str, Path]) -> None:
    assert "Not checkable:\n" in run(nights["taken up"]).stdout


def test_nothing_to_audit_exits_with_2(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "journal.db: is not there" in result.stderr
    assert not result.stdout


def test_a_home_where_a_daemon_may_be_running_is_noted(nights: dict[str, Path], tmp_path: Path) -> None:
    home = Doctor(nights["plain"], tmp_path / "home").home
    (home / "daemon.json").write_text("{}")
    assert "A daemon runs here, or died here" in run(home).stdout
