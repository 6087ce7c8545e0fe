"""Best so far: every value in the order of the samples, the running best, and what random search would have had."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from orchestrator.report.facts import Night, value_of
from orchestrator.report.formats import counted, decimals, percent, quantity_label, with_sigma
from orchestrator.report.marks import Mark, legend, marks
from orchestrator.report.markup import Html, el, join
from orchestrator.report.random_search import HIGH, LOW, WORLDS, RandomSearch
from orchestrator.report.svg import ACCENT, INK, MUTED, PAPER, PRIOR, draw_wide

WIDE, NARROW = (960, 340), (460, 350)


def best_so_far(night: Night, search: RandomSearch | str) -> Html:
    """The figure with its legend, or a sentence while there is nothing to draw; `search` may be why there is none."""
    shown = marks(night)
    if not any(mark.value is not None for mark in shown):
        return el("p", "No sample has a value yet.", class_="none")
    band = search if isinstance(search, RandomSearch) else None
    alt = _alt(night, shown, band)
    drawing = draw_wide("best", WIDE, NARROW, alt, lambda figure, narrow: _paint(figure, night, shown, band, narrow))
    return join(drawing, legend(shown, *_lines(band)), el("p", _in_words(night, search), class_="note"))


def running_best(shown: list[Mark], direction: str) -> list[tuple[int, float]]:
    """(sample, best valid value up to it), for each sample with a valid value, in the order of samples."""
    better = max if direction == "max" else min
    steps: list[tuple[int, float]] = []
    for mark in shown:
        if mark.state == "valid" and mark.value is not None:
            steps.append((mark.sample, better(mark.value, steps[-1][1]) if steps else mark.value))
    return steps


def _in_words(night: Night, search: RandomSearch | str) -> str:
    if isinstance(search, str):
        return f"Not held against random search: {search}."
    films = counted(search.films, "film")
    share = percent(search.as_good) if search.as_good else "none"
    half = f"more than {search.most}" if search.needed is None else str(search.needed)
    within = with_sigma(search.resolution, None, night.unit, decimals(search.resolution))
    return (
        f"Random search is not measured but imagined: in {WORLDS} worlds that agree with all values of this night "
        "(draws of the model's posterior at its end), compositions drawn at random from the same space are made and "
        f"measured with the noise of this night. Noise aside, {share} of such searches make with {films} one as good "
        f"as the best of this night, or worse by at most {within}, the standard uncertainty of a value; half of them "
        f"need {half} films."
    )


def _lines(band: RandomSearch | None) -> list[Html]:
    def line(kind: str, shape: str, words: str) -> Html:
        symbol = Html(
            f'<svg class="symbol" viewBox="0 0 14 14" aria-hidden="true"><path class="{kind}" d="{shape}"/></svg>'
        )
        return el("span", symbol, words, class_="item")

    lines = [line("best", "M0 7H14", "best so far")]
    if band is not None:
        words = f"random search: median, and {LOW:.0%} to {HIGH:.0%}".replace("%", " %")
        lines.append(line("prior", "M0 2H14V12H0Z", words))
    return lines


def _paint(figure: Figure, night: Night, shown: list[Mark], band: RandomSearch | None, narrow: bool) -> None:
    axes = figure.add_subplot()
    figure.subplots_adjust(left=0.135 if narrow else 0.065, right=0.99, top=0.925, bottom=0.125)
    axes.grid(axis="y")
    last = max(mark.sample for mark in shown)
    if band is not None:
        _random(axes, night, band)
    kept = [mark for mark in shown if mark.sample not in _broken(night)]
    if steps := running_best(kept, night.direction):
        xs, ys = [x for x, _ in steps], [y for _, y in steps]
        axes.step([*xs, last + 0.5], [*ys, ys[-1]], where="post", color=ACCENT, lw=2, zorder=2.5)
    if night.target is not None:
        axes.axhline(night.target, color=MUTED, lw=0.9, ls=(0, (4, 3)))
        axes.annotate("target", (1, night.target), (-2, 3), xycoords=axes.get_yaxis_transform(),
                      textcoords="offset points", ha="right", color=MUTED, fontsize=11)  # fmt: skip
    for mark in shown:
        _point(axes, mark, best=night.top is not None and mark.sample == night.top.sample)
    axes.set_xlim(min(mark.sample for mark in shown) - 0.7, last + 0.7)
    axes.margins(y=0.09)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.tick_params(length=3)
    axes.set_xlabel("sample")
    figure.text(0, 0.995, quantity_label(night.quantity, night.unit), va="top", color=MUTED)


def _broken(night: Night) -> set[int]:
    """Samples that do not keep the limits: none of them is the best."""
    return {seen.sample for seen in night.state.observations if night.state.terms.broken(seen)}


def _random(axes: Axes, night: Night, band: RandomSearch) -> None:
    """By the number of films: where a sample came to no film, random search does not wait for it."""
    numbers = [sample.number for sample in night.samples if sample.film or sample.observation][: len(band.middle)]
    n = len(numbers)
    if not n:
        return
    edges = [*numbers, numbers[-1] + 0.5]
    low, middle, high = ([*row[:n], row[n - 1]] for row in (band.low, band.middle, band.high))
    axes.fill_between(edges, low, high, step="post", color=PRIOR, alpha=0.22, lw=0, zorder=1)
    axes.step(edges, middle, where="post", color=PRIOR, lw=1.6, ls=(0, (5, 2)), zorder=2)


def _point(axes: Axes, mark: Mark, best: bool) -> None:
    if mark.value is None:
        axes.plot(mark.sample, 0.022, "x", color=MUTED, ms=6, transform=axes.get_xaxis_transform(), clip_on=False)
        return
    colour = ACCENT if best else MUTED if mark.state == "rejected" else INK
    sigma = mark.sigma if mark.state == "valid" else None
    axes.errorbar(
        mark.sample, mark.value, yerr=sigma, fmt=mark.shape, ms=5.5,
        color=colour, ecolor=colour if best else MUTED, elinewidth=1.1,
        mfc=colour if mark.state == "valid" else PAPER, mec=colour, mew=1, zorder=4 if best else 3,
    )  # fmt: skip
    if best:
        axes.annotate(str(mark.sample), (mark.sample, mark.value), (0, 8), textcoords="offset points",
                      ha="center", va="bottom", color=ACCENT, fontweight="bold")  # fmt: skip


def _alt(night: Night, shown: list[Mark], band: RandomSearch | None) -> str:
    words = f"{quantity_label(night.quantity, night.unit)} of {counted(len(shown), 'sample')} in order"
    if night.top is None:
        return f"{words}; none of them is valid."
    top = with_sigma(value_of(night.top), night.top.sigma, night.top.unit)
    random = (
        f" Random search would have {with_sigma(float(band.middle[-1]), None, night.unit)} by then." if band else ""
    )
    return f"{words}; the best, sample {night.top.sample}, has {top}.{random}"
