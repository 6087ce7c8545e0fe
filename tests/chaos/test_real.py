"""Nights whose processes are killed, hung and starved: nothing is lost, doubled or left on.

The long run is ``python -m tests.chaos``; this is as much of it as fits into minutes.  The nights run some at a time:
most of each is waiting for instruments.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.chaos.harness import Night
from tests.chaos.plan import Options
from tests.chaos.tally import BREACHES, totals

pytestmark = [pytest.mark.night, pytest.mark.timeout(600)]

AT_ONCE = 3
KILLS = 20
KILLING = Options(seed=101, a_night=6, speed=250)
KILLING_NIGHTS = 6
"""A night may end before all its kills have come about."""
FAULTS = ("recovering", "hang", "disk-full", "locked", "alerts-down", "read-only", "torn", "clock")

Record = dict[str, Any]
Nights = dict[str, list[Future[Record]]]


def options(fault: str) -> Options:
    return KILLING if fault == "kill" else Options(seed=102, faults=(fault,), a_night=2, films=2, speed=250)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """By their fault, nights to come."""
    folder = tmp_path_factory.mktemp("nights")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = {
            fault: [
                pool.submit(Night(options(fault), number, folder / f"{fault}-{number}").run)
                for number in range(KILLING_NIGHTS if fault == "kill" else 1)
            ]
            for fault in ("kill", *FAULTS)
        }
        yield started
        pool.shutdown(cancel_futures=True)


def survived(fault: str, night: Future[Record]) -> Record:
    """The record of a night that must be clean; the failure says how to replay it."""
    record = night.result()
    verdict = record["verdict"]
    found = [f"{name}: {breach}" for name in BREACHES for breach in verdict[name]]
    replay = f"replay it: python -m tests.chaos {options(fault).arguments()} --night {record['night']}"
    assert not found, "\n".join([*found, f"the night ended as {verdict['end']}", replay])
    return record


def test_twenty_kills_cost_nothing(nights: Nights) -> None:
    summed = totals([survived("kill", night) for night in nights["kill"]])
    assert summed["kills"] >= KILLS
    assert summed["films"] == summed["measured"] == KILLING_NIGHTS * KILLING.films
    assert [summed[name] for name in BREACHES] == [0] * len(BREACHES)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_night_survives(fault: str, nights: Nights) -> None:
    (night,) = nights[fault]
    assert survived(fault, night)["verdict"]["films"] > 0
