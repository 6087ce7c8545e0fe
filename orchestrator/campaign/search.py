"""What operators did about the search, as the campaign's state knows it; and what those are told who come later: pure.

An action has a key and what its giver had seen, as a command has (`orchestrator.campaign.commands`): said again with
the same key it is the same action, and what another has changed since then is not changed unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.actions import SearchRequest, budget_of, made_of, weights_of
from orchestrator.campaign.lifecycle import CommandRefused, LifecycleError, Mode

OPERATOR = "operator"
"""The method of a sample that no optimizer chose."""


@dataclass(frozen=True)
class Queued:
    """An own sample that waits for its turn; the settings are those that the campaign searches."""

    number: int
    composition: dict[str, float]
    settings: dict[str, float]
    by: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("number", "composition", "settings", "by", "reason")}


@dataclass(frozen=True)
class Acted:
    """An action that was done: with entry `version`, at lab `time`.  `about` and `subject` are those of the action;
    `number` is that of the sample, or of the own sample."""

    version: int
    time: float
    action: str
    about: str
    subject: str
    by: str
    reason: str
    key: str = ""
    number: int | None = None

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.action} of {self.about} by {self.by} at {datetime.fromtimestamp(self.time):%H:%M:%S}{why}"

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("version", "time", "action", "about", "by", "reason")}


def acted(entry: e.Act, version: int, time: float) -> Acted:
    """What `entry`, of that version, says was done."""
    action, about, subject, number = _told(entry)
    return Acted(version, time, action, about, subject, entry.by, entry.reason, entry.key, number)


def _told(entry: e.Act) -> tuple[str, str, str, int | None]:
    """Action, about, subject and number."""
    match entry:
        case e.OwnSampleQueued(queued=number):
            return "sample", made_of(entry.composition, entry.settings), "", number
        case e.QueueReordered(queued=number):
            return "reorder", f"own sample {number}", "queue", number
        case e.OwnSampleWithdrawn(queued=number):
            return "withdraw", f"own sample {number}", "queue", number
        case e.SampleNoted(sample=number):
            return "note", f"sample {number}: {entry.text}", "", number
        case e.WeightsChanged():
            return "weights", weights_of(entry.weights), "weights", None
        case e.BudgetChanged():
            return "budget", budget_of(entry.samples, entry.lab_hours), "budget", None
        case e.SuggestionVetoed(sample=number):
            action = "veto"
        case e.ObservationRejected(sample=number):
            action = "reject"
        case e.ObservationRestored(sample=number):
            action = "accept"
        case e.MeasurementRequested(sample=number):
            action = "repeat"
    return action, f"sample {number}", f"sample {number}", number


@dataclass(frozen=True)
class Search:
    """What operators changed: the `queue` of own samples, of which `queued` were ever told; the budget, None where it
    is as the campaign says; the `weights` of objectives that were given others; and everything they `did`, in order.
    `vetoed` are numbers of samples.

    `turns` counts what a suggestion that is being computed did not know, and should have.
    """

    queue: tuple[Queued, ...] = ()
    queued: int = 0
    samples: int | None = None
    lab_hours: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    vetoed: tuple[int, ...] = ()
    turns: int = 0
    did: tuple[Acted, ...] = ()

    def after(self, entry: e.Act, version: int, time: float) -> Search:
        """After `entry` too.  Raises `LifecycleError` if it cannot follow."""
        known = replace(self, did=(*self.did, acted(entry, version, time)))
        match entry:
            case e.OwnSampleQueued():
                return known._queue_up(entry)
            case e.QueueReordered():
                return known._reordered(entry.order)
            case e.OwnSampleWithdrawn(queued=number):
                left = tuple(own for own in self.queue if own.number != number)
                if len(left) == len(self.queue):
                    raise LifecycleError(f"own sample {number} is withdrawn, and is not in the queue")
                return replace(known, queue=left)
            case e.BudgetChanged():
                return replace(
                    known.turned(),
                    samples=self.samples if entry.samples is None else entry.samples,
                    lab_hours=self.lab_hours if entry.lab_hours is None else entry.lab_hours,
                )
            case e.SuggestionVetoed(sample=number):
                return replace(known.turned(), vetoed=(*self.vetoed, number))
            case e.WeightsChanged():
                return replace(known.turned(), weights={**self.weights, **entry.weights})
            case e.ObservationRejected() | e.ObservationRestored() | e.MeasurementRequested():
                return known.turned()
            case e.SampleNoted():
                return known

    def turned(self) -> Search:
        """A suggestion that is being computed no longer knows all."""
        return replace(self, turns=self.turns + 1)

    def taken(self, entry: e.SampleSuggested) -> Search:
        """The first in the queue has become a sample.  Raises `LifecycleError` if it is not what `entry` says."""
        if not self.queue:
            raise LifecycleError(f"sample {entry.sample} is said to be an operator's own, and none was queued")
        first = self.queue[0]
        if (entry.composition, entry.settings) != (first.composition, first.settings):
            raise LifecycleError(f"sample {entry.sample} is not own sample {first.number}, whose turn it was")
        return replace(self.turned(), queue=self.queue[1:])

    def _queue_up(self, entry: e.OwnSampleQueued) -> Search:
        if entry.queued != self.queued + 1:
            raise LifecycleError(f"own sample {entry.queued} does not follow {self.queued}")
        own = Queued(entry.queued, entry.composition, entry.settings, entry.by, entry.reason)
        return replace(self, queue=(*self.queue, own), queued=entry.queued)

    def _reordered(self, order: Sequence[int]) -> Search:
        by_number = {own.number: own for own in self.queue}
        if sorted(order) != sorted(by_number):
            raise LifecycleError(f"the queue {sorted(by_number)} is reordered to {order}")
        return replace(self, queue=tuple(by_number[number] for number in order))

    # --- who was first --------------------------------------------------------------------------------

    def done_before(self, request: SearchRequest) -> Acted | None:
        """The action that this very request has been already.  Raises `CommandRefused` if its key was another's."""
        before = self.with_key(request.key)
        asked = request.action
        if before is not None and (before.action, before.about) != (asked.name, asked.about):
            raise CommandRefused(f"the key {request.key!r} is that of another request: {before}")
        return before

    def with_key(self, key: str) -> Acted | None:
        """The action that was asked for with `key`."""
        return next((one for one in self.did if key and one.key == key), None)

    def last_on(self, subject: str) -> Acted | None:
        """What was last done about `subject`."""
        return next((one for one in reversed(self.did) if subject and one.subject == subject), None)


def check_seen(request: SearchRequest, search: Search) -> None:
    """Raises `CommandRefused` if somebody has changed what `request` is about since its giver looked."""
    last = search.last_on(request.action.subject)
    if last is not None and request.seen is not None and last.version > request.seen:
        raise CommandRefused(
            f"before you came {last}, entry {last.version}; you had seen entry {request.seen}: "
            f"look again, then {request.action.name}"
        )


def answer(done: Acted, mode: Mode, *, changed: bool = True, again: bool = False) -> dict[str, Any]:
    """What the giver of a request is told.

    The "action" and what it was "about", in words; the campaign's "mode"; whether anything "changed"; whether this very
    request was done before ("again"); the "entry" that tells of it, and the "number" of the sample, or own sample; in
    "note" what another had done before, if that matters, and in "first" that action.
    """
    note = f"already done, entry {done.version}: {done}" if again else "" if changed else f"it was so already: {done}"
    return {
        "action": done.action,
        "about": done.about,
        "mode": mode.value,
        "changed": changed,
        "again": again,
        "entry": done.version,
        "number": done.number,
        "note": note,
        "first": done.as_dict() if note else None,
    }
