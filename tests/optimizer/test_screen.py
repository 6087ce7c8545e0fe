"""A pool screened for its best rows against the same pool scored whole: the same choice in little memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer import gp, screen
from orchestrator.optimizer.acquisition import log_expected_improvement
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.improvement import Improvement
from orchestrator.optimizer.mixture import Mixture
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.screen import Screen
from orchestrator.optimizer.suggestion import Candidate, Observation

ROUNDING = 1e-6  # of a score: what equal rows may differ by, computed in two ways


def hyper(rng: np.random.Generator, d: int, kernel: str) -> gp.Hyperparameters:
    lengthscales, amplitude, noise = rng.uniform(0.1, 1.5, d), 10 ** rng.uniform(-1, 1), 10 ** rng.uniform(-5, -1)
    return gp.Hyperparameters(tuple(lengthscales.tolist()), float(amplitude), float(noise), kernel)


def belief(rng: np.random.Generator, X: np.ndarray, fitted: int, later: int, pending: int) -> Mixture:
    """Fitted to the first values, conditioned on `later` more, some of them surprises, with fantasies of `pending`."""
    n, d = fitted + later, X.shape[1]
    measured = X[rng.choice(len(X), n)]
    y = np.sin(5 * measured[:, 0]) + 0.1 * rng.standard_normal(n)
    y[fitted:] += rng.normal(0, 2, later)
    parts = []
    for kernel in ("matern52", "matern52", "laplace"):
        part = gp.condition(measured[:fitted], y[:fitted], np.zeros(fitted), hyper(rng, d, kernel))
        if later:
            part = gp.extend(part, measured[fitted:], y, np.zeros(later))
        parts.append(part)
    mixture = Mixture(tuple(parts))
    return mixture.given(X[rng.choice(len(X), pending)], 4, rng) if pending else mixture


def improvement(mixture: Mixture) -> Improvement:
    return Improvement(mixture, mixture.at_observed().max(axis=0), lambda X: X)


@settings(deadline=None)
@given(
    m=st.integers(2, 300),
    d=st.integers(1, 4),
    steps=st.integers(2, 20),
    fitted=st.integers(2, 40),
    later=st.integers(0, 6),
    pending=st.integers(0, 3),
    taken=st.floats(0, 0.9),
    active=st.integers(1, 60),
    seed=st.integers(0, 2**32),
)
def test_the_two_best_are_those_of_scoring_every_row(m, d, steps, fitted, later, pending, taken, active, seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, steps, (m, d)) / steps  # with many rows alike
    score = improvement(belief(rng, X, fitted, later, pending))
    free = rng.random(m) >= taken
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screen, "ACTIVE", active)
        patch.setattr(screen, "AT_ONCE", 7)
        patch.setattr(screen, "FIRST", 3)
        rows, scores = Screen(X).scores(score, free)
    plain = score(X)
    assert free[rows].all()
    assert np.all(np.diff(rows) > 0)
    np.testing.assert_allclose(scores, plain[rows], rtol=ROUNDING, atol=ROUNDING)
    best = min(2, int(free.sum()))
    np.testing.assert_allclose(
        np.sort(scores)[::-1][:best], np.sort(plain[free])[::-1][:best], rtol=ROUNDING, atol=ROUNDING
    )


@given(
    st.lists(st.tuples(st.floats(-40, 40), st.floats(0.01, 5), st.floats(0, 6), st.floats(0, np.pi / 2)), min_size=1)
)
def test_no_turn_of_a_mean_and_its_spread_is_above_the_bound(cases):
    """Means that rise by `rise` sin(t) standard deviations while these shrink by cos(t)."""
    before, sigma, rise, turn = np.array(cases).T
    left = np.maximum(sigma * np.cos(turn), 1e-9)
    mean = before * sigma + rise * sigma * np.sin(turn)
    each = log_expected_improvement(mean[:, None], left[:, None], np.zeros(1))
    assert np.all(each <= screen.bound(before, np.log(sigma), rise) + 1e-9)


def optimizer(rows: np.ndarray) -> Optimizer:
    return Optimizer(Table(rows, [Feature(name) for name in "abc"]), OptimizerSettings(initial_samples=1), 5)


def told(one: Optimizer, sample: int, rows: np.ndarray, row: int) -> None:
    value = float(np.sin(6 * rows[row, 0]) - ((rows[row] - 0.4) ** 2).sum())
    one.observe(
        Observation(sample, value=value, row=row) if sample % 9 else Observation(sample, validity="failed", row=row)
    )


def test_one_that_starts_anew_at_any_time_chooses_what_the_one_that_went_on_does(monkeypatch):
    """To the last bit, with samples pending: what is kept between decisions moves none of them."""
    monkeypatch.setattr(screen, "ACTIVE", 100)
    rows = np.random.default_rng(6).random((2000, 3))
    went_on, seen = optimizer(rows), list(np.random.default_rng(7).choice(2000, 30, replace=False))
    for sample, row in enumerate(seen, 1):
        told(went_on, sample, rows, row)
    for _ in range(4):
        pending = [Candidate(row=3), Candidate(row=1500)]
        chosen = went_on.suggest(pending)
        anew = optimizer(rows)
        for sample, row in enumerate(seen, 1):
            told(anew, sample, rows, row)
        assert replace(anew.suggest(pending), seconds=0.0) == replace(chosen, seconds=0.0)
        assert replace(went_on.suggest(pending), seconds=0.0) == replace(chosen, seconds=0.0)
        seen.append(chosen.row)
        told(went_on, len(seen), rows, chosen.row)


def test_a_survey_is_made_once_for_each_fit(monkeypatch):
    made = []
    survey = screen.survey
    monkeypatch.setattr(screen, "survey", lambda *given: made.append(1) or survey(*given))
    rows = np.random.default_rng(8).random((500, 3))
    one = optimizer(rows)
    for sample in range(1, 44):
        told(one, sample, rows, sample)
    for sample in range(44, 47):  # fits are due at 42, 45 and 48
        one.suggest()
        told(one, sample, rows, sample)
    one.suggest()
    assert len(made) == 2


@pytest.mark.parametrize(("n", "m"), [(40, 60_000), (400, 20_000)])
def test_what_is_kept_of_a_pool_is_bounded(n, m):
    rng = np.random.default_rng(9)
    X = rng.random((m, 3))
    score = improvement(belief(rng, X, n, 0, 0))
    kept = Screen(X)
    tracemalloc.start()
    kept.scores(score, np.ones(m, dtype=bool))
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert now < screen.ACTIVE_BYTES + 150 * m  # a few numbers of each row
    assert peak < screen.ACTIVE_BYTES + 600 * m + 2**24
