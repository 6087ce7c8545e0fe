"""The peers' environment never takes torch for CUDA, from whichever index it would come."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks.optimizer import environment

CUDA = ["filelock", "nvidia-cublas-cu12", "torch"]
CPU = ["filelock", "torch"]


class Pip:
    """Installs what it is told unless its index cannot be reached, and keeps the commands."""

    def __init__(self, monkeypatch, would_bring: list[str], reached: bool = True) -> None:
        self.installed: list[list[str]] = []
        self._would_bring, self._reached = would_bring, reached
        monkeypatch.setattr(environment.venv, "create", lambda folder, **_: folder.mkdir(parents=True))
        monkeypatch.setattr(environment.subprocess, "run", self._run)

    def _run(self, command, **_) -> subprocess.CompletedProcess:
        if "--dry-run" in command:
            said = {"install": [{"metadata": {"name": name}} for name in self._would_bring]}
            return subprocess.CompletedProcess(command, 0, json.dumps(said))
        if "install" not in command:
            return subprocess.CompletedProcess(command, 0, json.dumps({"torch": "2.13.0+cpu"}))
        if "--index-url" in command and not self._reached:
            return subprocess.CompletedProcess(command, 1)
        self.installed.append(command[command.index("--disable-pip-version-check") + 1 :])
        return subprocess.CompletedProcess(command, 0)


@pytest.mark.parametrize(
    ("would_bring", "asked"), [(CPU, ["torch>=2.6"]), (CUDA, ["--index-url", environment.TORCH_INDEX])]
)
def test_torch_is_that_for_the_cpu_and_stays_so(monkeypatch, tmp_path: Path, would_bring, asked):
    pip = Pip(monkeypatch, would_bring)
    environment.prepare(tmp_path / "peers")
    assert pip.installed[0][: len(asked)] == asked
    assert all("torch==2.13.0+cpu" in one for one in pip.installed[1:])
    assert len(pip.installed) == 1 + len(environment.PACKAGES)


def test_without_torch_for_the_cpu_nothing_comes_that_would_bring_the_other(monkeypatch, tmp_path: Path):
    pip = Pip(monkeypatch, CUDA, reached=False)
    environment.prepare(tmp_path / "peers")
    names = " ".join(one[-1] for one in pip.installed)
    assert "torch" not in names
    assert "baybe" not in names
    assert "scikit-learn" in names
