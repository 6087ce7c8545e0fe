"""The steps of a campaign: which are under way, that none begins twice or where another is, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import LifecycleError

TIMED = 50
"""Durations of each kind of step that are kept, the latest."""


@dataclass(frozen=True)
class OpenStep:
    """A step under way; `since` is lab time, and `held_s` for how much of it a person's hold had stopped it."""

    intent: e.StepIntended
    since: float
    held_s: float = 0.0

    def held_by(self, since: float | None, until: float) -> float:
        """For how much of its time a person's hold has stopped it by `until`, if one has been in force `since` then
        (None: there is none), lab times."""
        return self.held_s + (max(0.0, until - max(since, self.since)) if since is not None else 0.0)


@dataclass(frozen=True)
class Timing:
    """A step that was done at its first attempt took `seconds` of lab time, holds left out."""

    intent: e.StepIntended
    seconds: float


@dataclass
class Steps:
    """`under_way` by uid, in the order in which they were intended; `timings` by kind of step, the latest `TIMED`."""

    under_way: dict[str, OpenStep] = field(default_factory=dict)
    timings: dict[e.Plan, tuple[Timing, ...]] = field(default_factory=dict)
    _known: dict[str, None] = field(default_factory=dict)  # copied several times as fast as a set

    def copy(self) -> Steps:
        """One that can be changed without changing this one."""
        return Steps(self.under_way.copy(), self.timings.copy(), self._known.copy())

    @property
    def occupied(self) -> dict[str, str]:
        """Stations with a step under way -> its uid."""
        return {station: uid for uid, step in self.under_way.items() for station in step.intent.claims}

    def check(self, entry: e.StepIntended) -> None:
        """Raises `LifecycleError` if that step cannot begin now."""
        if entry.step in self._known:
            raise LifecycleError(f"step {entry.step} was intended twice")
        if not self.under_way:
            return
        if taken := set(entry.claims).intersection(self.occupied):
            raise LifecycleError(f"step {entry.step} claims {', '.join(sorted(taken))}, where a step is under way")
        if any(step.intent.sample == entry.sample for step in self.under_way.values()):
            raise LifecycleError(f"step {entry.step}: a step on sample {entry.sample} is under way already")

    def begin(self, entry: e.StepIntended, time: float) -> None:
        """It is under way from now on."""
        self.under_way[entry.step] = OpenStep(entry, time)
        self._known[entry.step] = None

    def end(self, uid: str, time: float, *, done: bool) -> e.StepIntended:
        """It is over; what was intended.  Raises `LifecycleError` if it was not under way."""
        try:
            step = self.under_way.pop(uid)
        except KeyError:
            raise LifecycleError(f"step {uid} ended, but was never intended or had ended") from None
        intent = step.intent
        if done and intent.attempt == 1:
            took = Timing(intent, max(0.0, time - step.since - step.held_s))
            self.timings[intent.plan] = (*self.timings.get(intent.plan, ()), took)[-TIMED:]
        return intent

    def held(self, since: float, until: float) -> None:
        """Between those lab times a person held whatever was under way."""
        for uid, step in self.under_way.items():
            self.under_way[uid] = replace(step, held_s=step.held_by(since, until))
