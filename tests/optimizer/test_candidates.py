"""Domains: what may be suggested, and whether searching a lattice finds its best row."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.campaign.grid import Grid
from orchestrator.campaign.space import Linear, Space
from orchestrator.optimizer import candidates, searched
from orchestrator.optimizer.domain import Feature, Taken, keys
from orchestrator.optimizer.finite import Enumerated, Table
from orchestrator.optimizer.searched import Searched
from orchestrator.optimizer.suggestion import Candidate

TERNARY = Space({"Fe": (0, 100, 2), "Co": (0, 100, 2), "Ni": (0, 100, 2)})
MIXED = Space(
    {"Fe": (40, 90, 5), "Co": (0, 50, 2), "Ni": (0, 30, 1), "Ir": (0, 6, 0.5), "Pt": (0, 10, 2)},
    at_most=4,
    constraints=(Linear({"Ir": 2.0, "Pt": 1.0}, 1.0, 9.0),),
)
TIED = Space(
    {"Fe": (0, 100, 1), "Co": (0, 100, 1), "Ni": (0, 100, 1), "Pt": (0, 20, 1)},
    constraints=(Linear({"Fe": 1.0, "Co": -2.0}, 0.0, 0.0),),
)
WITH_SETTINGS = Space(
    {"Fe": (0, 100, 10), "Co": (0, 100, 10), "Ni": (0, 100, 10)},
    settings=(Grid.spaced("power_w", 50, 150, 5), Grid("temperature_c", (20.0, 300.0, 500.0), "category")),
)
SPACES = [TERNARY, MIXED, TIED, WITH_SETTINGS]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def both(space: Space) -> tuple[Enumerated, Searched]:
    return Enumerated(space, space.enumerate()), Searched(space)


def made(space: Space, row: np.ndarray) -> Candidate:
    return Candidate(dict(space.composition(row)), space.setting_values(row))


def score(X: np.ndarray) -> np.ndarray:
    """Some bumpy function of the features."""
    rest = np.sin(X[:, 3:] / 20.0) @ np.arange(1.0, X.shape[1] - 2)
    return np.sin(7 * X[:, 0]) + np.cos(9 * X[:, 1]) - 3 * (X[:, 2] - 0.1) ** 2 + rest


def test_a_small_space_is_enumerated_and_a_large_one_is_not():
    assert isinstance(candidates.lattice(TERNARY, 200_000), Enumerated)
    large = Space(dict.fromkeys(("Fe", "Co", "Ni", "Cr", "Mn", "V"), (0, 100, 1)))
    assert isinstance(candidates.lattice(large, 200_000), Searched)


def test_an_empty_space_is_refused():
    with pytest.raises(ValueError, match="no composition"):
        candidates.lattice(Space({"Fe": (0, 20, 2), "Co": (0, 20, 2)}), 100)


@pytest.mark.parametrize("space", SPACES)
def test_draws_are_different_free_and_feasible(space):
    rows = space.enumerate()
    for domain, found in zip(both(space), (lambda r: rows[r[:, 0]], lambda r: r), strict=True):
        taken = Taken(domain.width, [domain.row(made(space, row)) for row in rows[::7]])
        drawn = domain.draw(rng(), 100, taken)
        assert len(np.unique(drawn, axis=0)) == len(drawn) >= 50
        assert taken.free(drawn).all()
        assert space.has(found(drawn)).all()


@pytest.mark.parametrize("space", SPACES)
def test_rows_are_what_was_made_and_back(space):
    for domain in both(space):
        for row in domain.draw(rng(), 20, Taken(domain.width)):
            one = domain.candidate(row)
            np.testing.assert_array_equal(domain.row(one), row)
            np.testing.assert_allclose(domain.vector(one), domain.features(row[None])[0])


def test_all_of_a_small_space_gives_its_best_two():
    domain = Enumerated(TERNARY, TERNARY.enumerate())
    order = np.argsort(-score(domain.X), kind="stable")
    ranked = domain.best(score, Taken(1, [order[:1]]), order[:1, None], rng())
    np.testing.assert_array_equal(ranked.rows[:, 0], order[1:3])
    assert ranked.scores[0] >= ranked.scores[1]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("seed", range(3))
def test_climbing_finds_what_enumerating_finds(space, seed):
    domain, lattice = both(space)
    best = domain.rows[np.argmax(score(domain.X))]
    taken = Taken(space.width, [best])
    exact = domain.best(score, Taken(1, [domain.row(made(space, best))]), np.array([[0]]), rng(seed))
    found = lattice.best(score, taken, domain.rows[:1], rng(seed))
    assert found.scores[0] == pytest.approx(exact.scores[0])
    assert taken.free(found.rows).all()
    assert not np.array_equal(found.rows[0], found.rows[1])
    assert not found.cut_short


class Steps:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_a_search_ends_with_its_time_and_says_so():
    lattice = Searched(TERNARY, clock=Steps(), deadline_s=3.0)
    asked = []

    def endless(X: np.ndarray) -> np.ndarray:
        asked.append(len(X))
        return X[:, 0] + 100.0 * len(asked)

    ranked = lattice.best(endless, Taken(3), TERNARY.enumerate()[:1], rng())
    assert ranked.cut_short
    assert len(ranked.rows) == 2
    assert len(asked) == 2 + 2  # two steps of the climb, after the starts and the incumbents


def test_a_search_scores_no_more_than_so_many_rows(monkeypatch):
    monkeypatch.setattr(searched, "SCORED", 500)
    monkeypatch.setattr(searched, "AT_ONCE", 200)
    asked = []

    def endless(X: np.ndarray) -> np.ndarray:
        asked.append(len(X))
        return X[:, 0] + 100.0 * len(asked)

    assert not Searched(TERNARY).best(endless, Taken(3), TERNARY.enumerate()[:1], rng()).cut_short
    assert sum(asked[2:]) <= 500
    assert max(asked[2:]) <= 200


def test_taken_is_the_nearest_row():
    domain = Searched(TERNARY)
    taken = Taken(3, [domain.row(Candidate({"Fe": 0.5068, "Co": 0.2921, "Ni": 0.2011}))])
    assert taken.free(np.array([[25, 15, 10], [26, 14, 10], [25, 14, 11]])).tolist() == [False, True, True]


def test_adding_to_taken_leaves_the_first_as_it_was():
    taken = Taken(2, [np.array([1, 0])])
    more = taken.with_([np.array([0, 1])])
    assert (len(taken), len(more)) == (1, 2)
    assert taken.free(np.array([[0, 1]])).all()


@pytest.mark.parametrize("seed", range(5))
def test_free_is_what_comparing_every_row_says(seed):
    rows = rng(seed).integers(0, 4, size=(300, 3))
    some = rows[rng(seed).choice(300, 40)]
    expected = [not any(np.array_equal(row, other) for other in some) for row in rows]
    assert Taken(3, list(some)).free(rows).tolist() == expected


def test_free_does_not_trust_its_keys(monkeypatch):
    """Even if all rows had the same key."""
    monkeypatch.setattr("orchestrator.optimizer.domain.keys", lambda rows: np.zeros(len(rows), dtype=np.uint64))
    assert Taken(2, [np.array([1, 2])]).free(np.array([[1, 2], [2, 1]])).tolist() == [False, True]


def test_keys_tell_rows_apart():
    rows = TERNARY.enumerate()
    assert len(np.unique(keys(rows))) == len(rows)


def test_one_composition_has_no_neighbours():
    only = Space({"Fe": (50, 50, 50), "Co": (50, 50, 50)})
    ranked = Searched(only).best(lambda X: X[:, 0], Taken(2, [np.array([1, 1])]), np.array([[1, 1]]), rng())
    assert len(ranked.rows) == 0


def test_a_plain_table():
    X = np.array([[0.1, 5.0], [0.2, 4.0], [0.3, 3.0]])
    table = Table(X, [Feature("x"), Feature("y")])
    ranked = table.best(lambda X: X[:, 0], Taken(1, [np.array([2])]), table.row(Candidate(row=0))[None], rng())
    assert [table.candidate(row).row for row in ranked.rows] == [1, 0]
    np.testing.assert_array_equal(table.vector(Candidate(row=1)), X[1])
    for nowhere in (Candidate(row=3), Candidate(row=-1), Candidate({"Fe": 1.0})):
        with pytest.raises(ValueError, match="its row, 0 to 2"):
            table.row(nowhere)


@pytest.mark.parametrize("X", [np.empty((0, 2)), np.array([[1.0, np.nan]]), np.array([[1.0]])])
def test_what_is_no_table(X):
    with pytest.raises(ValueError, match=r"no rows|finite numbers"):
        Table(X, [Feature("x"), Feature("y")])
