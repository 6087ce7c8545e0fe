"""Everything that did not go to plan, in order of time, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.campaign import entries as e
from orchestrator.report.facts import Night, act_of
from orchestrator.report.formats import clock, counted, elapsed, minutes
from orchestrator.report.markup import Child, Html, el, join, table_row
from orchestrator.service.outcomes import POLICY

Kind = Literal["failed", "no value", "lost", "drift", "needs", "fallback", "person", "policy"]
GRAVE: tuple[Kind, ...] = ("failed", "no value", "lost", "drift", "needs")

_GROUPS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("failed attempts", ("failed",)),
    ("samples without a valid value", ("no value",)),
    ("lost or unknown", ("lost",)),
    ("drift", ("drift",)),
    ("calls for a person", ("needs",)),
    ("suggestions without the model", ("fallback",)),
    ("acts of people", ("person",)),
    ("decisions of the policy", ("policy",)),
)


@dataclass(frozen=True)
class Trouble:
    """`time` is lab time; `sample` is None when the whole campaign is meant."""

    time: float
    sample: int | None
    kind: Kind
    what: str
    why: str


def trouble_table(night: Night) -> Html:
    found = troubles(night)
    if not found:
        return el("p", "Nothing: every step ended as it should." if night.bars else "Nothing so far.", class_="none")
    rows = []
    for trouble in found:
        cells: list[Child] = [
            clock(trouble.time, night.zone),
            f"+{elapsed(trouble.time - night.start)}",
            el("td", trouble.sample, class_="sample"),
            el("td", trouble.what, class_="text what"),
            el("td", trouble.why, class_="text"),
        ]
        rows.append(table_row("td", cells, class_="grave" if trouble.kind in GRAVE else None))
    head: list[Child] = ["time", "hours", "sample", el("th", "what", class_="text"), el("th", "why", class_="text")]
    inner = el("table", el("thead", table_row("th", head)), el("tbody", *rows), class_="troubles")
    table = el("div", inner, class_="scroll", tabindex="0", role="region", aria_label="What did not go to plan")
    return join(el("p", _counted(found), class_="note"), table)


def _counted(found: Sequence[Trouble]) -> str:
    groups = [(words, sum(trouble.kind in kinds for trouble in found)) for words, kinds in _GROUPS]
    return ", ".join(f"{words} {count}" for words, count in groups if count) + "."


def troubles(night: Night) -> list[Trouble]:
    """Steps that failed, values that are none, samples given up or set aside, stations or optimizer lost, commands."""
    intents: dict[str, e.StepIntended] = {}
    found: list[Trouble] = []
    for recorded in night.entries:
        if (act := act_of(recorded)) is not None:
            found.append(Trouble(act.time, act.sample, "person", f"{act.what} by {act.by}", act.reason))
        if isinstance(recorded.entry, e.StepIntended):
            intents[recorded.entry.step] = recorded.entry
        trouble = _trouble(recorded.entry, recorded.time, intents, night)
        if trouble and not _told_already(trouble, found):
            found.append(trouble)
    if night.state.ended:
        found += [
            Trouble(
                step.since, step.intent.sample, "lost", f"{step.intent.plan} never ended", "unknown how far it came"
            )
            for step in night.state.open_steps.values()
        ]
    return sorted(found, key=lambda trouble: trouble.time)


def _trouble(entry: e.Entry, time: float, intents: dict[str, e.StepIntended], night: Night) -> Trouble | None:
    match entry:
        case e.StepEnded(end=("failed" | "aborted" | "interrupted" | "unknown") as end) if entry.step in intents:
            intent = intents[entry.step]
            attempt = f", attempt {intent.attempt}" if intent.attempt > 1 else ""
            fault = f" ({entry.fault.replace('_', ' ')})" if entry.fault else ""
            kind: Kind = "lost" if end in ("interrupted", "unknown") else "failed"
            return Trouble(time, intent.sample or None, kind, f"{_plan(intent)} {end}{fault}{attempt}", entry.error)
        case e.ObservationMade(validity=("censored" | "failed") as validity):
            return Trouble(time, entry.sample, "no value", f"observation {validity}", entry.reason)
        case e.FilmDeposited(finished=False):
            had = f"{entry.thickness_nm:.1f} nm after {minutes(entry.shutter_open_s)} with the shutter open"
            return Trouble(time, entry.sample, "failed", "film interrupted", had)
        case e.SampleSuggested(method="fallback"):
            return Trouble(time, entry.sample, "fallback", "fallback suggestion", "made without the optimizer")
        case e.ReferenceMeasured(verdict="drifted"):
            shown = f"the reference specimen shows {entry.ratio:.3f} ± {entry.ratio_sigma:.3f} of its value"
            return Trouble(time, None, "drift", "magnetometer drifted", shown)
        case e.ObservationWithdrawn():
            return Trouble(time, entry.sample, "no value", "observation withdrawn", entry.reason)
        case e.SampleDiscarded():
            return Trouble(time, entry.sample, "no value", f"discarded by {entry.by}", entry.reason)
        case e.SampleQuarantined():
            return Trouble(time, entry.sample or None, "lost", "quarantined", entry.reason)
        case _:
            return _of_the_campaign(entry, time, night)


def _of_the_campaign(entry: e.Entry, time: float, night: Night) -> Trouble | None:
    match entry:
        case e.CommandGiven(by=by) if by == POLICY:
            return Trouble(time, None, "policy", f"{entry.command} by {by}", entry.reason)
        case e.CampaignHeld():
            at_rest = f"{counted(len(night.stations), 'station')} at rest at a gate"
            return Trouble(time, None, "policy", "held", at_rest)
        case e.StationLost():
            return Trouble(time, None, "lost", f"station {entry.station} lost", entry.reason)
        case e.OptimizerLost():
            return Trouble(time, None, "lost", "optimizer lost", entry.reason)
        case e.OperatorNeeded():
            return Trouble(time, None, "needs", "operator needed", entry.reason)
        case e.DaemonStarted() if entry is not night.first_daemon:
            return Trouble(time, None, "lost", "daemon started again", "the one before it had died or ended")
    return None


def _plan(intent: e.StepIntended) -> str:
    """What was being done; of the reference specimen its name is told, since it has no number."""
    return f"{intent.plan} of the reference" if intent.sample == e.REFERENCE else intent.plan


def _told_already(trouble: Trouble, found: list[Trouble]) -> bool:
    """A failed measurement and its failed observation are one trouble, told by two entries."""
    return any(
        (other.time, other.sample, other.why) == (trouble.time, trouble.sample, trouble.why) for other in found[-2:]
    )
