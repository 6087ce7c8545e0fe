"""The model's scaling and its refits: units do not matter, and neither does when it is asked."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.optimizer.mixture import Mixture, moments
from orchestrator.optimizer.surrogate import (
    BELIEFS,
    CHAINED,
    MOST_FITTED,
    Surrogate,
    last_fit,
    next_fit,
    origin,
    thinned,
)


def compositions(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(3), size=n)


def filled(n: int, *, scale: float = 1.0, shift: float = 0.0, asked_at: tuple[int, ...] = ()) -> Surrogate:
    model = Surrogate(compositions(200, 1))
    for k, x in enumerate(compositions(n, 2)):
        model.add(x, shift + scale * float(np.sin(5 * x[0]) + x[1]), 0.01 * scale)
        if k + 1 in asked_at:
            model.posterior()
    return model


def test_refits_come_with_every_twentieth_more():
    due, fits = 0, []
    while due < 100:
        due = next_fit(due)
        fits.append(due)
    assert fits[:20] == list(range(2, 22))
    assert all(after <= before * 1.05 + 1 for before, after in pairwise(fits[8:]))


def test_the_last_fit_is_the_last_that_was_due():
    due = {0}
    for n in range(120):
        if next_fit(max(due)) <= n:
            due.add(n)
        assert last_fit(n) == max(due)


def test_a_restart_repeats_the_last_fit_one_for_each_smaller_power_of_two_and_the_first_ones():
    chain = [last_fit(2000)]
    while chain[-1] > CHAINED:
        chain.append(origin(chain[-1]))
    assert chain == [last_fit(n) for n in (2000, 128, 64)]
    assert [origin(due) for due in (2, 3, 20, 21)] == [0, 2, 19, 20]
    assert {origin(due) for due in map(last_fit, range(70, 128))} == {last_fit(64)}


@pytest.mark.parametrize("due", [2, MOST_FITTED, MOST_FITTED + 1, 2000])
def test_fits_are_to_values_spread_over_all(due):
    chosen = thinned(due)
    assert (chosen[0], chosen[-1]) == (0, due - 1)
    assert len(chosen) == min(due, MOST_FITTED)
    assert np.ptp(np.diff(chosen)) <= 1


def test_the_posterior_is_conditioned_once_for_every_observation():
    model = filled(9)
    once = model.posterior()
    assert model.posterior() is once
    model.add(np.array([0.2, 0.2, 0.6]), 0.3, 0.0)
    more = model.posterior()
    assert more is not once
    assert len(more.X) == 10
    model.add_bound(np.array([0.1, 0.2, 0.7]), 0.3, 0.0, 1.0)
    assert len(model.posterior().X) == 11


def test_the_model_does_not_depend_on_when_it_was_asked():
    asked, replayed = filled(23, asked_at=(2, 3, 7, 15, 22)), filled(23)
    for one, other in zip(asked.posterior().parts, replayed.posterior().parts, strict=True):
        for name in ("alpha", "X", "L"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize(("scale", "shift"), [(1e-12, 0.0), (1e12, 0.0), (1e-3, 50.0), (1e150, -1e150)])
def test_units_do_not_matter(scale, shift):
    point = np.array([0.2, 0.5, 0.3])
    model, plain = filled(12, scale=scale, shift=shift), filled(12)
    mean, sigma = model.outcome(model.posterior(), point)
    plain_mean, plain_sigma = plain.outcome(plain.posterior(), point)
    assert (mean - shift) / scale == pytest.approx(plain_mean, rel=1e-3, abs=1e-3)
    assert sigma / scale == pytest.approx(plain_sigma, rel=1e-2)


def test_known_noise_widens_the_posterior_where_it_was():
    model = Surrogate(compositions(200, 1))
    for k, x in enumerate(compositions(10, 2)):
        model.add(x, float(np.sin(5 * x[0])), 0.5 if k == 0 else 0.0)
    _, sigma = moments(*model.posterior().predict(model.inputs(compositions(10, 2))))
    assert sigma[0] > 2 * sigma[1:].max()


@given(
    values=st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=6),
    bounds=st.lists(st.tuples(st.floats(-1e300, 1e300), st.floats(0, 1e300), st.sampled_from([1.0, -1.0])), max_size=6),
)
def test_no_bound_is_ever_too_much(values, bounds):
    model = Surrogate(compositions(50, 1))
    for x, y in zip(compositions(6, 2), values, strict=False):
        model.add(x, y, 0.0)
    for x, (value, sigma, side) in zip(compositions(6, 3), bounds, strict=False):
        model.add_bound(x, value, sigma, side)
    posterior = model.posterior()
    mean, sigma = posterior.predict(model.inputs(compositions(20, 4)))
    assert np.isfinite(mean).all()
    assert np.isfinite(sigma).all()


def test_pending_points_narrow_the_posterior_and_leave_its_mean():
    model = filled(8)
    posterior = model.posterior()
    point = model.inputs(np.array([[0.1, 0.1, 0.8]]))
    imagined = model.given_pending(posterior, point, 4000, np.random.default_rng(3))
    columns = [slice(4000 * k, 4000 * (k + 1)) for k in range(len(BELIEFS))]
    before, after = posterior.predict(point)[1][0], imagined.predict(point)[1][0]
    assert all(after[c][0] < sigma for c, sigma in zip(columns, before, strict=True))
    elsewhere = model.inputs(compositions(5, 4))
    means, spreads = posterior.predict(elsewhere)
    shifted = imagined.predict(elsewhere)[0]
    for k, c in enumerate(columns):
        assert np.all(np.abs(shifted[:, c].mean(axis=1) - means[:, k]) < 0.1 * spreads[:, k] + 1e-9)


def test_nothing_pending_changes_nothing():
    model = filled(5)
    posterior = model.posterior()
    none = np.empty((0, 3))
    assert model.given_pending(posterior, none, 8, np.random.default_rng(0)) is posterior


def test_hyperparameters_are_told_in_lab_units():
    model = filled(20, scale=1000.0)
    model.posterior()
    told = model.describe(("Fe", "Co", "Ni"))
    assert told["fitted_to"] == 20
    assert [process["kernel"] for process in told["processes"]] == [belief.kernel for belief in BELIEFS]
    for process in told["processes"]:
        assert process["lengthscales"]["Ni"] > process["lengthscales"]["Fe"]
        assert 200 < process["amplitude"] < 20_000


def test_constant_values_say_nothing_but_do_no_harm():
    model = Surrogate(compositions(50, 1))
    for x in compositions(6, 2):
        model.add(x, 7.5, 0.0)
    mean, sigma = model.outcome(model.posterior(), np.array([0.3, 0.3, 0.4]))
    assert mean == pytest.approx(7.5)
    assert np.isfinite(sigma)
    assert isinstance(model.posterior(), Mixture)


@pytest.mark.parametrize("skew", ["none", "logarithmic"])
def test_a_belief_about_warped_targets_is_one_about_the_objective(skew):
    """At what was measured without noise, the outcome is what was measured, however skew the values are."""
    model = Surrogate(compositions(200, 1))
    X = compositions(30, 2)
    y = np.sin(5 * X[:, 0]) + X[:, 1]
    y = y if skew == "none" else np.exp(3 * y)
    for x, value in zip(X, y, strict=True):
        model.add(x, float(value), 0.0)
    posterior = model.posterior()
    found = np.array([model.outcome(posterior, x) for x in X])
    assert np.all(np.abs(found[:, 0] - y) < 3 * found[:, 1] + 0.02 * np.ptp(y))


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200, 1e300])
def test_no_unit_is_too_large_or_too_small(scale):
    model = filled(6, scale=scale)
    mean, sigma = model.outcome(model.posterior(), np.array([0.2, 0.5, 0.3]))
    assert np.isfinite(mean)
    assert np.isfinite(sigma)
    assert sigma >= 0
