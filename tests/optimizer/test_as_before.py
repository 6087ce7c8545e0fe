"""What a campaign is suggested by default, with nothing said of cost, feasibility, repeats or uncertain compositions,
is what it was before there were such options: suggestions recorded then are suggested now.

``python -m tests.optimizer.test_as_before`` records them anew, for a change of the model that means to choose
otherwise.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.campaign.grid import Grid
from orchestrator.campaign.space import Linear, Space
from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer.domain import Domain, Feature
from orchestrator.optimizer.finite import Enumerated, Table
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.searched import Searched
from orchestrator.optimizer.suggestion import Candidate

RECORDED = Path(__file__).with_name("as_before.json")
ALLOY = Space({"Fe": (0, 100, 5), "Co": (0, 100, 5), "Ni": (0, 100, 5)})
WITH_SETTINGS = Space(
    {"Fe": (0, 100, 5), "Co": (0, 100, 5), "Ni": (0, 100, 5)},
    constraints=(Linear({"Fe": 1, "Ni": -2}, 0, 0),),
    settings=(Grid.spaced("argon_pressure_pa", 0.2, 2.0, 0.2, "log"), Grid("gas", ("Ar", "Kr"), "category")),
)
ROWS = np.random.default_rng(3).random((300, 3))


def domains() -> dict[str, Domain]:
    return {
        "listed": Enumerated(ALLOY, ALLOY.enumerate(1000)),
        "searched": Searched(WITH_SETTINGS),
        "table": Table(ROWS, [Feature(name) for name in "abc"]),
    }


def value(one: Candidate) -> float:
    if one.row is not None:
        return float(-((ROWS[one.row] - 0.4) ** 2).sum() + 0.1 * math.sin(20 * ROWS[one.row, 0]))
    fe, ni = one.composition.get("Fe", 0.0), one.composition.get("Ni", 0.0)
    pressure = math.log10(float(one.settings.get("argon_pressure_pa", 0.6)) / 0.6)
    return 3 - 9 * (fe - 0.65) ** 2 - 4 * ni - pressure**2 + 0.3 * (one.settings.get("gas") == "Kr")


CASES = {
    "listed": ("listed", "log_ei", 1, False),
    "listed, ucb": ("listed", "ucb", 0, False),
    "searched": ("searched", "log_ei", 0, False),
    "table": ("table", "log_ei", 0, False),
    "table, pending and failures": ("table", "log_ei", 2, True),
}


def suggested(name: str) -> Iterator[Any]:
    """What each of 18 suggestions says is to be made."""
    kind, acquisition, lag, failing = CASES[name]
    optimizer = Optimizer(domains()[kind], OptimizerSettings(acquisition=acquisition), seed=7)
    pending: list[Candidate] = []
    for number in range(18):
        one = optimizer.suggest(pending, number).candidate
        yield [{el: round(f, 9) for el, f in one.composition.items()}, dict(one.settings), one.row]
        pending.append(one)
        if len(pending) > lag:
            done = pending.pop(0)
            where = {"composition": done.composition, "settings": done.settings, "row": done.row}
            seen = {"validity": "failed"} if failing and number % 5 == 3 else {"value": value(done), "sigma": 0.01}
            optimizer.observe({"sample": number, **where, **seen})


@pytest.mark.parametrize("name", CASES)
def test_the_defaults_choose_as_before(name):
    assert list(suggested(name)) == json.loads(RECORDED.read_text("utf-8"))[name]


if __name__ == "__main__":
    RECORDED.write_text(json.dumps({name: list(suggested(name)) for name in CASES}, indent=1) + "\n", "utf-8")
