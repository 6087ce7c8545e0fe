"""Dominance, hypervolume and boxes, against their definitions and against counting."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from orchestrator.optimizer.pareto import boxes, hypervolume, non_dominated, thinned

GRID = 6


def points(M: int):
    """Whole numbers, so that ties and equal points are common."""
    return (
        st.integers(0, 9)
        .flatmap(lambda n: arrays(np.int64, (n, M), elements=st.integers(-1, GRID)))
        .map(lambda Y: Y.astype(float))
    )


some_points = st.integers(2, 4).flatmap(points)


def dominated_cells(Y: np.ndarray) -> int:
    """How many unit cubes above 0 are below any of Y: the hypervolume of whole numbers, by its definition."""
    M = Y.shape[1]
    return sum(
        any(all(y[i] >= corner[i] + 1 for i in range(M)) for y in Y)
        for corner in itertools.product(range(GRID), repeat=M)
    )


@given(some_points)
def test_a_front_is_what_nothing_dominates(Y: np.ndarray) -> None:
    kept = non_dominated(Y)
    for i, y in enumerate(Y):
        better = any(np.all(z >= y) and np.any(z > y) for z in Y)
        earlier = any(np.array_equal(z, y) for z in Y[:i])
        assert kept[i] == (not better and not earlier)


@given(some_points)
def test_hypervolume_is_what_is_dominated(Y: np.ndarray) -> None:
    assert hypervolume(Y, np.zeros(Y.shape[1])) == dominated_cells(Y)


@given(st.integers(2, 4).flatmap(lambda M: st.tuples(points(M), points(M))))
def test_boxes_tell_what_each_point_adds(both: tuple[np.ndarray, np.ndarray]) -> None:
    front, more = both
    reference = np.zeros(front.shape[1])
    added = boxes(front, reference).improvement(more)
    before = hypervolume(front, reference)
    told = [hypervolume(np.concatenate([front, y[None]]), reference) - before for y in more]
    assert added == pytest.approx(told, abs=1e-9)


@given(some_points)
def test_boxes_are_disjoint_and_open(Y: np.ndarray) -> None:
    found = boxes(Y, np.zeros(Y.shape[1]))
    assert np.all(found.lower < found.upper)
    for i, j in itertools.combinations(range(len(found)), 2):
        low, high = np.maximum(found.lower[i], found.lower[j]), np.minimum(found.upper[i], found.upper[j])
        assert np.any(low >= high)
    assert not any(np.all(y > lower) for y in Y for lower in found.lower)


def test_strips_of_two_objectives_are_one_more_than_points() -> None:
    front = np.array([[k, 9.0 - k] for k in range(1, 9)])
    assert len(boxes(front, np.zeros(2))) == 9


def test_a_thinned_front_keeps_the_points_that_matter() -> None:
    rng = np.random.default_rng(0)
    front = rng.dirichlet(np.ones(4), 30)
    reference = np.zeros(4)
    few = thinned(front, reference, 100)
    assert len(boxes(few, reference)) <= 100 < len(boxes(front, reference))
    assert hypervolume(few, reference) > 0.6 * hypervolume(front, reference)
    assert len(thinned(front[:3], reference, 100)) == 3
