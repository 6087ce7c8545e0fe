"""Samples chosen without a model: spread out, feasible, the same again, and without scipy or scikit-learn."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from orchestrator.campaign.space import Space
from orchestrator.optimizer.candidates import domain_of
from orchestrator.optimizer.domain import Taken
from orchestrator.optimizer.start import distances, fallback, generator, space_filling, uncovering

TERNARY = {"Fe": (0, 100, 2), "Co": (0, 100, 2), "Ni": (0, 100, 2)}


def suggest_in_turn(campaign, count: int) -> list[dict[str, float]]:
    made = []
    for number in range(count):
        made.append(fallback(campaign, made[:-1], made[-1:], number).candidate)
    return [candidate.composition for candidate in made]


def test_distances():
    A, B = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.0, 1.0]])
    np.testing.assert_allclose(distances(A, B), [[0.0], [np.sqrt(2)]])


def test_uncovering_by_hand():
    R = np.array([[0.0], [0.5], [1.0]])
    np.testing.assert_allclose(uncovering(R, np.array([[0.5], [1.0]]), np.array([[0.0]])), [0.5 / 3, 0.5 / 3])
    np.testing.assert_allclose(uncovering(R, np.array([[0.5]]), np.empty((0, 1))), [1.0 / 3])


@pytest.mark.parametrize("seed", range(5))
def test_spreads_better_than_chance(make_campaign, seed):
    """The mean distance from anywhere in the space to the nearest of eight samples."""
    campaign = make_campaign(TERNARY, seed=seed)
    space = Space.of(campaign)
    rows = space.fractions(space.enumerate())
    chosen = np.array([[c[el] for el in space.elements] for c in suggest_in_turn(campaign, 8)])
    chance = [
        distances(rows, rows[np.random.default_rng(k).choice(len(rows), 8)]).min(axis=1).mean() for k in range(20)
    ]
    assert distances(rows, chosen).min(axis=1).mean() < min(chance)


def test_same_seed_same_suggestion_and_other_seed_another(make_campaign):
    first = suggest_in_turn(make_campaign(TERNARY, seed=3), 5)
    assert first == suggest_in_turn(make_campaign(TERNARY, seed=3), 5)
    assert first != suggest_in_turn(make_campaign(TERNARY, seed=4), 5)


def test_nothing_global_is_drawn_from(make_campaign):
    campaign = make_campaign(TERNARY)
    np.random.seed(0)
    first = fallback(campaign, [], [], 7)
    np.random.seed(1)
    assert fallback(campaign, [], [], 7) == first
    assert first.method == "fallback"


def test_when_all_is_made_the_least_repeated_comes_again(make_campaign):
    campaign = make_campaign({"Fe": (0, 100, 50), "Co": (0, 100, 50)})
    made = suggest_in_turn(campaign, 3)
    assert len({tuple(c.items()) for c in made}) == 3
    again = fallback(campaign, [{"composition": one} for one in [*made, made[0], made[2]]], [], 5)
    assert again.composition == made[1]
    assert again.replicate


def test_a_space_too_large_to_enumerate(make_campaign):
    symbols = ("Fe", "Co", "Ni", "Cr", "Mn", "V", "Ti", "Cu", "Al", "Si")
    campaign = make_campaign(dict.fromkeys(symbols, (0, 100, 1)), at_most=4)
    space = Space.of(campaign)
    domain = domain_of(campaign)
    pure = space.round_to_lattice({"Fe": 100.0})
    row = space_filling(domain, Taken(domain.width, [pure]), generator(1, 0))
    assert row is not None
    assert space.contains({el: 100 * f for el, f in space.composition(row).items()})


def test_the_fallback_needs_numpy_only():
    """Imported in a fresh process: neither scipy nor scikit-learn nor Pyro5 comes with it."""
    code = (
        "import sys, orchestrator.optimizer.start\n"
        "print([m for m in ('scipy', 'sklearn', 'Pyro5', 'bluesky') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_package_offers_both_and_imports_neither():
    code = (
        "import sys, orchestrator.optimizer as o\n"
        "assert 'numpy' not in sys.modules\n"
        "from orchestrator.optimizer import fallback, make_optimizer\n"
        "print(fallback.__module__, make_optimizer.__module__, hasattr(o, 'other'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["orchestrator.optimizer.start", "orchestrator.optimizer.making", "False"]
