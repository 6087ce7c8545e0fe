"""The maps: where in the space the samples lie, and what the model believes of the rest of it.

Two elements are drawn along a line, three make triangles, and of more, or where settings are searched too, every pair
makes a projection.
"""

from __future__ import annotations

from orchestrator.report.belief import Belief
from orchestrator.report.facts import Night
from orchestrator.report.line import line_map
from orchestrator.report.marks import Mark, legend, marks
from orchestrator.report.markup import Html, el, join
from orchestrator.report.projections import axes_of, projections
from orchestrator.report.ternary import triangles


def maps(night: Night, belief: Belief | str) -> Html:
    """The maps with their legends, or a sentence while there is nothing to draw; `belief` may be why there is none."""
    shown = marks(night)
    if not shown:
        return el("p", "No composition has been measured yet.", class_="none")
    model = belief if isinstance(belief, Belief) else None
    drawn = _drawn(night, shown, model)
    if not drawn:
        return el("p", "There is one composition only.", class_="none")
    why = f"Without what the model believes: {belief}." if isinstance(belief, str) else None
    return join(drawn, legend(shown), el("p", why, class_="note") if why else None)


def _drawn(night: Night, shown: list[Mark], model: Belief | None) -> Html:
    if len(night.elements) == 3:
        flat = triangles(night, shown, model)
        return join(flat, projections(night, shown, model)) if night.settings else flat
    if len(axes_of(night, shown)) == 1:
        return line_map(night, shown, model)
    return projections(night, shown, model)
