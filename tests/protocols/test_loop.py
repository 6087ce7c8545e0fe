"""Field steps: coarse where the loop is flat, fine where it turns, and always to the end."""

from __future__ import annotations

import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.loop import next_field_mt


def walk(moment, top, coarse, fine, noise=0.0):
    """Both branches of a loop of `moment(field, rising)`."""
    branches = []
    for begin, end, rising in ((top, -top, False), (-top, top, True)):
        fields, signals = [begin], [moment(begin, rising)]
        while True:
            field = next_field_mt(fields, signals, target_mt=end, coarse_mt=coarse, fine_mt=fine, noise=noise)
            if field is None:
                break
            fields.append(field)
            signals.append(moment(field, rising))
            assert len(fields) < 3000
        branches.append(fields)
    return branches


def switching(hc, width):
    return lambda field, rising: math.tanh((field - (hc if rising else -hc)) / width)


@settings(deadline=None)
@given(
    hc=st.floats(0.2, 100.0),
    width=st.floats(0.02, 30.0),
    fine=st.floats(0.2, 2.0),
    coarse=st.floats(5.0, 50.0),
)
def test_steps_are_fine_where_the_loop_turns(hc, width, fine, coarse):
    top = 300.0
    for fields, at in zip(walk(switching(hc, width), top, coarse, fine), (-hc, hc), strict=True):
        assert abs(fields[0]) == top
        assert fields[-1] == -fields[0]
        steps = [abs(b - a) for a, b in itertools.pairwise(fields)]
        assert min(steps) >= fine * 0.999
        assert max(steps) <= 1.5 * coarse + fine
        across = next(abs(b - a) for a, b in itertools.pairwise(fields) if (a - at) * (b - at) <= 0)
        assert across <= max(1.5 * fine, hc / 15 * 1.01, width)


def test_a_soft_film_takes_a_moderate_number_of_points():
    falling, rising = walk(switching(2.0, 0.5), 300.0, 20.0, 0.5)
    assert 30 < len(falling) < 55
    assert 30 < len(rising) < 55


def test_no_signal_still_comes_to_an_end():
    falling, _ = walk(lambda field, rising: 0.0, 300.0, 20.0, 0.5)
    assert falling[-1] == -300.0
    assert len(falling) < 150


def test_noise_on_a_plateau_does_not_make_the_steps_fine():
    flips = iter([1, -1] * 1000)
    noisy = lambda field, rising: math.tanh((field + 2.0) / 0.5) + 0.01 * next(flips)  # noqa: E731
    falling, _ = walk(noisy, 300.0, 20.0, 0.5, noise=0.01)
    assert sum(field > 100 for field in falling) < 15
