"""The optimizer on what is no plain lattice of compositions: settings, equalities, tables."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.campaign.grid import Grid
from orchestrator.campaign.space import Linear, Space
from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer import candidates
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.suggestion import Candidate, Observation

SPACE = Space(
    {"Fe": (0, 100, 5), "Co": (0, 100, 5), "Ni": (0, 100, 5)},
    constraints=(Linear({"Fe": 1, "Ni": -2}, 0, 0),),
    settings=(
        Grid.spaced("argon_pressure_pa", 0.2, 2.0, 0.2, "log"),
        Grid("substrate", ("glass", "silicon", "MgO"), "category"),
    ),
)


def truth(candidate: Candidate) -> float:
    """Largest at Fe20Co70Ni10, 0.6 Pa, on silicon."""
    pressure = float(candidate.settings["argon_pressure_pa"])
    away = 8 * (candidate.composition["Fe"] - 0.2) ** 2 + np.log10(pressure / 0.6) ** 2
    return float({"glass": 0.0, "silicon": 0.5, "MgO": 0.2}[str(candidate.settings["substrate"])] - away)


@pytest.mark.parametrize("searched", [False, True])
def test_settings_and_an_equality_are_searched_together(monkeypatch, searched):
    monkeypatch.setattr(candidates, "SMALLEST_POOL", 1 if searched else 10_000)
    optimizer = Optimizer(candidates.lattice(SPACE, 1), OptimizerSettings(), seed=1)
    pending, made = [], []
    for number in range(26):
        chosen = optimizer.suggest([one.candidate for one in pending], number)
        assert SPACE.contains(chosen.candidate.at_percent(), chosen.settings)
        made.append(chosen)
        pending.append(chosen)
        if len(pending) > 1:
            done = pending.pop(0)
            seen = {"composition": done.composition, "settings": done.settings, "value": truth(done.candidate)}
            optimizer.observe({"sample": done.number, "sigma": 0.0, **seen})
    assert len({(tuple(one.composition.items()), tuple(one.settings.items())) for one in made}) == 26
    best = max(made, key=lambda one: truth(one.candidate))
    assert best.settings["substrate"] == "silicon"
    assert truth(best.candidate) > 0.45
    for process in made[-1].hyperparameters["processes"]:
        assert {"Fe", "Co", "Ni", "argon_pressure_pa"} < set(process["lengthscales"])


def test_a_table_is_searched_by_its_rows():
    rng = np.random.default_rng(3)
    X = rng.random((300, 3))
    y = -((X - 0.4) ** 2).sum(axis=1)
    optimizer = Optimizer(Table(X, [Feature(name) for name in "abc"]), OptimizerSettings(), seed=1)
    rows = []
    for number in range(25):
        row = optimizer.suggest([], number).row
        rows.append(row)
        optimizer.observe(Observation(number, value=float(y[row]), row=row))
    assert len(set(rows)) == 25
    assert int(np.argmax(y)) in rows


def test_what_is_not_told_of_a_setting_is_refused():
    optimizer = Optimizer(candidates.lattice(SPACE, 10_000), OptimizerSettings(), seed=1)
    with pytest.raises(ValueError, match="argon_pressure_pa is a setting of the space"):
        optimizer.observe({"sample": 1, "composition": {"Fe": 0.2, "Co": 0.7, "Ni": 0.1}, "value": 1.0})
    assert optimizer.observed == 0
