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

from orchestrator.service.home import Home

from .conftest import ROOT, nightshift, small_campaign
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
    night = start("run", small_campaign(tmp_path), "--lab", lab, "--home", home.path, "--json")
    until(home, lambda s: doing(s, "robot", "transfer"))
    assert nightshift("abort", "--home", home.path).stdout.strip() == "aborting"
    code, summary = ended(night)
    assert (code, summary["end"], summary["samples"]) == (4, "aborted", 1)
    assert "hazards" not in summary
    assert not [line for line in (tmp_path / "world.jsonl").read_text().splitlines() if "hazard" in line]


def test_a_daemon_waits_for_a_campaign_and_takes_one(tmp_path: Path, lab: Path, start: Start) -> None:
    home = Home(tmp_path / "home")
    daemon = start("serve", lab, "--home", home.path)
    until(home, lambda s: s["mode"] == "idle")
    idle = nightshift("hold", "--home", home.path)
    assert idle.returncode == 5
    assert "no campaign is under way" in idle.stderr
    campaign = small_campaign(tmp_path)
    handed = nightshift("run", campaign, "--lab", lab, "--home", home.path)
    assert handed.returncode == 0, handed.stderr
    assert "fe-co-ni runs in" in handed.stdout
    until(home, lambda s: doing(s, "robot", "transfer"))
    again = nightshift("run", campaign, "--lab", lab, "--home", home.path)
    assert again.returncode == 5
    assert "a campaign is under way here" in again.stderr
    nightshift("abort", "--home", home.path)
    daemon.communicate(timeout=60)
    assert daemon.returncode == 4


def test_instruments_that_do_not_answer_are_named(tmp_path: Path) -> None:
    refused = nightshift("run", small_campaign(tmp_path), "--home", tmp_path / "home")
    assert refused.returncode == 2
    assert "gun1 (aja-dcxs): /dev/serial/by-id/" in refused.stderr
    assert "check cable, power and the lab file" in refused.stderr
