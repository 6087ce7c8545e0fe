"""The comparison for several objectives, on a small made-up table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.objectives.problems import read_problems
from benchmarks.objectives.run import main
from benchmarks.objectives.table import as_text, difference

PROBLEMS = """
[[problem]]
name = "small"
file = "small.csv"
targets = ["strength", "softness"]
directions = ["max", "min"]
features = ["A", "B"]
composition = true

[[problem]]
name = "missing"
file = "missing.csv"
targets = ["strength", "softness"]
directions = ["max", "min"]
features = ["A", "B"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [f"{k},{60 - k},{k - 0.01 * k**2:.3f},{0.02 * k**2:.3f}" for k in range(61)]
    rows += ["10,50,,1", "10,50,9.2,2.4"]  # without a target; and the same inputs again
    (tmp_path / "small.csv").write_text("\n".join(["A,B,strength,softness", *rows]) + "\n")
    (tmp_path / "problems.toml").write_text(PROBLEMS)
    return tmp_path


def test_rows_without_a_target_are_left_out_and_repeats_are_one(folder: Path) -> None:
    (problem,), left_out = read_problems(folder / "problems.toml", folder)
    assert problem.X.shape == (61, 2)
    row = int(np.flatnonzero(problem.X[:, 0] == 10)[0])
    assert problem.Y[row] == pytest.approx([(9.0 + 9.2) / 2, -(2.0 + 2.4) / 2])
    assert len(left_out) == 1
    assert "missing.csv" in left_out[0]


def test_the_share_found_grows_to_one(folder: Path) -> None:
    (problem,), _ = read_problems(folder / "problems.toml", folder)
    shares = problem.found(list(range(61)))
    assert np.all(np.diff(shares) >= 0)
    assert shares[-1] == pytest.approx(1.0)


def test_a_comparison_is_made_once_and_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--problems", str(folder / "problems.toml"), "--data", str(folder), "--cache", str(folder / "kept")]
    asked += ["--agents", "nightshift,random", "--seeds", "2", "--budget", "8", "--first", "4", "--here", "--json"]
    assert main(asked) == 0
    first = json.loads(capsys.readouterr().out)
    assert main([*asked, "--only-cached"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert [told["mean"] for told in again["small"].values()] == [told["mean"] for told in first["small"].values()]
    assert first["small"]["nightshift"]["seeds"] == 2
    assert 0 < first["small"]["nightshift"]["mean"] <= 1
    assert main([*asked, "--agents", "nobody"]) == 2


def test_differences_are_paired() -> None:
    ours = {seed: (np.array([0.0, 0.5 + 0.1 * seed]), [0.1]) for seed in range(3)}
    theirs = {seed: (np.array([0.0, 0.4 + 0.1 * seed]), [0.2]) for seed in range(1, 4)}
    mean, low, high, seeds = difference(ours, theirs, 1)
    assert (mean, low, high, seeds) == (pytest.approx(0.1), pytest.approx(0.1), pytest.approx(0.1), 2)
    text = as_text({"made up": {"ours": ours, "theirs": theirs}}, 1)
    assert "ours less theirs: +0.100 [+0.100, +0.100] (2 seeds)" in text
