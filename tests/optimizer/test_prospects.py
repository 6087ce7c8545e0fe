"""What can still be gained, against sums over a table of candidates done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from orchestrator.optimizer.making import make_optimizer
from orchestrator.optimizer.service import OptimizerService

TERNARY = {"Fe": (0, 100, 10), "Co": (0, 100, 10), "Ni": (0, 100, 10)}


def truth(made):
    return 3.0 - 9 * (made["Fe"] - 0.6) ** 2 - 4 * made["Ni"]


def told(optimizer, count, sign=1.0):
    for number in range(count):
        made = optimizer.suggest(number=number).composition
        optimizer.observe({"sample": number + 1, "composition": made, "value": sign * truth(made), "sigma": 0.01})
    return optimizer


@pytest.fixture
def optimizer(make_campaign):
    return make_optimizer(make_campaign(TERNARY))


def everything(optimizer):
    domain, model = optimizer._domain, optimizer._model
    means, sigmas = model.posterior().predict(model.inputs(domain.X))
    middle = means.mean(axis=1)
    return means, sigmas, middle, np.sqrt((sigmas**2).mean(axis=1) + means.var(axis=1))


def test_regret_is_the_gap_between_the_bounds(optimizer):
    told(optimizer, 9)
    _, _, mean, sigma = everything(optimizer)
    made = optimizer._taken.rows[:, 0]
    outward = optimizer._model._warping.outward
    gap = outward((mean + 2 * sigma).max()) - outward((mean - 2 * sigma)[made].max())
    assert optimizer.prospects(0.0).regret == pytest.approx(gap, rel=1e-9)


@pytest.mark.parametrize("improvement", [0.0, 0.2])
def test_probability_is_the_greatest_of_those_not_made(optimizer, improvement):
    told(optimizer, 9)
    means, sigmas, *_ = everything(optimizer)
    made = optimizer._taken.rows[:, 0]
    warping = optimizer._model._warping
    wanted = warping.inward(warping.outward(means[made].max(axis=0)) + improvement)
    each = norm.sf((wanted - means) / sigmas).mean(axis=1)
    each[made] = 0
    assert optimizer.prospects(improvement).improvement_probability == pytest.approx(each.max(), rel=1e-6)


def test_both_fall_as_the_best_is_found(make_campaign):
    early = told(make_optimizer(make_campaign(TERNARY)), 8).prospects(0.05)
    late = told(make_optimizer(make_campaign(TERNARY)), 30).prospects(0.05)
    assert late.regret < 0.2 * early.regret
    assert late.improvement_probability < 0.2 * early.improvement_probability
    assert late.regret < 0.3


def test_less_is_better_as_more_is(make_campaign):
    high = told(make_optimizer(make_campaign(TERNARY)), 10).prospects(0.1)
    low = told(make_optimizer(make_campaign(TERNARY, direction="min")), 10, sign=-1.0).prospects(0.1)
    assert low.regret == pytest.approx(high.regret, rel=1e-6)
    assert low.improvement_probability == pytest.approx(high.improvement_probability, rel=1e-6)


def test_when_all_is_made_nothing_improves(make_campaign):
    optimizer = make_optimizer(make_campaign({"Fe": (0, 100, 25), "Co": (0, 100, 25)}))
    for k in range(5):
        made = {"Fe": k / 4, "Co": 1 - k / 4}
        optimizer.observe({"sample": k + 1, "composition": made, "value": k % 3, "sigma": 0.1})
    found = optimizer.prospects(0.0)
    assert found.improvement_probability == 0.0
    assert found.regret >= 0


def test_no_model_no_prospects(optimizer):
    assert optimizer.prospects(0.0) is None
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="at least 0"):
            optimizer.prospects(wrong)


def test_the_service_tells_of_them(make_campaign):
    service = OptimizerService()
    service.configure(make_campaign(TERNARY).model_dump())
    assert service.prospects(0.0, 0) == {}
    for k in range(3):
        service.observe({"sample": k + 1, "composition": {"Fe": k / 2, "Co": 1 - k / 2}, "value": k, "sigma": 0.1}, k)
    assert set(service.prospects(0.1, 3)) == {"regret", "improvement_probability"}
