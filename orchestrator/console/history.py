"""What the page shows of the past beyond the campaign's state: a fold of its own over the same journal, pure.

How long steps took, how fast films follow each other, what was known when each sample was suggested, and where in
the journal each loop is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.campaign import entries as e

KEPT = 200
"""Durations remembered of each kind of step: the latest."""


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
class _Open:
    intent: e.StepIntended
    since: float
    undisturbed: bool


@dataclass
class History:
    """`durations`: kind of step -> lab seconds of those that were done and not held up.  `between`: lab seconds from
    one observation to the next, without holds.  `loops`: sample -> version of the entry with its last loop."""

    version: int = 0
    durations: dict[str, list[float]] = field(default_factory=dict)
    between: list[float] = field(default_factory=list)
    chosen: dict[int, Chosen] = field(default_factory=dict)
    observed_at: dict[int, float] = field(default_factory=dict)
    loops: dict[int, int] = field(default_factory=dict)
    last_loop: int | None = None
    assessed_at: int = 0
    improvements: list[Improvement] = field(default_factory=list)
    _open: dict[str, _Open] = field(default_factory=dict)
    _sign: float = 1.0
    _valid: list[e.ObservationMade] = field(default_factory=list)
    _rejected: dict[int, e.ObservationMade] = field(default_factory=dict)
    _times: dict[int, float] = field(default_factory=dict)
    _held: bool = False
    _disturbed: bool = False
    _last_observed: float | None = None

    def take(self, recorded: e.Recorded) -> None:
        """The next entry."""
        entry, time = recorded.entry, recorded.time
        self.version = recorded.version
        match entry:
            case e.CampaignStarted():
                self._sign = _sign(entry)
            case e.StepIntended():
                self._open[entry.step] = _Open(entry, time, not self._held)
            case e.StepEnded():
                self._ended(entry, time)
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
            case e.CommandGiven():
                self._commanded(entry)
            case e.DaemonStarted() | e.StationLost() | e.OperatorNeeded():
                self._disturb()
            case _:
                pass

    def _ended(self, entry: e.StepEnded, time: float) -> None:
        step = self._open.pop(entry.step, None)
        if step is not None and entry.end == "done" and step.undisturbed:
            _keep(self.durations.setdefault(kind_of(step.intent), []), time - step.since)

    def _observed(self, entry: e.ObservationMade, recorded: e.Recorded) -> None:
        time = recorded.time
        self.observed_at[entry.sample] = time
        if entry.loop is not None:
            self.loops[entry.sample], self.last_loop = recorded.version, entry.sample
        if self._last_observed is not None and not self._disturbed:
            _keep(self.between, time - self._last_observed)
        self._last_observed, self._disturbed = time, self._held
        if entry.validity == "valid" and entry.value is not None:
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

    def _commanded(self, entry: e.CommandGiven) -> None:
        if entry.command == "hold":
            self._held = True
            self._disturb()
        elif entry.command != "stop":  # which may leave a hold in force
            self._held = False

    def _disturb(self) -> None:
        """What is under way takes longer than it would by itself."""
        self._disturbed = True
        for step in self._open.values():
            step.undisturbed = False


def _sign(started: e.CampaignStarted) -> float:
    objectives = started.campaign.get("objectives")
    first = objectives[0] if isinstance(objectives, list) and objectives else {}
    return -1.0 if isinstance(first, dict) and first.get("direction") == "min" else 1.0


def kind_of(intent: e.StepIntended) -> str:
    """Steps of one kind take about as long as each other."""
    if intent.plan == "measure" and intent.sample == e.REFERENCE:
        return "measure reference"
    if intent.plan == "deposit":
        made, known = intent.kwargs.get("composition"), intent.kwargs.get("rates")
        wanted = {element for element, share in made.items() if share} if isinstance(made, dict) else set()
        return "deposit" if isinstance(known, dict) and wanted <= known.keys() else "deposit and calibrate"
    return intent.plan


def _keep(durations: list[float], duration: float) -> None:
    durations.append(duration)
    del durations[:-KEPT]
