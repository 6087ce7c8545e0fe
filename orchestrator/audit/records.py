"""What the checks look at: the night as plain records, as the files hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Generic, TypeVar

from orchestrator.campaign import entries as e

CLOCK_S = 1.0
"""Lab seconds by which the stamps of two processes may disagree: 1 ms of real time in a rehearsal."""

E = TypeVar("E")


@dataclass(frozen=True)
class Fact(Generic[E]):
    """An entry of the journal with its version and lab time."""

    version: int
    time: float
    entry: E


@dataclass(frozen=True)
class Misread:
    """Something in a file that cannot be read; `version` of the entry, if it is one."""

    message: str
    version: int | None = None


@dataclass(frozen=True)
class Step:
    """A step by its two entries.

    `since` and `until` are the lab times between which it was open; None where that is not known: a step that is
    open, a clock that stood still, a daemon with another clock.
    """

    intent: Fact[e.StepIntended]
    end: Fact[e.StepEnded] | None
    since: float | None
    until: float | None

    @property
    def plan(self) -> str:
        return self.intent.entry.plan

    @property
    def uid(self) -> str:
        return self.intent.entry.step

    @property
    def sample(self) -> int:
        return self.intent.entry.sample

    @property
    def versions(self) -> tuple[int, ...]:
        """Of its intent, and of its outcome if it has one."""
        return (self.intent.version,) if self.end is None else (self.intent.version, self.end.version)

    @property
    def ended_as(self) -> str | None:
        return None if self.end is None else self.end.entry.end

    @property
    def evidence(self) -> Mapping[str, Any]:
        """What settled the step if it was found cut off; empty if nothing had to."""
        return {} if self.end is None else self.end.entry.evidence or {}

    def covers(self, fact: Fact[Any]) -> bool:
        """Whether `fact` was told while the step was open: a result comes before its step's end, if only just."""
        return self.intent.version < fact.version and (self.end is None or fact.version < self.end.version)

    def open_at(self, time: float) -> bool:
        """Whether the step was open at lab time `time`, for all that is known, and give or take the clocks."""
        early = self.since is not None and time < self.since - CLOCK_S
        return not early and (self.until is None or time <= self.until + CLOCK_S)


@dataclass(frozen=True)
class Setting:
    """A value that a device was set to, as an event document has it, and its limits there."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Run:
    """The documents of one run.  `names` are the documents' in order; `start` and `stop` their bodies."""

    uid: str
    start: Mapping[str, Any] | None
    stop: Mapping[str, Any] | None
    names: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True)
class StepRecord:
    """A step as its station's own log has it; lab times.  `evidence`: what was looked at after it was cut off."""

    uid: str
    step: Mapping[str, Any]
    state: str
    outcome: Mapping[str, Any]
    run_uids: tuple[str, ...]
    begun: float
    ended: float | None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """An act that a step was about to begin."""

    step: str
    mark: str
    time: float


@dataclass(frozen=True)
class StationLog:
    """One station's file: `looked` counts the rows read."""

    station: str
    runs: Mapping[str, Run] = field(default_factory=dict)
    steps: Mapping[str, StepRecord] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    looked: int = 0
    misread: tuple[Misread, ...] = ()


@dataclass(frozen=True)
class Event:
    """A line of the world log; `substrate` is the cassette slot in which it began the night, 0 for none."""

    line: int
    t: float
    event: str
    substrate: int
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.event} (world log line {self.line})"


@dataclass(frozen=True)
class World:
    """The world log: `looked` counts its lines."""

    events: tuple[Event, ...]
    looked: int = 0
    misread: tuple[Misread, ...] = ()

    def of(self, *events: str) -> list[Event]:
        return [event for event in self.events if event.event in events]


@dataclass(frozen=True, eq=False)
class Records:
    """Everything of one home.  `rows` counts the journal's entries, also those that could not be read;
    `misread` is what is wrong with the file, `unknown` with single entries; no `world` on hardware.
    `one_clock`: all times are of one clock, whichever daemon wrote them.  `stalled`: versions of entries that were
    stamped while the clock stood still (`stalled_versions`)."""

    facts: tuple[Fact[e.Entry], ...]
    rows: int = 0
    misread: tuple[Misread, ...] = ()
    unknown: tuple[Misread, ...] = ()
    stations: Mapping[str, StationLog] = field(default_factory=dict)
    world: World | None = None
    one_clock: bool = False
    stalled: frozenset[int] = frozenset()

    def of(self, kind: type[E]) -> list[Fact[E]]:
        """The facts whose entry is a `kind`, in order."""
        return [fact for fact in self.facts if isinstance(fact.entry, kind)]  # type: ignore[misc]

    @cached_property
    def steps(self) -> dict[str, Step]:
        """By uid, in the order of their intents; of what was said twice, the first."""
        ends: dict[str, Fact[e.StepEnded]] = {}
        for end in self.of(e.StepEnded):
            ends.setdefault(end.entry.step, end)
        starts = [] if self.one_clock else [fact.version for fact in self.of(e.DaemonStarted)]
        steps: dict[str, Step] = {}
        for intent in self.of(e.StepIntended):
            last = ends.get(intent.entry.step)
            handed_over = last is not None and any(intent.version < start < last.version for start in starts)
            since = None if intent.version in self.stalled else intent.time
            unknown = last is None or handed_over or last.version in self.stalled
            until = None if last is None or unknown else last.time
            steps.setdefault(intent.entry.step, Step(intent, last, since, until))
        return steps

    def steps_on(self, sample: int, *plans: str) -> list[Step]:
        return [step for step in self.steps.values() if step.sample == sample and step.plan in plans]

    @cached_property
    def films(self) -> dict[int, Fact[e.FilmDeposited]]:
        """By sample; the first of each."""
        return {film.entry.sample: film for film in reversed(self.of(e.FilmDeposited))}

    @cached_property
    def slots(self) -> dict[int, int]:
        """The cassette slot in which a substrate began the night -> its sample: of several, one that was not vetoed."""
        found: dict[int, int] = {}
        for sample, slot in sorted(self.substrates.items(), reverse=True):
            if slot not in found or sample not in self.vetoed:
                found[slot] = sample
        return found

    def steps_of(self, substrate: int, plan: str) -> list[Step]:
        """Steps on every sample that this substrate was ever chosen for."""
        return [s for sample, slot in self.substrates.items() if slot == substrate for s in self.steps_on(sample, plan)]

    @cached_property
    def vetoed(self) -> dict[int, Fact[e.SuggestionVetoed]]:
        return {fact.entry.sample: fact for fact in reversed(self.of(e.SuggestionVetoed))}

    def given_back(self, sample: int, version: int) -> bool:
        """Whether before `version` a sample had been vetoed, and was at rest in its slot."""
        veto = self.vetoed.get(sample)
        moves = [
            f.entry.destination for f in self.of(e.SampleMoved) if f.entry.sample == sample and f.version < version
        ]
        under_way = [
            step
            for step in self.steps_on(sample, "transfer")
            if step.intent.version < version and (step.end is None or step.end.version > version)
        ]
        home = f"cassette/{self.substrates.get(sample)}"
        at_home = not under_way and (not moves or moves[-1] == home)
        return veto is not None and veto.version < version and at_home

    @cached_property
    def substrates(self) -> dict[int, int]:
        """Sample -> the slot of its substrate; the reference specimen's too."""
        suggested = {said.entry.sample: said.entry.slot for said in reversed(self.of(e.SampleSuggested))}
        return suggested if self.reference is None else {e.REFERENCE: self.reference["slot"], **suggested}

    @cached_property
    def reference(self) -> Mapping[str, Any] | None:
        """The lab's reference specimen, as its file tells of it."""
        told = self.started.lab.get("reference") if self.started else None
        return told if isinstance(told, dict) else None

    @cached_property
    def quarantined(self) -> dict[int, Fact[e.SampleQuarantined]]:
        return {fact.entry.sample: fact for fact in reversed(self.of(e.SampleQuarantined))}

    @cached_property
    def discarded(self) -> dict[int, Fact[e.SampleDiscarded]]:
        return {fact.entry.sample: fact for fact in reversed(self.of(e.SampleDiscarded))}

    @cached_property
    def observed(self) -> dict[int, Fact[e.ObservationMade]]:
        """By sample, the first that was not withdrawn, nor to be made again."""
        observed: dict[int, Fact[e.ObservationMade]] = {}
        for fact in self.facts:
            match fact.entry:
                case e.ObservationMade(sample=number):
                    observed.setdefault(number, fact)  # type: ignore[arg-type]
                case e.ObservationWithdrawn(sample=number) | e.MeasurementRequested(sample=number):
                    observed.pop(number, None)
        return observed

    @cached_property
    def started(self) -> e.CampaignStarted | None:
        return next((fact.entry for fact in self.of(e.CampaignStarted)), None)

    @cached_property
    def over(self) -> Fact[e.CampaignEnded] | None:
        """How the campaign ended; None for one that has not, or that went on."""
        ended = self.of(e.CampaignEnded)
        if not ended:
            return None
        later = (e.SampleSuggested, e.StepIntended, e.CommandGiven)
        went_on = any(f.version > ended[-1].version and isinstance(f.entry, later) for f in self.facts)
        return None if went_on else ended[-1]

    @property
    def ended_by_itself(self) -> bool:
        """Whether the campaign came to its own end, or to the one it was asked for: with nothing left to do."""
        return self.over is not None and self.over.entry.end in ("done", "stopped")


def stalled_versions(facts: Sequence[Fact[Any]]) -> frozenset[int]:
    """Entries of a daemon whose clock was behind the journal's last: they are stamped with its time until the clock
    has passed that, and tell their order only."""
    stalled: set[int] = set()
    for before, fact in pairwise(facts):
        first = isinstance(before.entry, e.CampaignStarted)
        anew = isinstance(fact.entry, e.DaemonStarted) and not first
        if fact.time == before.time and (anew or before.version in stalled):
            stalled.add(fact.version)
    return frozenset(stalled)
