"""The report card on the page."""

from __future__ import annotations

from orchestrator.report.consumables import Gas
from orchestrator.report.facts import Night
from orchestrator.report.grades import Grade, grades
from orchestrator.report.markup import Html, el, join
from orchestrator.report.random_search import RandomSearch

SOURCE = (
    "Measures of Volk and Abolhasani, Nature Communications 15, 1378 (2024), and interventions in 24 hours; each "
    "computed from this journal, or not known."
)


def report_card(night: Night, search: RandomSearch | str, gas: Gas | None) -> Html:
    return join(
        el("dl", *(_grade(grade) for grade in grades(night, search, gas)), class_="card"),
        el("p", SOURCE, class_="note"),
    )


def _grade(grade: Grade) -> Html:
    known = grade.value is not None
    return el(
        "div",
        el("dt", grade.measure),
        el("dd", grade.value if known else "not known", class_="value" if known else "value unknown"),
        el("dd", grade.how, class_="how"),
    )
