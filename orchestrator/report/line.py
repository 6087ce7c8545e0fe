"""One thing that varies: the value along it, and what the model expects between the samples."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestrator.report.belief import Belief, Floats
from orchestrator.report.facts import Night
from orchestrator.report.formats import counted, quantity_label
from orchestrator.report.marks import Mark, is_top
from orchestrator.report.markup import Html, el, join
from orchestrator.report.projections import Axis, axes_of
from orchestrator.report.svg import ACCENT, FAINT, INK, MUTED, PRIOR, draw_wide

WIDE, NARROW = (960, 340), (460, 350)
DRAWN = 400


def line_map(night: Night, shown: list[Mark], belief: Belief | None) -> Html:
    """The figure; a band of one standard deviation around the model's mean."""
    (axis,) = axes_of(night, shown)
    curve = _curve(axis, belief) if belief else None
    words = f"{quantity_label(night.quantity, night.unit)} of {counted(len(shown), 'sample')} against {axis.label}"
    drawing = draw_wide(
        "map", WIDE, NARROW, f"{words}.", lambda figure, narrow: _paint(figure, night, shown, axis, curve, narrow)
    )
    band = el("p", "Band: what the model expects, and one standard deviation of that.", class_="note")
    return join(drawing, band if curve else None)


def _curve(axis: Axis, belief: Belief) -> tuple[Floats, Floats, Floats]:
    """x, mean and sigma, (m,) each, in order of x."""
    drawn = belief.drawn(DRAWN)
    x = np.array([axis.of(one.composition, one.settings) for one in drawn])
    order = np.argsort(x)
    mean, sigma = belief.at([drawn[i] for i in order])
    return x[order], mean, sigma


def _paint(
    figure: Figure,
    night: Night,
    shown: list[Mark],
    axis: Axis,
    curve: tuple[Floats, Floats, Floats] | None,
    narrow: bool,
) -> None:
    axes: Axes = figure.add_subplot()
    figure.subplots_adjust(left=0.135 if narrow else 0.065, right=0.99, top=0.925, bottom=0.135)
    if curve is not None:
        x, mean, sigma = curve
        axes.fill_between(x, mean - sigma, mean + sigma, color=PRIOR, alpha=0.22, lw=0)
        axes.plot(x, mean, color=PRIOR, lw=1.6)
    for mark in shown:
        place = axis.of(mark.composition, mark.settings)
        if mark.value is None:
            axes.plot(place, 0.03, "x", color=MUTED, ms=6, transform=axes.get_xaxis_transform(), clip_on=False)
            continue
        colour = ACCENT if is_top(night, mark) else INK
        face = colour if mark.state == "valid" else "none"
        axes.scatter([place], [mark.value], s=34, marker=mark.shape, facecolors=face, edgecolors=colour, zorder=3)
    axes.grid(color=FAINT)
    axes.tick_params(length=3)
    axes.set_xlabel(axis.label)
    figure.text(0, 0.995, quantity_label(night.quantity, night.unit), va="top", color=MUTED)
