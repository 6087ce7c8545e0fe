"""Repeatability and drift on the page: replicates and the reference specimen."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestrator.campaign import entries as e
from orchestrator.report.facts import Night, value_of
from orchestrator.report.formats import (
    HOUR_S,
    column_decimals,
    counted,
    decimals,
    formula,
    number,
    percent,
    unit_after,
    with_sigma,
)
from orchestrator.report.markup import Child, Html, el, join, table_row
from orchestrator.report.repeats import Replicates, checks, replicates, tolerance
from orchestrator.report.svg import ACCENT, INK, MUTED, PRIOR, draw_wide

WIDE, NARROW = (960, 210), (460, 230)


def repeatability(night: Night) -> Html:
    return join(_replicates(night), _reference(night))


def _replicates(night: Night) -> Html:
    found = replicates(night)
    if found is None:
        words = (
            "Nothing was made twice, so how well the whole way from target to value repeats itself is not known: make "
            "the best film again, twice."
        )
        return join(el("p", words), el("p", _told_sigma(night), class_="note"))
    relative = f" ({percent(found.relative)} of the mean)" if found.relative is not None else ""
    words = (
        f"Films made twice or more scatter by {with_sigma(found.sigma, None, night.unit)}{relative}: pooled standard "
        f"deviation of {counted(len(found.groups), 'composition')}, {counted(found.degrees, 'degree')} of freedom."
    )
    return join(el("p", words), el("p", _told_sigma(night), class_="note"), _groups(night, found))


def _told_sigma(night: Night) -> str | None:
    """What the analysis itself says, which knows of one film only."""
    sigmas = sorted(o.sigma for o in night.state.observations if o.validity == "valid" and o.sigma)
    if not sigmas:
        return None
    middle = sigmas[len(sigmas) // 2]
    return f"The analysis gives a value ± {number(middle, decimals(middle))}{unit_after(night.unit)} (median)."


def _groups(night: Night, found: Replicates) -> Html:
    digits = column_decimals(s.observation.sigma for group in found.groups for s in group if s.observation)
    rows = []
    for group in found.groups:
        values = ", ".join(
            f"{number(value_of(s.observation), digits)} (no. {s.number})" for s in group if s.observation
        )
        cells: list[Child] = [
            el("td", formula(group[0].suggestion.composition), class_="text"),
            el("td", values, class_="text"),
        ]
        rows.append(table_row("td", cells))
    head = table_row(
        "th", [el("th", "asked", class_="text"), el("th", f"values{unit_after(night.unit)}", class_="text")]
    )
    table = el("table", el("thead", head), el("tbody", *rows), class_="repeats")
    return el("div", table, class_="scroll", tabindex="0", role="region", aria_label="Replicates")


# --- the reference specimen -----------------------------------------------------------------------------


def _reference(night: Night) -> Html:
    found = checks(night)
    if not found:
        has = bool(night.lab.get("reference"))
        why = "was never measured" if has else "is not in this lab"
        return el("p", f"A reference specimen {why}: a drift of the magnetometer is not seen by itself.")
    ratios = [check.ratio for _, check in found]
    drifted = sum(check.verdict == "drifted" for _, check in found)
    end = f"{drifted} of them out of tolerance" if drifted else "all within tolerance"
    words = (
        f"The reference specimen was measured {counted(len(found), 'time')} and showed {min(ratios):.3f} to "
        f"{max(ratios):.3f} of its value, {end}."
    )
    alt = f"What the reference specimen showed over what it has, against time: {words}"
    drawing = draw_wide("reference", WIDE, NARROW, alt, lambda figure, narrow: _paint(figure, night, found, narrow))
    return join(el("p", words), drawing)


def _paint(figure: Figure, night: Night, found: list[tuple[float, e.ReferenceMeasured]], narrow: bool) -> None:
    axes: Axes = figure.add_subplot()
    figure.subplots_adjust(left=0.16 if narrow else 0.075, right=0.99, top=0.95, bottom=0.24)
    if (within := tolerance(night)) is not None:
        axes.axhspan(1 - within, 1 + within, color=PRIOR, alpha=0.16, lw=0)
    axes.axhline(1, color=MUTED, lw=0.8)
    for time, check in found:
        colour = ACCENT if check.verdict == "drifted" else INK
        axes.errorbar((time - night.start) / HOUR_S, check.ratio, yerr=check.ratio_sigma, fmt="o", ms=5, color=colour,
                      ecolor=colour, elinewidth=1.1)  # fmt: skip
    axes.set_xlim(-0.02 * night.hours, 1.02 * night.hours or 1.0)
    axes.margins(y=0.15)
    axes.tick_params(length=3)
    axes.set_xlabel("hours into the night")
    axes.set_ylabel("shown over known")
