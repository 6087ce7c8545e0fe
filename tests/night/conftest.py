"""Whole nights in real processes, each run once and looked at by many tests."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.campaign.entries import Recorded
from orchestrator.journal import SqliteJournal
from orchestrator.night import load, rehearsal_of
from orchestrator.service.home import Home

ROOT = Path(__file__).parents[2]
FILMS = 4


@dataclass(frozen=True)
class Night:
    """A finished night: its home, its summary, its journal and the world's own log."""

    home: Path
    summary: dict[str, Any]
    stderr: str
    exit_code: int

    @property
    def journal(self) -> list[Recorded]:
        return list(SqliteJournal(self.home / "journal.db").read())

    @property
    def world(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.home / "world.jsonl").read_text().splitlines()]


def small_campaign(folder: Path, films: int = FILMS, **replace: str) -> Path:
    """The demo campaign with a smaller budget; `replace` maps a line's start to the line instead."""
    text = (ROOT / "campaigns/fe-co-ni.toml").read_text()
    text = text.replace("samples = 24", f"samples = {films}").replace("labs/", f"{ROOT}/campaigns/labs/")
    text = text.replace("initial_samples = 6", "initial_samples = 3")
    for old, new in replace.items():
        text = text.replace(old, new)
    path = folder / "campaign.toml"
    path.write_text(text)
    return path


def nightshift(*arguments: str | Path, timeout: float = 100) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would."""
    command = [sys.executable, "-m", "orchestrator.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def dry_run(folder: Path, campaign: Path, *options: str | Path) -> Night:
    home = folder / "home"
    done = nightshift("dry-run", campaign, "--home", home, "--json", *options)
    summary = json.loads(done.stdout) if done.stdout else {}
    return Night(home, summary, done.stderr, done.returncode)


class WithPage:
    """A dry run under way, with its page; `speed` is lab seconds in a real one."""

    def __init__(self, folder: Path, films: int, speed: float, patience_s: float) -> None:
        self.home, self._patience_s = folder / "home", patience_s
        command = [sys.executable, "-m", "orchestrator.cli", "dry-run", str(small_campaign(folder, films)), "--json"]
        command += ["--home", str(self.home), "--speed", str(speed), "--console", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @property
    def url(self) -> str:
        note = self.home / "console.json"
        self.until(note.exists)
        return str(json.loads(note.read_text())["url"])

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._patience_s
        while not true():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def passed_dry_run(folder: Path, campaign: Path, lab: Path) -> Path:
    """A home that says that `campaign` was rehearsed in `lab` and passed, as a dry run would leave it."""
    home = Home(folder / "rehearsed")
    home.make()
    unharmed = {"end": "done", "hazards": 0, "lost": 0, "doubled": 0, "unmeasured": 0}
    rehearsal_of(*load(campaign, lab, None), unharmed).write(home)
    return home.path


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A small night that ends by its budget."""
    folder = tmp_path_factory.mktemp("night")
    return dry_run(folder, small_campaign(folder), "--speed", "600")
