"""One sample, one mark: the same shape in every figure, told apart by shape and filling, never by hue alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from orchestrator.campaign.lifecycle import Phase
from orchestrator.report.facts import Night, made_of
from orchestrator.report.markup import Html, el, join

SHAPES = {"space-filling": "s", "gp": "o", "fallback": "^", "operator": "P", "random": "v", "growing": "p"}
"""How a composition was chosen -> matplotlib marker; any other way gets a diamond."""

_WORDS = {"gp": "model (gp)", "operator": "a person's own"}
_OUTLINES = {
    "s": '<rect x="3" y="3" width="8" height="8"/>',
    "o": '<circle cx="7" cy="7" r="4.4"/>',
    "^": '<path d="M7 2.4 12 11.4H2Z"/>',
    "v": '<path d="M7 11.6 2 2.6H12Z"/>',
    "P": '<path d="M5 2H9V5H12V9H9V12H5V9H2V5H5Z"/>',
    "p": '<path d="M7 1.8 12.3 5.7 10.3 12H3.7L1.7 5.7Z"/>',
    "D": '<path d="M7 1.8 12.2 7 7 12.2 1.8 7Z"/>',
    "x": '<path d="M3 3 11 11M11 3 3 11" stroke-width="1.6"/>',
}


@dataclass(frozen=True)
class Mark:
    """`state` is valid, censored (`value` is a bound), rejected (it does not count), or lost: no value and none to
    come."""

    sample: int
    method: str
    state: str
    composition: dict[str, float]
    value: float | None
    sigma: float | None
    settings: dict[str, float] = field(default_factory=dict)

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
        state: str = "lost" if seen is None or seen.value is None or seen.validity == "failed" else seen.validity
        if state != "lost" and sample.number not in night.held_true:
            state = "rejected"
        made.append(
            Mark(
                sample=sample.number,
                method=sample.suggestion.method,
                state=state,
                composition=dict(seen.composition if seen else made_of(sample)),
                value=seen.value if seen and state != "lost" else None,
                sigma=seen.sigma if seen and state != "lost" else None,
                settings=dict(seen.settings if seen else sample.suggestion.settings),
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
    if any(mark.state == "rejected" for mark in shown):
        items.append(_item("o", "rejected: does not count", "faint"))
    if any(mark.state == "lost" for mark in shown):
        items.append(_item("x", "no value", "hollow"))
    return el("p", *items, *more, class_="legend")


def _item(shape: str, words: str, filling: str) -> Html:
    symbol = Html(f'<svg class="symbol {filling}" viewBox="0 0 14 14" aria-hidden="true">{_OUTLINES[shape]}</svg>')
    return el("span", join(symbol, words), class_="item")


def alike(shown: Iterable[Mark]) -> Iterator[tuple[str, str, list[Mark]]]:
    """Marks that are drawn in one go: shape, state, and all that have both."""
    groups: dict[tuple[str, str], list[Mark]] = {}
    for mark in shown:
        groups.setdefault((mark.shape if mark.state != "lost" else "x", mark.state), []).append(mark)
    for (shape, state), marks_of in groups.items():
        yield shape, state, marks_of


def value_range(shown: Iterable[Mark]) -> tuple[float, float]:
    """Lowest and highest valid value, (0, 1) if there is none."""
    values = [mark.value for mark in shown if mark.state == "valid" and mark.value is not None]
    return (min(values), max(values)) if values else (0.0, 1.0)


def is_top(night: Night, mark: Mark) -> bool:
    """Whether `mark` is that of the best."""
    return night.top is not None and mark.sample == night.top.sample
