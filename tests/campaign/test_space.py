"""Settings and equalities on one lattice with the compositions, against brute force."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.campaign.drawing import walk
from orchestrator.campaign.elements import SYMBOLS
from orchestrator.campaign.grid import Grid
from orchestrator.campaign.lattice import exact
from orchestrator.campaign.space import Linear, Space

NAMES = ("Fe", "Co", "Ni", "Ta")


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Up to four elements and two settings, with equalities and inequalities over both; some are empty."""
    step = draw(st.sampled_from((10.0, 12.5, 20.0, 25.0)))
    bounds = {name: (0.0, 100.0, step * draw(st.sampled_from((1, 1, 2)))) for name in NAMES[: draw(st.integers(2, 4))]}
    bounds = {name: (low, step_ * (100 // step_), step_) for name, (low, _, step_) in bounds.items()}
    grids = [Grid.spaced("power_w", 50, 50 + 10 * draw(st.integers(1, 3)), 10)] * draw(st.integers(0, 1))
    grids += [Grid("substrate", ("glass", "silicon"), "category")] * draw(st.integers(0, 1))
    names = [*bounds, *(grid.name for grid in grids if grid.line)]
    constraints = []
    for _ in range(draw(st.integers(0, 2))):
        coefficients = {name: draw(st.sampled_from((-2.0, -1.0, -0.5, 0.0, 0.1, 1.0, 3.0))) for name in names}
        low = draw(st.sampled_from((-30.0, 0.0, 0.0, 5.0, 20.0, 60.0)))
        constraints.append(Linear(coefficients, low, low + draw(st.sampled_from((0.0, 0.0, 25.0)))))
    return Space(bounds, draw(st.sampled_from((None, 2, 3))), tuple(constraints), tuple(grids))


def brute_force(space: Space) -> set[tuple[int, ...]]:
    """Every row, by trying all of them in exact arithmetic."""
    axes = [space.amounts(i).tolist() for i in range(space.width)]
    grids = {grid.name: grid for grid in space.settings}
    found = set()
    for row in itertools.product(*axes):
        parts = row[: space.n]
        if sum(parts) != space.total or sum(part > 0 for part in parts) > space.most:
            continue
        values: dict[str, Fraction] = {name: space.unit * part for name, part in zip(space.bounds, row, strict=False)}
        for grid, index in zip(space.settings, row[space.n :], strict=True):
            if grids[grid.name].line:
                values[grid.name] = exact(float(grid.values[index]))
        sums = [
            sum((exact(c) * values[name] for name, c in constraint.coefficients.items()), Fraction(0))
            for constraint in space.constraints
        ]
        within = all(exact(c.min) <= total <= exact(c.max) for c, total in zip(space.constraints, sums, strict=True))
        if within:
            found.add(row)
    return found


@given(spaces())
@settings(max_examples=80, deadline=None)
def test_the_lattice_is_what_brute_force_finds(space: Space) -> None:
    expected = brute_force(space)
    rows = space.enumerate()
    assert [tuple(row) for row in rows.tolist()] == sorted(expected)
    assert space.size() == len(expected)
    assert space.has(rows).all()
    for row in rows[:5]:
        assert space.contains(space.composition(row).at_percent(), space.setting_values(row))


@given(spaces(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_draws_walks_and_moves_stay_inside(space: Space, seed: int) -> None:
    allowed, rng = brute_force(space), np.random.default_rng(seed)
    if not allowed:
        for draw in (lambda: space.sample(rng, 3), lambda: walk(space, rng, space.none, 3)):
            with pytest.raises(ValueError, match="no composition"):
                draw()
        return
    rows = space.sample(rng, 30)
    assert {tuple(row) for row in rows.tolist()} <= allowed
    assert {tuple(row) for row in walk(space, rng, rows[:2], 30).tolist()} <= allowed
    around, origin = space.moves.around(rows)
    assert {tuple(row) for row in around.tolist()} <= allowed
    assert np.all(np.any(around != rows[origin], axis=1))


@given(spaces(), st.lists(st.floats(0, 100), min_size=4, max_size=4), st.floats(40, 90))
@settings(max_examples=80, deadline=None)
def test_rounding_finds_the_nearest(space: Space, amounts: list[float], power: float) -> None:
    allowed = space.enumerate()
    wanted, told = dict(zip(space.bounds, amounts, strict=False)), {"power_w": power, "substrate": "silicon"}
    if not len(allowed):
        with pytest.raises(ValueError, match="no composition"):
            space.round_to_lattice(wanted, told)
        return
    indices = [grid.index(told[grid.name]) for grid in space.settings]
    target = np.array([*(amount / space.unit_at_percent for amount in wanted.values()), *indices])
    rounded = space.round_to_lattice(wanted, told)
    assert space.has(rounded[np.newaxis]).all()
    assert ((rounded - target) ** 2).sum() == pytest.approx(((allowed - target) ** 2).sum(axis=1).min())


@pytest.mark.parametrize("coefficients", [{"Fe": 1, "Co": -2}, {"Fe": 1, "Co": -1, "Ni": -1}, {"Fe": 2, "Ni": -3}])
def test_moves_reach_every_row_of_an_equality(coefficients: dict[str, float]) -> None:
    space = Space(dict.fromkeys(NAMES, (0, 100, 5)), constraints=(Linear(coefficients, 0, 0),))
    rows = space.enumerate()
    reached, front = {tuple(rows[0])}, rows[:1]
    while len(front):
        around, _ = space.moves.around(front)
        new = {tuple(row) for row in around.tolist()} - reached
        reached |= new
        front = np.array(sorted(new), dtype=np.int64).reshape(-1, space.width)
    assert reached == {tuple(row) for row in rows.tolist()}


def test_a_pair_of_elements_cannot_walk_along_fe_2co_but_three_can() -> None:
    space = Space(dict.fromkeys(NAMES, (0, 100, 1)), constraints=(Linear({"Fe": 1, "Co": -2}, 0, 0),))
    changed = (space.moves.directions != 0).sum(axis=1)
    assert {2, 3} == set(changed.tolist())
    assert np.all(space.moves.directions @ [1, -2, 0, 0] == 0)
    assert np.all(space.moves.directions.sum(axis=1) == 0)


def test_equalities_are_exact() -> None:
    """0.1 x 3 is 0.3 here, and a tenth of a thousandth beside it is not."""
    bounds = dict.fromkeys(("Fe", "Co", "Ni"), (0, 100, 0.1))
    assert Space(bounds, constraints=(Linear({"Fe": 0.1}, 0.03, 0.03),)).enumerate()[:, 0].tolist() == [3] * 998
    assert not len(Space(bounds, constraints=(Linear({"Fe": 0.1}, 0.0300001, 0.0300001),)).enumerate())


def test_size_of_a_space_with_free_settings_needs_no_listing_of_them() -> None:
    grids = (Grid.spaced("a", 0, 1), Grid.spaced("b", 1, 2, scale="log"))
    space = Space(dict.fromkeys(("Fe", "Co", "Ni"), (0, 100, 2)), settings=grids)
    assert space.size() == math.comb(52, 2) * 1001**2
    tied = Space(space.bounds, None, (Linear({"Fe": 1, "Co": -2}, 0, 0),), grids)
    assert tied.size(10**9) == 17 * 1001**2


def test_six_of_thirty_elements() -> None:
    space = Space(dict.fromkeys(SYMBOLS[20:50], (0, 100, 1)), at_most=6)
    assert space.size() > 4 * 10**13
    rows = space.sample(np.random.default_rng(0), 500)
    assert space.has(rows).all()
    assert len(np.unique(rows, axis=0)) > 490
    around, _ = space.moves.around(rows[:20])
    assert space.has(around).all()


# --- grids ------------------------------------------------------------------------------------------------


def test_values_are_those_that_were_written() -> None:
    assert Grid.spaced("x", 0.1, 0.7, 0.1).values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    assert len(Grid.spaced("x", 0.2, 2)) == 1001
    log = Grid.spaced("x", 0.15, 5, scale="log")
    assert (log.values[0], log.values[-1]) == (0.15, 5)
    assert np.ptp(np.diff(log.table[:, 0])) < 1e-5


@given(st.floats(-1e3, 1e3), st.sampled_from([0.5, 3.0, 10.0]))
def test_index_is_of_the_nearest(value: float, step: float) -> None:
    grid = Grid.spaced("x", -30, 30, step)
    assert abs(grid.numbers[grid.index(value)] - value) == pytest.approx(np.abs(grid.numbers - value).min())


def test_categories_have_a_column_each() -> None:
    grid = Grid("substrate", ("glass", "silicon", "MgO"), "category")
    assert grid.names == ("substrate=glass", "substrate=silicon", "substrate=MgO")
    assert grid.vector("silicon").tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="'paper' is none of glass, silicon, MgO"):
        grid.index("paper")


@pytest.mark.parametrize(
    ("values", "scale"),
    [((), "linear"), ((1.0, 1.0), "linear"), ((2.0, 1.0), "linear"), ((0.0, 1.0), "log"), (("a",), "log")],
)
def test_what_is_no_grid(values: tuple[float, ...], scale: str) -> None:
    with pytest.raises(ValueError, match="x: "):
        Grid("x", values, scale)  # type: ignore[arg-type]


def test_what_is_not_told_of_a_setting() -> None:
    space = Space({"Fe": (0, 100, 50), "Co": (0, 100, 50)}, settings=(Grid.spaced("power_w", 50, 100, 10),))
    with pytest.raises(ValueError, match="power_w is a setting of the space"):
        space.round_to_lattice({"Fe": 50, "Co": 50})
    assert not space.contains({"Fe": 50, "Co": 50})
    assert not space.contains({"Fe": 50, "Co": 50}, {"power_w": 55})
    with pytest.raises(ValueError, match="is not a number"):
        space.round_to_lattice({"Fe": 50, "Co": 50}, {"power_w": math.nan})
