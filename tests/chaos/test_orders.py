"""Operators' orders at the boundaries of emulated nights; and that what goes wrong with them is convicted."""

from __future__ import annotations

import json

import pytest

from tests.chaos.test_emulated import KINDS, emulated, python

POINTS = 120


@pytest.fixture(scope="module", params=[1, 2], ids=["plasma kept", "plasma put out"])
def found(request):
    """A night whose holds keep the plasma, and one whose holds put it out."""
    return emulated("--orders", "any", "--points", str(POINTS), "--seed", str(request.param), code=None)


@pytest.mark.timeout(300)
def test_whatever_is_ordered_whenever_nothing_is_deposited_twice_and_all_ends_safe(found):
    told = [f"{failure['replay']}: {failure['breaches']}" for failure in found["failures"]]
    assert not told, "\n".join(told)


@pytest.mark.timeout(300)
def test_every_order_was_given_at_boundaries_of_every_kind(found):
    assert found["points"] == POINTS
    assert set(found["hit"]) == set(KINDS)
    assert len(found["orders"]) == 17
    assert set(found["ends"]) == {"done", "stopped", "aborted"}


@pytest.mark.timeout(300)
def test_a_replayed_point_is_the_same_again():
    points = [emulated("--seed", "1", "--crash", "1500:operator:two-holds:20", code=None) for _ in range(2)]
    assert points[0]["said"]
    assert points[0]["said"] == points[1]["said"]
    assert points[0]["verdict"] == points[1]["verdict"]


BENT = """
from tests.chaos.emulated import threads
threads.install()
import json, os
from tests.chaos.emulated.crash import Crash
from tests.chaos.emulated.run import Night, prepare

prepare()
night = Night(1)
growing = [b.number for b in night.boundaries() if b.kind == "gate" and "depositing" in b.where]
{bend}
records = []
point = Crash(growing[8], "operator", {order!r}, 20.0)
night.crashed({{growing[8]: [[point]]}}, records.append)
print(json.dumps(records), flush=True)
os._exit(0)
"""
DEAF_TO_STALENESS = """
from orchestrator.campaign import commands
commands.unseen_hold = lambda commands, seen: None
"""
FORGETS_KEYS = """
from orchestrator.campaign import commands
commands.asked_before = lambda commands, request: None
"""
HOLDS_OPEN = """
from protocols.deposition import Film
Film._cover = lambda self, *, finished=False: iter(())
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("bend", "order", "breach"),
    [
        (DEAF_TO_STALENESS, "two-holds", "trouble"),
        (FORGETS_KEYS, "late-copy", "trouble"),
        (HOLDS_OPEN, "hold-resume", "misreported"),
    ],
    ids=["a stale client is heard", "a copy is heard twice", "a hold that leaves the shutter open"],
)
def test_what_goes_wrong_with_orders_is_convicted(bend, order, breach):
    (record,) = json.loads(python("-c", BENT.format(bend=bend, order=order)))
    assert not record["clean"]
    assert record["verdict"][breach]
