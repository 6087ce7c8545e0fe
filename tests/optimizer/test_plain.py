"""The optimizer alone: the page's lines, Blop's protocols, batches, and what is refused."""

from __future__ import annotations

import doctest
import math
import re
from pathlib import Path

import pytest

from orchestrator.optimizer import Category, Fraction, Integer, Number, PlainOptimizer, plain

PAGE = Path(__file__).parents[2] / "docs/how-to/optimizer-alone.md"
ALLOY = [
    Fraction("Fe", step=0.1),
    Fraction("Co", max=0.7, step=0.1),
    Fraction("Ni", step=0.1),
    Number("pressure_pa", 0.2, 2.0, scale="log"),
    Integer("layers", 1, 4),
    Category("substrate", ("glass", "MgO")),
]


def value(point):
    away = (point["Fe"] - 0.6) ** 2 + math.log10(point["pressure_pa"]) ** 2 / 4 + (point["layers"] - 3) ** 2 / 20
    return (point["substrate"] == "MgO") / 5 - away


def with_value(point):
    return {"_id": point["_id"], "kerr": value(point)}


def parameters(point):
    return tuple(sorted((name, told) for name, told in point.items() if name != "_id"))


def test_the_lines_of_the_page():
    (lines,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    told = {}
    exec(compile(lines, str(PAGE), "exec"), told)
    assert told["where"]["motor"] == pytest.approx(1.7, abs=0.2)
    assert told["outcome"]["detector"] > 0.99


def test_the_example_of_the_class():
    assert doctest.testmod(plain).failed == 0
    assert doctest.testmod(plain).attempted >= 5


def test_it_has_the_form_of_blops_protocols():
    protocols = pytest.importorskip("blop.protocols", reason="Blop is not installed")
    optimizer = PlainOptimizer(ALLOY, "kerr")
    for protocol in (protocols.Optimizer, protocols.CanRegisterSuggestions, protocols.TrialFaultAware):
        assert isinstance(optimizer, protocol)
    problem = protocols.OptimizationProblem(optimizer, [], [], lambda uid, suggestions: [])
    assert problem.optimizer.suggest(2)[0][protocols.ID_KEY] == 0


def test_batches_of_every_kind_are_feasible_and_never_repeat():
    optimizer, seen = PlainOptimizer(ALLOY, "kerr", at_most=2, seed=3), set()
    for _ in range(5):
        points = optimizer.suggest(4)
        for point in points:
            assert list(point) == [dof.name for dof in ALLOY] + ["_id"]
            assert sum(point[name] for name in ("Fe", "Co", "Ni")) == pytest.approx(1, abs=1e-12)
            assert sum(point[name] > 0 for name in ("Fe", "Co", "Ni")) <= 2
            assert point["Co"] <= 0.7
            assert 0.2 <= point["pressure_pa"] <= 2.0
            assert point["layers"] in range(1, 5)
            assert type(point["layers"]) is int
            assert point["substrate"] in ("glass", "MgO")
            assert parameters(point) not in seen
            seen.add(parameters(point))
        optimizer.ingest([with_value(point) for point in reversed(points)])
    ids = [point["_id"] for point in optimizer.suggest(2)]
    assert ids == [20, 21]


def test_it_finds_the_best():
    optimizer = PlainOptimizer(ALLOY, "kerr", seed=1)
    for _ in range(30):
        optimizer.ingest([with_value(point) for point in optimizer.suggest()])
    (best,) = optimizer.get_best_points()
    assert best[2]["kerr"] > 0.19
    assert value(best[1]) == best[2]["kerr"]


def test_fractions_may_have_any_names():
    optimizer = PlainOptimizer([Fraction("water", step=0.25), Fraction("acid", step=0.25)], "y", initial_samples=2)
    for _ in range(3):
        optimizer.ingest([{"_id": p["_id"], "y": p["acid"]} for p in optimizer.suggest()])
    found = optimizer.suggest(2)
    assert all(point["water"] + point["acid"] == 1 for point in found)


def test_less_may_be_better():
    optimizer = PlainOptimizer([Integer("x", 0, 20)], "y", direction="min", initial_samples=3)
    for _ in range(9):
        optimizer.ingest([{"_id": p["_id"], "y": (p["x"] - 13) ** 2} for p in optimizer.suggest()])
    assert optimizer.get_best_points()[0][1:] == ({"x": 13}, {"y": 0.0})


def test_the_same_calls_give_the_same_points():
    def played():
        optimizer, found = PlainOptimizer(ALLOY, "kerr", seed=9), []
        for count in (3, 2, 4, None):
            found += (points := optimizer.suggest(count))
            optimizer.ingest([with_value(point) for point in points])
        return found

    assert played() == played()


def test_points_of_nobody_and_of_others_are_learnt():
    optimizer = PlainOptimizer([Number("x", 0, 1, step=0.25)], "y", initial_samples=1)
    optimizer.ingest([{"x": 0.26, "y": 1.0, "y_sigma": 0.1}])
    assert optimizer.get_best_points() == [(None, {"x": 0.26}, {"y": 1.0})]
    (theirs,) = optimizer.register_suggestions([{"x": 0.5}])
    found = {point["x"] for point in optimizer.suggest(3)}
    assert found == {0.0, 0.75, 1.0}
    optimizer.ingest([{"_id": theirs["_id"], "y": 2.0}])
    assert optimizer.get_best_points() == [(theirs["_id"], {"x": 0.5}, {"y": 2.0})]


def test_a_failure_is_no_value_and_is_not_suggested_again():
    optimizer = PlainOptimizer([Number("x", 0, 1, step=0.25)], "y")
    failed = optimizer.suggest(2)
    optimizer.register_failures(failed)
    assert optimizer.get_best_points() == []
    assert {p["x"] for p in optimizer.suggest(3)}.isdisjoint({p["x"] for p in failed})


@pytest.mark.parametrize(
    ("dofs", "message"),
    [
        ([], "at least one degree of freedom"),
        ([Number("x", 0, 1), Integer("x", 0, 1)], "a name of its own"),
        ([Number("y", 0, 1)], "y: a degree of freedom needs"),
        ([Number("_id", 0, 1)], "_id: a degree of freedom needs"),
        ([Number("x", 1, 0)], "x: give finite min <= max"),
        ([Number("x", 0, math.inf)], "x: give finite min <= max"),
        ([Number("x", 0, 1, step=-1)], "x: give a step above 0"),
        ([Number("x", 0, 1, step=0.3)], "x: 1 is no whole number of steps"),
        ([Number("x", 0, 1, scale="log")], "x: on a logarithmic scale min is above 0"),
        ([Integer("x", 0.5, 1)], "x: give whole numbers"),
        ([Category("x", ())], "x: a grid has at least one value"),
        ([Fraction("x", max=1.5)], "x: give 0 <= min <= max <= 1"),
        ([Fraction("x", max=0.55, step=0.1)], "x: min and max are multiples of the step"),
        ([Fraction("x", max=0.4), Fraction("z", max=0.5)], "no composition"),
    ],
)
def test_bad_degrees_of_freedom(dofs, message):
    with pytest.raises(ValueError, match=message):
        PlainOptimizer(dofs, "y")


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"_id": 77, "kerr": 1.0}, "_id = 77 names no suggestion"),
        ({"kerr": 1.0}, "_id = None names no suggestion"),
        ({"_id": 0}, "kerr is a finite number, not None: for a measurement without a value"),
        ({"_id": 0, "kerr": math.nan}, "kerr is a finite number"),
        ({"_id": 0, "kerr": 1.0, "kerr_sigma": -1.0}, "kerr_sigma is a number of at least 0"),
        ({"_id": 0, "kerr": 1.0, "Fe": 1.0}, "Co, Ni, pressure_pa, layers, substrate is missing"),
        (
            {"Fe": 0.5, "Co": 0.1, "Ni": 0.1, "pressure_pa": 1, "layers": 1, "substrate": "MgO", "kerr": 1.0},
            "sum to 1, not to 0.7",
        ),
        (
            {"Fe": 0.5, "Co": 0.5, "Ni": 0.0, "pressure_pa": 1, "layers": 1, "substrate": "wood", "kerr": 1.0},
            "substrate = 'wood' is none of glass, MgO",
        ),
    ],
)
def test_bad_points_are_refused_before_any_is_learnt(point, message):
    optimizer = PlainOptimizer(ALLOY, "kerr")
    good = with_value(optimizer.suggest()[0])
    with pytest.raises(ValueError, match=message):
        optimizer.ingest([good, point])
    assert optimizer.get_best_points() == []
    optimizer.ingest([good])
    assert optimizer.get_best_points()[0][0] == 0


def test_a_batch_has_at_least_one_point():
    with pytest.raises(ValueError, match="num_points is at least 1, not 0"):
        PlainOptimizer(ALLOY, "kerr").suggest(0)
