from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.virtual.calculator import UnsuitableComposition
from orchestrator.virtual.slater_pauling import KNOWN, SlaterPauling, moment


@pytest.mark.parametrize(
    ("composition", "published", "within"),
    [
        ({"Fe": 1.0}, 2.22, 0.03),
        ({"Co": 1.0}, 1.72, 0.03),
        ({"Ni": 1.0}, 0.616, 0.03),
        # Fe-Co, Bardos 1969 and Bozorth
        ({"Fe": 0.9, "Co": 0.1}, 2.34, 0.05),
        ({"Fe": 0.8, "Co": 0.2}, 2.42, 0.05),
        ({"Fe": 0.7, "Co": 0.3}, 2.45, 0.05),
        ({"Fe": 0.5, "Co": 0.5}, 2.36, 0.05),
        ({"Fe": 0.3, "Co": 0.7}, 2.12, 0.08),
        # close-packed Ni-Fe and Co-Ni
        ({"Ni": 0.9, "Fe": 0.1}, 0.82, 0.05),
        ({"Ni": 0.75, "Fe": 0.25}, 1.11, 0.05),
        ({"Ni": 0.5, "Fe": 0.5}, 1.60, 0.05),
        ({"Ni": 0.5, "Co": 0.5}, 0.616 + 1.13 / 2, 0.05),
    ],
)
def test_moments_are_the_published_ones(composition, published, within):
    assert moment(composition) == pytest.approx(published, abs=within)


def test_the_maximum_of_iron_cobalt_is_near_thirty_percent_cobalt():
    best = max(range(101), key=lambda x: moment({"Fe": 1 - x / 100, "Co": x / 100}))
    assert 25 <= best <= 35
    assert moment({"Fe": 1 - best / 100, "Co": best / 100}) == pytest.approx(2.45, abs=0.03)


@pytest.mark.parametrize(("element", "slope"), [("V", -2.68), ("Cr", -2.29), ("Mn", -2.11), ("Co", 1.11), ("Ni", 1.30)])
def test_dilute_solutes_in_iron_have_the_measured_slopes(element, slope):
    found = (moment({"Fe": 0.98, element: 0.02}) - moment({"Fe": 1.0})) / 0.02
    assert found == pytest.approx(slope, abs=0.1)


def test_invar_has_lost_its_moment():
    from orchestrator.virtual.slater_pauling import face_centred

    assert face_centred({"Ni": 0.25, "Fe": 0.75}) < 0.3 * face_centred({"Ni": 0.4, "Fe": 0.6})


fractions = st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda parts: sum(parts) > 0.1)


@given(fractions, st.sampled_from(sorted(KNOWN)))
def test_a_moment_is_finite_never_negative_and_no_larger_than_any_known(parts, fourth):
    names = dict.fromkeys(["Fe", "Co", "Ni", fourth])
    c = dict(zip(names, [x / sum(parts) for x in parts] + [0.0], strict=False))
    c["Fe"] += 1 - sum(c.values())
    assert 0.0 <= moment(c) < 2.7


@given(fractions, st.floats(1e-6, 1e-4))
def test_the_moment_has_no_jumps(parts, step):
    c = dict(zip(("Fe", "Co", "Ni"), [x / sum(parts) for x in parts], strict=True))
    moved = {"Fe": c["Fe"] * (1 - step), "Co": c["Co"] * (1 - step), "Ni": c["Ni"] * (1 - step) + step}
    assert abs(moment(moved) - moment(c)) < 500 * step


def test_magnetisation_is_moment_over_volume():
    value, sigma = SlaterPauling().calculate({"Fe": 1.0}).magnetisation
    assert value == pytest.approx(1740, rel=0.01)  # iron at 0 K, kA/m
    assert sigma == 0.0


@pytest.mark.parametrize("wrong", [{}, {"Fe": 0.5}, {"Fe": 1.2, "Co": -0.2}, {"Fe": 0.9, "Xx": 0.1}])
def test_what_is_no_composition_of_known_elements_is_refused(wrong):
    with pytest.raises(UnsuitableComposition):
        moment(wrong)
