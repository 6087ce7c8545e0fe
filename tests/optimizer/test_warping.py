"""The warp of targets against scipy, and that nothing overflows, is lost or turned round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from orchestrator.optimizer.warping import POWERS, Warping, inverse_yeo_johnson, likeliest_power, yeo_johnson


@pytest.mark.parametrize("power", [0.0, 0.3, 1.0, 1.7, 2.0])
def test_transform_and_slope_agree_with_scipy(power):
    z = np.linspace(-3, 3, 61)
    np.testing.assert_allclose(yeo_johnson(z, power), stats.yeojohnson(z, power), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(inverse_yeo_johnson(yeo_johnson(z, power), power), z, rtol=1e-9, atol=1e-9)
    warping = Warping(shift=2.0, unit=3.0, power=power, centre=0.1, spread=0.7)
    y = 2.0 + 3.0 * z
    numeric = (warping.inward(y + 1e-6) - warping.inward(y - 1e-6)) / 2e-6
    np.testing.assert_allclose(warping.slope(y), numeric, rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_power_is_the_likeliest(seed):
    """By scipy's own likelihood, wherever its maximum lies within our bounds."""
    z = np.random.default_rng(seed).gamma(2.0, size=40)
    z = (z - z.mean()) / z.std()
    power = likeliest_power(z)
    tried = [stats.yeojohnson_llf(p, z) for p in np.linspace(*POWERS, 401)]
    assert stats.yeojohnson_llf(power, z) >= max(tried) - 5e-3  # of a log likelihood


def test_skewed_targets_become_more_normal():
    y = np.exp(np.random.default_rng(1).normal(0, 1.0, 200))
    assert abs(stats.skew(Warping.of(y).inward(y))) < 0.3 * abs(stats.skew(y))


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
@example([0.0, 5e-324])
@example([1e300, -1e300, 0.0, 1.0])
def test_warping_never_overflows_and_comes_back(values):
    y = np.array(values)
    warping = Warping.of(y)
    t = warping.inward(y)
    assert np.isfinite(t).all()
    assert np.isfinite(warping.slope(y)).all()
    np.testing.assert_allclose(warping.outward(t), y, rtol=1e-5, atol=1e-5 * np.abs(y).max())


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=20), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_order_is_kept(values, a, b):
    low, high = Warping.of(np.array(values)).inward(np.array(sorted([a, b])))
    assert low <= high
