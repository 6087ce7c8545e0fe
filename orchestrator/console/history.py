"""What the page shows of the past beyond the campaign's state: a fold of its own over the same journal, pure.

What was known when each sample was suggested, which values were better than all before, where in the journal each
loop is, on what contract the night was begun, and when a person was last seen to be there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from orchestrator.campaign import entries as e
from orchestrator.campaign.terms import Terms
from orchestrator.service.alerts.alert import acknowledges


@dataclass(frozen=True)
class Chosen:
    """When a sample was suggested, and the best valid value by then."""

    time: float
    best: float | None


@dataclass(frozen=True)
class Improvement:
    """Sample that was better than all before: the `count`-th valid observation."""

    sample: int
    count: int
    time: float
    value: float
    sigma: float


@dataclass
class History:
    """`loops`: sample -> version of the entry with its last loop.  `contract` is the last one that was signed.
    `seen_to`: version and time of the last entry that shows a person to be there.  `terms`: what films are judged
    by."""

    version: int = 0
    chosen: dict[int, Chosen] = field(default_factory=dict)
    observed_at: dict[int, float] = field(default_factory=dict)
    loops: dict[int, int] = field(default_factory=dict)
    last_loop: int | None = None
    assessed_at: int = 0
    improvements: list[Improvement] = field(default_factory=list)
    contract: tuple[float, e.ContractSigned] | None = None
    seen_to: tuple[int, float] = 0, -math.inf
    terms: Terms = field(default_factory=Terms)
    _sign: float = 1.0
    _valid: list[e.ObservationMade] = field(default_factory=list)
    _rejected: dict[int, e.ObservationMade] = field(default_factory=dict)
    _times: dict[int, float] = field(default_factory=dict)

    def take(self, recorded: e.Recorded) -> None:
        """The next entry."""
        entry, time = recorded.entry, recorded.time
        self.version = recorded.version
        if acknowledges(entry):
            self.seen_to = recorded.version, time
        match entry:
            case e.CampaignStarted():
                self._sign, self.terms = _sign(entry), Terms.of(entry.campaign)
            case e.SampleSuggested():
                self.chosen[entry.sample] = Chosen(time, self.improvements[-1].value if self.improvements else None)
            case e.ModelAssessed():
                self.assessed_at = recorded.version
            case e.ObservationMade():
                self._observed(entry, recorded)
            case e.ObservationWithdrawn() | e.MeasurementRequested():
                self._withdrawn(entry.sample)
            case e.ObservationRejected():
                self._rejected |= {o.sample: o for o in self._valid if o.sample == entry.sample}
                self._improve_anew([o for o in self._valid if o.sample != entry.sample])
            case e.ObservationRestored():
                back = self._rejected.pop(entry.sample, None)
                valid = [*self._valid, *([back] if back else [])]
                self._improve_anew(sorted(valid, key=lambda o: self._times[o.sample]))
            case e.ContractSigned():
                self.contract = time, entry
            case _:
                pass

    def _observed(self, entry: e.ObservationMade, recorded: e.Recorded) -> None:
        time = recorded.time
        self.observed_at[entry.sample] = time
        if entry.loop is not None:
            self.loops[entry.sample], self.last_loop = recorded.version, entry.sample
        if entry.validity == "valid" and entry.value is not None and not self.terms.broken(entry):
            self._valid.append(entry.model_copy(update={"loop": None, "quantities": {}}))
            self._times[entry.sample] = time
            self._improved(len(self._valid), self._valid[-1])

    def _improved(self, count: int, entry: e.ObservationMade) -> None:
        assert entry.value is not None
        assert entry.sigma is not None
        if not self.improvements or self._sign * entry.value > self._sign * self.improvements[-1].value:
            found = Improvement(entry.sample, count, self._times[entry.sample], entry.value, entry.sigma)
            self.improvements.append(found)

    def _withdrawn(self, sample: int) -> None:
        self.observed_at.pop(sample, None)
        self.loops.pop(sample, None)
        self._rejected.pop(sample, None)
        self._improve_anew([entry for entry in self._valid if entry.sample != sample])

    def _improve_anew(self, valid: list[e.ObservationMade]) -> None:
        self._valid = valid
        self.improvements = []
        for count, entry in enumerate(self._valid, 1):
            self._improved(count, entry)


def _sign(started: e.CampaignStarted) -> float:
    objectives = started.campaign.get("objectives")
    first = objectives[0] if isinstance(objectives, list) and objectives else {}
    return -1.0 if isinstance(first, dict) and first.get("direction") == "min" else 1.0
