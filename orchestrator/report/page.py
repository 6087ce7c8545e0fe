"""The page: one self-contained HTML file without scripts or anything from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from orchestrator.campaign.entries import Recorded
from orchestrator.report.acts import act_table
from orchestrator.report.belief import believed
from orchestrator.report.best import best_so_far
from orchestrator.report.calculations import calculations
from orchestrator.report.card import report_card
from orchestrator.report.consumables import Gas, consumables
from orchestrator.report.facts import Night
from orchestrator.report.formats import day_and_clock, local
from orchestrator.report.front import trade_offs
from orchestrator.report.loops import loop_frames
from orchestrator.report.maps import maps
from orchestrator.report.markup import Html, el, join
from orchestrator.report.model import model
from orchestrator.report.provenance import hazard_list, provenance
from orchestrator.report.random_search import held_against
from orchestrator.report.repeatability import repeatability
from orchestrator.report.style import CSS
from orchestrator.report.tables import sample_table
from orchestrator.report.timeline import timeline
from orchestrator.report.top import top_samples
from orchestrator.report.troubles import trouble_table
from orchestrator.report.verdict import verdict

Hazards = Sequence[Mapping[str, Any]]


def write_report(
    journal_entries: Iterable[Recorded],
    target: Path,
    *,
    simulated: bool,
    hazards: Hazards | None = None,
    gas: Gas | None = None,
    note: str = "",
    zone: tzinfo | None = None,
) -> None:
    """Write the report of the night that `journal_entries` tell of to the file `target`.

    The arguments are those of `render`.  Raises `OSError` if the file cannot be written.
    """
    page = render(journal_entries, simulated=simulated, hazards=hazards, gas=gas, note=note, zone=zone)
    beside = target.with_name(f"{target.name}.new")
    beside.write_text(page, encoding="utf-8")
    beside.replace(target)  # whoever looks sees a whole page


def render(
    journal_entries: Iterable[Recorded],
    *,
    simulated: bool,
    hazards: Hazards | None = None,
    gas: Gas | None = None,
    note: str = "",
    zone: tzinfo | None = None,
) -> str:
    """The report as HTML, from a whole or an unfinished journal, from its first entry on.

    `simulated` marks every page of it as a rehearsal, with the `hazards` of the simulated lab's own log (None: not
    read) and a `note`, say where the hidden truth came from.  `gas` is the flow that
    was read, None if none was.  Times are in `zone`, or in this machine's.
    Raises `LifecycleError` if the journal tells of something that cannot happen.
    """
    night = Night(journal_entries, zone)
    belief = believed(night)
    search = held_against(night, belief)
    sections = {
        "Trade-offs": trade_offs(night) if night.several else None,
        "Best so far": None if night.several else best_so_far(night, search),
        "Best samples": top_samples(night),
        "Map": maps(night, belief),
        "Stations": timeline(night),
        "What did not go to plan": trouble_table(night),
        "What operators did about the search": act_table(night),
        "Hazards in the simulated lab": hazard_list(hazards, night) if simulated else None,
        "Model": model(night) if night.state.assessments else None,
        "Calculations": calculations(night),
        "Repeatability and drift": repeatability(night),
        "Consumables": consumables(night, gas),
        "Report card": report_card(night, search, gas),
        "Samples": sample_table(night),
        "Loops": loop_frames(night),
        "Provenance": provenance(night),
    }
    shown = {title: content for title, content in sections.items() if content is not None}
    body = join(
        _banner(note) if simulated else None,
        el(
            "main",
            _heading(night),
            verdict(night, hazards),
            _contents(list(shown)),
            *(_section(title, content) for title, content in shown.items()),
        ),
    )
    head = el(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="color-scheme" content="light dark">'),
        el("title", f"{night.name}: morning report{' (simulated)' if simulated else ''}"),
        el("style", Html(CSS)),
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">{head}{el("body", body, class_="simulated" if simulated else None)}</html>\n'
    )


def _banner(note: str) -> Html:
    words = "A rehearsal on the simulated lab: no film was made, nothing was measured."
    return join(
        el("div", "SIMULATED", class_="watermark", aria_hidden="true"),
        el(
            "aside",
            el("b", "SIMULATED"),
            el("span", words),
            el("span", note) if note else None,
            class_="banner",
            aria_label="Simulated",
        ),
    )


def _heading(night: Night) -> Html:
    facts = []
    if night.entries:
        begin, end = local(night.start, night.zone), local(night.end, night.zone)
        until = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%a %H:%M}"
        facts.append(f"{day_and_clock(night.start, night.zone)} to {until} ({begin.tzname()})")
    if night.lab.get("name"):
        facts.append(f"lab {night.lab['name']}")
    return el(
        "header",
        el("p", "Nightshift morning report", class_="kicker"),
        el("h1", night.name),
        el("p", ", ".join(facts), class_="when") if facts else None,
    )


def _section(title: str, content: Html) -> Html:
    return el("section", el("h2", title, id=_anchor(title)), content)


def _contents(titles: Sequence[str]) -> Html:
    """Where to jump to."""
    return el("nav", *(el("a", title, href=f"#{_anchor(title)}") for title in titles), aria_label="Contents")


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
