"""A hundred faults on a channel that flaps: told in time, none lost, none twice but for an answer that was lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.alerts import Emulated, Outcome


@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_faults_reach_somebody_in_time(tmp_path: Path, seed: int) -> None:
    outcome = Emulated(100, seed, tmp_path).run()
    assert outcome.lost == []
    assert outcome.doubled == []
    assert outcome.in_time == 100


def test_the_count_would_see_a_loss_a_delay_and_a_doubling() -> None:
    outcome = Outcome(faults=3)
    outcome.took("fault 0 of the benchmark\nfault 1 of the benchmark", 40.0, [1.0, 20.0, 30.0])
    outcome.took("fault 1 of the benchmark", 50.0, [1.0, 20.0, 30.0])
    assert (outcome.lost, outcome.doubled, outcome.in_time) == ([2], [1], 1)
