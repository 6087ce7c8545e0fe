"""Every sample, one line each."""

from __future__ import annotations

from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.quantities import canonical_unit
from orchestrator.campaign.state import Sample
from orchestrator.report.facts import Night, coercivity
from orchestrator.report.formats import at_percent, column_decimals, number, quantity_label, unit_after
from orchestrator.report.markup import Child, Html, el, join, table_row

Pair = tuple[float | None, float | None]
"""A value and its uncertainty."""


def sample_table(night: Night) -> Html:
    """The samples in order, or a sentence while there are none."""
    if not night.samples:
        return el("p", "No sample has been suggested yet.", class_="none")
    table = _Table(night)
    rows = [table.row(sample) for sample in night.samples]
    inner = el("table", el("thead", *table.head()), el("tbody", *rows), class_="samples")
    return el("div", inner, class_="scroll", tabindex="0", role="region", aria_label="Table of samples")


class _Table:
    """The columns, with the digits that suit each."""

    def __init__(self, night: Night) -> None:
        self.night = night
        self.elements = night.elements
        self.coercivity = night.quantity != "coercivity"
        samples = night.samples
        films = [sample.film for sample in samples if sample.film]
        seen = [sample.observation for sample in samples if sample.observation]
        self.made_digits = min(1, column_decimals(100 * s for film in films for s in film.composition_sigma.values()))
        self.thickness_digits = min(1, column_decimals(film.thickness_sigma_nm for film in films))
        self.value_digits = column_decimals(o.sigma for o in seen if o.validity == "valid")
        self.coercivity_digits = column_decimals(coercivity(sample)[1] for sample in samples)

    def head(self) -> list[Html]:
        n = len(self.elements)
        settings = [name.replace("_", " ") for name in self.night.settings]
        groups: list[Child] = [
            _th("", 2),
            _th("asked (at.%)", n + 1),
            *([_th("asked", len(settings))] if settings else []),
            _th("made (at.%)", 2 * n),
            _th("film", 2),
            _th(quantity_label(self.night.quantity, ""), 2),
        ]
        names: list[Child] = ["no.", "slot", el("th", "by", class_="text"), *self.elements, *settings]
        for name in [*self.elements, "nm", unit_after(self.night.unit).strip() or "value"]:
            names += [name, ""]
        if self.coercivity:
            groups.append(_th("coercivity", 2))
            names += [canonical_unit("coercivity"), ""]
        groups.append(_th("", 1))
        names.append(el("th", "outcome", class_="text"))
        return [table_row("th", groups, class_="groups"), table_row("th", names)]

    def row(self, sample: Sample) -> Html:
        film, seen = sample.film, sample.observation
        asked, made = sample.suggestion.composition, film.composition if film else {}
        sigmas = film.composition_sigma if film else {}
        cells: list[Child] = [
            el("th", sample.number, scope="row"),
            sample.slot,
            el("td", sample.suggestion.method, class_="text"),
        ]
        cells += [at_percent(asked.get(element, 0.0)) for element in self.elements]
        cells += [_setting(sample.suggestion.settings.get(name)) for name in self.night.settings]
        for element in self.elements:
            part, sigma = made.get(element, 0.0 if made else None), sigmas.get(element)
            cells += _pair(_hundred(part), _hundred(sigma), self.made_digits)
        thickness: Pair = (film.thickness_nm, film.thickness_sigma_nm) if film else (None, None)
        value: Pair = (seen.value, seen.sigma) if seen else (None, None)
        cells += _pair(*thickness, self.thickness_digits) + _pair(*value, self.value_digits)
        if self.coercivity:
            cells += _pair(*coercivity(sample), self.coercivity_digits)
        cells.append(_outcome(sample))
        top = self.night.top is not None and self.night.top.sample == sample.number
        return table_row("td", cells, class_="top" if top else None)


def _outcome(sample: Sample) -> Html:
    """Validity and its reason once observed; else the phase, and why."""
    seen = sample.observation
    if (rejected := sample.rejected) is not None and seen is not None:
        word, reason = "rejected", f"by {rejected.by}: {rejected.reason}; it was {seen.validity}"
    elif seen is not None and sample.phase is Phase.OBSERVED:
        word, reason = str(seen.validity), seen.reason
    else:
        word, reason = sample.phase.value, sample.note
    remarks = sample.film.remarks if sample.film else []
    reason = "; ".join(filter(None, [reason, *remarks]))
    kind = "text good" if word == "valid" else "text"
    return el("td", word, el("span", join(": ", reason), class_="why") if reason else None, class_=kind)


def _pair(value: float | None, sigma: float | None, digits: int) -> list[Child]:
    """A value and its uncertainty, each in a cell of its own, so that both columns align."""
    uncertain = f"±{number(sigma, digits)}" if value is not None and sigma else ""
    return [el("td", number(value, digits)), el("td", uncertain, class_="pm")]


def _setting(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _hundred(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


def _th(words: Child, span: int) -> Html:
    return el("th", words, colspan=span if span > 1 else None)
