"""The best samples beside each other: their loops in one frame, and what they are."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestrator.campaign import entries as e
from orchestrator.campaign.fronts import by_worth
from orchestrator.campaign.state import Sample
from orchestrator.report.facts import Night, coercivity, valid_of
from orchestrator.report.formats import (
    column_decimals,
    decimals,
    formula,
    listed,
    number,
    power_of_ten,
    pretty_unit,
    unit_after,
    with_sigma,
)
from orchestrator.report.loops import Loop, loop_of, window_mt
from orchestrator.report.markup import Child, Html, el, table_row
from orchestrator.report.svg import ACCENT, FAINT, INK, MUTED, PRIOR, draw

MOST = 5
WIDTH, HEIGHT = 460, 330
_LINES: tuple[tuple[str, object, float], ...] = (
    (ACCENT, "-", 2.0),
    (INK, "-", 1.2),
    (PRIOR, "-", 1.2),
    (INK, (0, (4, 2)), 1.1),
    (MUTED, (0, (1.5, 1.5)), 1.2),
)
"""Colour, dashes and width by rank: told apart without colour too."""


def top_samples(night: Night) -> Html:
    """The best valid samples, or a sentence while there is none."""
    best = ranked(night)[:MOST]
    if not best:
        return el("p", "No sample has a valid value yet.", class_="none")
    loops = [loop for sample in best if (loop := loop_of(night, sample, of_film=True)) is not None]
    loops = [loop for loop in loops if loop.unit == loops[0].unit]
    table = _table(night, best)
    if not loops:
        return table
    order = {sample.number: rank for rank, sample in enumerate(best)}
    words = f"Hysteresis loops of samples {listed([loop.sample.number for loop in loops])} over each other."
    drawing = draw("top", WIDTH, HEIGHT, words, lambda figure: _paint(figure, loops, order))
    return el("div", el("div", drawing), table, class_="pair top-samples")


def ranked(night: Night) -> list[Sample]:
    """Samples with a valid value and within all limits, the best first; with several objectives by their weights."""
    valid = {s.number: s for s in night.samples if valid_of(night, s) is not None}
    seen = [s.observation for s in valid.values() if s.observation is not None]
    return [valid[one.sample] for one in by_worth(night.state.terms, seen)]


def _paint(figure: Figure, loops: list[Loop], order: dict[int, int]) -> None:
    axes: Axes = figure.add_subplot()
    figure.subplots_adjust(left=0.145, right=0.985, top=0.925, bottom=0.14)
    axes.axhline(0, color=FAINT, lw=0.8)
    axes.axvline(0, color=FAINT, lw=0.8)
    measured = max(max(map(abs, loop.field_mt)) for loop in loops) or 1.0
    field = window_mt(loops, measured)
    reach = max(loop.reach for loop in loops) or 1.0
    power = math.floor(math.log10(reach))
    scale = 10.0 ** (3 * math.floor(power / 3)) if not -2 <= power <= 4 else 1.0
    for loop in sorted(loops, key=lambda loop: -order[loop.sample.number]):
        colour, dashes, width = _LINES[order[loop.sample.number]]
        axes.plot(loop.field_mt, [y / scale for y in loop.signal], color=colour, ls=dashes, lw=width)
    axes.set_xlim(-field, field)
    axes.tick_params(length=3)
    axes.set_xlabel("field (mT)")
    times = f"{power_of_ten(round(math.log10(scale)))} " if scale != 1.0 else ""
    unit = f" ({times}{pretty_unit(loops[0].unit)})" if loops[0].unit else ""
    figure.text(0, 0.995, f"signal{unit}", va="top", color=MUTED)


def _table(night: Night, best: list[Sample]) -> Html:
    seen = [s.observation for s in best if s.observation]
    digits = column_decimals(o.sigma for o in seen)
    rows = []
    for rank, sample in enumerate(best):
        observation = sample.observation
        assert observation is not None
        value = with_sigma(observation.value, observation.sigma, "", digits)
        hc, hc_sigma = coercivity(sample)
        cells: list[Child] = [
            el("th", sample.number, scope="row"),
            el("td", _swatch(rank), class_="text"),
            el("td", formula(observation.composition), class_="text"),
            *([el("td", _settings(observation), class_="text")] if night.settings else []),
            value,
            "–" if hc is None else with_sigma(hc, hc_sigma, "", min(2, decimals(hc_sigma))),
        ]
        rows.append(table_row("td", cells, class_="top" if rank == 0 else None))
    head: list[Child] = [
        "no.",
        "",
        el("th", "made (at.%)", class_="text"),
        *([el("th", "settings", class_="text")] if night.settings else []),
        unit_after(night.unit).strip() or "value",
        "coercivity (mT)",
    ]
    table = el("table", el("thead", table_row("th", head)), el("tbody", *rows), class_="best")
    return el("div", table, class_="scroll", tabindex="0", role="region", aria_label="The best samples")


def _settings(observation: e.ObservationMade) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number(value, 2)}" for name, value in observation.settings.items())


def _swatch(rank: int) -> Html:
    _, dashes, width = _LINES[rank]
    dash = "" if isinstance(dashes, str) else f' stroke-dasharray="{" ".join(f"{x:g}" for x in dashes[1])}"'  # type: ignore[index]
    kind = ("best", "ink", "prior", "ink", "muted")[rank]
    line = f'<path class="{kind}" d="M0 7H26" stroke-width="{width:g}"{dash}/>'
    return Html(f'<svg class="swatch" viewBox="0 0 26 14" aria-hidden="true">{line}</svg>')
