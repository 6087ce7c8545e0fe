"""What films are judged by: dominance, limits, trade-offs, and what follows from them for a campaign's state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.campaign import entries as e
from orchestrator.campaign.fronts import by_worth, front_of, standing, value_words
from orchestrator.campaign.rows import samples as table_of
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, best, fold, observations_for_model
from orchestrator.campaign.terms import Aim, Limit, Terms
from orchestrator.service.budget import as_changed, over
from tests.campaign import stories
from tests.campaign.stories import ended, film, intended, suggested, tell, transfer
from tests.service.nights import campaign

TWO: list[dict[str, Any]] = [
    {"quantity": "saturation_magnetisation", "direction": "max", "unit": "kA/m"},
    {"quantity": "coercivity", "direction": "min", "unit": "mT"},
]
SQUARE = {"quantity": "squareness", "min": 0.5, "unit": "1"}
TERMS = Terms((Aim("saturation_magnetisation", "max", "kA/m"), Aim("coercivity", "min", "mT")))


def seen(sample: int, ms: float | None, hc: float | None, square: float = 0.9, **other: Any) -> e.ObservationMade:
    told = {"saturation_magnetisation": (ms, "kA/m"), "coercivity": (hc, "mT"), "squareness": (square, "1")}
    outcomes = {
        name: {"validity": "failed", "value": None, "unit": unit}
        if value is None
        else {"validity": "valid", "value": value, "sigma": 0.1, "unit": unit}
        for name, (value, unit) in told.items()
    }
    valid = ms is not None and hc is not None
    made = stories.observed(sample, ms if valid else None, "valid" if valid else "failed")
    return made.model_copy(update={"outcomes": outcomes, **other})


def film_of(sample: int) -> list[e.Entry]:
    """Sample `sample`, deposited and being measured."""
    cassette = f"cassette/{sample}"
    return [
        suggested(sample),
        *transfer(f"a{sample}", sample, cassette, "deposition", "chamber"),
        intended(f"d{sample}", "deposit", sample, ["chamber"]),
        film(sample),
        ended(f"d{sample}"),
        *transfer(f"b{sample}", sample, "deposition", "magnetometry", "chamber", "magnetometer"),
        intended(f"m{sample}", "measure", sample, ["magnetometer"]),
    ]


Outcome = tuple[float | None, float | None] | tuple[float, float, float]


def entries_of(spec: Campaign, *films: Outcome) -> list[e.Recorded]:
    """A journal with films of these outcomes, sample 1, 2..., a minute from entry to entry."""
    told: list[e.Entry] = [e.CampaignStarted(campaign=spec.model_dump(mode="json"), lab={"name": "bench"}, by="tester")]
    for sample, outcome in enumerate(films, 1):
        told += [*film_of(sample), seen(sample, *outcome), ended(f"m{sample}")]
        told += transfer(f"c{sample}", sample, "magnetometry", f"cassette/{sample}", "magnetometer")
    return [e.Recorded(version=n, time=60.0 * n, entry=entry) for n, entry in enumerate(told, 1)]


def night(spec: Campaign, *films: Outcome) -> CampaignState:
    """The state after films with these outcomes."""
    return fold(entries_of(spec, *films))


def two(**other: Any) -> Campaign:
    return campaign(objectives=TWO, **other)


values = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12)


@given(values)
def test_the_front_is_what_nothing_is_better_than(told):
    films = [seen(k, *map(float, one)) for k, one in enumerate(told, 1)]
    front = TERMS.front(films)
    for film_, one in zip(films, told, strict=True):
        better = any(a >= one[0] and b <= one[1] and (a, b) != one for a, b in told)
        first = told.index(one) + 1 == film_.sample
        assert (film_ in front) == (not better and first)
    magnetisations = [TERMS.values(one)[0] for one in front]
    assert magnetisations == sorted(magnetisations, reverse=True)


@given(values, st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)))
def test_the_best_trade_off_is_on_the_front_and_weights_move_it(told, weights):
    films = [seen(k, *map(float, one)) for k, one in enumerate(told, 1)]
    terms = TERMS.weighed(dict(zip(("saturation_magnetisation", "coercivity"), weights, strict=True)))
    ranked = by_worth(terms, films)
    front = terms.front(films)
    assert ranked[: len(front)] == sorted(front, key=ranked.index)
    assert len(ranked) == len(films)
    if films:
        heavy = by_worth(TERMS.weighed({"saturation_magnetisation": 1e6, "coercivity": 1e-6}), films)
        assert TERMS.values(heavy[0])[0] == max(one[0] for one in told)


def test_limits_are_in_the_unit_of_the_objective_and_are_joined():
    told = {
        "objectives": [{"quantity": "coercivity", "direction": "min", "unit": "mT"}],
        "limits": [
            {"quantity": "coercivity", "unit": "Oe", "max": 50.0, "min": None},
            {"quantity": "coercivity", "unit": "mT", "max": 8.0, "min": 1.0},
            {"quantity": "squareness", "unit": "1", "min": 0.5},
        ],
    }
    terms = Terms.of(told)
    assert terms.limits[0] == Limit("coercivity", "mT", 1.0, pytest.approx(5.0))
    assert [str(limit) for limit in terms.limits] == [
        "coercivity at least 1 and at most 5 mT",
        "squareness at least 0.5",
    ]
    assert terms.units == {"coercivity": "mT", "squareness": "1"}
    assert not terms.plain
    assert Terms.of({"name": "of an old form"}).plain is False
    assert Terms.of({"objectives": told["objectives"]}).plain


def test_reference_values_are_given_or_a_little_worse_than_the_front():
    aims = Aim("saturation_magnetisation", "max", "kA/m", reference=400.0), Aim("coercivity", "min", "mT")
    assert Terms(aims).references([(1800.0, 4.0), (1500.0, 2.0)]) == (400.0, pytest.approx(4.2))


# --- state ------------------------------------------------------------------------------------------------


def test_a_night_of_two_objectives_has_a_front_and_a_best_by_the_weights():
    state = night(two(), (1800.0, 6.0), (1500.0, 2.0), (1400.0, 3.0), (1700.0, 3.0), (None, 1.0))
    assert [one["sample"] for one in front_of(state)] == [1, 4, 2]
    assert best(state, "max").sample == 4
    assert state.valid_since_best("max") == 0
    assert state.count("failed") == 1
    assert [standing(state.terms, one, {1, 4, 2}) for one in state.observations] == [
        "front", "front", "dominated", "front", ""]  # fmt: skip
    heavy = e.WeightsChanged(weights={"coercivity": 50.0}, by="anna", reason="r")
    tell(state, heavy)
    assert best(state, "max").sample == 2
    assert state.search.weights == {"coercivity": 50.0}
    assert [aim.weight for aim in as_changed(two(), state).terms.aims] == [1.0, 50.0]
    assert str(state.search.did[-1]).startswith("weights of weights coercivity 50 by anna")


def test_what_is_rejected_leaves_the_front_and_comes_back():
    state = night(two(), (1800.0, 6.0), (1850.0, 5.0))
    assert [one.sample for one in state.front] == [2]
    copied = state.copy()
    tell(state, e.ObservationRejected(sample=2, by="anna", reason="a scratch"))
    assert [one.sample for one in state.front] == [1]
    assert [one.sample for one in copied.front] == [2]
    tell(state, e.ObservationRestored(sample=2, by="anna", reason="r"))
    assert [one.sample for one in state.front] == [2]


def test_a_film_that_breaks_a_limit_is_never_the_best():
    spec = campaign(limits=[{"quantity": "coercivity", "unit": "mT", "max": 3.0}])
    state = night(spec, (1800.0, 6.0), (1500.0, 2.0))
    assert best(state, "max").sample == 2
    assert state.front == []
    assert standing(state.terms, state.observations[0], ()) == "not coercivity at most 3 mT"
    none = night(spec, (1800.0, 6.0))
    assert best(none, "max") is None


def test_the_front_that_no_longer_changes_ends_a_campaign():
    spec = two(stopping={"no_improvement_samples": 2})
    films = [(1800.0, 2.0), (1700.0, 3.0)]
    assert over(night(spec, *films), spec, 0.0) == ""
    assert over(night(spec, *films, (1600.0, 4.0)), spec, 0.0) == "2 valid samples in a row that others are better than"


def test_the_model_is_told_of_every_quantity():
    (told,) = observations_for_model(night(two(), (1800.0, 6.0)))
    assert told["outcomes"]["coercivity"] == {"validity": "valid", "value": 6.0, "sigma": 0.1, "unit": "mT"}


def test_tables_have_a_column_for_each_quantity():
    spec = two(limits=[SQUARE])
    table = table_of(night(spec, (1800.0, 6.0), (1500.0, 2.0, 0.3)), spec)
    first, second = table.as_dicts()
    assert (first["coercivity"], first["coercivity_sigma"], first["coercivity_validity"]) == (6.0, 0.1, "valid")
    assert (first["standing"], second["standing"]) == ("front", "not squareness at least 0.5")
    units = {column.name: column.unit for column in table.columns}
    assert (units["coercivity"], units["squareness"]) == ("mT", "1")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"value": 1800.4, "sigma": 12.3, "unit": "kA/m"}, "1800 ± 12 kA/m"),
        ({"mean": 0.912, "sigma": 0.01, "unit": "1"}, "0.912 ± 0.01"),
        ({"value": 3.0, "sigma": 0.1, "unit": "mT", "bound": "lower"}, "≥ 3 ± 0.1 mT"),
        ({"value": None, "unit": "mT"}, "not measured"),
    ],
)
def test_values_in_words(told, words):
    assert value_words(told) == words


@pytest.mark.parametrize(
    ("stopping", "optimizer", "wrong"),
    [
        ({"target": 1800.0}, {}, "stopping.target = 1800: is of one objective"),
        ({"regret": 20.0}, {}, "stopping.regret = 20: goes by one objective without limits"),
        ({"improvement_probability": 0.1, "improvement": 5.0}, {}, "stopping.improvement = 5: is of one objective"),
        ({}, {"acquisition": "ucb"}, "acquisition = 'ucb': is for one objective"),
        ({}, {"replicate": "by_value"}, "goes by one objective without limits"),
        ({}, {"method": "growing"}, "method = 'growing': goes by one objective without limits"),
    ],
)
def test_what_needs_one_objective_is_refused_with_two(stopping, optimizer, wrong):
    with pytest.raises(ValueError, match="one objective") as refused:
        two(stopping=stopping, optimizer=optimizer)
    assert wrong.rpartition(":")[2].strip() in str(refused.value)


def test_calculators_lead_one_objective():
    with pytest.raises(ValueError, match="virtual: is led by one objective without limits"):
        two(virtual={"theory": {"calculations": 10}})


def test_limits_have_acquisitions_of_their_own():
    limits = [{"quantity": "coercivity", "unit": "mT", "max": 3.0}]
    assert campaign(limits=limits, optimizer={"acquisition": "ucb"}).terms.limits
    with pytest.raises(ValueError, match="does not go by limits"):
        campaign(limits=limits, optimizer={"acquisition": "log_nei"})
