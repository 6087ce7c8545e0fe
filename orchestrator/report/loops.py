"""Every hysteresis loop, small, on common axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.campaign.state import Sample
from orchestrator.report.facts import Night, coercivity, is_number, made_of
from orchestrator.report.formats import column_decimals, formula, short, unit_after, with_sigma
from orchestrator.report.markup import Html, el, join

WIDTH, HEIGHT = 120.0, 78.0
WINDOW_COERCIVITIES = 6.0
"""A frame of soft films shows this many times the largest coercivity on each side."""

MOST_POINTS = 240
"""A loop with more points is thinned to about so many: a frame has no room for more."""


@dataclass(frozen=True)
class Loop:
    """Field in mT and signal in `unit`, as measured, without points that are no numbers."""

    sample: Sample
    field_mt: list[float]
    signal: list[float]
    unit: str
    validity: str

    @property
    def reach(self) -> float:
        return max(map(abs, self.signal))


def loop_frames(night: Night) -> Html:
    """A frame for each valid loop, then for the others that have one."""
    loops = [loop for sample in night.samples if (loop := loop_of(night, sample))]
    valid = [loop for loop in loops if loop.validity == "valid"]
    if not loops:
        return el("p", "No loop has been measured yet.", class_="none")
    measured = max(max(map(abs, loop.field_mt)) for loop in loops) or 1.0
    field = window_mt(valid, measured)
    digits = column_decimals(loop.sample.observation.sigma for loop in valid if loop.sample.observation)
    reaches: dict[str, float] = {}
    for loop in valid or loops:
        reaches[loop.unit] = max(reaches.get(loop.unit, 0.0), loop.reach)
    frames = [_frame(night, loop, field, reaches.get(loop.unit) or loop.reach or 1.0, digits) for loop in loops]
    frames.sort(key=lambda frame: 'class="loop odd' in frame)
    scale = f"±{short(field)} mT across" + "".join(
        f", ±{short(reach)}{unit_after(unit)} upwards" for unit, reach in reaches.items()
    )
    beyond = f" The loops go on to ±{short(measured)} mT." if measured > field else ""
    return join(el("p", f"Every frame: {scale}.{beyond}", class_="note"), el("div", *frames, class_="loops"))


def loop_of(night: Night, sample: Sample, *, of_film: bool = False) -> Loop | None:
    """The loop that was measured on `sample`, if there is one with at least two points: the signal as it came, or if
    it is there what the analysis makes of it for the film alone, `of_film`."""
    seen = sample.observation
    told: dict[str, Any] = night.loops.get(sample.number, {})
    signal, unit = ("film", "film_unit") if of_film and told.get("film") else ("signal", "unit")
    pairs = [
        (float(x), float(y))
        for x, y in zip(_list(told.get("field_mt")), _list(told.get(signal)), strict=False)
        if is_number(x) and is_number(y)
    ]
    if seen is None or len(pairs) < 2:
        return None
    xs, ys = zip(*_thinned(pairs), strict=True)
    return Loop(sample, list(xs), list(ys), str(told.get(unit, "")), seen.validity)


def _list(told: object) -> list[Any]:
    """What an old or a foreign entry holds where numbers should be."""
    return told if isinstance(told, list) else []


def _frame(night: Night, loop: Loop, field: float, reach: float, digits: int) -> Html:
    seen = loop.sample.observation
    assert seen is not None
    top = night.top is not None and night.top.sample == loop.sample.number
    points = " ".join(f"{_across(x / field)},{_up(y / reach)}" for x, y in zip(loop.field_mt, loop.signal, strict=True))
    label = f"Hysteresis loop of sample {loop.sample.number}"
    drawing = Html(
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{label}">'
        f'<path class="axis" d="M0 {HEIGHT / 2:g}H{WIDTH:g}M{WIDTH / 2:g} 0V{HEIGHT:g}"/>'
        f'<polyline points="{points}"/></svg>'
    )
    value = with_sigma(seen.value, seen.sigma, seen.unit, digits) if loop.validity == "valid" else loop.validity
    caption = el(
        "figcaption",
        el("b", loop.sample.number),
        el("span", value, class_="value"),
        el("span", formula(made_of(loop.sample), 0), class_="made"),
    )
    kind = "" if loop.validity == "valid" else " odd"
    return el("figure", drawing, caption, class_=f"loop{kind}{' top' if top else ''}")


def _across(share: float) -> str:
    return f"{WIDTH / 2 * (1 + 0.97 * share):.1f}"


def _up(share: float) -> str:
    return f"{HEIGHT / 2 * (1 - 0.92 * max(-1.08, min(1.08, share))):.1f}"


def _thinned(pairs: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    stride = math.ceil(len(pairs) / MOST_POINTS)
    return pairs if stride <= 1 else [*pairs[::stride], pairs[-1]]


def window_mt(valid: Sequence[Loop], measured_mt: float) -> float:
    """How much of the field axis to show: all of it, unless the films are so soft that no loop would look open."""
    widths = [abs(value) for loop in valid if (value := coercivity(loop.sample)[0]) is not None]
    wanted = WINDOW_COERCIVITIES * max(widths, default=0.0)
    if wanted <= 0 or wanted > 0.6 * measured_mt:
        return measured_mt
    unit = 10.0 ** math.floor(math.log10(wanted))
    return unit * math.ceil(2 * wanted / unit) / 2
