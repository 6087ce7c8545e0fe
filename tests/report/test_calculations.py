"""What was calculated beside the films, on the page."""

from __future__ import annotations

from datetime import UTC

from orchestrator.campaign import entries as e
from orchestrator.report import render
from orchestrator.report.calculations import calculations
from orchestrator.report.facts import Night
from tests.campaign.stories import STARTED, suggested
from tests.campaign.test_calculations import intent, result
from tests.report.test_parts import words

TRUSTED = {"station": "theory", "scale": 0.8, "log_odds": 2.0, "taken": True}
DONE = [
    intent(1), result(1, seconds=90.0),
    intent(2), result(2, value=2100.0, composition={"Fe": 0.5, "Co": 0.5}, remembered=True),
    intent(3), result(3, "failed", error="NotConverged: <60 loops>"),
    intent(4), result(4, "interrupted"),
]  # fmt: skip


def night(*entries: e.Entry) -> Night:
    return Night(
        [e.Recorded(version=n, time=60.0 * n, entry=entry) for n, entry in enumerate([STARTED, *entries], 1)], UTC
    )


def chosen(*trusts: object) -> e.SampleSuggested:
    return suggested(1).model_copy(update={"hyperparameters": {"hierarchy": {"trusts": list(trusts)}}})


def test_results_failures_and_time_are_told_for_each_station() -> None:
    told = words(calculations(night(*DONE)))
    assert "theoryclosed-form21" in told
    assert "1 x NotConverged: &lt;60 loops&gt;" in told
    assert told.index("Co50") < told.index("Co30")  # the best first
    assert "has not yet weighed them" in told


def test_it_says_whether_the_model_leans_on_them() -> None:
    assert "1 of 2 processes of the model lean on them" in words(
        calculations(night(*DONE, chosen(TRUSTED, {**TRUSTED, "taken": False})))
    )
    assert "None of 1 process" in words(calculations(night(*DONE, chosen({**TRUSTED, "taken": False}))))
    assert "has not yet weighed them" in words(calculations(night(*DONE, chosen(None))))


def test_a_night_without_calculations_has_no_such_section() -> None:
    assert calculations(night()) is None
    quiet, busy = (render(night(*told).entries, simulated=False) for told in ([], DONE))
    assert ">Calculations<" not in quiet
    assert ">Calculations<" in busy
