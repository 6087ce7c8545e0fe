"""How compositions are grown as a tree: the table [optimizer.growing] of a campaign file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.campaign.lattice import exact
from orchestrator.campaign.problems import NOTHING, Problem
from orchestrator.campaign.table import Count, Number, Table, Text, key, nearest

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign

ELEMENTS, AT = ("elements",), ("optimizer", "growing")


class GrowingSettings(Table):
    """How `method = "growing"` searches: elements are screened in the base, then compositions grown from it as a
    tree."""

    base: Text | None = key("The element that is the root of the tree; absent: the first of [elements].", default=None)
    screen: Number = key("Of each other element in the base, to screen it.", unit="at.%", gt=0, le=20, default=1.0)
    kept: Count = key(
        "Other elements that go on after the screening: those that did best.", unit="elements", ge=1, le=100, default=4
    )
    step: Number = key("What a composition differs from the one it grew from.", unit="at.%", gt=0, le=50, default=5.0)
    exploration: Number = key(
        "Weight of the unexplored in the upper confidence bound, of the range of the values so far.",
        ge=0,
        le=10,
        default=0.1,
    )

    def root(self, elements: tuple[str, ...]) -> str:
        """The base."""
        return elements[0] if self.base is None else self.base


def check_growing(campaign: Campaign) -> Iterator[Problem]:
    """What is wrong with growing in `campaign`."""
    how = campaign.optimizer.growing
    if campaign.optimizer.method != "growing":
        if how != GrowingSettings():
            yield Problem(AT, NOTHING, 'is for method = "growing"', "leave it out, or choose growing")
        return
    if campaign.pool is not None:
        yield Problem(("pool",), NOTHING, 'is a table, and method = "growing" moves', "give [elements] instead")
        return
    for name in campaign.searched():
        yield Problem(("film", name), NOTHING, "is searched, and growing searches compositions alone", "give one value")
    elements = tuple(campaign.elements)
    if len(elements) < 2:
        yield Problem(ELEMENTS, NOTHING, "are fewer than two: nothing can grow", "give at least two")
    root = how.root(elements)
    if root not in elements:
        yield Problem((*AT, "base"), root, "is not an element of the campaign", nearest(root, elements))
        return
    if campaign.elements[root].max < 100 or any(r.min > 0 for name, r in campaign.elements.items() if name != root):
        yield Problem(ELEMENTS, NOTHING, f"do not allow pure {root}, from which all grows", f"let {root} be all of it")
    for element, bounds in campaign.elements.items():
        for name in ("screen", "step"):
            if exact(getattr(how, name)) % exact(bounds.step):
                wrong = f"is not a multiple of the step of {element}, {bounds.step:g}"
                yield Problem((*AT, name), getattr(how, name), wrong, f"give a multiple of {bounds.step:g} at.%")
