"""How far the model can be trusted: what it predicted of each value from all the others, and what to look at."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from orchestrator.campaign import entries as e
from orchestrator.report.facts import Night
from orchestrator.report.formats import counted, number, short
from orchestrator.report.markup import Child, Html, el, join, table_row
from orchestrator.report.svg import ACCENT, INK, MUTED, draw

WIDTH, HEIGHT = 940, 230
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
    alt = f"Standardised leave-one-out residuals of {counted(len(made), 'value')}, with bands of one and two."
    return draw("residuals", WIDTH, HEIGHT, alt, lambda figure: _paint(figure, made))


def _paint(figure: Figure, made: list[tuple[int, float]]) -> None:
    axes: Axes = figure.add_subplot()
    figure.subplots_adjust(left=0.07, right=0.99, top=0.95, bottom=0.2)
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
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))


def _fits(night: Night) -> Html | None:
    """Hyper-parameters by the number of values fitted to, of the first process that each decision tells of."""
    fits: dict[int, dict[str, float]] = {}
    for sample in night.samples:
        told = sample.suggestion.hyperparameters or {}
        processes = told.get("processes")
        if isinstance(processes, list) and processes and isinstance(to := told.get("fitted_to"), int):
            fits[to] = _flat(processes[0])
    if not fits:
        return None
    names = list(dict.fromkeys(name for fit in fits.values() for name in fit))
    chosen = sorted(fits)[:: max(1, -(-len(fits) // FITS))]
    head: list[Child] = ["values", *names]
    rows = [table_row("td", [count, *(_shown(fits[count].get(name)) for name in names)]) for count in chosen]
    table = el("table", el("thead", table_row("th", head)), el("tbody", *rows), class_="fits")
    caption = el("h3", "How the fit changed: lengthscales, amplitude and noise of the first process")
    return join(caption, el("div", table, class_="scroll", tabindex="0", role="region", aria_label="Fits"))


def _flat(process: object) -> dict[str, float]:
    """Lengthscales, amplitude and noise of one process, by name."""
    if not isinstance(process, dict):
        return {}
    told = {**(process.get("lengthscales") or {}), **{name: process.get(name) for name in ("amplitude", "noise")}}
    return {name: float(value) for name, value in told.items() if isinstance(value, int | float)}


def _shown(value: float | None) -> str:
    return "–" if value is None else short(value)
