"""Compositions grown as a tree: screening, parents, bounds, and what can be made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.campaign.spec import SpecError, parse_campaign
from orchestrator.optimizer.growing import Growing
from orchestrator.optimizer.making import make_optimizer
from simulators.magnetism import saturation_magnetisation_ka_m

CAMPAIGN = """
name = "grown"

[elements]
Fe = { step = 1 }
Co = { step = 1 }
Ni = { step = 1 }
Cr = { step = 1 }

[film]
argon_pressure_pa = 0.5
power_w = 100
thickness_nm = 50

[[objectives]]
quantity = "saturation_magnetisation"
direction = "max"
unit = "kA/m"

[budget]
samples = 60
lab_hours = 100

[optimizer]
method = "growing"
"""


def grow(optimizer, films, value=saturation_magnetisation_ka_m, spoilt=()):
    """Make `films`, and tell what each showed; those `spoilt` show nothing."""
    made = []
    for number in range(films):
        suggestion = optimizer.suggest()
        seen = None if number in spoilt else value({el: x for el, x in suggestion.composition.items() if x > 0})
        validity = "failed" if seen is None else "valid"
        optimizer.observe(
            {"sample": number + 1, "composition": suggestion.composition, "value": seen, "sigma": 1.0}
            | {"validity": validity, "settings": {}}
        )
        made.append(suggestion)
    return made


def at_percent(suggestion):
    return {el: round(100 * x) for el, x in suggestion.composition.items() if x > 0}


def test_first_the_base_then_a_hundredth_of_each_element_in_it():
    made = grow(make_optimizer(parse_campaign(CAMPAIGN)), 4)
    assert [at_percent(one) for one in made] == [
        {"Fe": 100}, {"Fe": 99, "Co": 1}, {"Fe": 99, "Ni": 1}, {"Fe": 99, "Cr": 1},
    ]  # fmt: skip
    assert {one.method for one in made} == {"growing"}


def test_then_steps_with_the_elements_that_did_best():
    keen = parse_campaign(CAMPAIGN + "[optimizer.growing]\nkept = 1\nstep = 5\n")
    made = [at_percent(one) for one in grow(make_optimizer(keen), 20)[4:]]
    assert made[0] == {"Fe": 94, "Co": 6}  # from Fe99Co1, the best of the screening
    assert all(set(one) <= {"Fe", "Co"} or one.get("Ni", one.get("Cr")) == 1 for one in made)
    assert max(one.get("Co", 0) for one in made) >= 30


def test_the_largest_magnetisation_of_the_alloys_is_found():
    """Of sputtered Fe-Co it is near Fe65Co35."""
    made = grow(make_optimizer(parse_campaign(CAMPAIGN)), 60)
    best = max(saturation_magnetisation_ka_m({el: x for el, x in one.composition.items() if x > 0}) for one in made)
    assert best > 0.99 * saturation_magnetisation_ka_m({"Fe": 0.66, "Co": 0.34})


def test_the_same_films_are_grown_again_from_the_same_journal():
    first = grow(make_optimizer(parse_campaign(CAMPAIGN)), 25, spoilt={2, 7})
    again = grow(make_optimizer(parse_campaign(CAMPAIGN)), 25, spoilt={2, 7})
    assert [one.composition for one in first] == [one.composition for one in again]


def test_what_is_under_way_is_not_made_twice_and_counts_as_a_film():
    optimizer = make_optimizer(parse_campaign(CAMPAIGN))
    grow(optimizer, 8)
    pending = []
    for _ in range(6):
        pending.append({"composition": optimizer.suggest(pending).composition, "settings": {}})
    assert len({tuple(one["composition"].values()) for one in pending}) == 6


def test_a_film_whose_composition_came_out_otherwise_is_the_child_that_was_asked_for():
    optimizer = make_optimizer(parse_campaign(CAMPAIGN))
    rng = np.random.default_rng(1)
    asked = []
    for number in range(12):
        suggestion = optimizer.suggest()
        made = {el: max(0.0, x + rng.normal(0, 0.001)) for el, x in suggestion.composition.items()}
        made = {el: x / sum(made.values()) for el, x in made.items()}
        value = saturation_magnetisation_ka_m(made)
        optimizer.observe(
            {"sample": number + 1, "composition": made, "value": value, "sigma": 5.0, "validity": "valid"}
            | {"settings": {}, "asked": {"composition": suggestion.composition, "settings": {}}}
        )
        asked.append(at_percent(suggestion))
    assert asked[:4] == [{"Fe": 100}, {"Fe": 99, "Co": 1}, {"Fe": 99, "Ni": 1}, {"Fe": 99, "Cr": 1}]
    assert len({tuple(sorted(one.items())) for one in asked}) == 12


def test_a_tree_that_can_grow_no_further_leaves_the_rest_to_the_model():
    small = CAMPAIGN.replace("Cr = { step = 1 }\nNi = { step = 1 }\n", "").replace("Ni = { step = 1 }\n", "")
    small = small.replace("Cr = { step = 1 }\n", "").replace("step = 1", "step = 10")
    small += "[optimizer.growing]\nscreen = 10\nstep = 10\nkept = 1\n"
    made = grow(make_optimizer(parse_campaign(small)), 12)
    assert [one.method for one in made] == ["growing"] * 11 + ["gp"]
    assert made[-1].replicate


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ('[optimizer.growing]\nbase = "Pt"', 'base = "Pt": is not an element of the campaign'),
        ("[optimizer.growing]\nscreen = 1.5", "is not a multiple of the step of Fe, 1"),
        ("[optimizer.growing]\nstep = 0.5", "is not a multiple of the step of Fe, 1"),
        ("[optimizer.growing]\nkept = 0", "kept"),
        ("[optimizer.growing]\ngrow = 2", "grow"),
    ],
)
def test_what_cannot_grow_is_refused(changed, says):
    with pytest.raises(SpecError, match=says):
        parse_campaign(f"{CAMPAIGN}\n{changed}\n")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('method = "growing"', "[optimizer.growing]\nkept = 3", 'is for method = "growing"'),
        ("Fe = { step = 1 }", "Fe = { step = 1, max = 60 }", "do not allow pure Fe"),
        ("Ni = { step = 1 }", "Ni = { step = 1, min = 5 }", "do not allow pure Fe"),
        ("power_w = 100", "power_w = { min = 50, max = 100, step = 10 }", "growing searches compositions alone"),
    ],
)
def test_what_contradicts_growing_is_refused(old, new, says):
    with pytest.raises(SpecError, match=says):
        parse_campaign(CAMPAIGN.replace(old, new))


@settings(max_examples=60)
@given(
    st.integers(2, 6), st.integers(1, 6), st.sampled_from([0.02, 0.05, 0.1]), st.floats(0, 2), st.integers(0, 2**32 - 1)
)
def test_whatever_is_measured_new_compositions_are_grown(elements, kept, step, exploration, seed):
    how = Growing(elements, seed % elements, step, step / 2, kept, exploration)
    rng = np.random.default_rng(seed)
    points, values = np.empty((0, elements)), np.empty(0)

    def free(point):
        return point.min() > -1e-9 and not np.any(np.abs(points - point).max(axis=1) < 1e-6)

    for _ in range(25):
        found = how.next(points, values, free)
        if found is None:
            assert elements == 2 or step == 0.1
            break
        assert found.shape == (elements,)
        assert abs(found.sum() - 1) < 1e-9
        assert free(found)
        points = np.vstack([points, found])
        values = np.append(values, rng.choice([np.nan, rng.normal(), 0.0, 1e9]))
