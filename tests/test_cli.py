"""Commands that only look, or only say a word: quick, and from the journal alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import load_lab
from orchestrator.journal import SqliteJournal
from orchestrator.locks import FileLock
from orchestrator.service.home import Home
from orchestrator.service.status import progress_of
from tests.campaign.stories import film, intended, suggested
from tests.service.nights import campaign
from tests.service.test_contact import Daemon, serving

ROOT = Path(__file__).parents[1]

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
    lab = load_lab(ROOT / "campaigns/labs/vsm.toml").model_dump(mode="json")
    started = e.CampaignStarted(campaign=campaign().model_dump(mode="json"), lab=lab, by="tester")
    told = {"composition": suggested(1).composition, "power_w": 50.0, "thickness_nm": 80.0}
    journal.append([started, suggested(1), intended("dep", "deposit", 1, ["chamber"], **told)], 0, 1.7e9)
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


def test_a_daemon_that_answers_is_asked_without_the_models_of_the_journal(home: Path) -> None:
    told = progress_of(home / "journal.db").as_dict() | {"mode": "holding"}
    with serving(Home(home), Daemon(told)):
        done = nightshift("status", "--home", str(home), "--json")
    answer = json.loads(done.stdout)
    assert (answer["mode"], answer["live"], answer["note"]) == ("holding", True, "")
    assert imported(done).isdisjoint({*HEAVY, "numpy", "pydantic"})


def test_what_comes_from_the_journal_alone_is_told_as_such(home: Path) -> None:
    done = nightshift("status", "--home", str(home))
    assert "No daemon runs here" in done.stdout
    assert json.loads(nightshift("status", "--home", str(home), "--json").stdout)["live"] is False


def test_watching_ends_with_the_campaign(home: Path) -> None:
    told = progress_of(home / "journal.db").as_dict() | {"end": "done"}
    with serving(Home(home), Daemon(told)):
        done = nightshift("status", "--watch", "--home", str(home))
    assert done.returncode == 0, done.stderr
    assert "night: done" in done.stdout


def test_why_a_sample_was_chosen(home: Path) -> None:
    done = nightshift("why", "1", "--home", str(home))
    assert "Sample 1: Fe50 Co30 Ni20" in done.stdout, done.stderr
    assert json.loads(nightshift("why", "1", "--home", str(home), "--json").stdout)["sample"] == 1
    missing = nightshift("why", "7", "--home", str(home))
    assert missing.returncode == 2
    assert "never suggested" in missing.stderr


def test_samples_are_listed_and_filtered(home: Path) -> None:
    listed = nightshift("samples", "--home", str(home))
    assert "1 of 1 samples" in listed.stdout
    none = json.loads(nightshift("samples", "--home", str(home), "--state", "observed", "--json").stdout)
    assert none["rows"] == []


def test_what_is_exported_is_the_same_on_a_pipe_and_in_a_file(home: Path, tmp_path: Path) -> None:
    written = tmp_path / "out.csv"
    assert nightshift("export", "--home", str(home), "--output", str(written)).returncode == 0
    assert written.read_text() == nightshift("export", "--home", str(home)).stdout
    unknown = nightshift("export", "--home", str(home), "--output", str(tmp_path / "out.xlsx"))
    assert unknown.returncode == 2
    assert "--format csv, json or parquet" in unknown.stderr


def test_files_to_begin_with_pass_the_check_and_are_never_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    done = nightshift("init", str(folder), "--yes", "--samples", "12", "--json")
    told = json.loads(done.stdout)
    assert "fits" in nightshift("check", told["campaign"]).stdout
    before = Path(told["campaign"]).read_text()
    again = nightshift("init", str(folder), "--yes")
    assert again.returncode == 2
    assert "nothing is written over" in again.stderr
    assert Path(told["campaign"]).read_text() == before


def test_answers_that_do_not_fit_leave_no_file(tmp_path: Path) -> None:
    done = nightshift("init", str(tmp_path), "--yes", "--slots", "3")
    assert done.returncode == 2
    assert "holds 3 bare substrates" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_given_is_asked_for(tmp_path: Path) -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "orchestrator.cli", "init", str(tmp_path), "--samples", "9"],
        input="mine\nFe,Co\nmoke\ncoercivity\nmin\n\n\n\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    text = (tmp_path / "mine.toml").read_text()
    assert 'quantity = "coercivity"' in text
    assert "samples = 9" in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_every_shell(shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("its version is asked for, and it is not here")
    assert "_NIGHTSHIFT_COMPLETE" in nightshift("completion", shell).stdout


def test_a_completion_answers_with_the_commands(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from orchestrator.cli import main; main(prog_name='nightshift')"],
        env={**os.environ, "_NIGHTSHIFT_COMPLETE": "bash_complete", "COMP_WORDS": "nightshift samp", "COMP_CWORD": "1"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["plain,sample", "plain,samples"]


def test_a_unit_for_a_lab_that_is_one(tmp_path: Path) -> None:
    lab = ROOT / "campaigns/labs/vsm.toml"
    done = nightshift("systemd-unit", str(lab), "--home", str(tmp_path), "--user", "lab")
    assert f"serve {lab} --home {tmp_path} --unattended" in done.stdout
    assert nightshift("systemd-unit", str(ROOT / "README.md"), "--home", str(tmp_path)).returncode == 2


def test_devices_are_listed_and_not_asked_while_a_night_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = str(ROOT / "campaigns/labs/vsm.toml")
    listed = nightshift("devices", lab, "--json")
    assert {device["state"] for device in json.loads(listed.stdout)["devices"]} == {"listed"}
    assert imported(listed).isdisjoint(HEAVY)
    monkeypatch.chdir(tmp_path)
    at_work = Path("nights/now")
    at_work.mkdir(parents=True)
    with FileLock(at_work / "daemon.lock"):
        refused = nightshift("devices", lab, "--ask")
    assert refused.returncode == 2
    assert "nights/now: a daemon is at work there" in refused.stderr


def test_nobody_goes_on_by_himself_with_a_campaign_that_does_not_allow_it(home: Path) -> None:
    done = nightshift("recover", "--unattended", "--home", str(home))
    assert done.returncode == 3
    assert "recovery.unattended = true" in done.stderr
    served = nightshift("serve", str(ROOT / "campaigns/labs/vsm.toml"), "--home", str(home), "--unattended")
    assert served.returncode == 3
    assert len(list(SqliteJournal(home / "journal.db").read())) == 4


def test_an_alert_is_acknowledged_also_where_no_daemon_lives(home: Path) -> None:
    done = nightshift("ack", "--home", str(home), "--by", "eva", "--reason", "on my way")
    assert (done.returncode, done.stdout) == (0, "acknowledged with entry 5\n"), done.stderr
    assert imported(done).isdisjoint({*HEAVY, "rich"})
    (*_, last) = SqliteJournal(home / "journal.db").read()
    assert isinstance(last.entry, e.AlertsAcknowledged)
    assert (last.entry.by, last.entry.reason) == ("eva", "on my way")


def test_nothing_is_acknowledged_where_a_campaign_is_over(home: Path) -> None:
    journal = SqliteJournal(home / "journal.db")
    journal.append([e.CampaignEnded(end="done", reason="budget")], 4, 1.7e9 + 700)
    journal.close()
    done = nightshift("ack", "--home", str(home))
    assert done.returncode == 2
    assert "the campaign is over, and nothing is to be acknowledged" in done.stderr
