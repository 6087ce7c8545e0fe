"""Telling stations what is wanted of them, until they do it."""

from __future__ import annotations

import pytest

from orchestrator import rpc
from orchestrator.campaign.lifecycle import Command, Mode
from orchestrator.execution.lifecycle import State
from orchestrator.service.orders import Orders, wanted

HOLD, RESUME, ABORT = Command.HOLD, Command.RESUME, Command.ABORT

WANTED = {
    Mode.RUNNING: {"holding": RESUME, "held": RESUME},
    Mode.STOPPING: {"holding": RESUME, "held": RESUME},
    Mode.HOLDING: {"running": HOLD, "waiting": HOLD},
    Mode.HELD: {"running": HOLD, "waiting": HOLD},
    Mode.ABORTING: {"running": ABORT, "waiting": ABORT, "holding": ABORT, "held": ABORT},
}


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("state", list(State))
def test_what_a_station_at_work_is_told(mode, state):
    assert wanted(mode, str(state)) == WANTED.get(mode, {}).get(str(state))


class Station:
    def __init__(self, state="running"):
        self.state, self.deaf, self.told = state, False, []

    def status(self):
        if self.deaf:
            raise rpc.Unreachable("being started again")
        return {"state": self.state}

    def _tell(self, order, state):
        if self.deaf:
            raise rpc.CallLost("no answer")
        self.told.append(order)
        self.state = state

    def hold(self, reason):
        self._tell("hold", "holding")

    def resume(self):
        self._tell("resume", "running")

    def abort(self, reason):
        self._tell("abort", "aborting")


@pytest.fixture
def stations():
    return {"chamber": Station(), "robot": Station()}


def test_all_are_held_only_when_each_says_so(stations):
    orders = Orders(stations)
    orders.give(Mode.HOLDING, "coffee", stations)
    assert not orders.keep(Mode.HOLDING, stations)
    stations["chamber"].state = "held"
    assert not orders.keep(Mode.HOLDING, stations)
    stations["robot"].state = "held"
    assert orders.keep(Mode.HOLDING, stations)
    assert [station.told for station in stations.values()] == [["hold"], ["hold"]]
    assert orders.keep(Mode.HOLDING, [])  # nobody at work


@pytest.mark.parametrize("state", ["idle", "safe"])
def test_a_step_that_is_on_its_way_to_its_station_is_held_once_it_has_begun(stations, state):
    """The hold came first, and a station with nothing to do holds nothing."""
    orders = Orders(stations)
    stations["chamber"].state = state
    assert not orders.keep(Mode.HOLDING, ["chamber"])
    stations["chamber"].state = "running"
    assert not orders.keep(Mode.HOLDING, ["chamber"])
    assert stations["chamber"].told == ["hold"]


@pytest.mark.parametrize(
    ("command", "mode", "state"),
    [(HOLD, Mode.HOLDING, "running"), (RESUME, Mode.RUNNING, "held"), (ABORT, Mode.ABORTING, "held")],
)
def test_an_order_that_was_lost_is_given_again(stations, command, mode, state):
    orders, chamber = Orders(stations), stations["chamber"]
    chamber.state, chamber.deaf = state, True
    orders.give(mode, "r", ["chamber"])
    assert not orders.keep(mode, ["chamber"])
    chamber.deaf = False
    orders.keep(mode, ["chamber"])
    orders.keep(mode, ["chamber"])
    assert chamber.told == [command.value]


def test_stop_lets_a_held_film_be_finished(stations):
    stations["chamber"].state = "held"
    Orders(stations).give(Mode.STOPPING, "r", ["chamber"])
    assert stations["chamber"].told == ["resume"]


def test_nobody_is_asked_while_all_is_well(stations):
    stations["chamber"].deaf = True
    assert Orders(stations).keep(Mode.RUNNING, stations)
