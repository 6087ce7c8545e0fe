"""What the state keeps at hand, worked out anew from all samples and observations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.sample import Sample
from orchestrator.campaign.samples import Samples
from orchestrator.campaign.state import CampaignState, best

AWAITED = (Phase.SUGGESTED, Phase.DEPOSITING, Phase.DEPOSITED, Phase.MEASURING)


def check_samples(kept: Samples, samples: Mapping[int, Sample]) -> None:
    """`kept` says of its samples what `samples`, which are the same, say one by one."""
    assert kept.by_number == samples
    assert list(kept.by_number) == list(samples)
    everyone = list(samples.values())
    there = [s for s in everyone if s.phase is not Phase.VETOED or not s.at_home or s.bound_for is not None]
    assert kept.slots == {s.slot for s in there}
    assert len(kept.slots) == len(there)
    given_up = (Phase.DISCARDED, Phase.VETOED)
    assert kept.planned == sum(s.film is not None or s.phase not in given_up for s in everyone)
    assert kept.films == sum(s.film is not None for s in everyone)
    assert kept.awaited == [s for s in everyone if s.phase in AWAITED]
    assert kept.all_settled == all(s.phase is Phase.QUARANTINED or (s.finished and s.at_home) for s in everyone)
    places = {place for s in there for place in (s.place, s.bound_for, f"cassette/{s.slot}") if place is not None}
    for place in {*places, "nowhere"}:
        first = next((s for s in there if place in (s.place, s.bound_for)), None)
        assert kept.at(place) == first


def check(state: CampaignState) -> None:
    """All that `state` keeps at hand."""
    check_samples(state._samples, state.samples)
    valid = [o for o in state.observations if o.validity == "valid"]
    counted = Counter(o.validity for o in state.observations)
    assert all(state.count(validity) == counted[validity] for validity in ("valid", "censored", "failed"))
    for direction, sign in (("max", 1.0), ("min", -1.0)):
        top = max(valid, key=lambda o: sign * o.value, default=None)
        assert best(state, direction) is top
        assert state.valid_since_best(direction) == (len(valid) - 1 - valid.index(top) if valid else 0)
