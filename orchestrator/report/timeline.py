"""Which station did what, and when it stood idle: one row a station, over lab time.

Bars are placed in per cent of the row, so that a phone squeezes the time and not the letters.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from orchestrator.campaign.entries import REFERENCE
from orchestrator.report.facts import Bar, Night
from orchestrator.report.formats import HOUR_S, clock, elapsed, local, minutes, percent
from orchestrator.report.idle import USES, Shares, Use, down, shares
from orchestrator.report.markup import Child, Html, el, join, table_row
from orchestrator.report.troubles import GRAVE, troubles

_STEPS_H = (0.25, 0.5, 1, 2, 3, 4, 6, 12, 24, 48, 96, 168)
MOST_TICKS = 8
ROW_PX = 26
EVENTS_PX = 16
LABEL_WIDTH = 1.7
"""Per cent of a row: a shorter step does not show its sample's number."""

LEAST_WIDTH = 0.15
"""Per cent of a row: a shorter step is drawn this wide, or nobody would see it."""


def timeline(night: Night) -> Html:
    """The rows with their axis and legend, or a sentence while no station has done anything."""
    if not night.bars:
        return el("p", "No station has done anything yet.", class_="none")
    used = {of.station: of for of in shares(night)}
    rows = [_row(night, station, used[station]) for station in night.stations]
    return join(
        _HATCH,
        el("div", *rows, *_events(night), _axis(night), class_="gantt"),
        el("p", *_legend(night), class_="legend"),
        _uses(list(used.values())),
        el("p", _durations(night), class_="note"),
    )


def _row(night: Night, station: str, used: Shares) -> Html:
    bars = [bar for bar in night.bars if station in bar.intent.claims]
    busy = percent(1 - used.share("idle"))
    own = sum(bar.intent.station == station for bar in bars)
    over = [("held", span) for span in night.holds] + [("down", span) for span in down(night, station)]
    drawing = el(
        "svg",
        *(_bar(night, bar, station) for bar in bars),
        *(_over(night, kind, span) for kind, span in over),
        role="img",
        aria_label=f"{station}: {own} steps of its own, not idle {busy} of the night",
        height=ROW_PX,
    )
    return join(
        el("div", station, class_="station"), el("div", busy, class_="share"), el("div", drawing, class_="track")
    )


def _over(night: Night, kind: str, span: tuple[float, float]) -> Html:
    a, b = span
    title = el("title", f"{kind} {clock(a, night.zone)}–{clock(b, night.zone)}, {minutes(b - a)}")
    rect = f'<rect class="{kind}" x="{_at(night, a)}" width="{_width(night, a, b)}" height="{ROW_PX}"/>'
    return el("g", title, Html(rect))


def _events(night: Night) -> Iterator[Html]:
    """A row of what did not go to plan, each where it happened."""
    found = troubles(night)
    if not found:
        return
    marks = []
    for trouble in found:
        title = el("title", f"{clock(trouble.time, night.zone)} {trouble.what}: {trouble.why}")
        kind = "grave" if trouble.kind in GRAVE else "mild"
        at = _at(night, trouble.time)
        marks.append(el("g", title, Html(f'<line class="{kind}" x1="{at}" x2="{at}" y1="1" y2="{EVENTS_PX - 1}"/>')))
    label = f"{len(found)} events that were not planned; the table below tells each"
    drawing = el("svg", *marks, role="img", aria_label=label, height=EVENTS_PX)
    yield el("div", "events", class_="station")
    yield el("div", len(found), class_="share")
    yield el("div", drawing, class_="track events")


def _uses(used: list[Shares]) -> Html:
    """Hours and shares of what each station's time went to; what came to nothing anywhere has no column."""
    uses = [use for use in USES if use in ("working", "idle") or any(of.seconds[use] > 0 for of in used)]
    uses.sort(key=("working", "transfers", "held", "in vain", "down", "idle").index)
    head: list[Child] = [el("th", "station", class_="text"), *uses]
    rows = [
        table_row("td", [el("th", of.station, class_="text", scope="row"), *(_use(of, use) for use in uses)])
        for of in used
    ]
    table = el("table", el("thead", table_row("th", head)), el("tbody", *rows), class_="uses")
    return el("div", table, class_="scroll", tabindex="0", role="region", aria_label="Where the time went")


def _use(of: Shares, use: Use) -> Html:
    if not of.seconds[use]:
        return el("td", "–")
    return el("td", join(f"{elapsed(of.seconds[use])} h ", el("span", percent(of.share(use)), class_="pm")))


def _bar(night: Night, bar: Bar, station: str) -> Html:
    intent = bar.intent
    span = f"{clock(bar.start, night.zone)}–{clock(bar.end, night.zone)}, {minutes(bar.end - bar.start)}"
    word = "" if bar.end_word == "done" else f", {bar.end_word}"
    attempt = f", attempt {intent.attempt}" if intent.attempt > 1 else ""
    title = el(
        "title", f"{f'sample {intent.sample}' if intent.sample else 'reference'}: {intent.plan}{attempt}{word} ({span})"
    )
    state = "" if bar.end_word == "done" else " open" if bar.outcome is None else " bad"
    width = _width(night, bar.start, bar.end)
    rect = f'<rect class="{intent.plan}{state}" x="{_at(night, bar.start)}" width="{width}" height="{ROW_PX}"/>'
    number, of = Html(), intent.sample or "R"
    if intent.station == station and intent.plan != "transfer" and float(width[:-1]) > LABEL_WIDTH:
        middle = _at(night, (bar.start + bar.end) / 2)
        number = Html(f'<text class="{intent.plan}{state}" x="{middle}" y="{ROW_PX / 2 + 4:g}">{of}</text>')
    return el("g", title, Html(rect), number)


def _axis(night: Night) -> Html:
    ticks = [Html(f'<span style="left:{_at(night, time)}">{word}</span>') for time, word in _ticks(night)]
    return el("div", *ticks, class_="axis", aria_hidden="true")


def _ticks(night: Night) -> Iterator[tuple[float, str]]:
    """Round hours of the clock (or days, in a long campaign) with their words."""
    hours = night.hours
    step_h = next((step for step in _STEPS_H if hours / step < MOST_TICKS), _STEPS_H[-1])
    begin = local(night.start, night.zone)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    for n in range(int((hours + 24) / step_h) + 2):
        date = midnight + timedelta(hours=n * step_h)
        time = date.timestamp()
        if night.start <= time <= night.end - 0.02 * (night.end - night.start):
            yield time, f"{date:%a} {date.day}" if step_h >= 24 else f"{date:%H:%M}"


def _legend(night: Night) -> Iterator[Html]:
    plans = dict.fromkeys(bar.intent.plan for bar in sorted(night.bars, key=lambda bar: bar.intent.plan))
    for plan in plans:
        yield _item(plan, plan)
    if any(bar.intent.sample == REFERENCE and bar.intent.plan == "measure" for bar in night.bars):
        yield el("span", el("b", "R"), "reference specimen", class_="item")
    if any(bar.outcome and bar.end_word != "done" for bar in night.bars):
        yield _item("bad", "failed, aborted or unknown")
    if any(bar.outcome is None for bar in night.bars):
        yield _item("open", "not ended")
    if night.holds:
        yield _item("held", "held")
    if any(down(night, station) for station in night.stations):
        yield _item("down", "its worker was lost")


def _item(kind: str, words: str) -> Html:
    swatch = f'<rect class="{kind}" y="2" width="14" height="10"/>'
    symbol = Html(f'<svg class="symbol" viewBox="0 0 14 14" aria-hidden="true">{swatch}</svg>')
    return el("span", symbol, words, class_="item")


def _durations(night: Night) -> str:
    """Median durations of the steps that were done, and what the percentages mean."""
    words = []
    for plan in ("deposit", "measure", "transfer"):
        done = [bar.end - bar.start for bar in night.bars if bar.intent.plan == plan and bar.end_word == "done"]
        if done:
            words.append(f"{plan} {minutes(median(done))}")
    typical = f"Median {', '.join(words)}. " if words else ""
    return (
        f"{typical}Per cent at the rows: share of the night of {elapsed(night.end - night.start)} h in which the "
        "station was not idle."
    )


def _at(night: Night, time: float) -> str:
    return f"{100 * (time - night.start) / (night.end - night.start or HOUR_S):.2f}%"


def _width(night: Night, start: float, end: float) -> str:
    return f"{max(LEAST_WIDTH, 100 * (end - start) / (night.end - night.start or HOUR_S)):.2f}%"


_HATCH = Html(
    '<svg width="0" height="0" aria-hidden="true" class="defs"><defs><pattern id="hatch" width="5" height="5" '
    'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch" width="1.6" height="5"/>'
    "</pattern></defs></svg>"
)
