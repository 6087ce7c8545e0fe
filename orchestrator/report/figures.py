"""Best so far: every value in the order of the samples, and the running best."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from orchestrator.report.facts import Night, value_of
from orchestrator.report.formats import quantity_label, with_sigma
from orchestrator.report.marks import Mark, legend, marks
from orchestrator.report.markup import Html, el, join
from orchestrator.report.svg import ACCENT, INK, MUTED, PAPER, draw

WIDTH, HEIGHT = 460, 350


def best_so_far(night: Night) -> Html:
    """The figure with its legend, or a sentence while there is nothing to draw."""
    shown = marks(night)
    if not any(mark.value is not None for mark in shown):
        return el("p", "No sample has a value yet.", class_="none")
    drawing = draw("best", WIDTH, HEIGHT, _alt(night, shown), lambda figure: _paint(figure, night, shown))
    running = Html('<svg class="symbol" viewBox="0 0 14 14" aria-hidden="true"><path class="best" d="M0 7H14"/></svg>')
    return join(drawing, legend(shown, el("span", running, "best so far", class_="item")))


def running_best(shown: list[Mark], direction: str) -> list[tuple[int, float]]:
    """(sample, best valid value up to it), for each sample with a valid value, in the order of samples."""
    better = max if direction == "max" else min
    steps: list[tuple[int, float]] = []
    for mark in shown:
        if mark.state == "valid" and mark.value is not None:
            steps.append((mark.sample, better(mark.value, steps[-1][1]) if steps else mark.value))
    return steps


def _paint(figure: Figure, night: Night, shown: list[Mark]) -> None:
    axes = figure.add_subplot()
    figure.subplots_adjust(left=0.135, right=0.985, top=0.925, bottom=0.125)
    axes.grid(axis="y")
    last = max(mark.sample for mark in shown)
    if steps := running_best(shown, night.direction):
        xs, ys = [x for x, _ in steps], [y for _, y in steps]
        axes.step([*xs, last + 0.5], [*ys, ys[-1]], where="post", color=ACCENT, lw=1.6, zorder=2)
    if night.target is not None:
        axes.axhline(night.target, color=MUTED, lw=0.9, ls=(0, (4, 3)))
        axes.annotate("target", (1, night.target), (-2, 3), xycoords=axes.get_yaxis_transform(),
                      textcoords="offset points", ha="right", color=MUTED, fontsize=11)  # fmt: skip
    for mark in shown:
        _point(axes, mark, best=night.top is not None and mark.sample == night.top.sample)
    axes.set_xlim(min(mark.sample for mark in shown) - 0.7, last + 0.7)
    axes.margins(y=0.09)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.tick_params(length=3)
    axes.set_xlabel("sample")
    figure.text(0, 0.995, quantity_label(night.quantity, night.unit), va="top", color=MUTED)


def _point(axes: Axes, mark: Mark, best: bool) -> None:
    if mark.value is None:
        axes.plot(mark.sample, 0.022, "x", color=MUTED, ms=6, transform=axes.get_xaxis_transform(), clip_on=False)
        return
    colour = ACCENT if best else INK
    sigma = mark.sigma if mark.state == "valid" else None
    axes.errorbar(
        mark.sample, mark.value, yerr=sigma, fmt=mark.shape, ms=5,
        color=colour, ecolor=colour if best else MUTED, elinewidth=1.1,
        mfc=PAPER if mark.state == "censored" else colour, mec=colour, mew=1, zorder=4 if best else 3,
    )  # fmt: skip
    if best:
        axes.annotate(str(mark.sample), (mark.sample, mark.value), (0, 8), textcoords="offset points",
                      ha="center", va="bottom", color=ACCENT, fontweight="bold")  # fmt: skip


def _alt(night: Night, shown: list[Mark]) -> str:
    words = f"{quantity_label(night.quantity, night.unit)} of {len(shown)} samples in order"
    if night.top is None:
        return f"{words}; none of them is valid."
    top = with_sigma(value_of(night.top), night.top.sigma, night.top.unit)
    return f"{words}; the best, sample {night.top.sample}, has {top}."
