"""Where the experiments of a search went."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.optimizer import run
from benchmarks.optimizer.search import Outcome, Plan
from benchmarks.optimizer.stages import main, reached, stages, steps
from tests.benchmarks.optimizers import a_pool

PLAN = Plan(budget=30, first=2)


def test_each_share_of_the_best_has_its_own_count():
    pool = a_pool(200)  # the best 5 %, 2 % and 1 % are rows from 190, 196 and 198
    found = stages(pool, [Outcome(5, (0, 100, 190, 195, 199), ()), Outcome(None, (0, 100, 197), ())], PLAN)
    assert found.searches == 2
    assert found.experiments == ((3 + 3) / 2, (5 + 3) / 2, (5 + PLAN.budget) / 2)


def test_a_search_that_reaches_nothing_counts_as_the_budget():
    good = np.array([False, False, True])
    assert reached(good, (0, 1), 30) == 30
    assert reached(good, (0, 2, 1), 30) == 2


def test_steps_are_from_the_best_row_so_far_and_only_of_rows_that_were_chosen():
    unit, y = np.array([[0.0], [0.2], [0.5], [1.0]]), np.array([1.0, 0.0, 3.0, 2.0])
    assert steps(unit, y, (1, 0, 2, 3), first=2).tolist() == pytest.approx([0.5, 0.5])
    assert steps(unit, y, (1, 0), first=2).tolist() == []


def test_steps_are_in_typical_distances_whatever_the_unit():
    pool = a_pool(200)
    near, far = Outcome(3, (0, 100, 110), ()), Outcome(3, (0, 100, 199), ())
    assert stages(pool, [near], PLAN).near == 1.0
    assert stages(pool, [far], PLAN).near == 0.0
    in_percent = type(pool)(pool.spec, 100 * pool.X, pool.y, pool.sigma)
    assert stages(in_percent, [far], PLAN).step == pytest.approx(stages(pool, [far], PLAN).step)


def test_a_search_that_ends_among_the_first_rows_has_no_steps():
    found = stages(a_pool(), [Outcome(2, (0, 199), ())], PLAN)
    assert found.experiments == (2, 2, 2)
    assert math.isnan(found.step)
    assert math.isnan(found.near)


POOLS = """
[[pool]]
name = "slope"
file = "slope.csv"
target = "y"
direction = "max"
features = ["x"]
"""


@pytest.fixture
def where(tmp_path: Path) -> list[str]:
    (tmp_path / "slope.csv").write_text("\n".join(["x,y", *(f"{x},{x * x}" for x in range(200))]))
    (tmp_path / "pools.toml").write_text(POOLS)
    kept = str(tmp_path / "cache")
    return ["--pools", str(tmp_path / "pools.toml"), "--data", str(tmp_path), "--cache", kept, "--here"]


def test_the_command_tabulates_what_a_comparison_kept(where, capsys):
    asked = [*where, "--agents", "random", "--seeds", "2", "--budget", "12"]
    assert main(asked) == 2
    assert "make them by python -m benchmarks.optimizer" in capsys.readouterr().err
    assert run.main([*asked, "--json"]) == 0
    capsys.readouterr()
    assert main(asked) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["pool", "agent", "searches", *("best", "5%", "best", "2%", "best", "1%"), "step", "near"]
    assert line.split()[:3] == ["slope", "random", "2"]


def test_an_agent_that_there_is_not_is_named(where, capsys):
    assert main([*where, "--agents", "oracle"]) == 2
    assert "oracle" in capsys.readouterr().err
