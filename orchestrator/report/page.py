"""The page: one self-contained HTML file without scripts or anything from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from orchestrator.campaign.entries import Recorded
from orchestrator.report.acts import act_table
from orchestrator.report.facts import Night
from orchestrator.report.figures import best_so_far
from orchestrator.report.formats import day_and_clock, local
from orchestrator.report.loops import loop_frames
from orchestrator.report.markup import Html, el, join
from orchestrator.report.model import model
from orchestrator.report.provenance import hazard_list, provenance
from orchestrator.report.style import CSS
from orchestrator.report.tables import sample_table
from orchestrator.report.ternary import composition_map
from orchestrator.report.timeline import timeline
from orchestrator.report.troubles import trouble_table
from orchestrator.report.verdict import verdict

Hazards = Sequence[Mapping[str, Any]]


def write_report(
    journal_entries: Iterable[Recorded],
    target: Path,
    *,
    simulated: bool,
    hazards: Hazards | None = None,
    note: str = "",
    zone: tzinfo | None = None,
) -> None:
    """Write the report of the night that `journal_entries` tell of to the file `target`.

    The arguments are those of `render`.  Raises `OSError` if the file cannot be written.
    """
    page = render(journal_entries, simulated=simulated, hazards=hazards, note=note, zone=zone)
    target.write_text(page, encoding="utf-8")


def render(
    journal_entries: Iterable[Recorded],
    *,
    simulated: bool,
    hazards: Hazards | None = None,
    note: str = "",
    zone: tzinfo | None = None,
) -> str:
    """The report as HTML, from a whole or an unfinished journal, from its first entry on.

    `simulated` marks every page of it as a rehearsal, with the `hazards` of the simulated lab's own log (None: not
    read) and a `note`, say where the hidden truth came from.  Times are in `zone`, or in this machine's.
    Raises `LifecycleError` if the journal tells of something that cannot happen.
    """
    night = Night(journal_entries, zone)
    body = join(
        _banner(note) if simulated else None,
        el(
            "main",
            _heading(night),
            verdict(night, hazards),
            _section("Stations", timeline(night)),
            el(
                "div",
                _section("Best so far", best_so_far(night)),
                _section("Map", composition_map(night)),
                class_="pair",
            ),
            _section("Model", model(night)) if night.state.assessments else None,
            _section("Loops", loop_frames(night)),
            _section("Samples", sample_table(night)),
            _section("What operators did about the search", acts) if (acts := act_table(night)) else None,
            _section("What did not go to plan", trouble_table(night)),
            _section("Hazards in the simulated lab", hazard_list(hazards, night)) if simulated else None,
            _section("Provenance", provenance(night)),
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
            "div",
            el("b", "SIMULATED"),
            el("span", words),
            el("span", note) if note else None,
            class_="banner",
            role="note",
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
    return el("section", el("h2", title), content)
