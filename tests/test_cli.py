"""Commands that only look, or only say a word: quick, and from the journal alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.campaign import entries as e
from orchestrator.journal import SqliteJournal
from tests.campaign.stories import film, intended, suggested
from tests.service.nights import campaign

HEAVY = {"matplotlib", "scipy", "sklearn", "networkx", "ophyd", "bluesky", "fastapi"}
LOOK = """
import sys
from orchestrator.cli import main
try:
    main(sys.argv[1:], standalone_mode=False)
finally:
    print("imported:", *{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def nightshift(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", LOOK, *args], capture_output=True, text=True, timeout=60)


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("imported:"))
    return set(line.split()[1:])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    journal = SqliteJournal(tmp_path / "journal.db")
    started = e.CampaignStarted(campaign=campaign().model_dump(mode="json"), lab={}, by="tester")
    journal.append([started, suggested(1), intended("dep", "deposit", 1, ["chamber"])], 0, 1.7e9)
    journal.append([film(1)], 3, 1.7e9 + 600.5)
    journal.close()
    return tmp_path


def test_how_the_night_stands_needs_no_run_engine_and_no_drawings(home: Path) -> None:
    done = nightshift("status", "--home", str(home), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["suggested"], told["deposited"], told["mode"]) == (1, 1, "running")
    assert imported(done).isdisjoint(HEAVY)


def test_a_command_needs_even_less(home: Path) -> None:
    done = nightshift("hold", "--home", str(home))
    assert done.returncode == 2
    assert "no daemon runs here" in done.stderr
    assert imported(done).isdisjoint({*HEAVY, "numpy", "rich"})


def test_help_imports_nothing_of_ours(home: Path) -> None:
    done = nightshift("--help")
    assert "Nightshift runs" in done.stdout
    assert imported(done).isdisjoint({*HEAVY, "numpy", "pydantic"})


def test_the_journal_is_told_as_json_lines(home: Path) -> None:
    done = nightshift("journal", "--home", str(home), "--after", "2")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["version"], line["time"], line["entry"]["kind"]) for line in lines] == [
        (3, 1.7e9, "step_intended"),
        (4, 1.7e9 + 600.5, "film_deposited"),
    ]


def test_a_home_where_nothing_has_begun(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "journal.db").close()
    done = nightshift("status", "--home", str(tmp_path))
    assert done.returncode == 2
    assert "tells of no campaign yet" in done.stderr
