"""What every acquisition keeps to, whichever a campaign file names; and each against what it is by definition."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import ndtr

from orchestrator.campaign.grid import Grid
from orchestrator.campaign.space import Space
from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer import exploration, gp, situation
from orchestrator.optimizer.acquisition import log_expected_improvement, log_improvement_probability
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Enumerated, Table
from orchestrator.optimizer.knowledge import NOTHING, log_gain, log_knowledge_gradient
from orchestrator.optimizer.mixture import Mixture
from orchestrator.optimizer.noisefree import noise_free
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.searched import Searched
from orchestrator.optimizer.situation import ACQUISITIONS, Situation
from orchestrator.optimizer.surrogate import Surrogate
from orchestrator.optimizer.thompson import draw

SPACE = Space(
    {"Fe": (0, 100, 10), "Co": (0, 100, 10), "Ni": (0, 100, 10)},
    settings=(Grid.spaced("power_w", 50, 100, 25), Grid("gas", ("Ar", "Kr"), "category")),
)
ROWS = np.random.default_rng(5).random((40, 2))
FEW = ROWS[:16]
every = pytest.mark.parametrize("name", ACQUISITIONS)


@cache
def belief(noise: float = 0.1, pending: int = 0, count: int = 9) -> Mixture:
    """Of noisy values at some of `ROWS`, two of them at the same."""
    rng, model = np.random.default_rng(1), Surrogate(ROWS)
    for x in [*ROWS[: count - 1], ROWS[0]]:
        model.add(x, float(np.sin(5 * x[0]) + x[1] + noise * rng.standard_normal()), noise)
    posterior = model.posterior()
    return model.given_pending(posterior, model.inputs(ROWS[-pending:]) if pending else ROWS[:0], 4, rng)


def points(count: int = 12) -> np.ndarray:
    """As the model takes them: half of them measured."""
    return ROWS[:count] / np.ptp(ROWS, axis=0)


def scorer(name: str, given: Mixture, seed: int = 3):
    X = ROWS / np.ptp(ROWS, axis=0)
    return ACQUISITIONS[name](Situation(given, np.random.default_rng(seed), lambda count: X[:count]))


# --- the contract ----------------------------------------------------------------------------------------


def test_a_campaign_file_can_name_each():
    named = OptimizerSettings.model_fields["acquisition"].annotation
    assert set(ACQUISITIONS) | {"scalarised"} == set(named.__args__)  # which is of several objectives
    assert set(exploration.SCHEDULES) == set(OptimizerSettings.model_fields["exploration"].annotation.__args__)


@every
@pytest.mark.parametrize("pending", [0, 2])
def test_a_score_is_a_number_and_the_same_whichever_rows_come_with_it(name, pending):
    score = scorer(name, belief(pending=pending))
    together = score(points())
    assert together.shape == (12,)
    assert np.all(np.isfinite(together))
    alone = np.concatenate([score(points()[i : i + 1]) for i in range(12)])
    np.testing.assert_allclose(alone, together, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(score(points()[::-1])[::-1], together, rtol=1e-6, atol=1e-9)
    assert score(points()[:0]).shape == (0,)


@every
def test_the_same_generator_gives_the_same_scores(name):
    np.testing.assert_array_equal(scorer(name, belief())(points()), scorer(name, belief())(points()))


@every
def test_many_rows_are_scored_in_parts(name, monkeypatch):
    whole = scorer(name, belief())(points())
    monkeypatch.setattr(situation, "AT_ONCE", 5)
    np.testing.assert_allclose(scorer(name, belief())(points()), whole, rtol=1e-6, atol=1e-9)


@every
def test_certainty_and_constant_values_are_no_nan(name):
    model = Surrogate(ROWS)
    for x in ROWS[:4]:
        model.add(x, 7.0, 0.0)
    scores = scorer(name, model.posterior())(points())
    assert np.all(np.isfinite(scores))


@pytest.mark.parametrize("name", [name for name in ACQUISITIONS if name != "thompson"])
def test_what_is_pending_is_worth_less(name):
    """Less than without it, at the pending point: there it will be known."""
    at = points(40)[-1:]
    assert scorer(name, belief(pending=1))(at)[0] < scorer(name, belief())(at)[0]


def settings(name: str, **other) -> OptimizerSettings:
    return OptimizerSettings(acquisition=name, initial_samples=3, **other)


def value(row: int, scale: float = 1.0, shift: float = 0.0) -> float:
    return shift + scale * float(-((FEW[row] - 0.4) ** 2).sum())


def searching(name: str, count: int, *, lag: int = 0, seed: int = 1, scale: float = 1.0, shift: float = 0.0) -> list:
    """`count` suggestions of rows of the table, each observed when `lag` younger ones are pending."""
    optimizer = Optimizer(Table(FEW, [Feature("a"), Feature("b")]), settings(name), seed)
    pending, made = [], []
    for number in range(count):
        made.append(optimizer.suggest([one.candidate for one in pending], number))
        pending.append(made[-1])
        if len(pending) > lag:
            row = pending.pop(0).row
            optimizer.observe({"sample": number, "row": row, "value": value(row, scale, shift), "sigma": 0.01 * scale})
    return made


@every
def test_every_row_once_and_then_the_best_again(name):
    made = searching(name, len(FEW) + 1, lag=1)
    assert sorted(one.row for one in made[:-1]) == list(range(len(FEW)))
    assert [one.replicate for one in made] == [False] * len(FEW) + [True]
    assert {one.method for one in made[4:]} == {"gp"}


@every
def test_it_finds_the_best(name):
    best = max(range(len(FEW)), key=value)
    assert best in [one.row for one in searching(name, 10)]


@every
def test_units_do_not_matter(name):
    plain, other = searching(name, 8), searching(name, 8, scale=2.0**20, shift=2.0**22)
    assert [one.row for one in plain] == [one.row for one in other]


@every
def test_the_same_seed_gives_the_same_suggestion(name):
    first, second = (searching(name, 7) for _ in range(2))
    assert [{**one.as_dict(), "seconds": 0} for one in first] == [{**one.as_dict(), "seconds": 0} for one in second]


@every
@pytest.mark.parametrize("searched", [False, True])
def test_suggestions_are_feasible_and_new(name, searched):
    domain = Searched(SPACE) if searched else Enumerated(SPACE, SPACE.enumerate(10_000))
    optimizer = Optimizer(domain, settings(name), seed=2)
    made = []
    for number in range(7):
        one = optimizer.suggest(made[-1:], number).candidate
        assert SPACE.contains(one.at_percent(), one.settings)
        assert one not in made
        made.append(one)
        seen = {"composition": one.composition, "settings": one.settings, "value": one.composition["Fe"]}
        optimizer.observe({"sample": number, **seen})


def test_a_draw_is_another_one_for_each_suggestion():
    scores = [scorer("thompson", belief(), seed)(points()) for seed in range(2)]
    assert not np.allclose(*scores)


# --- each against its definition -------------------------------------------------------------------------


def test_probability_of_improvement():
    mean, sigma, best = np.array([[1.0, 3.0]]), np.array([[0.5, 2.0]]), np.array([1.2, 1.0])
    expected = (ndtr(-0.4) + ndtr(1.0)) / 2
    assert math.exp(log_improvement_probability(mean, sigma, best)[0]) == pytest.approx(expected, rel=1e-12)
    drawn = mean[0] + sigma[0] * np.random.default_rng(0).standard_normal((400_000, 2))
    assert expected == pytest.approx((drawn > best).mean(), abs=3e-3)
    far = log_improvement_probability(np.array([[-60.0], [-59.0]]), np.ones((2, 1)), np.zeros(1))
    assert far[0] < far[1] < -1700


def test_the_noisy_improvement_is_that_over_whichever_is_best():
    """Against a brute-force sample of the function at the measured points and the candidate together."""
    given, x = belief(0.3), points(40)[30:31]
    known, best = noise_free(given, np.random.default_rng(0), draws=6000)
    told = math.exp(log_expected_improvement(*known.predict(x), best)[0])
    brute, rng = [], np.random.default_rng(1)
    for part in given.parts:
        mean, covariance = part.joint(np.concatenate([np.unique(part.X, axis=0), x]))
        f = rng.multivariate_normal(mean, covariance, 60_000, method="eigh")
        brute.append(np.maximum(f[:, -1] - f[:, :-1].max(axis=1), 0.0).mean())
    assert told == pytest.approx(np.mean(brute), rel=0.05)


def test_without_noise_the_noisy_improvement_is_the_plain_one():
    given, X = belief(0.0, count=8), points(40)[20:]
    known, best = noise_free(given, np.random.default_rng(0), draws=200)
    plain = scorer("log_ei", given)(X)
    np.testing.assert_allclose(log_expected_improvement(*known.predict(X), best), plain, atol=0.15)


def test_draws_have_the_moments_of_the_posterior():
    given, X = belief(), points(40)[25:33]
    rng = np.random.default_rng(0)
    drawn = np.array([draw(given, rng, features=64)(X) for _ in range(3000)])
    means, sigmas = given.predict(X)
    variance = (sigmas**2).mean(axis=1) + means.var(axis=1)
    np.testing.assert_allclose(drawn.mean(axis=0), means.mean(axis=1), atol=5 * np.sqrt(variance.max() / 3000))
    np.testing.assert_allclose(drawn.var(axis=0), variance, rtol=0.17)
    joint = [part.joint(X) for part in given.parts]
    expected = np.mean([among + np.outer(mean, mean) for mean, among in joint], axis=0)
    expected -= np.outer(means.mean(axis=1), means.mean(axis=1))
    np.testing.assert_allclose(np.cov(drawn.T), expected, atol=0.13 * variance.max())


def test_a_draw_goes_through_what_is_known_without_noise():
    model = Surrogate(ROWS)
    for x in ROWS[:6]:
        model.add(x, float(x[0]), 0.0)
    posterior = model.posterior()
    path = draw(posterior, np.random.default_rng(0))
    means, sigmas = posterior.predict(points(6))
    assert np.all(np.abs(path(points(6)) - means.mean(axis=1)) < 6 * sigmas.max(axis=1) + 0.05)


def exact_gain(a: np.ndarray, b: np.ndarray) -> float:
    """E max(a + b Z) - max a, by integrating between all the corners there are."""
    corners = sorted((p - q) / (s - r) for p, r in zip(a, b, strict=True) for q, s in zip(a, b, strict=True) if r != s)
    total, ends = 0.0, [-math.inf, *corners, math.inf]
    phi = [0.0 if math.isinf(z) else math.exp(-z * z / 2) / math.sqrt(2 * math.pi) for z in ends]
    for k in range(len(ends) - 1):
        inside = (max(ends[k], -50) + min(ends[k + 1], 50)) / 2
        line = int(np.argmax(a + b * inside))
        total += a[line] * (ndtr(ends[k + 1]) - ndtr(ends[k])) + b[line] * (phi[k] - phi[k + 1])
    return total - float(a.max())


def test_the_gain_of_lines_is_exact():
    rng = np.random.default_rng(0)
    for r in (2, 3, 7):
        a, b = rng.standard_normal((20, r)), rng.standard_normal((20, r)).round(1)
        told = np.exp(log_gain(a, b))
        np.testing.assert_allclose(
            told, [exact_gain(*lines) for lines in zip(a, b, strict=True)], rtol=1e-9, atol=1e-13
        )


def test_the_gain_of_two_lines_is_the_expected_improvement():
    """Of independent alternatives: sigma h(-|difference| / sigma) (Frazier, Powell and Dayanik 2008), far down too."""
    for difference in (0.0, 0.5, 3.0, 40.0):
        expected = log_expected_improvement(np.array([[-difference]]), np.array([[1.0]]), np.zeros(1))[0]
        assert log_gain(np.array([[0.0, -difference]]), np.array([[0.0, 1.0]]))[0] == pytest.approx(expected, rel=1e-12)


def test_parallel_lines_gain_nothing():
    assert log_gain(np.array([[1.0, 2.0, 0.0]]), np.full((1, 3), 0.7))[0] == NOTHING


def test_the_knowledge_gradient_is_the_mean_rise_of_the_best_mean():
    """Against a brute-force sample of what measuring the candidate would show, and the means that it would lead to."""
    given, stand, X = belief(0.3), points(8), points(40)
    all_of_them = log_knowledge_gradient(given, X, stand)
    x, told = X[[np.argmax(all_of_them)]], math.exp(all_of_them.max())
    gains, rng, rows = [], np.random.default_rng(2), np.concatenate([stand, x])
    for part in given.parts:
        mean, among = part.joint(rows)
        noisy = among[-1, -1] + part.hyper.noise + np.median(part.v)
        moved = among[:, -1] / noisy * (math.sqrt(noisy) * rng.standard_normal((200_000, 1)))
        gains.append((mean + moved).max(axis=1).mean() - mean.max())
    assert told == pytest.approx(np.mean(gains), rel=0.03)


def test_without_noise_the_knowledge_gradient_over_measured_rows_is_the_expected_improvement():
    X, known = points(40)[20:], belief(0.0).parts
    stand = known[0].X[:8]
    hypers = [replace(part.hyper, noise=1e-10) for part in known]
    quiet = Mixture(
        tuple(gp.condition(stand, part.y[:8, 0], np.zeros(8), h) for part, h in zip(known, hypers, strict=True))
    )
    at_measured, _ = quiet.predict(stand)
    expected = log_expected_improvement(*quiet.predict(X), at_measured.max(axis=0))
    np.testing.assert_allclose(log_knowledge_gradient(quiet, X, stand, of_measured=True), expected, rtol=1e-3)


def test_weights_of_the_confidence_bound():
    assert exploration.weight("constant", 1.5, 9, 10, 100) == 1.5
    assert [exploration.weight("decreasing", 2.0, t, 10, 100) for t in (1, 5, 10, 12)] == [1.8, 1.0, 0.0, 0.0]
    assert exploration.weight("decreasing", 2.0, 5, None, 100) == 2.0
    # beta_1 = 2 log(1000 pi^2 / 0.6) = 19.4161...
    assert exploration.weight("srinivas", 2.0, 1, 10, 1000) == pytest.approx(math.sqrt(19.41607 / 5), rel=1e-6)
    assert exploration.weight("srinivas", 2.0, 9, 10, 1000) > exploration.weight("srinivas", 2.0, 8, 10, 1000)


def test_a_wider_bound_explores_more():
    given, X = belief(), points(40)
    _, sigma = given.predict(X)

    def chosen(weight: float) -> float:
        score = ACQUISITIONS["ucb"](Situation(given, np.random.default_rng(0), lambda count: X[:count], weight))
        return float(sigma[np.argmax(score(X))].mean())

    assert chosen(20.0) > chosen(0.0)
