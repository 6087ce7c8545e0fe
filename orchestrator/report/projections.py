"""More than three things that vary: every pair of them a panel, with the samples, over what the model believes.

A panel hides all but its two axes.  So each of its cells shows, of many candidates drawn at random that fall into it,
the best that the model expects (below the diagonal) and the mean standard deviation (above).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from orchestrator.report.belief import Belief, Floats
from orchestrator.report.colours import DOUBT, VALUES, Scale
from orchestrator.report.facts import Night
from orchestrator.report.formats import column_decimals, counted, pretty_unit
from orchestrator.report.marks import Mark, alike, is_top, value_range
from orchestrator.report.markup import Html, el, join
from orchestrator.report.svg import ACCENT, DARK, LIGHT, MUTED, draw, scrolled

WIDTH = 960
MOST_AXES = 7
DRAWN = 4000
CELLS = 12
STEPS = 14  # colours of a scale
_UNITS = {"pa": "Pa", "w": "W", "c": "°C", "nm": "nm", "s": "s", "mt": "mT"}


@dataclass(frozen=True)
class Axis:
    """An element in at.%, or a setting in its unit."""

    name: str
    element: bool

    @property
    def label(self) -> str:
        if self.element:
            return f"{self.name} (at.%)"
        *words, last = self.name.split("_")
        return f"{' '.join(words)} ({_UNITS[last]})" if words and last in _UNITS else self.name.replace("_", " ")

    def of(self, composition: Mapping[str, float], settings: Mapping[str, Any]) -> float:
        """Where a candidate is on it; a setting that is none of numbers is nowhere."""
        if self.element:
            return 100.0 * composition.get(self.name, 0.0)
        value = settings.get(self.name)
        return float(value) if isinstance(value, int | float) else math.nan


@dataclass(frozen=True)
class Cells:
    """Candidates at `places` (m, a), by axis, with the model's `mean` and `sigma` (m,)."""

    places: Floats
    mean: Floats
    sigma: Floats


def axes_of(night: Night, shown: Sequence[Mark]) -> list[Axis]:
    """What varies: of two elements the first, since the second is the rest; those that varied most if they are too
    many to show."""
    elements = night.elements if len(night.elements) > 2 else night.elements[: len(night.elements) - 1]
    found = [*(Axis(name, True) for name in elements), *(Axis(name, False) for name in night.settings)]
    if len(found) <= MOST_AXES:
        return found

    def spread(axis: Axis) -> float:
        values = [axis.of(mark.composition, mark.settings) for mark in shown]
        return float(np.ptp(values)) if axis.element else math.inf

    kept = sorted(found, key=spread, reverse=True)[:MOST_AXES]
    return [axis for axis in found if axis in kept]


def projections(night: Night, shown: list[Mark], belief: Belief | None) -> Html:
    """The matrix of panels with its scales; empty if there is but one axis."""
    axes = axes_of(night, shown)
    if len(axes) < 2:
        return Html()
    cells = _cells(axes, belief) if belief else None
    low, high = value_range(shown)
    digits = min(column_decimals(mark.sigma for mark in shown), 3)
    value = Scale("scale-pairs", VALUES, low, high, night.unit, digits)
    doubt = None
    if cells is not None:
        ends = float(min(low, np.quantile(cells.mean, 0.02))), float(max(high, cells.mean.max()))
        value = Scale("scale-pairs", VALUES, *ends, night.unit, digits)
        doubt = Scale("scale-unsure", DOUBT, float(cells.sigma.min()), float(cells.sigma.max()), night.unit, digits)
    words = f"{counted(len(shown), 'sample')} by every pair of {', '.join(axis.label for axis in axes)}"
    drawing = draw("pairs", WIDTH, 60 + round((WIDTH - 60) / 1.25), f"{words}.",
                   lambda figure: _paint(figure, night, shown, axes, cells, value, doubt))  # fmt: skip
    left = _others(night, axes)
    below = "below the diagonal: the best that the model expects in a cell, and the values measured"
    scales = [value.legend(below if cells else "measured value")]
    if doubt is not None:
        scales.append(doubt.legend("above: mean standard deviation in a cell"))
    return join(scrolled(drawing, "Projections"), el("div", *scales, class_="pair"), el("p", left, class_="note"))


def _others(night: Night, axes: Sequence[Axis]) -> str:
    hidden = [name for name in (*night.elements, *night.settings) if name not in {axis.name for axis in axes}]
    missing = f" Not shown: {', '.join(hidden)}." if hidden and len(night.elements) > 2 else ""
    return f"Each panel is a projection: what it does not show differs from point to point.{missing}"


def _cells(axes: Sequence[Axis], belief: Belief) -> Cells:
    drawn = belief.drawn(DRAWN)
    mean, sigma = belief.at(drawn)
    return Cells(np.array([[axis.of(one.composition, one.settings) for axis in axes] for one in drawn]), mean, sigma)


def _paint(
    figure: Figure,
    night: Night,
    shown: list[Mark],
    axes: list[Axis],
    cells: Cells | None,
    value: Scale,
    doubt: Scale | None,
) -> None:
    n = len(axes)
    grid = figure.subplots(n, n, sharex="col", squeeze=False)
    figure.subplots_adjust(left=0.06, right=0.995, top=0.995, bottom=0.07, wspace=0.08, hspace=0.1)
    better = np.fmin if night.direction == "min" else np.fmax
    limits = [_limits(axis, shown, None if cells is None else cells.places[:, i]) for i, axis in enumerate(axes)]
    for row in range(n):
        for column in range(n):
            panel = grid[row, column]
            panel.set_xlim(limits[column])
            panel.tick_params(length=2, labelsize=10, labelleft=column == 0 and row > 0, labelbottom=row == n - 1)
            if row == column:
                _name(panel, axes[row])
                continue
            panel.set_ylim(limits[row])
            above = column > row
            if cells is not None and doubt is not None:
                what, scale = (cells.sigma, doubt) if above else (cells.mean, value)
                _fill(panel, cells.places[:, [column, row]], what, scale, None if above else better)
            _spots(panel, night, shown, (axes[column], axes[row]), None if above else value)


def _limits(axis: Axis, shown: list[Mark], places: Floats | None) -> tuple[float, float]:
    values = [axis.of(mark.composition, mark.settings) for mark in shown]
    values += [] if places is None else [float(places.min()), float(places.max())]
    values = [x for x in values if math.isfinite(x)] or [0.0, 1.0]
    low, high = min(values), max(values)
    margin = 0.04 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def _name(panel: Axes, axis: Axis) -> None:
    for spine in panel.spines.values():
        spine.set_visible(False)
    panel.tick_params(left=False, bottom=False, labelleft=False)
    first, _, unit = axis.label.partition(" (")
    panel.text(0.5, 0.55, first, ha="center", va="center", transform=panel.transAxes, fontsize=14, fontweight="bold")
    panel.text(0.5, 0.36, pretty_unit(unit.rstrip(")")), ha="center", va="center", transform=panel.transAxes,
               fontsize=10.5, color=MUTED)  # fmt: skip


def _fill(panel: Axes, places: Floats, values: Floats, scale: Scale, better: np.ufunc | None) -> None:
    """The best of `values` in each cell by `better`, or their mean; where it is on the scale."""
    values = scale.shares(values)
    (x0, x1), (y0, y1) = panel.get_xlim(), panel.get_ylim()
    i = np.clip(((places[:, 0] - x0) / (x1 - x0) * CELLS).astype(int), 0, CELLS - 1)
    j = np.clip(((places[:, 1] - y0) / (y1 - y0) * CELLS).astype(int), 0, CELLS - 1)
    counts = np.zeros((CELLS, CELLS))
    np.add.at(counts, (j, i), 1)
    if better is None:
        shown = np.zeros((CELLS, CELLS))
        np.add.at(shown, (j, i), values)
        shown = np.divide(shown, counts, out=np.full_like(shown, np.nan), where=counts > 0)
    else:
        shown = np.full((CELLS, CELLS), np.nan)
        better.at(shown, (j, i), values)
    x, y = np.linspace(x0, x1, CELLS + 1), np.linspace(y0, y1, CELLS + 1)
    steps = np.array([[-1 if np.isnan(v) else min(int(v * STEPS), STEPS - 1) for v in row] for row in shown])
    for step in np.unique(steps[steps >= 0]):
        path = Path.make_compound_path(*(_box(x, y, j, *run) for j in range(CELLS) for run in _runs(steps[j] == step)))
        colour = scale.colours((step + 0.5) / STEPS)
        panel.add_patch(PathPatch(path, facecolor=colour, edgecolor=colour, lw=0.4, zorder=0.5))


def _runs(wanted: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and one past the last index of each run of true ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]).astype(int)))
    return ((int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _box(x: Floats, y: Floats, row: int, first: int, end: int) -> Path:
    """Cells `first` to `end` of `row` as one rectangle."""
    (a, b), (c, d) = (x[first], x[end]), (y[row], y[row + 1])
    return Path([(a, c), (b, c), (b, d), (a, d), (a, c)], closed=True)


def _spots(panel: Axes, night: Night, shown: list[Mark], axes: tuple[Axis, Axis], scale: Scale | None) -> None:
    for shape, state, group in alike(shown):
        x, y = ([axis.of(mark.composition, mark.settings) for mark in group] for axis in axes)
        if shape == "x":
            panel.plot(x, y, "x", color=MUTED, ms=5, ls="")
            continue
        plain = scale is None or state != "valid"
        faces = [LIGHT if plain or scale is None or mark.value is None else scale.colour(mark.value) for mark in group]
        size = 26 if scale else 12
        panel.scatter(x, y, s=size, marker=shape, c=DARK, edgecolors=DARK, linewidths=2, zorder=3.9)
        panel.scatter(
            x, y, s=size, marker=shape, c=faces, edgecolors=DARK if plain else LIGHT, linewidths=0.8, zorder=4
        )
        for x_top, y_top, mark in zip(x, y, group, strict=True):
            if is_top(night, mark):
                panel.scatter([x_top], [y_top], s=90, facecolors="none", edgecolors=ACCENT, linewidths=1.6, zorder=5)
