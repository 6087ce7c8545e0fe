"""Several objectives and limits: what is suggested, over a lattice whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from orchestrator.campaign.attached import with_tables
from orchestrator.campaign.problems import SpecError
from orchestrator.campaign.spec import Campaign, OptimizerSettings
from orchestrator.campaign.terms import Aim, Limit, Terms
from orchestrator.campaign.toml_source import Source
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.making import make_optimizer
from orchestrator.optimizer.pareto import hypervolume
from orchestrator.optimizer.service import NotConfigured, OptimizerService
from orchestrator.optimizer.several import Several
from orchestrator.optimizer.suggestion import Candidate, Observation

MS, HC, SQ = "saturation_magnetisation", "coercivity", "squareness"
GRID = np.array([[x, y] for x in np.linspace(0, 1, 21) for y in np.linspace(0, 1, 21)])
FEATURES = [Feature("x"), Feature("y")]
BOTH = Terms((Aim(MS, "max", "kA/m"), Aim(HC, "min", "mT")))


def truth(row: int) -> dict[str, float]:
    """Strong films are hard: a front along x = y; and none is square where x is large."""
    x, y = GRID[row]
    return {MS: 1000 + 800 * x - 300 * (x - y) ** 2, HC: 1 + 9 * x**2 + 4 * (x - y) ** 2, SQ: 1 - 0.6 * x}


def outcomes(row: int, names=(MS, HC), **bounds: str) -> dict[str, dict[str, Any]]:
    told = {name: {"validity": "valid", "value": truth(row)[name], "sigma": 0.0} for name in names}
    for name, side in bounds.items():
        told[name] |= {"validity": "censored", "bound": side}
    return told


def observed(sample: int, row: int, names=(MS, HC)) -> Observation:
    return Observation(sample, value=truth(row)[names[0]], row=row, outcomes=outcomes(row, names))


def optimizer(terms: Terms = BOTH, seed: int = 1, **settings: Any) -> Several:
    return Several(Table(GRID, FEATURES), OptimizerSettings(initial_samples=6, **settings), seed, terms)


def run(chosen: Several, count: int, names=(MS, HC), lag: int = 0) -> list:
    made, pending = [], []
    for k in range(count):
        made.append(chosen.suggest([one.candidate for one in pending], k))
        pending.append(made[-1])
        if len(pending) > lag:
            done = pending.pop(0)
            chosen.observe(observed(k + 1, done.row, names))
    return made


def found(rows: list[int]) -> float:
    """Share of the whole hypervolume."""
    signed = np.array([[truth(row)[MS], -truth(row)[HC]] for row in range(len(GRID))])
    reference = np.array([1000.0, -10.0])
    return hypervolume(signed[rows], reference) / hypervolume(signed, reference)


def test_it_finds_the_front() -> None:
    made = run(optimizer(), 22)
    at_random = np.random.default_rng(0).choice(len(GRID), 22, replace=False).tolist()
    assert found([one.row for one in made]) > 0.97 > found(at_random)
    assert [one.method for one in made[:6]] == ["space-filling"] * 6
    last = made[-1]
    assert last.outcomes[MS]["mean"] == pytest.approx(last.mean)
    assert set(last.outcomes[HC]) == {"mean", "sigma", "unit"}
    assert last.outcomes[HC]["mean"] == pytest.approx(truth(last.row)[HC], abs=1.0)
    json.dumps(last.as_dict())


def test_the_same_journal_gives_the_same_choice() -> None:
    rows = [3, 77, 150, 222, 300, 401, 210]
    first, again = optimizer(), optimizer()
    for k, row in enumerate(rows, 1):
        first.observe(observed(k, row))
        again.observe(observed(k, row))
        first.suggest([], k)
    pending = [Candidate(row=12), Candidate(row=240)]
    one, other = first.suggest(pending, 9), again.suggest(pending, 9)
    assert (one.row, one.acquisition) == (other.row, other.acquisition)


def test_nothing_pending_or_made_is_suggested_again() -> None:
    made = run(optimizer(), 16, lag=3)
    assert len({one.row for one in made}) == 16


@pytest.mark.parametrize(("weights", "least_ms", "most_hc"), [((20.0, 1.0), 1700.0, 20.0), ((1.0, 20.0), 0.0, 2.0)])
def test_a_trade_off_follows_its_weights(weights, least_ms, most_hc) -> None:
    chosen = optimizer(acquisition="scalarised")
    chosen.weigh(dict(zip((MS, HC), weights, strict=True)))
    run(chosen, 16)
    best = chosen.recommend()
    assert best is not None
    assert truth(best.row)[MS] > least_ms
    assert truth(best.row)[HC] < most_hc


def test_random_trade_offs_find_the_front_too() -> None:
    made = run(optimizer(acquisition="scalarised", trade_off="random"), 22)
    assert found([one.row for one in made]) > 0.93


def test_a_limit_is_kept_with_one_objective() -> None:
    terms = Terms((Aim(MS, "max", "kA/m"),), (Limit(SQ, "1", low=0.7),))
    chosen = optimizer(terms)
    made = run(chosen, 16, (MS, SQ))
    late = [truth(one.row)[SQ] for one in made[10:]]
    assert min(late) > 0.65
    best = chosen.recommend()
    assert best is not None
    assert truth(best.row)[SQ] >= 0.69
    assert truth(best.row)[MS] > 1350  # 1400 is the best there is, at the very limit
    assert 0 <= made[-1].outcomes[SQ]["probability"] <= 1


@pytest.mark.parametrize("acquisition", ["pi", "ucb", "thompson"])
def test_other_acquisitions_go_by_limits_too(acquisition) -> None:
    chosen = optimizer(Terms((Aim(MS, "max", "kA/m"),), (Limit(SQ, "1", low=0.7),)), acquisition=acquisition)
    made = run(chosen, 14, (MS, SQ))
    assert np.median([truth(one.row)[SQ] for one in made[8:]]) > 0.6


def test_while_no_film_keeps_the_limit_the_chance_to_counts() -> None:
    terms = Terms((Aim(MS, "max", "kA/m"),), (Limit(HC, "mT", high=1.5),))
    chosen = optimizer(terms)
    hard = [row for row in range(len(GRID)) if truth(row)[HC] > 4]
    for k, row in enumerate(np.random.default_rng(1).choice(hard, 8, replace=False).tolist(), 1):
        chosen.observe(observed(k, row))
    assert truth(chosen.suggest([], 9).row)[HC] < 2.5


def test_a_limit_that_is_the_worse_side_of_an_objective_bounds_the_volume() -> None:
    terms = Terms(BOTH.aims, (Limit(HC, "mT", high=4.0),))
    made = run(optimizer(terms), 20)
    assert np.mean([truth(one.row)[HC] <= 4.5 for one in made[10:]]) > 0.8


def test_three_objectives() -> None:
    terms = Terms((*BOTH.aims, Aim(SQ, "max", "1")))
    made = run(optimizer(terms), 14, (MS, HC, SQ))
    assert made[-1].method == "gp"
    assert len({one.row for one in made}) == 14


def test_what_a_failed_film_does_tell_is_learnt() -> None:
    chosen = optimizer()
    run(chosen, 8)
    row = 400
    told = outcomes(row) | {HC: {"validity": "failed", "value": None}}
    chosen.observe(Observation(9, value=None, validity="failed", row=row, outcomes=told))
    mean, _ = chosen.forecast([Candidate(row=row)])
    assert mean[0] == pytest.approx(truth(row)[MS], abs=10.0)
    assert chosen.suggest([], 10).row != row


def test_bounds_are_learnt_of_each_quantity() -> None:
    chosen = optimizer()
    run(chosen, 8)
    row = 440
    told = outcomes(row, **{MS: "lower", HC: "lower"})
    chosen.observe(Observation(9, value=truth(row)[MS], validity="censored", bound="lower", row=row, outcomes=told))
    assert chosen.suggest([], 10).row != row
    assert chosen.recommend() is not None


def test_prospects_and_diagnosis() -> None:
    chosen = optimizer()
    assert chosen.prospects(0.0) is None
    run(chosen, 22)
    told = chosen.prospects(0.0)
    assert told.regret is None
    assert 0 <= told.improvement_probability <= 1
    assert all(":" in concern.text for concern in chosen.diagnose().concerns)
    with pytest.raises(ValueError, match="at least 0"):
        chosen.prospects(-1.0)


def test_a_chart_of_candidates() -> None:
    chosen = optimizer()
    assert chosen.chart([Candidate(row=1)], [], 1) is None
    run(chosen, 8)
    chart = chosen.chart([Candidate(row=1), Candidate(row=220)], [Candidate(row=5)], 9)
    assert len(chart.mean) == len(chart.acquisition) == 2


# --- campaigns --------------------------------------------------------------------------------------------


def campaign(**other: Any) -> Campaign:
    return Campaign.model_validate(
        {
            "name": "test",
            "elements": {element: {"step": 10} for element in ("Fe", "Co", "Ni")},
            "film": {"argon_pressure_pa": 0.5, "power_w": 100, "thickness_nm": 50},
            "objectives": [
                {"quantity": MS, "direction": "max", "unit": "kA/m"},
                {"quantity": HC, "direction": "min", "unit": "mT"},
            ],
            "budget": {"samples": 24, "lab_hours": 12},
            **other,
        }
    )


def test_the_service_weighs_objectives() -> None:
    service = OptimizerService()
    with pytest.raises(NotConfigured):
        service.weigh({HC: 2.0})
    service.configure(campaign(optimizer={"acquisition": "scalarised"}).model_dump(mode="json"))
    service.weigh({HC: 2.0})
    told = service.suggest([], 1, 0)
    assert told["method"] == "space-filling"
    assert told["outcomes"] == {}


def test_earlier_films_tell_of_every_quantity(tmp_path) -> None:
    told = "Fe,Co,Ni,value,sigma,coercivity,coercivity_sigma\n60,40,0,1900,20,3.5,0.2\n20,20,60,900,10,1.2,0.1\n"
    (tmp_path / "earlier.csv").write_text(told)
    plain = campaign().model_dump_json(exclude={"pool", "prior_data"})
    source = Source("campaign.toml", {**json.loads(plain), "prior_data": ["earlier.csv"]}, {})
    spec = Campaign.model_validate(with_tables(replace(source, name=str(tmp_path / "campaign.toml"))).tables)
    chosen = make_optimizer(spec)
    best = chosen.recommend()
    assert best is not None
    assert best.outcomes[HC]["mean"] == pytest.approx(3.5, abs=1.5) or best.outcomes[MS]["mean"] < 1500
    (tmp_path / "earlier.csv").write_text(told.replace("coercivity", "remanence"))
    with pytest.raises(SpecError, match='"remanence"'):
        with_tables(replace(source, name=str(tmp_path / "campaign.toml")))


def test_a_continuous_search_of_a_large_space() -> None:
    elements = {element: {"step": 1, "max": 60} for element in ("Fe", "Co", "Ni", "Cr", "Mn")}
    chosen = make_optimizer(campaign(elements=elements, optimizer={"initial_samples": 4, "max_pool": 1000}))
    assert isinstance(chosen, Several)
    for k in range(6):
        one = chosen.suggest([], k)
        x = one.composition["Fe"]
        told = {
            MS: {"validity": "valid", "value": 1000 + 800 * x, "sigma": 5.0},
            HC: {"validity": "valid", "value": 1 + 5 * x, "sigma": 0.1},
        }
        chosen.observe(Observation(k + 1, one.composition, told[MS]["value"], 5.0, outcomes=told))
    assert one.method == "gp"
    assert not one.cut_short


@pytest.mark.parametrize(
    "told",
    [
        {"validity": "valid", "value": None},
        {"validity": "valid", "value": float("nan")},
        {"validity": "censored", "value": 1.0},
        {"validity": "good", "value": 1.0},
        {"validity": "valid", "value": 1.0, "sigma": -1.0},
    ],
)
def test_an_outcome_that_makes_no_sense_is_refused(told) -> None:
    with pytest.raises(ValueError, match="sample 1: "):
        Observation(1, value=1.0, outcomes={HC: told})
