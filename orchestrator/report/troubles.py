"""Everything that did not go to plan, in order of time, and why."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.campaign import entries as e
from orchestrator.report.facts import Night
from orchestrator.report.formats import clock, counted, elapsed, minutes
from orchestrator.report.markup import Child, Html, el, table_row


@dataclass(frozen=True)
class Trouble:
    """`time` is lab time; `sample` is None when the whole campaign is meant."""

    time: float
    sample: int | None
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
        rows.append(table_row("td", cells))
    head: list[Child] = ["time", "hours", "sample", el("th", "what", class_="text"), el("th", "why", class_="text")]
    inner = el("table", el("thead", table_row("th", head)), el("tbody", *rows), class_="troubles")
    return el("div", inner, class_="scroll", tabindex="0", role="region", aria_label="What did not go to plan")


def troubles(night: Night) -> list[Trouble]:
    """Steps that failed, values that are none, samples given up or set aside, stations or optimizer lost, commands."""
    intents: dict[str, e.StepIntended] = {}
    found: list[Trouble] = []
    for recorded in night.entries:
        if isinstance(recorded.entry, e.StepIntended):
            intents[recorded.entry.step] = recorded.entry
        trouble = _trouble(recorded.entry, recorded.time, intents, night)
        if trouble and not _told_already(trouble, found):
            found.append(trouble)
    if night.state.ended:
        found += [
            Trouble(step.since, step.intent.sample, f"{step.intent.plan} never ended", "unknown how far it came")
            for step in night.state.open_steps.values()
        ]
    return sorted(found, key=lambda trouble: trouble.time)


def _trouble(entry: e.Entry, time: float, intents: dict[str, e.StepIntended], night: Night) -> Trouble | None:
    match entry:
        case e.StepEnded(end=("failed" | "aborted" | "unknown") as end) if entry.step in intents:
            intent = intents[entry.step]
            attempt = f", attempt {intent.attempt}" if intent.attempt > 1 else ""
            fault = f" ({entry.fault.replace('_', ' ')})" if entry.fault else ""
            return Trouble(time, intent.sample, f"{intent.plan} {end}{fault}{attempt}", entry.error)
        case e.ObservationMade(validity=("censored" | "failed") as validity):
            return Trouble(time, entry.sample, f"observation {validity}", entry.reason)
        case e.FilmDeposited(finished=False):
            had = f"{entry.thickness_nm:.1f} nm after {minutes(entry.shutter_open_s)} with the shutter open"
            return Trouble(time, entry.sample, "film interrupted", had)
        case e.SampleSuggested(method="fallback"):
            return Trouble(time, entry.sample, "fallback suggestion", "made without the optimizer")
        case e.ReferenceMeasured(verdict="drifted"):
            shown = f"the reference specimen shows {entry.ratio:.3f} ± {entry.ratio_sigma:.3f} of its value"
            return Trouble(time, None, "magnetometer drifted", shown)
        case e.ObservationWithdrawn():
            return Trouble(time, entry.sample, "observation withdrawn", entry.reason)
        case e.SampleDiscarded():
            return Trouble(time, entry.sample, f"discarded by {entry.by}", entry.reason)
        case e.SampleQuarantined():
            return Trouble(time, entry.sample, "quarantined", entry.reason)
        case e.CommandGiven():
            return Trouble(time, None, f"{entry.command} by {entry.by}", entry.reason)
        case e.CampaignHeld():
            return Trouble(time, None, "held", f"{counted(len(night.stations), 'station')} at rest at a gate")
        case e.StationLost():
            return Trouble(time, None, f"station {entry.station} lost", entry.reason)
        case e.OptimizerLost():
            return Trouble(time, None, "optimizer lost", entry.reason)
        case e.OperatorNeeded():
            return Trouble(time, None, "operator needed", entry.reason)
    return None


def _told_already(trouble: Trouble, found: list[Trouble]) -> bool:
    """A failed measurement and its failed observation are one trouble, told by two entries."""
    return any(
        (other.time, other.sample, other.why) == (trouble.time, trouble.sample, trouble.why) for other in found[-2:]
    )
