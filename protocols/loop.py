"""Which field comes next in a hysteresis loop: coarse steps where it is flat, fine ones where it turns: pure.

A branch runs from saturation at one sign of the field to saturation at the other.  History cannot be
measured twice, so the steps must be fine *before* the magnetisation turns: they shrink towards zero field,
stay small beyond it until the signal has turned, and grow again afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

CHANGE = 0.05
"""A step should change the signal by no more than this part of the full swing."""
TURNED = 0.9
"""Part of the full swing after which the magnetisation counts as turned."""
BEFORE_ZERO = 2.0
"""Before zero field a step is at most the distance to it divided by this."""
AFTER_ZERO = 15.0
"""After zero field, while not turned, a step is at most the field divided by this."""
GROWTH = 2.0


def next_field_mt(
    fields_mt: Sequence[float],
    signals: Sequence[float],
    *,
    target_mt: float,
    coarse_mt: float,
    fine_mt: float,
    noise: float,
) -> float | None:
    """The next field of a branch that ends at `target_mt`, None when it is complete.

    `fields_mt` and `signals` (any unit, with its `noise`) are the branch so far, at least one point; it
    begins at the other end of the field range.
    """
    here = fields_mt[-1]
    way = math.copysign(1.0, target_mt - fields_mt[0])
    left = (target_mt - here) * way
    if left <= 0:
        return None
    step = min(_flatness(fields_mt, signals, coarse_mt, noise), coarse_mt)
    if not _turned(signals):
        beyond = here * way  # distance past zero field, negative before it
        step = min(step, -beyond / BEFORE_ZERO if beyond < 0 else beyond / AFTER_ZERO)
    if len(fields_mt) > 1 and fields_mt[-1] != fields_mt[-2]:
        step = min(step, GROWTH * abs(fields_mt[-1] - fields_mt[-2]))
    step = max(step, fine_mt)
    return target_mt if left < 1.5 * step else here + way * step


def _flatness(fields: Sequence[float], signals: Sequence[float], coarse_mt: float, noise: float) -> float:
    """The step that would change the signal by `CHANGE` of its swing, going by the last step."""
    if len(fields) < 2:
        return coarse_mt
    change, over = abs(signals[-1] - signals[-2]), abs(fields[-1] - fields[-2])
    swing = 2 * abs(signals[0])
    if change <= 4 * noise or not change > 0:
        return coarse_mt
    return CHANGE * swing * over / change


def _turned(signals: Sequence[float]) -> bool:
    """Whether the signal has come most of the way to the opposite of its first value."""
    first = signals[0]
    return first != 0 and (first - signals[-1]) / (2 * first) >= TURNED
