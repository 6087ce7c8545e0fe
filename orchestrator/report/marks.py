"""One sample, one mark: the same shape in every figure, told apart by shape and filling, never by hue alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.campaign.lifecycle import Phase
from orchestrator.report.facts import Night, made_of
from orchestrator.report.markup import Html, el, join

SHAPES = {"space-filling": "s", "gp": "o", "fallback": "^"}
"""How a composition was chosen -> matplotlib marker; any other way gets a diamond."""

_WORDS = {"space-filling": "space-filling", "gp": "model (gp)", "fallback": "fallback"}
_OUTLINES = {
    "s": '<rect x="3" y="3" width="8" height="8"/>',
    "o": '<circle cx="7" cy="7" r="4.4"/>',
    "^": '<path d="M7 2.4 12 11.4H2Z"/>',
    "D": '<path d="M7 1.8 12.2 7 7 12.2 1.8 7Z"/>',
    "x": '<path d="M3 3 11 11M11 3 3 11" stroke-width="1.6"/>',
}


@dataclass(frozen=True)
class Mark:
    """`state` is valid, censored (`value` is a bound), or lost: no value and none to come."""

    sample: int
    method: str
    state: str
    composition: dict[str, float]
    value: float | None
    sigma: float | None

    @property
    def shape(self) -> str:
        return SHAPES.get(self.method, "D")


def marks(night: Night) -> list[Mark]:
    """A mark for each sample that is observed, or never will be."""
    made = []
    for sample in night.samples:
        seen = sample.observation
        if seen is None and sample.phase not in (Phase.DISCARDED, Phase.QUARANTINED):
            continue
        state = "lost" if seen is None or seen.value is None or seen.validity == "failed" else seen.validity
        made.append(
            Mark(
                sample=sample.number,
                method=sample.suggestion.method,
                state=state,
                composition=dict(seen.composition if seen else made_of(sample)),
                value=seen.value if seen and state != "lost" else None,
                sigma=seen.sigma if seen and state != "lost" else None,
            )
        )
    return made


def legend(shown: Iterable[Mark], *more: Html) -> Html:
    """A line that explains the marks that are there, and nothing else."""
    shown = list(shown)
    items = [
        _item(SHAPES.get(method, "D"), _WORDS.get(method, method), "full")
        for method in dict.fromkeys(mark.method for mark in shown if mark.state == "valid")
    ]
    if any(mark.state == "censored" for mark in shown):
        items.append(_item("o", "censored: a bound", "hollow"))
    if any(mark.state == "lost" for mark in shown):
        items.append(_item("x", "no value", "hollow"))
    return el("p", *items, *more, class_="legend")


def _item(shape: str, words: str, filling: str) -> Html:
    symbol = Html(f'<svg class="symbol {filling}" viewBox="0 0 14 14" aria-hidden="true">{_OUTLINES[shape]}</svg>')
    return el("span", join(symbol, words), class_="item")
