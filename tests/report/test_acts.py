"""What operators did about the search, on the page."""

from __future__ import annotations

from datetime import UTC

from orchestrator.campaign import entries as e
from orchestrator.report import render
from orchestrator.report.acts import act_table
from orchestrator.report.facts import Night
from orchestrator.report.tables import sample_table
from orchestrator.report.verdict import verdict
from tests.campaign.stories import STARTED
from tests.campaign.test_search import BY, THREE, queued, rejected
from tests.report.test_parts import words

IRON = {"Fe": 1.0, "Co": 0.0, "Ni": 0.0}
ACTS = [
    rejected(2),
    queued(1, IRON),
    e.SampleNoted(sample=3, text="a <fingerprint>", **BY),
    e.BudgetChanged(samples=9, **BY),
]


def night(*entries: e.Entry) -> Night:
    told = [STARTED, *THREE, *entries]
    return Night([e.Recorded(version=n, time=60.0 * n, entry=entry) for n, entry in enumerate(told, 1)], UTC)


def test_a_rejected_value_is_on_the_page_and_is_not_the_best() -> None:
    seen = night(*ACTS)
    assert "1900" in words(sample_table(seen))
    assert "rejected: by anna: r; it was valid" in words(sample_table(seen))
    told = words(verdict(seen, None))
    assert "1500 ± 10 kA/m" in told
    assert "2 valid, 0 censored, 0 failed, 1 rejected" in told
    assert "3 of 9 films" in told


def test_everything_that_was_done_is_told_with_what_became_of_it() -> None:
    table = act_table(night(*ACTS))
    assert table is not None
    told = words(table)
    assert "Queued and not made: own samples 1 (Fe100)." in told
    assert "1900 ± 10 kA/m does not count" in told
    assert "sample 3: a &lt;fingerprint&gt;" in told
    assert "9 samples" in told
    assert "still queued" in told


def test_a_night_in_which_nobody_did_anything_has_no_such_table() -> None:
    assert act_table(night()) is None
    quiet, busy = (render(night(*acts).entries, simulated=False) for acts in ([], ACTS))
    assert "What operators did about the search" not in quiet
    assert "What operators did about the search" in busy
