"""Leave-one-out against models that were not told, and every concern on data that give cause for it and on some that
do not."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from orchestrator.optimizer import gp
from orchestrator.optimizer.diagnostics import FEWEST, diagnose
from orchestrator.optimizer.leave_one_out import constant_densities, predictions, residuals
from orchestrator.optimizer.making import make_optimizer
from orchestrator.optimizer.mixture import Mixture
from orchestrator.optimizer.service import OptimizerService, StaleModel
from orchestrator.optimizer.surrogate import Surrogate

HYPER = gp.Hyperparameters((0.4, 0.9), 1.7, 0.02)
NAMES = ("Fe", "Co", "power_w")


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def posterior(rng, n=14):
    X, v = rng.random((n, 2)), 0.05 * rng.random(n)
    return gp.condition(X, np.sin(6 * X[:, 0]) + X[:, 1] + 0.1 * rng.standard_normal(n), v, HYPER)


def surrogate(rng, n, function, noise=0.02, sigma=0.0):
    """Of `function` of three inputs between 0 and 1."""
    model = Surrogate(rng.random((200, 3)))
    X = rng.random((n, 3))
    for x, e in zip(X, rng.standard_normal(n), strict=True):
        model.add(x, float(function(x) + noise * e), sigma)
    return model


def judged(model):
    return diagnose(model.posterior(), range(1, len(model) + 1), NAMES, model.longest)


def kinds(diagnosis):
    return {concern.kind for concern in diagnosis.concerns}


def smooth(x):
    return np.sin(3 * x[0]) + x[1] ** 2 + 0.5 * x[2]


def test_predictions_are_those_of_scikit_learn_without_the_point(rng):
    """Hyper-parameters fixed; the constant mean is what our process would take without the point."""
    whole = posterior(rng)
    mean, sigma = predictions(whole, len(whole.X))
    kernel = ConstantKernel(HYPER.amplitude) * Matern(HYPER.lengthscales, nu=2.5)
    for i in range(len(whole.X)):
        rest = np.arange(len(whole.X)) != i
        X, y, v = whole.X[rest], whole.y[rest, 0], whole.v[rest]
        mu = gp.condition(X, y, v, HYPER).mu
        theirs = GaussianProcessRegressor(kernel, alpha=HYPER.noise + v, optimizer=None)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            expected, spread = theirs.fit(X, y - mu).predict(whole.X[i : i + 1], return_std=True)
        assert mean[i] == pytest.approx(mu + expected[0], abs=1e-6)
        assert sigma[i] ** 2 == pytest.approx(spread[0] ** 2 + HYPER.noise + whole.v[i], abs=1e-6)


def test_of_one_process_a_residual_is_the_plain_one_however_far(rng):
    whole = posterior(rng)
    whole.y[3] += 60.0
    whole = gp.condition(whole.X, whole.y[:, 0], whole.v, HYPER)
    mean, sigma = predictions(whole, len(whole.X))
    z, density = residuals(Mixture((whole,)), len(whole.X))
    plain = (whole.y[:, 0] - mean) / sigma
    assert abs(plain[3]) > 30
    np.testing.assert_allclose(z, plain, rtol=1e-6)
    np.testing.assert_allclose(density, -0.5 * plain**2 - np.log(sigma * np.sqrt(2 * np.pi)), rtol=1e-9)


def test_of_several_processes_it_lies_between_theirs(rng):
    one = posterior(rng)
    other = gp.condition(one.X, one.y[:, 0], one.v, gp.Hyperparameters((2.0, 2.0), 0.5, 0.3))
    each = np.array([residuals(Mixture((part,)), 14)[0] for part in (one, other)])
    z, _ = residuals(Mixture((one, other)), 14)
    assert np.all((z >= each.min(axis=0) - 1e-9) & (z <= each.max(axis=0) + 1e-9))


def test_one_observation_cannot_be_left_out(rng):
    with pytest.raises(ValueError, match="observe at least two"):
        predictions(posterior(rng, 1), 1)
    with pytest.raises(ValueError, match="at least 3"):
        constant_densities(np.zeros(2))


def test_densities_of_a_constant_model(rng):
    y = rng.standard_normal(9)
    expected = []
    for i in range(9):
        others = np.delete(y, i)
        mean, variance = others.mean(), others.var(ddof=1)
        expected.append(-0.5 * (y[i] - mean) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance))
    np.testing.assert_allclose(constant_densities(y), expected, rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_a_good_model_is_no_concern(seed):
    found = judged(surrogate(np.random.default_rng(seed), 40, smooth))
    assert kinds(found) == set()
    assert found.log_density > found.constant_log_density + 1
    assert 0.5 < found.within_one <= found.within_two
    assert found.within_two > 0.85


@pytest.mark.parametrize("seed", range(4))
def test_an_outlier_is_named(seed):
    rng = np.random.default_rng(seed)
    model = surrogate(rng, 39, smooth)
    model.add(rng.random(3), 6.0, 0.0)
    (outlier,) = [concern for concern in judged(model).concerns if concern.kind == "outlier"]
    assert outlier.sample == 40
    assert "sample 40 is" in outlier.text
    assert "above" in outlier.text


def test_noise_that_the_measurement_tells_of_explains_everything(rng):
    found = judged(surrogate(rng, 20, lambda x: 0.01 * x[0], noise=1.0, sigma=3.0))
    assert "noise" in kinds(found)
    assert any("check contacts" in concern.text for concern in found.concerns)


def test_values_that_nothing_explains_are_told(rng):
    found = [judged(surrogate(np.random.default_rng(seed), 30, lambda _: 0.0, noise=1.0)) for seed in range(6)]
    assert sum("uninformed" in kinds(one) or "noise" in kinds(one) for one in found) >= 4


@pytest.mark.parametrize("value", [0.0, 7.5, -1e300])
def test_constant_values(rng, value):
    found = judged(surrogate(rng, 12, lambda _: value, noise=0.0))
    assert kinds(found) == {"constant"}
    assert found.residuals == {}


def test_an_input_that_does_not_matter_is_named(rng):
    found = judged(surrogate(rng, 45, lambda x: np.sin(5 * x[0]) + 2 * x[1] ** 2))
    assert [c.text.split()[0] for c in found.concerns if c.kind == "irrelevant"] == ["power_w"]


def test_over_confidence_is_told(rng):
    """Sigmas said to be a tenth of what they are, in a model that learns no noise."""
    X = rng.random((40, 2))
    y = np.sin(4 * X[:, 0]) + rng.standard_normal(40)
    part = gp.condition(X, y, np.full(40, 0.01), gp.Hyperparameters((2.0, 2.0), 1.0, 1e-6))
    found = diagnose(Mixture((part,)), range(1, 41), ("a", "b"), (200.0,))
    assert "over-confident" in kinds(found)


def test_few_values_are_judged_with_reserve(rng):
    found = judged(surrogate(rng, FEWEST - 1, smooth))
    assert len(found.residuals) == FEWEST - 1
    assert found.within_one is None


def test_the_optimizer_diagnoses_itself_by_sample_number(make_campaign):
    optimizer = make_optimizer(make_campaign({"Fe": (0, 100, 5), "Co": (0, 100, 5), "Ni": (0, 100, 5)}))
    assert optimizer.diagnose().observations == 0
    for k in range(12):
        made = {"Fe": k / 20, "Co": 1 - k / 20, "Ni": 0.0}
        optimizer.observe({"sample": 2 * k + 1, "composition": made, "validity": "failed"})
        optimizer.observe({"sample": 2 * k + 2, "composition": made, "value": 1 - (k / 20 - 0.4) ** 2, "sigma": 0.01})
        optimizer.suggest()
    found = optimizer.diagnose()
    assert list(found.residuals) == list(range(2, 25, 2))
    assert list(found.history) == sorted(found.history)
    assert found.history[max(found.history)] == found.hyperparameters


def test_the_service_diagnoses_what_its_caller_knows(make_campaign):
    service = OptimizerService()
    service.configure(make_campaign({"Fe": (0, 100, 5), "Co": (0, 100, 5)}).model_dump())
    for k in range(9):
        made = {"Fe": k / 20, "Co": 1 - k / 20}
        service.observe({"sample": k + 1, "composition": made, "value": float(k % 3), "sigma": 0.1}, k)
    found = json.loads(json.dumps(service.diagnose(9), allow_nan=False))
    assert set(found["residuals"]) == {str(k) for k in range(1, 10)}
    with pytest.raises(StaleModel):
        service.diagnose(8)
