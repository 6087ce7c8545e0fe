"""`nightshift run` and `nightshift serve` in real time, at addresses that happen to be a simulated lab's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.campaign import entries as e
from orchestrator.journal import SqliteJournal
from orchestrator.service.home import Home
from tests.alerts.receivers import HttpChannel
from tests.console.conftest import Browser

from .conftest import ROOT, nightshift, passed_dry_run, small_campaign
from .test_commands import doing, until

pytestmark = [pytest.mark.night, pytest.mark.timeout(180)]

LAB = ROOT / "campaigns/labs/vsm.toml"


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `nightshift` with the given arguments; whatever still runs in the end is ended."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "orchestrator.cli", *map(str, arguments)]
        started.append(
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=60)


@pytest.fixture
def lab(tmp_path: Path, start: Start) -> Path:
    """A lab file whose instruments are really there: at the addresses of `nightshift simulate`."""
    world = tmp_path / "world.jsonl"
    server = start("simulate", LAB, "--json", "--world", world)
    assert server.stdout is not None
    addresses = json.loads(server.stdout.readline())["addresses"]
    text = LAB.read_text()
    for device, address in addresses.items():
        section = rf"(devices\.{device}\]\n(?:.+\n)*?address = )\".*\""
        text, replaced = re.subn(section, rf'\g<1>"{address}"', text)
        assert replaced == 1, device
    path = tmp_path / "lab.toml"
    path.write_text(text)
    return path


def ended(night: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    stdout, stderr = night.communicate(timeout=60)
    assert stdout, stderr
    return night.returncode, json.loads(stdout)


def test_a_night_in_real_time_starts_and_is_aborted(tmp_path: Path, lab: Path, start: Start) -> None:
    home = Home(tmp_path / "home")
    campaign = small_campaign(tmp_path)
    rehearsed = passed_dry_run(tmp_path, campaign, lab)
    night = start("run", campaign, "--lab", lab, "--home", home.path, "--rehearsed", rehearsed, "--arm", "--json")
    until(home, lambda s: doing(s, "robot", "transfer"))
    assert nightshift("abort", "--home", home.path).stdout.strip() == "aborting"
    code, summary = ended(night)
    assert (code, summary["end"], summary["samples"]) == (4, "aborted", 1)
    assert "hazards" not in summary
    assert not [line for line in (tmp_path / "world.jsonl").read_text().splitlines() if "hazard" in line]
    signed = [r.entry for r in SqliteJournal(home.journal).read() if isinstance(r.entry, e.ContractSigned)]
    assert [(entry.armed, bool(entry.by)) for entry in signed] == [("--arm", True)]
    found = {line["subject"]: line["verdict"] for line in signed[0].lines}
    assert (found["dry run"], found["instruments"], found["alerts"]) == ("green", "green", "amber")


def test_a_daemon_waits_for_a_campaign_and_takes_one(tmp_path: Path, lab: Path, start: Start) -> None:
    home = Home(tmp_path / "home")
    daemon = start("serve", lab, "--home", home.path, "--console", "none")
    until(home, lambda s: s["mode"] == "idle")
    idle = nightshift("hold", "--home", home.path)
    assert idle.returncode == 5
    assert "no campaign is under way" in idle.stderr
    campaign = small_campaign(tmp_path)
    ready = ("--lab", lab, "--home", home.path, "--rehearsed", passed_dry_run(tmp_path, campaign, lab), "--arm")
    handed = nightshift("run", campaign, *ready)
    assert handed.returncode == 0, handed.stderr
    assert "fe-co-ni runs in" in handed.stdout
    until(home, lambda s: doing(s, "robot", "transfer"))
    again = nightshift("run", campaign, *ready)
    assert again.returncode == 5
    assert "a campaign is under way here" in again.stderr
    assert re.search(r"amber +instruments +not asked", again.stderr), "or it would have disturbed them"
    nightshift("abort", "--home", home.path)
    daemon.communicate(timeout=60)
    assert daemon.returncode == 4


def test_the_page_stays_when_its_campaign_has_ended(tmp_path: Path, lab: Path, start: Start) -> None:
    home = Home(tmp_path / "home")
    daemon = start("serve", lab, "--home", home.path, "--console", "127.0.0.1:0")
    until(home, lambda s: s["mode"] == "idle")
    campaign = small_campaign(tmp_path)
    ready = ("--lab", lab, "--home", home.path, "--rehearsed", passed_dry_run(tmp_path, campaign, lab), "--arm")
    handed = nightshift("run", campaign, *ready)
    assert handed.returncode == 0, handed.stderr
    until(home, lambda s: doing(s, "robot", "transfer"))
    url = home.shown_at
    assert url is not None
    browser = Browser(int(url.rstrip("/").rpartition(":")[2])).enter()
    assert browser.command("abort").json["mode"] == "aborting"
    assert daemon.stderr is not None
    while "Its page stays at" not in daemon.stderr.readline():
        assert daemon.poll() is None
    assert browser.get("/api/view").json["view"]["end"] == "aborted"
    assert browser.command("resume").code == "read_only"
    daemon.terminate()
    daemon.communicate(timeout=60)
    assert daemon.returncode == 4
    assert home.shown_at is None


def test_instruments_that_do_not_answer_are_named_and_nothing_is_begun(tmp_path: Path) -> None:
    campaign = small_campaign(tmp_path)
    ready = ("--home", tmp_path / "home", "--rehearsed", passed_dry_run(tmp_path, campaign, LAB), "--arm")
    refused = nightshift("run", campaign, *ready)
    assert refused.returncode == 5
    assert re.search(r"red +instrument gun1 +its port cannot be opened: /dev/serial/by-id/", refused.stderr)
    assert "check cable, power and the lab file" in refused.stderr
    assert "not begun: instrument gun1" in refused.stderr
    assert not (tmp_path / "home" / "journal.db").exists()


def test_hardware_does_not_start_without_a_dry_run_or_unarmed(tmp_path: Path, lab: Path) -> None:
    campaign = small_campaign(tmp_path)
    home = ("--lab", lab, "--home", tmp_path / "home")
    refused = nightshift("run", campaign, *home, "--arm")
    assert refused.returncode == 5
    assert "not begun: dry run" in refused.stderr
    rehearsed = passed_dry_run(tmp_path, campaign, lab)
    refused = nightshift("run", campaign, *home, "--rehearsed", rehearsed)
    assert refused.returncode == 5
    assert "it is not armed" in refused.stderr
    campaign.write_text(campaign.read_text().replace("thickness_nm = 80", "thickness_nm = 81"))
    refused = nightshift("run", campaign, *home, "--rehearsed", rehearsed, "--arm")
    assert refused.returncode == 5
    assert "not begun: dry run" in refused.stderr
    assert not (tmp_path / "home" / "journal.db").exists()


def test_a_check_asks_every_instrument_and_sends_a_test(tmp_path: Path, lab: Path) -> None:
    campaign = small_campaign(tmp_path)
    rehearsed = passed_dry_run(tmp_path, campaign, lab)
    with HttpChannel() as channel:
        lab.write_text(lab.read_text().replace("channels = []", f'channels = ["{channel.url()}"]'))
        checked = nightshift("check", campaign, "--lab", lab, "--rehearsed", rehearsed, "--json")
        assert "This is a test" in channel.next().message
    told = json.loads(checked.stdout)
    lines = {line["subject"]: line for line in told["lines"]}
    assert checked.returncode == 0, checked.stdout
    assert told["verdict"] == "amber"
    assert lines["instruments"]["found"].startswith("10 of 10 answer: gun1: ")
    assert lines["alerts"]["found"] == "took a test: 1 json"
    assert told["compositions"] == 1326
