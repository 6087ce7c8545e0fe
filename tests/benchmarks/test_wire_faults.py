"""A few faults of each kind on the line of every driver, and whether the benchmark would see a wrong value."""

from __future__ import annotations

import pytest

from benchmarks.wire_faults import trials
from benchmarks.wire_faults.faults import kinds_for
from benchmarks.wire_faults.trials import WRONG, try_driver
from orchestrator.campaign.labchecks import DRIVERS


@pytest.mark.parametrize("driver", DRIVERS)
def test_no_fault_of_the_line_gives_a_wrong_value_or_a_hang(driver: str) -> None:
    result = try_driver(driver, len(kinds_for(driver)), seed=7, timeout_s=0.12)
    assert result.trials == len(kinds_for(driver))
    assert result.good, result.notes


def test_a_wrong_value_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Alicat's numbers carry no checksum: a wrong bit in a digit is a wrong number."""
    monkeypatch.setattr(trials, "kinds_for", lambda driver: ("flip",))
    result = try_driver("alicat", 30, seed=1, timeout_s=0.12)
    assert result.total(WRONG) > 0
    assert "instead of" in result.notes[0]


def test_the_same_seed_draws_the_same_faults() -> None:
    kinds = [try_driver("mks-937b", 6, seed=3, timeout_s=0.12).counts for _ in range(2)]
    assert set(kinds[0]) == set(kinds[1])
