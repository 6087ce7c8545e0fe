"""The lattice of compositions against brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.campaign.composition import Composition
from orchestrator.campaign.elements import SYMBOLS
from orchestrator.campaign.space import Linear, Space

STEPS = (0.5, 1.0, 2.0, 2.5, 4.0, 5.0, 6.0, 10.0, 12.5, 20.0, 25.0, 50.0)
NAMES = ("Fe", "Co", "Ni", "Ta")


@st.composite
def spaces(draw: st.DrawFn, *, constrained: bool) -> Space:
    """Up to four elements, coarse enough to list by brute force."""
    bounds = {}
    for name in NAMES[: draw(st.integers(1, 4))]:
        step = draw(st.sampled_from(STEPS[4:]))
        low = draw(st.integers(0, int(100 // step)))
        high = draw(st.integers(low, int(100 // step)))
        bounds[name] = (low * step * draw(st.sampled_from((0, 0, 1))), high * step, step)
    constraints = []
    for _ in range(draw(st.integers(1, 2)) if constrained else 0):
        coefficients = {name: float(draw(st.integers(-2, 2))) for name in bounds}
        low = draw(st.integers(-100, 100))
        constraints.append(Linear(coefficients, low, low + draw(st.sampled_from((0, 10, 60)))))
    return Space(bounds, draw(st.sampled_from((None, 1, 2, 3))), tuple(constraints))


def brute_force(space: Space) -> list[tuple[float, ...]]:
    """Every composition in at.%, by trying all of them."""
    axes = [
        [low + k * step for k in range(round((high - low) / step) + 1)] for low, high, step in space.bounds.values()
    ]
    found = []
    for point in itertools.product(*axes):
        sums = [
            sum(c.coefficients.get(name, 0.0) * x for name, x in zip(space.bounds, point, strict=True))
            for c in space.constraints
        ]
        if (
            abs(sum(point) - 100) < 1e-9
            and sum(x > 0 for x in point) <= (space.at_most or len(point))
            and all(c.min - 1e-9 <= s <= c.max + 1e-9 for c, s in zip(space.constraints, sums, strict=True))
        ):
            found.append(point)
    return found


@given(spaces(constrained=False) | spaces(constrained=True))
@settings(max_examples=150, deadline=None)
def test_space_is_what_brute_force_finds(space: Space) -> None:
    expected = brute_force(space)
    listed = [tuple((row * space.unit_at_percent).tolist()) for row in space.enumerate()]
    assert listed == sorted(expected)
    assert space.size() == len(expected)
    witness = space.witness()
    assert (witness is None) == (not expected)
    assert all(space.contains(dict(zip(space.bounds, point, strict=True))) for point in expected)


@given(spaces(constrained=False) | spaces(constrained=True), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_every_sample_is_feasible_and_none_is_out_of_reach(space: Space, seed: int) -> None:
    allowed = {tuple(row) for row in space.enumerate().tolist()}
    rng = np.random.default_rng(seed)
    if not allowed:
        with pytest.raises(ValueError, match="no composition"):
            space.sample(rng, 3)
        return
    rows = space.sample(rng, 40)
    assert rows.shape == (40, len(space.elements))
    assert {tuple(row) for row in rows.tolist()} <= allowed
    assert space.has(rows).all()


@given(spaces(constrained=False) | spaces(constrained=True), st.lists(st.floats(0, 100), min_size=4, max_size=4))
@settings(max_examples=100, deadline=None)
def test_rounding_finds_the_nearest(space: Space, amounts: list[float]) -> None:
    allowed = space.enumerate()
    wanted = dict(zip(space.bounds, amounts, strict=False))
    if not len(allowed):
        with pytest.raises(ValueError, match="no composition"):
            space.round_to_lattice(wanted)
        return
    target = np.array(list(wanted.values())) / space.unit_at_percent
    distances = ((allowed - target) ** 2).sum(axis=1)
    rounded = space.round_to_lattice(wanted)
    assert space.has(rounded[np.newaxis]).all()
    assert ((rounded - target) ** 2).sum() == pytest.approx(distances.min())


def test_sizes_by_formula() -> None:
    assert Space(dict.fromkeys(("Fe", "Co", "Ni"), (0, 100, 2))).size() == math.comb(52, 2)
    assert Space({"Fe": (4, 92, 1), "Co": (4, 92, 1), "Ni": (4, 92, 1)}).size() == math.comb(88 + 2, 2)
    six = dict.fromkeys(("Fe", "Co", "Ni", "Mn", "Cr", "V"), (0, 100, 0.1))
    assert Space(six).size() == math.comb(1000 + 5, 5)
    assert Space(six, at_most=2).size() == 6 + math.comb(6, 2) * 999
    many = dict.fromkeys(SYMBOLS[20:40], (0, 100, 1))
    assert Space(many).size() == math.comb(119, 19)  # more than 64 bits hold
    assert Space({"Fe": (0, 99, 33), "Co": (0, 99, 33)}).size() == 0


def test_published_space_of_two_of_three_heavy_elements() -> None:
    """The space of npj Comput. Mater. 11, 329 (2025): Fe, Co, Ni 10-70 by 5, two of Ta, W, Ir 1-29 by 1, <= 30."""
    light = dict.fromkeys(("Fe", "Co", "Ni"), (10, 70, 5))
    total = 0
    for pair in itertools.combinations(("Ta", "W", "Ir"), 2):
        heavy = dict.fromkeys(pair, (1, 29, 1))
        total += Space({**light, **heavy}, constraints=(Linear(dict.fromkeys(pair, 1.0), max=30),)).size()
    assert total == 18_594


def test_size_stops_counting_at_the_limit() -> None:
    space = Space(dict.fromkeys(("Fe", "Co", "Ni"), (0, 100, 1)), constraints=(Linear({"Fe": 1}, min=1),))
    assert space.size(limit=100) == 101
    with pytest.raises(ValueError, match="more than 100"):
        space.enumerate(100)


def test_unconstrained_samples_are_uniform() -> None:
    space = Space(dict.fromkeys(("Fe", "Co", "Ni"), (0, 100, 25)))
    rows = space.sample(np.random.default_rng(3), 15_000)
    _, counts = np.unique(rows, axis=0, return_counts=True)
    assert len(counts) == space.size() == 15
    assert np.abs(counts - 1000).max() < 5 * math.sqrt(1000)


def test_thin_and_huge_space_is_sampled_exactly() -> None:
    names = ("Fe", "Co", "Ni", "Ta", "W", "Ir", "Pt", "Cr", "V", "Mn")
    thin = (Linear({"Ta": 1, "W": 1, "Ir": 1}, 10, 10), Linear({"Fe": 1, "Co": -1}, 0, 0))
    space = Space(dict.fromkeys(names, (0, 100, 0.5)), at_most=5, constraints=thin)
    assert space.size(10_000) == 10_001
    rows = space.sample(np.random.default_rng(0), 500)
    assert space.has(rows).all()
    assert len(np.unique(rows, axis=0)) > 250
    near = space.round_to_lattice({"Fe": 47.3, "Co": 42.2, "Ir": 10.5})
    assert space.has(near[np.newaxis]).all()


def test_same_generator_same_samples() -> None:
    space = Space(dict.fromkeys(("Fe", "Co", "Ni"), (0, 100, 1)))
    first, second = (space.sample(np.random.default_rng(7), 10) for _ in range(2))
    assert (first == second).all()


def test_mixed_steps_share_a_unit() -> None:
    space = Space({"Fe": (0, 100, 0.3), "Co": (0, 100, 0.5), "Ni": (0, 100, 25)} | {"Fe": (0, 99.9, 0.3)})
    assert space.unit_at_percent == pytest.approx(0.1)
    assert space.total == 1000
    assert space.contains({"Fe": 28.5, "Co": 46.5, "Ni": 25})
    assert not space.contains({"Fe": 28.6, "Co": 46.4, "Ni": 25})
    assert not space.contains({"Fe": 28.5, "Co": 46.5, "Cu": 25})
    assert not space.contains({"Fe": math.nan, "Co": 46.5, "Ni": 25})


def test_bound_that_is_no_multiple_of_its_step() -> None:
    with pytest.raises(ValueError, match=r"Fe: 5 at\.% is not a multiple of the step 2 at\.%"):
        Space({"Fe": (5, 100, 2)})


def test_composition_is_a_frozen_mapping() -> None:
    composition = Composition.from_at_percent({"Fe": 82, "Co": 13, "Ir": 4, "Pt": 1})
    assert str(composition) == "Fe82Co13Ir4Pt1"
    assert dict(composition) == pytest.approx({"Fe": 0.82, "Co": 0.13, "Ir": 0.04, "Pt": 0.01})
    assert Composition(composition) == composition
    assert hash(Composition(composition)) == hash(composition)
    assert composition.at_percent()["Ir"] == pytest.approx(4)
    with pytest.raises(TypeError):
        composition["Fe"] = 1.0  # type: ignore[index]


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ({"Fe": 0.5, "Co": 0.4}, "must sum to 1"),
        ({"Fe": 1.5, "Co": -0.5}, "fraction of Fe must be between 0 and 1"),
        ({"Fe": math.nan}, "fraction of Fe"),
        ({"fe": 1.0}, "'fe' is not the symbol"),
        ({}, "must sum to 1"),
    ],
)
def test_what_is_no_composition(fractions: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Composition(fractions)
