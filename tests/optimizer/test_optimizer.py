"""Suggest and observe, over random spaces and random histories."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from orchestrator.campaign.space import Space
from orchestrator.optimizer import candidates
from orchestrator.optimizer.making import make_optimizer
from orchestrator.optimizer.suggestion import Observation

SYMBOLS = ("Fe", "Co", "Ni", "Cr", "Mn", "Ir")
TERNARY = {"Fe": (0, 100, 5), "Co": (0, 100, 5), "Ni": (0, 100, 5)}


def truth(composition: dict[str, float]) -> float:
    """A made-up property with its largest value at Fe65Co35."""
    return 3.0 - 9 * (composition["Fe"] - 0.65) ** 2 - 4 * composition.get("Ni", 0.0)


def observed(sample: int, composition: dict[str, float], **other) -> dict:
    seen = {"value": truth(composition), "sigma": 0.01, "validity": "valid", "composition_sigma": None}
    return {"sample": sample, "composition": composition, **seen, **other}


def at_percent(composition: dict[str, float]) -> dict[str, float]:
    return {el: 100 * fraction for el, fraction in composition.items()}


def run(optimizer, count: int, lag: int = 0, measure=observed) -> list:
    """`count` suggestions, each observed when `lag` younger ones are pending."""
    pending, made = [], []
    for number in range(count):
        made.append(optimizer.suggest([s.candidate for s in pending], number))
        pending.append(made[-1])
        if len(pending) > lag:
            done = pending.pop(0)
            optimizer.observe(measure(done.number, done.composition))
    return made


def key(composition: dict[str, float]) -> tuple:
    return tuple(sorted((el, round(f, 9)) for el, f in composition.items() if f))


# --- what is always true ---------------------------------------------------------------------------------


@st.composite
def spaces(draw):
    """Elements, bounds, steps, at_most and constraints; possibly empty, possibly of one point."""
    symbols = SYMBOLS[: draw(st.integers(2, 6))]
    step = draw(st.sampled_from([5.0, 10.0, 20.0, 25.0]))
    elements = {}
    for symbol in symbols:
        own = step * draw(st.sampled_from([1, 1, 1, 2]))
        low = draw(st.sampled_from([0.0, 0.0, 0.0, own]))
        high = own * draw(st.integers(max(1, int(low / own)), max(1, int(100 / own))))
        elements[symbol] = (low, high, own)
    at_most = draw(st.none() | st.integers(1, len(symbols)))
    constraints = []
    if draw(st.booleans()):
        limit = draw(st.sampled_from([-20.0, 0.0, 20.0]))
        constraints.append({"coefficients": {symbols[0]: 1, symbols[1]: -1}, "min": limit})
    return elements, at_most, constraints


VALUES = st.one_of(
    st.just(0.0),
    st.sampled_from([1.0, 1.0, -1.0]),
    st.floats(-1e-9, 1e-9),
    st.floats(-1e12, 1e12),
    st.none(),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    space=spaces(),
    values=st.lists(VALUES, min_size=1, max_size=14),
    sigma=st.sampled_from([None, 0.0, 1e-3, 1e9]),
    acquisition=st.sampled_from(["log_ei", "ucb"]),
    direction=st.sampled_from(["max", "min"]),
    lag=st.integers(0, 3),
    large=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_always_feasible_and_never_again(make_campaign, space, values, sigma, acquisition, direction, lag, large, seed):
    elements, at_most, constraints = space
    try:
        campaign = make_campaign(
            elements, seed=seed, at_most=at_most, constraints=constraints, direction=direction,
            acquisition=acquisition, initial_samples=3,
        )  # fmt: skip
        size = Space.of(campaign).size()
    except ValueError:
        size = 0
    assume(size > 0)
    with pytest.MonkeyPatch.context() as patch:
        if large and size > 100:
            patch.setattr(candidates, "SMALLEST_POOL", 1)
        optimizer = make_optimizer(campaign)

        def measure(number: int, composition: dict[str, float]) -> dict:
            value = values[number]
            if value is None:
                return observed(number, composition, value=None, sigma=None, validity="failed")
            bound = (None, "lower", "upper")[number % 3]
            validity = "censored" if bound else "valid"
            return observed(number, composition, value=value, sigma=sigma, validity=validity, bound=bound)

        made = run(optimizer, len(values), lag, measure)
    lattice = Space.of(campaign)
    for k, suggestion in enumerate(made):
        assert lattice.contains(at_percent(suggestion.composition))
        before = {key(s.composition) for s in made[:k]}
        assert suggestion.replicate == (key(suggestion.composition) in before) == (len(before) == size)
        for number in (suggestion.mean, suggestion.sigma, suggestion.acquisition):
            assert number is None or math.isfinite(number)
        json.dumps(suggestion.as_dict(), allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), repeats=st.integers(1, 12), count=st.integers(0, 8))
def test_histories_of_repeats(make_campaign, seed, repeats, count):
    """The same film over and over, and values on it that disagree."""
    optimizer = make_optimizer(make_campaign(TERNARY, seed=seed, initial_samples=2))
    rng = np.random.default_rng(seed)
    same = {"Fe": 0.5, "Co": 0.25, "Ni": 0.25}
    for k in range(repeats):
        optimizer.observe(observed(k, same, value=float(rng.normal())))
    for k, x in enumerate(rng.dirichlet(np.ones(3), size=count)):
        optimizer.observe(observed(k, dict(zip(SYMBOLS, x.tolist(), strict=False))))
    suggestion = optimizer.suggest()
    assert key(suggestion.composition) != key(same)
    assert suggestion.mean is None or math.isfinite(suggestion.mean)


# --- determinism -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["gp", "random"])
@pytest.mark.parametrize("large", [False, True])
def test_replay_gives_the_same_suggestion(make_campaign, monkeypatch, method, large):
    """An optimizer asked all along, one told everything afterwards, and the latter with a wasted question."""
    if large:
        monkeypatch.setattr(candidates, "SMALLEST_POOL", 1)
    campaign = make_campaign(TERNARY, seed=5, method=method, max_pool=100 if large else 200_000)
    asked = make_optimizer(campaign)
    made = run(asked, 16, lag=1)
    replayed = make_optimizer(campaign)
    for suggestion in made[:-1]:
        replayed.observe(observed(suggestion.number, suggestion.composition))
    replayed.suggest([], 3)
    pending = [made[-1].candidate]
    first, second = asked.suggest(pending, 16), replayed.suggest(pending, 16)
    assert {**first.as_dict(), "seconds": 0} == {**second.as_dict(), "seconds": 0}


def test_asking_twice_gives_the_same_answer_and_another_number_may_not(make_campaign):
    optimizer = make_optimizer(make_campaign(TERNARY, method="random"))
    run(optimizer, 3)
    assert optimizer.suggest([], 3).composition == optimizer.suggest([], 3).composition
    assert len({key(optimizer.suggest([], number).composition) for number in range(3, 12)}) > 1


def test_nothing_global_is_drawn_from(make_campaign):
    campaign = make_campaign(TERNARY)
    np.random.seed(0)
    first = [s.composition for s in run(make_optimizer(campaign), 10)]
    np.random.seed(1)
    assert [s.composition for s in run(make_optimizer(campaign), 10)] == first


# --- behaviour -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [0, 1, 3])
@pytest.mark.parametrize("direction", ["max", "min"])
def test_finds_the_best(make_campaign, direction, lag):
    sign = 1.0 if direction == "max" else -1.0
    optimizer = make_optimizer(make_campaign(TERNARY, direction=direction))
    made = run(optimizer, 20, lag, lambda k, c: observed(k, c, value=sign * truth(c)))
    best = max(made, key=lambda s: truth(s.composition))
    assert key(best.composition) == key({"Fe": 0.65, "Co": 0.35, "Ni": 0.0})
    assert [s.method for s in made[:6]] == ["space-filling"] * 6
    assert {s.method for s in made[6:]} == {"gp"}


def test_a_suggestion_explains_itself(make_campaign):
    optimizer = make_optimizer(make_campaign(TERNARY, direction="min"))
    run(optimizer, 12, measure=lambda k, c: observed(k, c, value=100 - truth(c)))
    suggestion = optimizer.suggest([], 12)
    assert 90 < suggestion.mean < 110  # in the objective's unit and direction
    assert suggestion.sigma > 0
    assert suggestion.runner_up.composition != suggestion.composition
    assert suggestion.runner_up.acquisition <= suggestion.acquisition
    for process in suggestion.hyperparameters["processes"]:
        assert set(process["lengthscales"]) == {"Fe", "Co", "Ni"}
        assert min(process["lengthscales"].values()) > 1  # at.%
    assert suggestion.seconds > 0


def test_the_achieved_composition_is_what_counts(make_campaign):
    """A film that came out one lattice point away leaves the one asked for open."""
    optimizer = make_optimizer(make_campaign({"Fe": (0, 100, 50), "Co": (0, 100, 50)}, initial_samples=1))
    optimizer.observe(observed(0, {"Fe": 0.98, "Co": 0.02}))
    optimizer.observe(observed(1, {"Fe": 0.04, "Co": 0.96}))
    assert optimizer.suggest().composition == {"Fe": 0.5, "Co": 0.5}


@pytest.mark.parametrize(
    "seen", [{"validity": "failed"}, {"validity": "censored", "bound": "lower"}], ids=lambda seen: seen["validity"]
)
def test_what_gave_no_value_sets_no_scale_and_is_not_tried_again(make_campaign, seen):
    campaign = make_campaign({"Fe": (0, 100, 10), "Co": (0, 100, 10)}, initial_samples=2)
    with_it, without = make_optimizer(campaign), make_optimizer(campaign)
    lost = {"Fe": 0.7, "Co": 0.3}
    for optimizer in (with_it, without):
        for k, fe in enumerate((0.2, 0.5, 1.0)):
            optimizer.observe(observed(k, {"Fe": fe, "Co": 1 - fe}))
    with_it.observe(observed(3, lost, value=1.5, **seen))
    suggestion = with_it.suggest([], 3)
    assert key(suggestion.composition) != key(lost)
    assert suggestion.hyperparameters == without.suggest([], 3).hyperparameters
    rest = [{"Fe": k / 10, "Co": 1 - k / 10} for k in range(11) if k != 7]
    for k, composition in enumerate(rest):
        with_it.observe(observed(4 + k, composition))
    again = with_it.suggest([], 20)
    assert again.replicate
    assert key(again.composition) == key({"Fe": 0.6, "Co": 0.4})  # the best of those that worked


@pytest.mark.parametrize("direction", ["max", "min"])
@pytest.mark.parametrize("bound", ["lower", "upper"])
def test_a_bound_moves_what_is_expected_to_its_side(make_campaign, direction, bound):
    """Whichever direction is better: a lower bound far above the others raises the mean near it, in lab units."""
    campaign = make_campaign({"Fe": (0, 100, 10), "Co": (0, 100, 10)}, initial_samples=2, direction=direction)
    far = 2.9 if bound == "lower" else -6.0

    def mean(*bounds):
        optimizer = make_optimizer(campaign)
        for k, fe in enumerate((0.0, 0.3, 0.7, 0.9)):
            optimizer.observe(observed(k, {"Fe": fe, "Co": 1 - fe}))
        for seen in bounds:
            optimizer.observe(observed(4, {"Fe": 0.5, "Co": 0.5}, validity="censored", **seen))
        pending = [{"composition": {"Fe": k / 10, "Co": 1 - k / 10}} for k in range(11) if k != 6]
        return optimizer.suggest(pending, 4).mean

    without, pulled = mean(), mean({"value": far, "bound": bound})
    assert (pulled > without + 0.02) if bound == "lower" else (pulled < without - 0.02)
    idle = mean({"value": -50.0 if bound == "lower" else 50.0, "bound": bound})
    assert idle == pytest.approx(without, abs=1e-3)


def test_only_failures_so_far(make_campaign):
    optimizer = make_optimizer(make_campaign({"Fe": (0, 100, 50), "Co": (0, 100, 50)}))
    for k in range(3):
        suggestion = optimizer.suggest([], k)
        assert not suggestion.replicate
        optimizer.observe(observed(k, suggestion.composition, value=None, validity="failed"))
    assert optimizer.suggest([], 3).replicate


def test_a_replicate_is_not_one_under_way(make_campaign):
    optimizer = make_optimizer(make_campaign({"Fe": (0, 100, 50), "Co": (0, 100, 50)}, initial_samples=1))
    run(optimizer, 3)
    best = optimizer.suggest([], 3)
    assert best.replicate
    other = optimizer.suggest([best.candidate], 4)
    assert other.replicate
    assert key(other.composition) != key(best.composition)


@pytest.mark.parametrize("bad", [None, math.nan, math.inf])
@pytest.mark.parametrize("seen", [{"validity": "valid"}, {"validity": "censored", "bound": "upper"}])
def test_any_observation_that_did_not_fail_needs_a_number(make_campaign, bad, seen):
    optimizer = make_optimizer(make_campaign(TERNARY))
    with pytest.raises(ValueError, match=f"sample 4: a {seen['validity']} observation needs a value"):
        optimizer.observe(observed(4, {"Fe": 1.0}, value=bad, **seen))
    assert optimizer.observed == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"validity": "good"}, "valid, censored, failed"),
        ({"validity": "censored"}, "a censored observation, and no other, has a lower or upper bound"),
        ({"validity": "censored", "bound": "near"}, "a lower or upper bound"),
        ({"bound": "lower"}, "this valid one 'lower'"),
        ({"sigma": -1.0}, "sigma must be finite and not negative"),
        ({"composition": {"Fe": math.nan}}, "not a number"),
    ],
)
def test_an_observation_that_makes_no_sense_is_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        Observation(**{"sample": 1, "composition": {"Fe": 1.0}, "value": 1.0, **wrong})


def test_thirty_elements(make_campaign):
    """At most 6 of 30 elements at 1 at.%: some 10^13 compositions."""
    symbols = [
        "Fe",
        "Co",
        "Ni",
        "Cr",
        "Mn",
        "V",
        "Ti",
        "Cu",
        "Al",
        "Si",
        "Zn",
        "Ga",
        "Ge",
        "Zr",
        "Nb",
        "Mo",
        "Ru",
        "Rh",
        "Pd",
        "Ag",
        "Sn",
        "Hf",
        "Ta",
        "W",
        "Re",
        "Ir",
        "Pt",
        "Au",
        "Gd",
        "Tb",
    ]
    campaign = make_campaign(dict.fromkeys(symbols, (0, 100, 1)), at_most=6, initial_samples=4)
    optimizer = make_optimizer(campaign)
    made = run(optimizer, 8, measure=lambda k, c: observed(k, c, value=c["Fe"] + 2 * c["Co"]))
    space = Space.of(campaign)
    assert all(space.contains(at_percent(s.composition)) for s in made)
    assert made[-1].method == "gp"


def test_where_a_measurement_failed_there_is_less_to_learn(make_campaign):
    """Beliefs stay as they were, and yet the next suggestion is not the neighbour of a film that failed."""
    optimizer = make_optimizer(make_campaign({"Fe": (0, 100, 1), "Co": (0, 100, 1)}, initial_samples=3))
    for k, fe in enumerate((0.05, 0.35, 0.6, 0.95)):
        optimizer.observe(observed(k, {"Fe": fe, "Co": 1 - fe}))
    tried: list[float] = []
    for k in range(4, 8):
        fe = optimizer.suggest([], k).composition["Fe"]
        assert all(abs(fe - before) > 0.025 for before in tried)
        tried.append(fe)
        optimizer.observe(observed(k, {"Fe": fe, "Co": 1 - fe}, value=None, validity="failed"))


@pytest.mark.parametrize("known", [0, 3, 12], ids=["nothing known", "space-filling", "model"])
def test_what_was_vetoed_is_not_suggested_and_the_same_is_suggested_by_replay(make_campaign, known):
    def suggested(vetoed):
        optimizer = make_optimizer(make_campaign(TERNARY))
        for number in range(known):
            optimizer.observe(observed(number, {"Fe": number / 20, "Co": 1 - number / 20, "Ni": 0.0}))
        return optimizer.suggest([], known + 1, vetoed)

    unwanted = []
    for _ in range(3):
        chosen = suggested(unwanted)
        assert key(chosen.composition) not in [key(told["composition"]) for told in unwanted]
        assert suggested(unwanted).composition == chosen.composition
        unwanted.append({"composition": dict(chosen.composition), "settings": {}})


def test_where_nothing_new_is_left_what_was_vetoed_is_still_not_repeated(make_campaign):
    two = {"Fe": (0, 50, 50), "Co": (50, 100, 50)}
    iron, cobalt = ({"composition": {"Fe": part, "Co": 1 - part}, "settings": {}} for part in (0.5, 0.0))
    for known in (0, 2):
        optimizer = make_optimizer(make_campaign(two))
        for number in range(known):
            optimizer.observe(observed(number, {"Fe": number / 2, "Co": 1 - number / 2}))
        pending = [] if known else [cobalt]
        chosen = optimizer.suggest(pending, 7, [iron])
        assert (chosen.replicate, key(chosen.composition)) == (True, key(cobalt["composition"]))
