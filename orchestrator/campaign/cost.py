"""What films cost: the table [cost] of a campaign file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from orchestrator.campaign.problems import NOTHING, Findings, Problem
from orchestrator.campaign.table import Number, Table, Text, key


class Cost(Table):
    """What films cost, in any unit of your own.  What a film promises is then weighed against what it costs, the less
    the more of the budget is spent."""

    film: Number = key("What every film costs.", gt=0, default=1.0)
    elements: dict[Text, Number] = key(
        "Element symbol -> what a film of nothing else costs more; a film with a tenth of it costs a tenth of that.",
        inside="a number of at least 0",
        default={},
    )
    settings: dict[Text, Number] = key(
        "Key of [film] that is searched -> what a film costs more for each unit of it.",
        inside="a number of at least 0",
        default={},
    )
    budget: Number | None = key("Begin no film once those planned cost so much; absent: no limit.", gt=0, default=None)

    @model_validator(mode="after")
    def _check(self) -> Cost:
        tables = {"elements": self.elements, "settings": self.settings}
        problems = [
            Problem((table, name), price, "is less than 0", "give a number of at least 0")
            for table, prices in tables.items()
            for name, price in prices.items()
            if price < 0
        ]
        if not problems and not any(self.elements.values()) and not any(self.settings.values()) and not self.budget:
            problems = [
                Problem((), NOTHING, "makes no film dearer than another", "give elements, settings or a budget")
            ]
        if problems:
            raise Findings(problems)
        return self

    def of(self, composition: Mapping[str, float], settings: Mapping[str, Any]) -> float:
        """The cost of a film of `composition` (fractions), made with `settings`."""
        of_elements = sum(price * composition.get(element, 0.0) for element, price in self.elements.items())
        return float(
            self.film + of_elements + sum(price * settings.get(name, 0.0) for name, price in self.settings.items())
        )
