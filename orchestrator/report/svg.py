"""A matplotlib figure as SVG inside the page: themed by the page's colours, small, and the same every time.

matplotlib is given marker colours that stand for the page's; they become CSS variables in the SVG, so that
one figure serves light and dark.  Text stays text, in the page's font.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from orchestrator.report.markup import Html, el, join

INK, MUTED, FAINT, PAPER, ACCENT, PRIOR = "#010a01", "#020a02", "#030a03", "#040a04", "#050a05", "#060a06"
_VARIABLES = {INK: "--ink", MUTED: "--muted", FAINT: "--line", PAPER: "--panel", ACCENT: "--best", PRIOR: "--prior"}

LIGHT, DARK = "#ffffff", "#222222"
"""Of rims on colour scales, which are the same by day and by night."""

PX = 1 / 72
"""Inches: SVG figures have 72 units an inch, and one unit is a pixel here."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "text.color": INK,
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "lines.solid_capstyle": "round",
}


def draw(name: str, width: int, height: int, alt: str, paint: Callable[[Figure], None]) -> Html:
    """The figure that `paint` makes, `width` x `height` pixels, as an SVG element.

    `name` is unique on the page and decides the element ids; `alt` is read out in the figure's place.
    """
    written = StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": f"nightshift-{name}"}):
        figure = Figure(figsize=(width * PX, height * PX), dpi=72)
        FigureCanvasSVG(figure)
        paint(figure)
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawing = _shrunk(written.getvalue())
    opening = f'<svg class="drawing" viewBox="0 0 {width} {height}" role="img">'
    return Html(join(Html(opening), el("title", alt), Html(drawing), Html("</svg>")))


def draw_wide(
    name: str,
    wide: tuple[int, int],
    narrow: tuple[int, int],
    alt: str,
    paint: Callable[[Figure, bool], None],
) -> Html:
    """The figure twice, `wide` for a desk and paper and `narrow` for a phone; the page shows one of them.

    `paint` takes the figure, and whether it is the narrow one.
    """
    desk = draw(name, *wide, alt, lambda figure: paint(figure, False))
    phone = draw(f"{name}-narrow", *narrow, alt, lambda figure: paint(figure, True))
    return join(el("div", desk, class_="at-desk"), el("div", phone, class_="on-phone"))


def scrolled(drawing: Html, label: str) -> Html:
    """A drawing that a phone shows as wide as it must be, to be moved sideways."""
    return el("div", drawing, class_="scroll wide", tabindex="0", role="region", aria_label=label)


def _shrunk(drawing: str) -> str:
    """The inside of the SVG element, in the page's colours, without what the page does not need."""
    inside = drawing[drawing.index(">", drawing.index("<svg")) + 1 : drawing.rindex("</svg>")]
    inside = re.sub(r"<metadata>.*?</metadata>", "", inside, flags=re.DOTALL)
    inside = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", inside, flags=re.DOTALL)
    inside = re.sub(r'<g id="[^"]*"', "<g", inside)
    inside = re.sub(r"font-family: [^;\"]*; ?", "", inside)
    inside = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", inside)
    inside = re.sub(r'(?<=[ "-])(\d+\.\d{2})\d+', lambda match: match[1].rstrip("0").rstrip("."), inside)
    inside = re.sub(r"<!--.*?-->", "", inside, flags=re.DOTALL)
    inside = re.sub(r"\s*\n\s*", "\n", inside).replace("xlink:href", "href")
    for colour, variable in _VARIABLES.items():
        inside = inside.replace(colour, f"var({variable})")
    return inside.strip()
