"""The model's scaling and its refits: units do not matter, and neither does when it is asked."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.optimizer import gp
from orchestrator.optimizer.surrogate import Scaling, Surrogate, median_distance, next_fit


def compositions(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(3), size=n)


def filled(n: int, *, scale: float = 1.0, shift: float = 0.0, asked_at: tuple[int, ...] = ()) -> Surrogate:
    model = Surrogate(compositions(200, 1))
    for k, x in enumerate(compositions(n, 2)):
        model.add(x, shift + scale * float(np.sin(5 * x[0]) + x[1]), 0.01 * scale)
        if k + 1 in asked_at:
            model.posterior()
    return model


def test_refits_come_with_every_tenth_more():
    due, fits = 0, []
    while due < 100:
        due = next_fit(due)
        fits.append(due)
    assert fits[:11] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13]
    assert all(after <= before * 1.1 + 1 for before, after in pairwise(fits[8:]))


def test_the_model_does_not_depend_on_when_it_was_asked():
    asked, replayed = filled(23, asked_at=(2, 3, 7, 15, 22)), filled(23)
    for name in ("alpha", "X", "L"):
        first, second = (getattr(m.posterior(), name) for m in (asked, replayed))
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("scale", "shift"), [(1e-12, 0.0), (1e12, 0.0), (1e-3, 50.0), (1e150, -1e150)])
def test_units_do_not_matter(scale, shift):
    point = np.array([0.2, 0.5, 0.3])
    model, plain = filled(12, scale=scale, shift=shift), filled(12)
    mean, sigma = model.outcome(model.posterior(), point)
    plain_mean, plain_sigma = plain.outcome(plain.posterior(), point)
    assert (mean - shift) / scale == pytest.approx(plain_mean, rel=1e-3, abs=1e-3)
    assert sigma / scale == pytest.approx(plain_sigma, rel=1e-2)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
@example([0.0, 5e-324])
def test_scaling_never_overflows(values):
    y = np.array(values)
    scaling = Scaling.of(y)
    assert scaling.unit > 0
    inward = scaling.inward(y)
    assert np.isfinite(inward).all()
    np.testing.assert_allclose([scaling.outward(t) for t in inward], y, rtol=1e-6, atol=1e-6 * np.abs(y).max())


def test_known_noise_widens_the_posterior_where_it_was():
    model = Surrogate(compositions(200, 1))
    for k, x in enumerate(compositions(10, 2)):
        model.add(x, float(np.sin(5 * x[0])), 0.5 if k == 0 else 0.0)
    _, sigma = model.posterior().predict(model.inputs(compositions(10, 2)))
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
    assert imagined.predict(point)[1][0] < 0.5 * posterior.predict(point)[1][0]
    elsewhere = model.inputs(compositions(5, 4))
    spread = posterior.predict(elsewhere)[1]
    shift = imagined.predict(elsewhere)[0].mean(axis=1) - posterior.predict(elsewhere)[0][:, 0]
    assert np.all(np.abs(shift) < 0.1 * spread + 1e-9)


def test_nothing_pending_changes_nothing():
    model = filled(5)
    posterior = model.posterior()
    none = np.empty((0, 3))
    assert model.given_pending(posterior, none, 8, np.random.default_rng(0)) is posterior


def test_hyperparameters_are_told_in_lab_units():
    model = filled(20, scale=1000.0)
    model.posterior()
    told = model.describe(("Fe", "Co", "Ni"))
    assert set(told["lengthscales_at_percent"]) == {"Fe", "Co", "Ni"}
    assert told["lengthscales_at_percent"]["Ni"] > told["lengthscales_at_percent"]["Fe"]
    assert 300 < told["amplitude"] < 10_000
    assert told["fitted_to"] == 19


def test_median_distance():
    assert median_distance(np.array([[0.0, 0.0], [3.0, 4.0]])) == pytest.approx(5.0)
    assert median_distance(np.array([[1.0, 2.0]])) == 1.0
    assert median_distance(np.array([[1.0, 2.0], [1.0, 2.0]])) == 1.0


def test_constant_values_say_nothing_but_do_no_harm():
    model = Surrogate(compositions(50, 1))
    for x in compositions(6, 2):
        model.add(x, 7.5, 0.0)
    mean, sigma = model.outcome(model.posterior(), np.array([0.3, 0.3, 0.4]))
    assert mean == pytest.approx(7.5)
    assert np.isfinite(sigma)
    assert isinstance(model.posterior(), gp.Posterior)
