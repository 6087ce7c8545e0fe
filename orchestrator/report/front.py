"""Several objectives: the films that no other is better than, drawn and as a table, in place of one best."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestrator.campaign import entries as e
from orchestrator.campaign.terms import Aim, Terms
from orchestrator.report.facts import Night
from orchestrator.report.formats import column_decimals, counted, formula, listed, quantity_label, with_sigma
from orchestrator.report.markup import Child, Html, el, join, table_row
from orchestrator.report.svg import ACCENT, INK, MUTED, PAPER, draw_wide

WIDE, NARROW = (960, 420), (460, 400)


def trade_offs(night: Night) -> Html:
    """The figure of the first two objectives with the front, and its films as a table; a sentence while there is
    none."""
    terms = night.state.terms
    shown = [seen for seen in night.state.observations if terms.values(seen) is not None]
    if not shown:
        return el("p", "No sample has been measured in every objective yet.", class_="none")
    front = night.state.front
    x, y = terms.aims[:2]
    alt = (
        f"{quantity_label(y.quantity, y.unit)} against {quantity_label(x.quantity, x.unit)} of "
        f"{counted(len(shown), 'sample')}; none is better than {counted(len(front), 'of them', 'of them')}."
    )
    drawing = draw_wide("front", WIDE, NARROW, alt, lambda figure, narrow: _paint(figure, terms, shown, front, narrow))
    table = _table(night, front) if front else el("p", "None of them keeps all limits.", class_="none")
    return join(drawing, el("p", _in_words(night, len(shown)), class_="note"), table)


def _in_words(night: Night, measured: int) -> Html:
    terms, front = night.state.terms, night.state.front
    broken = sum(bool(terms.broken(seen)) for seen in night.state.observations if terms.values(seen) is not None)
    kept = listed([str(limit) for limit in terms.limits])
    limits = join(f" {counted(broken, 'film')} (×) did not keep ", kept, ".") if broken else None
    weights = ", ".join(f"{aim.quantity.replace('_', ' ')} {aim.weight:g}" for aim in terms.aims)
    rivals = _as_good(terms, night.state.observations, front)
    perhaps = f" Within 2σ {counted(rivals, 'other')} may be among them." if rivals else ""
    return join(
        f"{len(front)} of the {counted(measured, 'film')} measured in every objective are such that none is better."
        f"{perhaps}",
        limits,
        f" By the weights ({weights}) the best trade-off of them is sample {night.top.sample}." if night.top else "",
    )


def _as_good(terms: Terms, seen: Iterable[e.ObservationMade], front: Sequence[e.ObservationMade]) -> int:
    """How many films that count would be on the front if each of their values were better by two of its standard
    uncertainties."""
    on = {one.sample for one in front}
    values = [told for one in front if (told := terms.values(one)) is not None]
    found = 0
    for one in seen:
        told = terms.values(one)
        if one.sample in on or told is None or not terms.counts(one):
            continue
        hoped = [v + 2 * aim.sign * _sigma(one, aim) for v, aim in zip(told, terms.aims, strict=True)]
        found += not any(terms.dominates(other, hoped) for other in values)
    return found


def _sigma(seen: e.ObservationMade, aim: Aim) -> float:
    told = seen.outcomes.get(aim.quantity, {}).get("sigma")
    return float(told) if isinstance(told, int | float) else 0.0


def _paint(
    figure: Figure, terms: Terms, shown: list[e.ObservationMade], front: list[e.ObservationMade], narrow: bool
) -> None:
    axes = figure.add_subplot()
    figure.subplots_adjust(left=0.155 if narrow else 0.075, right=0.985, top=0.93, bottom=0.125)
    axes.grid()
    x, y = terms.aims[:2]
    on = {one.sample for one in front}
    for one in shown:
        if one.sample not in on:
            _point(axes, terms, one, MUTED, broken=bool(terms.broken(one)))
    if len(terms.aims) == 2 and front:
        _stairs(axes, [terms.values(one) or () for one in front])
    for one in front:
        _point(axes, terms, one, ACCENT, broken=False)
        told = terms.values(one) or ()
        axes.annotate(str(one.sample), (told[0], told[1]), (5, 5), textcoords="offset points", color=INK, fontsize=10)
    axes.margins(0.06)
    axes.tick_params(length=3)
    better = {"max": "more is better", "min": "less is better"}
    axes.set_xlabel(f"{quantity_label(x.quantity, x.unit)}, {better[x.direction]}")
    figure.text(0, 0.995, f"{quantity_label(y.quantity, y.unit)}, {better[y.direction]}", va="top", color=MUTED)


def _stairs(axes: Axes, values: list[tuple[float, ...]]) -> None:
    """From film to film along the front, by way of what both of two neighbours are better than."""
    xs, ys = [values[0][0]], [values[0][1]]
    for before, after in itertools.pairwise(values):
        xs += [after[0], after[0]]
        ys += [before[1], after[1]]
    axes.plot(xs, ys, color=ACCENT, lw=1.4, zorder=2)


def _point(axes: Axes, terms: Terms, seen: e.ObservationMade, colour: str, *, broken: bool) -> None:
    told = terms.values(seen) or ()
    x, y = terms.aims[:2]
    filled = PAPER if colour == MUTED else colour
    axes.errorbar(
        told[0], told[1], xerr=_sigma(seen, x), yerr=_sigma(seen, y), fmt="x" if broken else "o", ms=6, color=colour,
        ecolor=MUTED, elinewidth=1, mfc=filled, mec=colour, mew=1.1, zorder=4 if colour == ACCENT else 3,
    )  # fmt: skip


def _table(night: Night, front: list[e.ObservationMade]) -> Html:
    units = night.state.terms.units
    digits = {name: column_decimals(_number(seen, name, "sigma") for seen in front) for name in units}
    rows = []
    for seen in front:
        cells: list[Child] = [
            el("th", seen.sample, scope="row"),
            el("td", formula(seen.composition), class_="text"),
            *(
                with_sigma(_number(seen, name, "value"), _number(seen, name, "sigma"), "", digits[name])
                for name in units
            ),
        ]
        best = night.top is not None and seen.sample == night.top.sample
        rows.append(table_row("td", cells, class_="top" if best else None))
    head: list[Child] = [
        "no.",
        el("th", "made (at.%)", class_="text"),
        *(quantity_label(*told) for told in units.items()),
    ]
    table = el("table", el("thead", table_row("th", head)), el("tbody", *rows), class_="best")
    label = "Films that no other is better than"
    return el("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)


def _number(seen: e.ObservationMade, quantity: str, name: str) -> float | None:
    told = seen.outcomes.get(quantity, {}).get(name)
    return float(told) if isinstance(told, int | float) else None
