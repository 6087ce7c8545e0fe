"""Thousands of generated problems: never an exception, a NaN, or a suggestion that is infeasible or has been made.

A few of each block are run by default; all ten thousand of them, which are always the same, by::

    pytest tests/optimizer/test_ten_thousand.py --hypothesis-profile=ten-thousand

Feasibility is decided here by decimal arithmetic on what the suggestion says, not by the space that made it.
"""

from __future__ import annotations

import itertools
import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from orchestrator.campaign.cost import Cost
from orchestrator.campaign.grid import Grid
from orchestrator.campaign.space import Linear, Space
from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer import candidates
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.exploration import SCHEDULES
from orchestrator.optimizer.finite import Enumerated, Table
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.searched import Searched
from orchestrator.optimizer.situation import ACQUISITIONS

BLOCKS = 10
SYMBOLS = ("Fe", "Co", "Ni", "Cr", "Mn")
MOST_SUGGESTIONS = 3
MOST_ROWS = 4000  # of a space: all of them are listed here


def between(low, high):
    """0, and numbers of this size with either sign."""
    return st.builds(lambda size, sign: sign * size, st.floats(low, high), st.sampled_from([-1.0, 0.0, 1.0]))


VALUES = {
    "constant": st.just(3.5),
    "zero": st.just(0.0),
    "tiny": between(1e-300, 1e-298),
    "small": st.floats(1e-12, 9e-12),
    "huge": between(1e100, 1e300),
    "plain": between(1e-9, 5.0),
    "steps": st.sampled_from([0.0, 1.0]),
    "wild": st.sampled_from([-1e300, -1e150, -1.0, 0.0, 1e-300, 1e-150, 1.0, 1e150, 1e300]),
}
SIGMAS = st.none() | st.sampled_from([0.0, 1e-300, 0.1, 1.0, 1e100])


@st.composite
def spaces(draw):
    symbols = SYMBOLS[: draw(st.integers(2, 5))]
    step = draw(st.sampled_from([10, 20, 25, 50]))
    bounds = {}
    for symbol in symbols:
        low, high = sorted(draw(st.lists(st.integers(0, 100 // step), min_size=2, max_size=2)))
        wide = draw(st.booleans())
        bounds[symbol] = (0.0, 100.0, float(step)) if wide else (float(low * step), float(high * step), float(step))
    kind = draw(st.sampled_from(["none", "none", "equality", "inequality"]))
    weights = {symbols[0]: 1, symbols[1]: draw(st.sampled_from([-2, -1, 1, 2]))}
    limits = {"equality": (0.0, 0.0), "inequality": (-math.inf, float(draw(st.integers(0, 100))))}
    linear = () if kind == "none" else (Linear(weights, *limits[kind]),)
    grids = []
    if draw(st.booleans()):
        grids.append(Grid.spaced("power_w", 50, 50 + 25 * draw(st.integers(1, 4)), 25))
    if draw(st.booleans()):
        grids.append(Grid.spaced("argon_pressure_pa", 0.2, 0.8, 0.2, "log"))
    if draw(st.booleans()):
        grids.append(Grid("substrate", ("glass", "silicon", "MgO")[: draw(st.integers(1, 3))], "category"))
    at_most = draw(st.none() | st.integers(1, len(symbols)))
    return Space(bounds, at_most, linear, tuple(grids))


@st.composite
def tables(draw):
    rows, columns = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    X = rng.integers(0, 4, (rows, columns)) * draw(st.sampled_from([1e-9, 1.0, 1e9]))
    return Table(X, [Feature(f"x{j}") for j in range(columns)])


def lattice(space, *, searched):
    """The domain of `space`, and all of its candidates by key; assumes that there are some."""
    rows = space.enumerate(200_000)
    assume(len(rows))
    return Searched(space) if searched else Enumerated(space, rows)


def feasible(space, candidate):
    """Bounds, steps, sum, number of elements, constraints and grids, exactly."""
    amounts = {el: Fraction(round(f * 100 * 10**6), 10**6) for el, f in candidate.composition.items()}
    assert set(amounts) <= set(space.bounds)
    amounts = {el: amounts.get(el, Fraction(0)) for el in space.bounds}
    for el, (low, high, step) in space.bounds.items():
        assert low <= amounts[el] <= high
        assert amounts[el] % Fraction(step) == 0
    assert sum(amounts.values()) == 100
    assert space.at_most is None or sum(amount > 0 for amount in amounts.values()) <= space.at_most
    for linear in space.constraints:
        weighted = sum(Fraction(weight) * amounts[el] for el, weight in linear.coefficients.items())
        assert linear.min <= weighted <= linear.max
    assert set(candidate.settings) == {grid.name for grid in space.settings}
    assert all(candidate.settings[grid.name] in grid.values for grid in space.settings)


def key(candidate):
    amounts = tuple(sorted((el, round(f, 9)) for el, f in candidate.composition.items() if f > 1e-9))
    return amounts, tuple(sorted(candidate.settings.items())), candidate.row


def finite(value):
    """JSON holds no NaN or infinity."""
    json.dumps(value, allow_nan=False)


def history(data, optimizer, everything, count):
    """Tell `optimizer` of `count` samples, some made more than once; returns the keys of what was made."""
    values = VALUES[data.draw(st.sampled_from(sorted(VALUES)), label="values")]
    made = []
    for number in range(1, count + 1):
        chosen = everything[data.draw(st.integers(0, min(len(everything), 12 if number % 3 else 10**6) - 1))]
        validity = data.draw(st.sampled_from(["valid"] * 4 + ["censored", "failed"]))
        told = {"sample": number, "composition": chosen.composition, "settings": chosen.settings, "row": chosen.row}
        told |= {"validity": validity}
        if validity != "failed":
            told |= {"value": data.draw(values), "sigma": data.draw(SIGMAS)}
        if data.draw(st.booleans()):
            told |= {
                "composition_sigma": dict.fromkeys(chosen.composition, data.draw(st.sampled_from([0.0, 0.01, 0.5])))
            }
        if validity == "censored":
            told |= {"bound": data.draw(st.sampled_from(["lower", "upper"]))}
        optimizer.observe(told)
        made.append(key(chosen))
    return made


@st.composite
def ways_to_choose(draw):
    """Every acquisition, and everything that is said beside it."""
    return OptimizerSettings(
        acquisition=draw(st.sampled_from(list(ACQUISITIONS))),
        initial_samples=draw(st.integers(1, 4)),
        exploration=draw(st.sampled_from(SCHEDULES)),
        exploration_weight=draw(st.sampled_from([1e-3, 2.0, 100.0])),
        feasibility=draw(st.sampled_from(["off", "learned"])),
        replicate=draw(st.sampled_from(["when_exhausted", "by_value"])),
    )


@st.composite
def prices(draw, space):
    """What films of `space` cost, or None."""
    if space is None or draw(st.booleans()):
        return None
    of_one = draw(st.sampled_from([1e-9, 3.0, 1e9]))
    settings = {grid.name: draw(st.sampled_from([0.0, of_one])) for grid in space.settings if grid.name != "substrate"}
    return Cost(film=draw(st.sampled_from([1e-6, 1.0])), elements={next(iter(space.bounds)): of_one}, settings=settings)


def check(data, domain, everything, space):
    chosen, cost = data.draw(ways_to_choose(), label="settings"), data.draw(prices(space), label="cost")
    direction, budget = data.draw(st.sampled_from(["max", "min"])), data.draw(st.sampled_from([None, 3, 50]))
    optimizer = Optimizer(domain, chosen, data.draw(st.integers(0, 99)), direction, budget=budget, cost=cost)
    taken = set(history(data, optimizer, everything, data.draw(st.sampled_from([0, 1, 2, 3, 5, 8]), label="count")))
    pending = [everything[data.draw(st.integers(0, len(everything) - 1))] for _ in range(data.draw(st.integers(0, 2)))]
    withheld = [everything[data.draw(st.integers(0, len(everything) - 1))] for _ in range(data.draw(st.integers(0, 1)))]
    taken |= {key(one) for one in [*pending, *withheld]}
    for _ in range(data.draw(st.integers(1, MOST_SUGGESTIONS))):
        suggestion = optimizer.suggest(pending, withheld=withheld)
        finite(suggestion.as_dict())
        one = suggestion.candidate
        if space is not None:
            feasible(space, one)
        left = len(everything) - len(taken)
        again = suggestion.replicate
        assert again or left > 0
        assert not again or left == 0 or chosen.replicate == "by_value"
        assert (key(one) in taken) == again
        assert (suggestion.cost is None) == (cost is None)
        if suggestion.method == "gp" and suggestion.runner_up is not None:
            assert (suggestion.sigma or 0.0) >= 0
        pending, taken = [*pending, one], taken | {key(one)}
    finite(optimizer.diagnose().as_dict())


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.timeout(3600)
def test_ten_thousand_problems(block):
    """Half of them on a lattice that is listed, a quarter on one that is searched, a quarter on a table."""
    each = max(settings().max_examples // BLOCKS, 1)

    @seed(block)
    @settings(
        max_examples=each, deadline=None, derandomize=False, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(data=st.data(), kind=st.sampled_from(["listed", "listed", "searched", "table"]))
    def problem(data, kind):
        if kind == "table":
            domain, space = data.draw(tables()), None
            rows = np.arange(len(domain))[:, np.newaxis]
        else:
            space = data.draw(spaces())
            domain = lattice(space, searched=kind == "searched")
            rows = space.enumerate(200_000) if kind == "searched" else np.arange(len(domain))[:, np.newaxis]
        assume(len(rows) <= MOST_ROWS)
        check(data, domain, [domain.candidate(row) for row in rows], space)

    with np.errstate(invalid="raise", divide="raise"):
        problem()


def test_the_oracle_knows_what_is_infeasible():
    """The check above fails on each rule that is broken."""
    space = Space({"Fe": (0, 50, 10), "Co": (0, 100, 10), "Ni": (0, 100, 10)}, 2, (Linear({"Fe": 1, "Ni": 1}, 0, 40),))
    good = space.enumerate(10_000)
    everything = {key(candidates.Enumerated(space, good).candidate(np.array([k]))) for k in range(len(good))}
    seen = set()
    for amounts in itertools.product(range(0, 101, 5), repeat=3):
        one = type("One", (), {"composition": dict(zip(space.bounds, (a / 100 for a in amounts), strict=True))})
        one.settings, one.row = {}, None
        try:
            feasible(space, one)
        except AssertionError:
            continue
        seen.add(key(one))
    assert seen == everything
