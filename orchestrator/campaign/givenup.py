"""Candidates that came to nothing: released, and for how long.

A sample that was given up or set aside without an observation is no longer pending, and the optimizer was told nothing
of it: no film is no news of the candidate, whose suggestion may come again.  But what goes wrong with a candidate may
go wrong with it every time, and so it is withheld after `optimizer.attempts` samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.sample import Sample

GIVEN_UP = (Phase.DISCARDED, Phase.QUARANTINED)


def withheld(samples: Iterable[Sample], attempts: int) -> list[Sample]:
    """The last sample of each candidate of which at least `attempts` of `samples` came to nothing, in their order."""
    lost = {sample.number: sample for sample in samples if sample.phase in GIVEN_UP and sample.observation is None}
    times = Counter(_candidate(sample) for sample in lost.values())
    last = {_candidate(sample): sample for sample in lost.values() if times[_candidate(sample)] >= attempts}
    return sorted(last.values(), key=lambda sample: sample.number)


def _candidate(sample: Sample) -> tuple[frozenset[tuple[str, float]], frozenset[tuple[str, float]]]:
    told = sample.suggestion
    parts = frozenset((element, part) for element, part in told.composition.items() if part)
    return parts, frozenset(told.settings.items())
