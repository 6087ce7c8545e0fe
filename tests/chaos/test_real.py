"""Nights whose processes are killed, hung and starved: nothing is lost, doubled or left on.

The long run is ``python -m tests.chaos``; this is as much of it as fits into minutes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chaos.harness import Night
from tests.chaos.plan import Options
from tests.chaos.tally import BREACHES, totals

pytestmark = [pytest.mark.night]

KILLS = 20
AT_MOST = 8
"""Nights in which that many kills must come about."""


def survived(options: Options, number: int, folder: Path) -> dict[str, Any]:
    """The record of a night that must be clean; the failure says how to replay it."""
    record = Night(options, number, folder / f"night-{number}").run()
    verdict = record["verdict"]
    found = [f"{name}: {breach}" for name in BREACHES for breach in verdict[name]]
    replay = f"replay it: python -m tests.chaos {options.arguments()} --night {number}"
    assert not found, "\n".join([*found, f"the night ended as {verdict['end']}", replay])
    return record


@pytest.mark.timeout(600)
def test_twenty_kills_cost_nothing(tmp_path: Path) -> None:
    options = Options(seed=101, a_night=5, speed=250)
    nights: list[dict[str, Any]] = []
    while sum(night["kills"] for night in nights) < KILLS:
        assert len(nights) < AT_MOST, "the kills came too late to hit anything"
        nights.append(survived(options, len(nights), tmp_path))
    summed = totals(nights)
    assert summed["kills"] >= KILLS
    assert summed["films"] > 0
    assert [summed[name] for name in ("lost", "doubled", "orphans", "double_observations", "hazards")] == [0] * 5


@pytest.mark.timeout(200)
@pytest.mark.parametrize("fault", ["recovering", "hang", "disk-full", "locked", "read-only", "torn", "clock"])
def test_a_night_survives(fault: str, tmp_path: Path) -> None:
    record = survived(Options(seed=102, faults=(fault,), a_night=2, films=2, speed=250), 0, tmp_path)
    assert record["verdict"]["films"] > 0
