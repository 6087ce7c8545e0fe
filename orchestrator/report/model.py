"""How far the model can be trusted: what it predicted of each value from all the others, and what to look at."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from orchestrator.campaign import entries as e
from orchestrator.report.facts import Night
from orchestrator.report.formats import counted, number, percent, short
from orchestrator.report.markup import Child, Html, el, join, table_row
from orchestrator.report.svg import ACCENT, INK, MUTED, draw, scrolled

WIDTH, HEIGHT = 960, 250
STEPS = 50
LUCK = 1.645  # standard errors: nine of ten right models stay inside at each level
LARGEST = 6.0  # standard deviations shown; what is farther off is drawn at the edge
FITS = 8  # rows of the table of fits


def model(night: Night) -> Html:
    """The last assessment: concerns, calibration, residuals, and how the fit has changed."""
    told = next(reversed(night.state.assessments.values()), None)
    if told is None:
        return el("p", "The model was not assessed.", class_="none")
    return join(_concerns(told), _calibration(told), _residuals(told), _fits(night))


def _concerns(told: e.ModelAssessed) -> Html:
    if not told.concerns:
        return el("p", "Nothing to look at.", class_="none")
    return el("ul", *(el("li", str(concern.get("text", ""))) for concern in told.concerns))


def _calibration(told: e.ModelAssessed) -> Html:
    count = len(told.residuals)
    if told.within_one is None or told.within_two is None:
        return el("p", f"{counted(count, 'value')}: too few to say how good its uncertainties are.", class_="aside")
    words = (
        f"Of {count} values {100 * told.within_one:.0f} % are within one and {100 * told.within_two:.0f} % within two "
        "standard deviations of what the model predicts of them from all the others; it should be about 68 % and 95 %."
    )
    if told.log_density is None or told.constant_log_density is None:
        return el("p", words)
    gain = told.log_density - told.constant_log_density
    return el("p", f"{words} Against a constant model the mean log density is {number(gain, 2)} higher.")


def _residuals(told: e.ModelAssessed) -> Html | None:
    made = sorted((int(sample), z) for sample, z in told.residuals.items())
    if not made:
        return None
    alt = (
        f"Standardised leave-one-out residuals of {counted(len(made), 'value')}, with bands of one and two; beside "
        "them the share of residuals within each width, against the share that should be."
    )
    drawing = draw("residuals", WIDTH, HEIGHT, alt, lambda figure: _paint(figure, made))
    words = (
        "Left: how many standard deviations each value is off what the model predicts of it from all the others, above "
        "0 being better than predicted. Right: coverage; a model that knows how sure it is lies on the diagonal, "
        "an over-confident one below it, one that is too cautious above."
    )
    return join(scrolled(drawing, "Calibration"), el("p", words, class_="note"))


def coverage(residuals: list[float]) -> tuple[list[float], list[float]]:
    """Nominal shares of central intervals, and the shares of `residuals` (standard deviations) inside them."""
    nominal = [n / STEPS for n in range(STEPS + 1)]
    inside = [0.5 * (1 + math.erf(abs(z) / math.sqrt(2))) * 2 - 1 for z in residuals]
    return nominal, [sum(share <= level for share in inside) / len(inside) for level in nominal]


def _paint(figure: Figure, made: list[tuple[int, float]]) -> None:
    left, right = figure.subplots(1, 2, width_ratios=(3, 1))
    figure.subplots_adjust(left=0.065, right=0.993, top=0.95, bottom=0.19, wspace=0.17)
    _points(left, made)
    _coverage(right, [z for _, z in made])


def _coverage(axes: Axes, residuals: list[float]) -> None:
    nominal, real = coverage(residuals)
    spread = [LUCK * math.sqrt(p * (1 - p) / len(residuals)) for p in nominal]
    below = [max(0.0, p - s) for p, s in zip(nominal, spread, strict=True)]
    above = [min(1.0, p + s) for p, s in zip(nominal, spread, strict=True)]
    axes.fill_between(nominal, below, above, color=MUTED, alpha=0.2, lw=0)
    axes.plot([0, 1], [0, 1], color=MUTED, lw=0.8)
    axes.plot(nominal, real, color=INK, lw=1.6)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    axes.set_yticks([0, 0.5, 1], ["0", "50", "100 %"])
    axes.tick_params(length=3)
    axes.set_xlabel("should be within")
    axes.set_title("are within", loc="left", fontsize=11, color=MUTED, pad=4)


def _points(axes: Axes, made: list[tuple[int, float]]) -> None:
    for sigmas in (1, 2):
        axes.axhspan(-sigmas, sigmas, color=MUTED, alpha=0.12, lw=0)
    axes.axhline(0, color=MUTED, lw=0.8)
    xs, zs = [x for x, _ in made], [min(max(z, -LARGEST), LARGEST) for _, z in made]
    axes.vlines(xs, 0, zs, color=INK, lw=0.8)
    axes.plot(xs, zs, "o", ms=5, color=INK)
    off = [(x, z) for x, z in zip(xs, zs, strict=True) if abs(z) >= 2]
    axes.plot([x for x, _ in off], [z for _, z in off], "o", ms=5, color=ACCENT)
    reach = max(3.0, *(abs(z) for z in zs)) * 1.08
    axes.set_ylim(-reach, reach)
    axes.set_xlabel("sample")
    axes.set_ylabel("off prediction (σ)")
    axes.tick_params(length=3)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))


def _fits(night: Night) -> Html | None:
    """How calibration and hyper-parameters (of the first process) went with the number of values."""
    fits: dict[int, dict[str, float]] = {}
    for sample in night.samples:
        told = sample.suggestion.hyperparameters or {}
        processes = told.get("processes")
        if isinstance(processes, list) and processes and isinstance(to := told.get("fitted_to"), int):
            fits[to] = _flat(processes[0])
    assessed = (recorded.entry for recorded in night.entries if isinstance(recorded.entry, e.ModelAssessed))
    judged = {len(told.residuals): told for told in assessed if told.within_one is not None}
    counts = sorted(judged or fits)
    if not counts:
        return None
    names = list(dict.fromkeys(name for fit in fits.values() for name in fit))
    chosen = sorted({*counts[:: max(1, -(-len(counts) // FITS))], counts[-1]})
    head: list[Child] = [
        "values",
        "within 1 σ",
        "within 2 σ",
        "gain in log density",
        *(_fit_name(name) for name in names),
    ]
    rows = [
        table_row("td", [n, *_judged(judged.get(n)), *(_shown(_fit_at(fits, n).get(name)) for name in names)])
        for n in chosen
    ]
    table = el("table", el("thead", table_row("th", head)), el("tbody", *rows), class_="fits")
    caption = el("h3", "How the model came to know: calibration, and the lengthscales, amplitude and noise of its fit")
    return join(caption, el("div", table, class_="scroll", tabindex="0", role="region", aria_label="Fits"))


def _fit_at(fits: dict[int, dict[str, float]], count: int) -> dict[str, float]:
    """The fit in force with so many values: the last one to no more."""
    return next((fits[to] for to in sorted(fits, reverse=True) if to <= count), {})


def _fit_name(name: str) -> str:
    return name.replace("_", " ")


def _judged(told: e.ModelAssessed | None) -> list[Child]:
    if told is None or told.within_one is None or told.within_two is None:
        return ["–", "–", "–"]
    known = told.log_density is not None and told.constant_log_density is not None
    gain = told.log_density - told.constant_log_density if known else None  # type: ignore[operator]
    return [percent(told.within_one), percent(told.within_two), number(gain, 2)]


def _flat(process: object) -> dict[str, float]:
    """Lengthscales, amplitude and noise of one process, by name."""
    if not isinstance(process, dict):
        return {}
    told = {**(process.get("lengthscales") or {}), **{name: process.get(name) for name in ("amplitude", "noise")}}
    return {name: float(value) for name, value in told.items() if isinstance(value, int | float)}


def _shown(value: float | None) -> str:
    return "–" if value is None else short(value)
