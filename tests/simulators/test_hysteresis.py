from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.hysteresis import Hysteresis


def loop(film, reach_mt, step_mt=0.05):
    """(field, m) on the way down and on the way up."""
    fields = [reach_mt - i * step_mt for i in range(round(2 * reach_mt / step_mt) + 1)]
    film.apply(reach_mt)
    branches = []
    for branch in (fields, fields[::-1]):
        points = []
        for field in branch:
            film.apply(field)
            points.append((field, film.magnetisation))
        branches.append(points)
    return branches


def crossing(points):
    for (b0, m0), (b1, m1) in pairwise(points):
        if m0 * m1 <= 0 and m0 != m1:
            return b0 + (b1 - b0) * m0 / (m0 - m1)
    raise AssertionError("the branch never crosses zero")


@pytest.mark.parametrize("coercivity", [0.1, 1.5, 4.0, 11.0])
def test_a_major_loop_has_the_coercivity_and_squareness_it_was_given(coercivity):
    film = Hysteresis(coercivity, squareness=0.85)
    down, up = loop(film, 100.0, 0.05 if coercivity > 1 else 0.005)
    assert crossing(down) == pytest.approx(-coercivity, rel=0.02)
    assert crossing(up) == pytest.approx(coercivity, rel=0.02)
    assert down[0][1] == pytest.approx(1.0, abs=1e-3)
    remanence = min(down, key=lambda point: abs(point[0]))[1]
    assert remanence == pytest.approx(0.85, abs=0.01)


def test_a_new_film_is_demagnetised_and_remembers_its_branch():
    film = Hysteresis(5.0)
    assert film.magnetisation == 0.0
    film.apply(100)
    film.apply(0)
    assert film.magnetisation == pytest.approx(0.9, abs=0.01)
    film.apply(-100)
    film.apply(0)
    assert film.magnetisation == pytest.approx(-0.9, abs=0.01)


def test_a_minor_loop_stays_inside_and_a_reversal_wipes_it_out():
    film = Hysteresis(5.0)
    film.apply(100)
    film.apply(-5)
    on_the_way = film.magnetisation
    film.apply(-3)
    film.apply(2)
    film.apply(-5)
    assert film.magnetisation == pytest.approx(on_the_way)
    film.apply(-5.5)
    assert film.magnetisation < on_the_way


@given(st.lists(st.floats(-50, 50), max_size=30))
def test_magnetisation_is_bounded_and_depends_on_turning_points_only(fields):
    film, halved = Hysteresis(4.0), Hysteresis(4.0)
    before = 0.0
    for field in fields:
        film.apply(field)
        halved.apply((before + field) / 2)
        halved.apply(field)
        before = field
        assert -1.0 <= film.magnetisation <= 1.0
        assert film.magnetisation == pytest.approx(halved.magnetisation, abs=1e-12)
