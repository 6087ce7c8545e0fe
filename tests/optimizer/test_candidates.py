"""Pools and lattices: what may be suggested, and whether searching a lattice finds its best point."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.campaign.composition import Linear, Space
from orchestrator.optimizer import candidates as cs

TERNARY = Space({"Fe": (0, 100, 2), "Co": (0, 100, 2), "Ni": (0, 100, 2)})
MIXED = Space(
    {"Fe": (40, 90, 5), "Co": (0, 50, 2), "Ni": (0, 30, 1), "Ir": (0, 6, 0.5), "Pt": (0, 10, 2)},
    at_most=4,
    constraints=(Linear({"Ir": 2.0, "Pt": 1.0}, 1.0, 9.0),),
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def score(rows: np.ndarray) -> np.ndarray:
    """Some bumpy function of the composition."""
    x = rows / rows.sum(axis=1, keepdims=True)
    return np.sin(7 * x[:, 0]) + np.cos(9 * x[:, 1]) - 3 * (x[:, 2] - 0.1) ** 2


def test_a_small_space_is_a_pool_and_a_large_one_is_not():
    assert isinstance(cs.candidates(TERNARY, 200_000), cs.Pool)
    large = Space(dict.fromkeys(("Fe", "Co", "Ni", "Cr", "Mn", "V"), (0, 100, 1)))
    assert isinstance(cs.candidates(large, 200_000), cs.Lattice)


def test_an_empty_space_is_refused():
    empty = Space({"Fe": (0, 20, 2), "Co": (0, 20, 2)})
    with pytest.raises(ValueError, match="no composition"):
        cs.Pool(empty, 100)


@pytest.mark.parametrize("space", [TERNARY, MIXED])
def test_neighbours_are_in_the_space_and_are_all_of_them(space):
    """Against every row of the space, tested for being one move away."""
    lattice = cs.Lattice(space)
    rows = space.enumerate()
    row = rows[len(rows) // 2]
    found = {tuple(r) for r in lattice.neighbours(row)}
    assert found
    assert found == {tuple(r) for r in rows if is_one_move(space, row, r)}


def is_one_move(space: Space, row: np.ndarray, other: np.ndarray) -> bool:
    changed = np.flatnonzero(row != other)
    if len(changed) != 2:
        return False
    i, j = changed
    step = np.lcm(space.step[i], space.step[j])
    return abs(row[i] - other[i]) in (step, 2 * step, 5 * step) or (row[i] == other[j] and row[j] == other[i])


@pytest.mark.parametrize("space", [TERNARY, MIXED])
def test_draws_are_different_free_and_feasible(space):
    pool, lattice = cs.Pool(space, 200_000), cs.Lattice(space)
    taken = cs.Taken(space, [space.composition(row) for row in pool.rows[::3]])
    for source in (pool, lattice):
        rows = source.draw(rng(), 200, taken)
        assert len(np.unique(rows, axis=0)) == len(rows) > 100
        assert taken.free(rows).all()
        assert space.has(rows).all()


def test_a_pool_gives_its_best_two():
    pool = cs.Pool(TERNARY, 200_000)
    order = np.argsort(-score(pool.rows))
    taken = cs.Taken(TERNARY, [TERNARY.composition(pool.rows[order[0]])])
    ranked = pool.best(score, taken, pool.rows[:1], rng())
    np.testing.assert_array_equal(ranked.rows, pool.rows[order[1:3]])
    assert ranked.scores[0] >= ranked.scores[1]


@pytest.mark.parametrize("space", [TERNARY, MIXED])
@pytest.mark.parametrize("seed", range(3))
def test_climbing_finds_what_enumerating_finds(space, seed):
    pool, lattice = cs.Pool(space, 200_000), cs.Lattice(space)
    taken = cs.Taken(space, [space.composition(pool.rows[np.argmax(score(pool.rows))])])
    exact = pool.best(score, taken, pool.rows[:1], rng(seed))
    found = lattice.best(score, taken, pool.rows[:1], rng(seed))
    assert found.scores[0] == pytest.approx(exact.scores[0])
    assert taken.free(found.rows).all()
    assert not np.array_equal(found.rows[0], found.rows[1])


def test_a_climb_is_bounded(monkeypatch):
    monkeypatch.setattr(cs, "CLIMB_STEPS", 3)
    calls = []

    def endless(rows: np.ndarray) -> np.ndarray:
        calls.append(len(rows))
        return rows[:, 0] + 100.0 * len(calls)

    lattice = cs.Lattice(TERNARY)
    assert len(lattice.best(endless, cs.Taken(TERNARY), TERNARY.enumerate()[:1], rng()).rows) == 2
    assert len(calls) == 1 + 3


def test_taken_is_the_nearest_lattice_point():
    taken = cs.Taken(TERNARY, [{"Fe": 0.5068, "Co": 0.2921, "Ni": 0.2011}])
    assert taken.free(np.array([[25, 15, 10], [26, 14, 10], [25, 14, 11]])).tolist() == [False, True, True]


def test_adding_to_taken_leaves_the_first_as_it_was():
    taken = cs.Taken(TERNARY, [{"Fe": 1.0}])
    more = taken.with_([{"Co": 1.0}])
    assert (len(taken), len(more)) == (1, 2)


def test_one_composition_has_no_neighbours():
    only = Space({"Fe": (50, 50, 50), "Co": (50, 50, 50)})
    taken = cs.Taken(only, [{"Fe": 0.5, "Co": 0.5}])
    ranked = cs.Lattice(only).best(lambda rows: rows[:, 0] / 2, taken, np.array([[1, 1]]), rng())
    assert len(ranked.rows) == 0
