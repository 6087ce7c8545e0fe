"""The map: where in the space of compositions the samples lie, coloured by value.

Three elements make a triangle.  Any other number is shown as the value against each element's at.%: one
panel an element, each a projection that hides the others, and says so.
"""

from __future__ import annotations

import math
from typing import Any

import matplotlib as mpl
import mpltern  # noqa: F401 - registers the ternary projection
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from orchestrator.report.facts import Night
from orchestrator.report.formats import column_decimals, number, quantity_label, unit_after
from orchestrator.report.marks import Mark, legend, marks
from orchestrator.report.markup import Html, el, join
from orchestrator.report.svg import ACCENT, FAINT, INK, MUTED, PX, draw

WIDTH, HEIGHT = 460, 380
COLOURS = mpl.colormaps["viridis"]
STOPS = 8


def composition_map(night: Night) -> Html:
    """The map with its legend, or a sentence while there is nothing to draw."""
    shown = marks(night)
    if not shown:
        return el("p", "No composition has been measured yet.", class_="none")
    if len(night.elements) == 3:
        return join(
            draw("map", WIDTH, HEIGHT, _alt(night, shown), lambda figure: _paint_triangle(figure, night, shown)),
            _scale(night, shown),
            legend(shown),
        )
    rows = math.ceil(len(night.elements) / _columns(night))
    height = 60 + 200 * rows if len(night.elements) > 2 else 350
    others = (
        "" if len(night.elements) <= 2 else "Each panel is a projection: the other elements differ from point to point."
    )
    return join(
        draw("map", WIDTH, height, _alt(night, shown), lambda figure: _paint_panels(figure, night, shown)),
        legend(shown),
        el("p", others, class_="note") if others else None,
    )


# --- three elements -----------------------------------------------------------------------------------


def _paint_triangle(figure: Figure, night: Night, shown: list[Mark]) -> None:
    axes: Any = figure.add_subplot(projection="ternary", ternary_sum=100)
    figure.subplots_adjust(left=0.06, right=0.94, top=0.925, bottom=0.075)
    zoomed = _zoom(axes, night.elements, shown)
    for axis, element in zip((axes.taxis, axes.laxis, axes.raxis), night.elements, strict=True):
        axis.set_label_position("corner")
        axis.set_label_rotation_mode("horizontal")
        axis.set_label_text(element, fontsize=14, fontweight="bold", color=INK)
        if not zoomed:
            axis.set_ticks([20, 40, 60, 80])
    axes.grid()
    axes.tick_params(length=3, labelsize=10.5, labelcolor=MUTED, labelrotation="horizontal")
    low, high = _range(shown)
    for mark in sorted(shown, key=lambda mark: _is_top(night, mark)):
        place = [100 * mark.composition.get(element, 0.0) for element in night.elements]
        _spot(axes, [[x] for x in place], mark, low, high)
        if _is_top(night, mark):
            axes.scatter(
                *[[x] for x in place], s=130, facecolors="none", edgecolors=ACCENT, lw=1.8, clip_on=False, zorder=5
            )
            beside = axes.transData + ScaledTranslation(10 * PX, 0, figure.dpi_scale_trans)
            x, y = axes.transProjection.transform([place])[0]
            axes.text(x, y, str(mark.sample), color=ACCENT, fontweight="bold", va="center", transform=beside, zorder=6)


def _zoom(axes: Any, elements: list[str], shown: list[Mark]) -> bool:
    """Show only the corner that is in use, if that is less than half of the triangle's side; whether it was."""
    least = [min(100 * mark.composition.get(element, 0.0) for mark in shown) for element in elements]
    least = [max(0.0, 10 * math.floor((x - 2) / 10)) for x in least]
    if sum(least) <= 50:
        return False
    axes.set_ternary_min(*least)
    return True


def _spot(axes: Any, place: list[list[float]], mark: Mark, low: float, high: float) -> None:
    if mark.value is None:
        axes.scatter(*place, s=34, marker="x", c=MUTED, linewidths=1.3, clip_on=False, zorder=3)
        return
    face = "none" if mark.state == "censored" else to_hex(COLOURS(_along(mark.value, low, high)))
    axes.scatter(
        *place, s=48, marker=mark.shape, facecolors=face, edgecolors=INK, linewidths=0.8, clip_on=False, zorder=4
    )


def _scale(night: Night, shown: list[Mark]) -> Html:
    """The colour scale, as a line of its own under the map."""
    low, high = _range(shown)
    digits = min(column_decimals(mark.sigma for mark in shown), 3)
    stops = "".join(
        f'<stop offset="{i / STOPS:g}" stop-color="{to_hex(COLOURS(i / STOPS))}"/>' for i in range(STOPS + 1)
    )
    bar = Html(
        '<svg class="scale" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<defs><linearGradient id="scale">{stops}</linearGradient></defs>'
        '<rect width="100" height="8" fill="url(#scale)"/></svg>'
    )
    highest = f"{number(high, digits)}{unit_after(night.unit)}"
    return el("p", el("span", number(low, digits)), bar, el("span", highest), class_="scaled")


# --- any other number ---------------------------------------------------------------------------------


def _columns(night: Night) -> int:
    return 1 if len(night.elements) <= 2 else 3 if len(night.elements) > 4 else 2


def _paint_panels(figure: Figure, night: Night, shown: list[Mark]) -> None:
    elements = night.elements[:1] if len(night.elements) <= 2 else night.elements
    columns = _columns(night)
    rows = math.ceil(len(elements) / columns)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for panel in grid.flat[len(elements) :]:
        panel.set_visible(False)
    for panel, element in zip(grid.flat, elements, strict=False):
        _paint_panel(panel, night, shown, element)
    if len(night.elements) == 2:
        grid[0, 0].set_xlabel(f"{elements[0]} (at.%), the rest is {night.elements[1]}")
    figure.text(0, 0.995, quantity_label(night.quantity, night.unit), va="top", color=MUTED)
    figure.tight_layout(rect=(0, 0, 1, 0.95), w_pad=0.6, h_pad=0.6)


def _paint_panel(axes: Axes, night: Night, shown: list[Mark], element: str) -> None:
    for mark in shown:
        x = 100 * mark.composition.get(element, 0.0)
        if mark.value is None:
            axes.plot(x, 0.03, "x", color=MUTED, ms=5, transform=axes.get_xaxis_transform(), clip_on=False)
            continue
        colour = ACCENT if _is_top(night, mark) else INK
        face = "none" if mark.state == "censored" else colour
        axes.scatter([x], [mark.value], s=22, marker=mark.shape, facecolors=face, edgecolors=colour, linewidths=0.9)
    axes.grid(color=FAINT)
    axes.tick_params(length=3, labelsize=11)
    axes.set_xlabel(f"{element} (at.%)", labelpad=2)


# --- both ---------------------------------------------------------------------------------------------


def _range(shown: list[Mark]) -> tuple[float, float]:
    values = [mark.value for mark in shown if mark.state == "valid" and mark.value is not None]
    return (min(values), max(values)) if values else (0.0, 1.0)


def _along(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _is_top(night: Night, mark: Mark) -> bool:
    return night.top is not None and mark.sample == night.top.sample


def _alt(night: Night, shown: list[Mark]) -> str:
    words = f"{len(shown)} samples by composition of {', '.join(night.elements)}, with their values"
    return f"{words}; the best, sample {night.top.sample}, stands out." if night.top else f"{words}."
