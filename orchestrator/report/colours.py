"""Colour scales of values: told apart by lightness, so that paper and colour-blind readers see them too."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex
from numpy.typing import NDArray

from orchestrator.report.formats import number, unit_after
from orchestrator.report.markup import Html, el

Floats = NDArray[np.float64]
VALUES: Colormap = mpl.colormaps["viridis"]
DOUBT: Colormap = LinearSegmentedColormap.from_list("doubt", ["#f3efe4", "#c9a3b4", "#7d4f86", "#2e1c45"])
STOPS = 8


@dataclass(frozen=True)
class Scale:
    """Colours from `low` to `high`, in `unit`; `digits` after the point where the ends are written.

    `name` is unique on the page.
    """

    name: str
    colours: Colormap
    low: float
    high: float
    unit: str
    digits: int

    def share(self, value: float) -> float:
        """Where `value` is on the scale, 0 to 1."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low))) if self.high > self.low else 0.5

    def colour(self, value: float) -> str:
        return to_hex(self.colours(self.share(value)))

    def shares(self, values: Floats) -> Floats:
        """Where `values`, of any shape, are on the scale, 0 to 1."""
        with np.errstate(over="ignore", invalid="ignore"):  # differences of huge values
            shares = (
                (values - self.low) / (np.float64(self.high) - self.low) if self.high > self.low else values * 0 + 0.5
            )
        return np.clip(np.nan_to_num(shares, nan=0.5), 0.0, 1.0)

    def legend(self, words: str) -> Html:
        """The scale as a line of its own, under `words` of what it is of."""
        stops = "".join(
            f'<stop offset="{i / STOPS:g}" stop-color="{to_hex(self.colours(i / STOPS))}"/>' for i in range(STOPS + 1)
        )
        bar = Html(
            '<svg class="scale" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
            f'<defs><linearGradient id="{self.name}">{stops}</linearGradient></defs>'
            f'<rect width="100" height="8" fill="url(#{self.name})"/></svg>'
        )
        highest = f"{number(self.high, self.digits)}{unit_after(self.unit)}"
        ends = el("span", el("span", number(self.low, self.digits)), bar, el("span", highest), class_="ends")
        return el("p", el("span", words, class_="of"), ends, class_="scaled")
