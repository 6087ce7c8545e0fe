"""Three elements: triangles of what the model expects and of how sure it is, with the samples on them."""

from __future__ import annotations

import math
from typing import Any

import mpltern  # noqa: F401 - registers the ternary projection
import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from orchestrator.optimizer.suggestion import Candidate
from orchestrator.report.belief import Belief, Floats, candidate
from orchestrator.report.colours import DOUBT, VALUES, Scale
from orchestrator.report.facts import Night
from orchestrator.report.formats import column_decimals, counted
from orchestrator.report.marks import Mark, alike, is_top, value_range
from orchestrator.report.markup import Html, el, join
from orchestrator.report.svg import ACCENT, DARK, INK, LIGHT, MUTED, PX, draw

WIDTH, HEIGHT = 460, 390
DRAWN = 1500
"""Candidates that stand for the space; what lies between them is interpolated."""

BANDS = 14
FEWEST = 12
"""Candidates that make a surface; and they must not lie on a line."""


def triangles(night: Night, shown: list[Mark], belief: Belief | None) -> Html:
    """The map of values, and beside it that of uncertainty where there is a model."""
    low, high = value_range(shown)
    digits = min(column_decimals(mark.sigma for mark in shown), 3)
    surface = _surface(night, belief) if belief else None
    if surface is None:
        scale = Scale("scale-value", VALUES, low, high, night.unit, digits)
        return _figure("map", _alt(night, shown, ""), night, shown, scale, None, "measured value")
    places, mean, sigma = surface
    value = Scale("scale-value", VALUES, min(low, mean.min()), max(high, mean.max()), night.unit, digits)
    doubt = Scale("scale-doubt", DOUBT, float(sigma.min()), float(sigma.max()), night.unit, digits)
    at = "" if not night.settings else f" {_fixed(night)}"
    return el(
        "div",
        _figure("map", _alt(night, shown, "mean"), night, shown, value, (places, mean),
                f"what the model expects, and the values measured{at}"),
        _figure("doubt", _alt(night, shown, "uncertainty"), night, shown, doubt, (places, sigma),
                f"standard deviation of that{at}"),
        class_="pair",
    )  # fmt: skip


def _figure(
    name: str,
    alt: str,
    night: Night,
    shown: list[Mark],
    scale: Scale,
    surface: tuple[Floats, Floats] | None,
    words: str,
) -> Html:
    coloured = scale.colours is VALUES
    drawing = draw(name, WIDTH, HEIGHT, alt, lambda figure: _paint(figure, night, shown, scale, surface, coloured))
    return el("div", join(drawing, scale.legend(words)))


def _surface(night: Night, belief: Belief) -> tuple[Floats, Floats, Floats] | None:
    """Places (m, 3) in at.%, mean and sigma (m,) there; None if they span no triangle.  Settings are those of the best,
    or those that come first."""
    asked = belief.drawn(DRAWN)
    settings = dict(night.top.settings) if night.top and night.top.settings else dict(asked[0].settings)
    unique = {tuple(one.composition.get(element, 0.0) for element in night.elements): one for one in asked}
    places = np.array(list(unique)) * 100.0
    if len(places) < FEWEST or np.linalg.matrix_rank(places - places[0], tol=1e-6) < 2:
        return None
    chosen: list[Candidate] = [candidate(one.composition, settings) for one in unique.values()]
    mean, sigma = belief.at(chosen)
    return places, mean, sigma


def _fixed(night: Night) -> str:
    if night.top is None or not night.top.settings:
        return ""
    told = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in night.top.settings.items())
    return f"at {told}, as of the best"


def _paint(
    figure: Figure,
    night: Night,
    shown: list[Mark],
    scale: Scale,
    surface: tuple[Floats, Floats] | None,
    coloured: bool,
) -> None:
    axes: Any = figure.add_subplot(projection="ternary", ternary_sum=100)
    figure.subplots_adjust(left=0.06, right=0.94, top=0.925, bottom=0.075)
    zoomed = _zoom(axes, np.array([_place(night, mark) for mark in shown]) if surface is None else surface[0])
    for axis, element in zip((axes.taxis, axes.laxis, axes.raxis), night.elements, strict=True):
        axis.set_label_position("corner")
        axis.set_label_rotation_mode("horizontal")
        axis.set_label_text(element, fontsize=14, fontweight="bold", color=INK)
        if not zoomed:
            axis.set_ticks([20, 40, 60, 80])
    axes.grid(alpha=0.35 if surface else 1.0)
    axes.tick_params(length=3, labelsize=10.5, labelcolor=MUTED, labelrotation="horizontal")
    if surface is not None:
        axes.tricontourf(*surface[0].T, scale.shares(surface[1]), levels=np.linspace(0, 1, BANDS + 1),
                         cmap=scale.colours, vmin=0, vmax=1, zorder=0.5)  # fmt: skip
    for shape, state, group in alike(shown):
        _spots(
            axes, np.array([_place(night, mark) for mark in group]).T, shape, state, group, scale if coloured else None
        )
    for mark in shown:
        if is_top(night, mark):
            _crown(figure, axes, _place(night, mark), mark)


def _place(night: Night, mark: Mark) -> list[float]:
    return [100 * mark.composition.get(element, 0.0) for element in night.elements]


def _zoom(axes: Any, places: Floats) -> bool:
    """Show only the corner that is in use, if that is less than half of the triangle's side; whether it was."""
    least = [max(0.0, 10 * math.floor((x - 2) / 10)) for x in places.min(axis=0)]
    if sum(least) <= 50:
        return False
    axes.set_ternary_min(*least)
    return True


def _spots(axes: Any, places: Floats, shape: str, state: str, group: list[Mark], scale: Scale | None) -> None:
    """`places` (3, k).  Each has a dark rim and, but for crosses and bounds, a light one in it: seen on any colour."""
    if shape == "x":
        axes.scatter(*places, s=38, marker="x", c=LIGHT, linewidths=3.4, clip_on=False, zorder=3)
        axes.scatter(*places, s=34, marker="x", c=DARK, linewidths=1.4, clip_on=False, zorder=3)
        return
    plain = state != "valid" or scale is None
    faces = [LIGHT if plain or scale is None or mark.value is None else scale.colour(mark.value) for mark in group]
    size = 46 if scale else 22
    axes.scatter(*places, s=size, marker=shape, c=DARK, linewidths=2.6, edgecolors=DARK, clip_on=False, zorder=3.9)
    axes.scatter(*places, s=size, marker=shape, c=faces, linewidths=1.1, edgecolors=DARK if plain else LIGHT,
                 clip_on=False, zorder=4)  # fmt: skip


def _crown(figure: Figure, axes: Any, place: list[float], mark: Mark) -> None:
    ring = [[x] for x in place]
    axes.scatter(*ring, s=150, facecolors="none", edgecolors=ACCENT, lw=2, clip_on=False, zorder=5)
    beside = axes.transData + ScaledTranslation(11 * PX, 0, figure.dpi_scale_trans)
    x, y = axes.transProjection.transform([place])[0]
    axes.text(x, y, str(mark.sample), color=ACCENT, fontweight="bold", va="center", transform=beside, zorder=6)


def _alt(night: Night, shown: list[Mark], of: str) -> str:
    words = f"Triangle of {', '.join(night.elements)} with {counted(len(shown), 'sample')}"
    filled = f", filled with the model's {of}" if of else ""
    if night.top is None:
        return f"{words}{filled}."
    return f"{words}{filled}; the best, sample {night.top.sample}, is ringed."
