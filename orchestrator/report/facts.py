"""What the journal tells of a night, arranged for the page.

The campaign is read as the plain values that the journal holds, key by key, so that a report can be made
from any night, however old the form of its campaign file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Any, TypeGuard

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.state import CampaignState, Direction, Sample, best
from orchestrator.report.formats import HOUR_S
from orchestrator.service.outcomes import POLICY

_NOT_ACTS = (e.CampaignStarted, e.SampleDiscarded)
"""They name who runs the campaign, and are nobody's doing in the night."""


@dataclass(frozen=True)
class Bar:
    """A step under way from `start` to `end`, lab time; `outcome` is None while nobody has told of its end."""

    intent: e.StepIntended
    start: float
    end: float
    outcome: e.StepEnded | None

    @property
    def end_word(self) -> str:
        return self.outcome.end if self.outcome else "open"


@dataclass(frozen=True)
class Act:
    """What a person did at lab time `time`: `what` in the words of the entry's kind; `sample` if it is about one."""

    time: float
    what: str
    by: str
    reason: str
    sample: int | None


def act_of(recorded: e.Recorded) -> Act | None:
    """What a person did, if the entry tells of that."""
    entry = recorded.entry
    if isinstance(entry, _NOT_ACTS) or not {"by", "reason"} <= type(entry).model_fields.keys():
        return None
    told = entry.model_dump(include={"by", "reason", "text", "command", "sample"})
    if told["by"] == POLICY:
        return None
    what = str(told.get("command") or entry.kind.replace("_", " "))
    reason = "; ".join(filter(None, [told.get("text"), told["reason"]]))
    return Act(recorded.time, what, told["by"], reason, told.get("sample"))


class Night:
    """A journal, folded.  `zone` is that of the times on the page, None for this machine's."""

    def __init__(self, journal: Iterable[e.Recorded], zone: tzinfo | None = None) -> None:
        """Raises `LifecycleError` if the journal tells of something that cannot happen."""
        self.entries = list(journal)
        self.zone = zone
        self.state = CampaignState()
        for recorded in self.entries:
            self.state.apply(recorded)

    # --- the campaign ---------------------------------------------------------------------------------

    @property
    def campaign(self) -> dict[str, Any]:
        return self.state.started.campaign if self.state.started else {}

    @property
    def lab(self) -> dict[str, Any]:
        return self.state.started.lab if self.state.started else {}

    @property
    def name(self) -> str:
        return str(self.campaign.get("name") or "No campaign")

    @property
    def objective(self) -> dict[str, Any]:
        return next(iter(self.campaign.get("objectives") or []), {})

    @property
    def quantity(self) -> str:
        return str(self.objective.get("quantity", ""))

    @property
    def direction(self) -> Direction:
        return "min" if self.objective.get("direction") == "min" else "max"

    @property
    def unit(self) -> str:
        told = next((o.unit for o in self.state.observations), "")
        return str(self.objective.get("unit", told))

    @property
    def target(self) -> float | None:
        return (self.campaign.get("stopping") or {}).get("target")

    @property
    def budget_samples(self) -> int | None:
        return self.state.search.samples or (self.campaign.get("budget") or {}).get("samples")

    @cached_property
    def elements(self) -> list[str]:
        """In the campaign's order; others that turned up follow."""
        found = dict.fromkeys(self.campaign.get("elements") or {})
        for sample in self.samples:
            found.update(dict.fromkeys(made_of(sample)))
        return list(found)

    @cached_property
    def settings(self) -> list[str]:
        """The settings that are searched beside the composition."""
        return list(dict.fromkeys(name for sample in self.samples for name in sample.suggestion.settings))

    @property
    def earlier(self) -> int:
        """Observations that the campaign began with."""
        told = [data.get("columns", {}) for data in self.campaign.get("prior_data") or []]
        return sum(len(columns.get("value", [])) for columns in told)

    # --- the night ------------------------------------------------------------------------------------

    @property
    def start(self) -> float:
        return self.state.started_at or (self.entries[0].time if self.entries else 0.0)

    @property
    def end(self) -> float:
        return self.state.time or self.start

    @property
    def hours(self) -> float:
        return (self.end - self.start) / HOUR_S

    @cached_property
    def first_daemon(self) -> e.DaemonStarted | None:
        """The daemon that began the campaign; every other one took it up after a death."""
        return next((r.entry for r in self.entries if isinstance(r.entry, e.DaemonStarted)), None)

    @cached_property
    def samples(self) -> list[Sample]:
        return sorted(self.state.samples.values(), key=lambda sample: sample.number)

    @cached_property
    def loops(self) -> dict[int, dict[str, Any]]:
        """What was last measured on each sample, as the journal has it."""
        made = [recorded.entry for recorded in self.entries if isinstance(recorded.entry, e.ObservationMade)]
        return {entry.sample: entry.loop for entry in made if entry.loop is not None}

    @property
    def films(self) -> list[Sample]:
        """Samples with a finished film."""
        return [sample for sample in self.samples if sample.film and sample.film.finished]

    @property
    def several(self) -> bool:
        """Whether there are several objectives, and so no single best."""
        return self.state.terms.several

    @cached_property
    def top(self) -> e.ObservationMade | None:
        """The best valid observation of a film within all limits; with several objectives the best by their weights."""
        return best(self.state, self.direction)

    def validities(self, validity: str) -> int:
        return sum(observation.validity == validity for observation in self.state.observations)

    @cached_property
    def bars(self) -> list[Bar]:
        """Every step, in the order in which they began."""
        begun: dict[str, tuple[e.StepIntended, float]] = {}
        ended: dict[str, tuple[e.StepEnded | None, float]] = {}
        for recorded in self.entries:
            match recorded.entry:
                case e.StepIntended() as intent:
                    begun[intent.step] = (intent, recorded.time)
                case e.StepEnded() as end:
                    ended[end.step] = (end, recorded.time)
        bars = []
        for step, (intent, start) in begun.items():
            outcome, until = ended.get(step, (None, self.end))
            bars.append(Bar(intent, start, until, outcome))
        return bars

    @cached_property
    def stations(self) -> list[str]:
        """Stations that did anything, the chamber first and the robot last, as the lab file orders the kinds."""
        order = {"deposition": 0, "magnetometry": 1, "transfer": 3}
        kinds = {name: (told or {}).get("kind") for name, told in (self.lab.get("stations") or {}).items()}
        seen = dict.fromkeys(kinds)
        for bar in self.bars:
            seen.update(dict.fromkeys(bar.intent.claims))
        return sorted(seen, key=lambda name: order.get(str(kinds.get(name)), 2))

    @cached_property
    def holds(self) -> list[tuple[float, float]]:
        """From each hold that was asked for to the command that ended it, or to the end."""
        spans: list[tuple[float, float]] = []
        since: float | None = None
        for recorded in self.entries:
            match recorded.entry:
                case e.CommandGiven(command="hold"):
                    since = recorded.time if since is None else since
                case e.CommandGiven() | e.CampaignEnded():
                    if since is not None:
                        spans.append((since, recorded.time))
                    since = None
        return [*spans, (since, self.end)] if since is not None else spans

    @cached_property
    def held_true(self) -> frozenset[int]:
        """Samples whose observation counts: one that was rejected stays with its sample, and does not."""
        return frozenset(observation.sample for observation in self.state.observations)

    @cached_property
    def acts(self) -> list[Act]:
        """What people did, in order: every entry that says by whom and why, but for the machine's own."""
        return [act for recorded in self.entries if (act := act_of(recorded)) is not None]

    @property
    def rejected(self) -> list[Sample]:
        """Samples whose value an operator does not believe: the model was not told of it."""
        return [sample for sample in self.samples if sample.rejected is not None]

    @property
    def unmeasured(self) -> list[Sample]:
        """Films that nobody has an account of: neither observed, nor discarded, nor set aside."""
        return [sample for sample in self.samples if sample.film and sample.phase in (Phase.DEPOSITED, Phase.MEASURING)]


def made_of(sample: Sample) -> dict[str, float]:
    """The composition that the sample has, or is to have."""
    return sample.film.composition if sample.film else sample.suggestion.composition


def coercivity(sample: Sample) -> tuple[float | None, float | None]:
    """Value and uncertainty as observed, mT."""
    told: Any = (sample.observation.quantities if sample.observation else {}).get("coercivity") or {}
    value, sigma = told.get("value"), told.get("sigma")
    return (value if is_number(value) else None), (sigma if is_number(sigma) else None)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether `value`, from a loop or a quantity, is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def valid_of(night: Night, sample: Sample) -> e.ObservationMade | None:
    """The sample's observation, if it is valid and counts."""
    seen = sample.observation
    if seen is None or seen.validity != "valid" or seen.value is None or sample.number not in night.held_true:
        return None
    return seen


def value_of(observation: e.ObservationMade) -> float:
    """The value of an observation that has one."""
    if observation.value is None:
        raise ValueError(f"sample {observation.sample} has no value")
    return observation.value
