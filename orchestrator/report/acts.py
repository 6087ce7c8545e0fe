"""What operators did about the search: own samples, vetoes, rejections, repeats, notes, the budget."""

from __future__ import annotations

from orchestrator.campaign.actions import made_of
from orchestrator.campaign.search import Acted
from orchestrator.report.facts import Night
from orchestrator.report.formats import clock, elapsed, with_sigma
from orchestrator.report.markup import Child, Html, el, join, table_row


def act_table(night: Night) -> Html | None:
    """Everything in order of time, and what became of it; None if nobody did anything."""
    search = night.state.search
    if not search.did:
        return None
    rows = []
    for act in search.did:
        cells: list[Child] = [
            clock(act.time, night.zone),
            f"+{elapsed(act.time - night.start)}",
            el("td", f"{act.action} by {act.by}", class_="text what"),
            el("td", act.about, class_="text"),
            el("td", act.reason, class_="text"),
            el("td", _became(act, night), class_="text"),
        ]
        rows.append(table_row("td", cells))
    words = ("what", "about", "why", "and then")
    head: list[Child] = ["time", "hours", *(el("th", word, class_="text") for word in words)]
    inner = el("table", el("thead", table_row("th", head)), el("tbody", *rows), class_="troubles")
    label = "What operators did about the search"
    table = el("div", inner, class_="scroll", tabindex="0", role="region", aria_label=label)
    left = [f"{own.number} ({made_of(own.composition, own.settings)})" for own in search.queue]
    never = el("p", f"Queued and not made: own samples {', '.join(left)}.", class_="note") if left else None
    return join(never, table)


def _became(act: Acted, night: Night) -> str:
    """What became of what was asked for, as the night ended."""
    samples = night.state.samples
    if act.action == "sample":
        made = next((s for s in samples.values() if s.own is not None and s.own.number == act.number), None)
        waits = any(own.number == act.number for own in night.state.search.queue)
        return f"sample {made.number}, {made.phase}" if made else "still queued" if waits else "withdrawn"
    if act.number is None or act.number not in samples:
        return ""
    sample = samples[act.number]
    seen = sample.observation
    match act.action:
        case "reject" if sample.rejected is not None and seen is not None and seen.value is not None:
            return f"{with_sigma(seen.value, seen.sigma, seen.unit)} does not count"
        case "reject" | "accept" | "repeat" if seen is not None and seen.value is not None:
            return f"{with_sigma(seen.value, seen.sigma, seen.unit)} counts"
        case "repeat":
            return f"{seen.validity}: {seen.reason}" if seen else f"{sample.phase}, not measured again yet"
        case "veto":
            return str(sample.phase)
    return ""
