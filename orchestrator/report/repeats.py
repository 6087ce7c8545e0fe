"""How well the lab repeats itself, and whether it drifted: pure.

Notation
--------
groups      samples asked for with the same composition and settings, two or more with a valid value each
n_i, s_i    films in a group, standard deviation of their values
s           pooled: sqrt(sum (n_i - 1) s_i^2 / sum (n_i - 1)), with sum (n_i - 1) degrees of freedom
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from orchestrator.campaign import entries as e
from orchestrator.campaign.state import Sample
from orchestrator.report.facts import Night, is_number, valid_of


@dataclass(frozen=True)
class Replicates:
    """`groups` of samples that were asked for alike, and their pooled standard deviation `sigma`, objective's unit."""

    groups: tuple[tuple[Sample, ...], ...]
    sigma: float
    degrees: int
    middle: float

    @property
    def relative(self) -> float | None:
        """`sigma` over the mean of all values; None where that is 0."""
        return abs(self.sigma / self.middle) if self.middle else None


def replicates(night: Night) -> Replicates | None:
    """None if nothing was made twice."""
    alike: dict[tuple[object, ...], list[Sample]] = defaultdict(list)
    for sample in night.samples:
        asked = sample.suggestion
        if valid_of(night, sample) is not None:
            parts = tuple(sorted((name, round(x, 6)) for name, x in asked.composition.items() if x > 0))
            alike[parts, tuple(sorted(asked.settings.items()))].append(sample)
    groups = tuple(tuple(group) for group in alike.values() if len(group) > 1)
    degrees = sum(len(group) - 1 for group in groups)
    if not degrees:
        return None
    values = [_values(group) for group in groups]
    away = [x - mean(group) for group in values for x in group]
    middle = mean(x for group in values for x in group)
    return Replicates(groups, math.hypot(*away) / math.sqrt(degrees), degrees, middle)


def _values(group: Sequence[Sample]) -> list[float]:
    return [s.observation.value for s in group if s.observation and s.observation.value is not None]


def checks(night: Night) -> list[tuple[float, e.ReferenceMeasured]]:
    """Measurements of the reference specimen, with lab times."""
    return [(r.time, r.entry) for r in night.entries if isinstance(r.entry, e.ReferenceMeasured)]


def tolerance(night: Night) -> float | None:
    """How far from its value the reference may be measured, relatively."""
    told = (night.lab.get("reference") or {}).get("tolerance")
    return float(told) if is_number(told) else None
