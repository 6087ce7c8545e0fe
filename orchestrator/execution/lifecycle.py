"""The states of a station as the operator sees them, as a table."""

from __future__ import annotations

import threading
from enum import StrEnum


class State(StrEnum):
    IDLE = "idle"
    RUNNING = "running"
    HOLDING = "holding"  # a hold was asked for; the plan has not reached a place to hold yet
    HELD = "held"
    WAITING = "waiting"  # the plan waits for a condition of the station
    ABORTING = "aborting"  # the plan ends, or ended badly, and the station is being made safe
    SAFE = "safe"


class Happening(StrEnum):
    STARTED = "a step was started"
    HOLD_ASKED = "a hold was asked for"
    HOLD_REACHED = "the plan reached the hold"
    RESUMED = "the hold was lifted"
    WAITING = "the plan waits for a condition"
    WENT_ON = "the condition was met"
    ABORT_ASKED = "an abort was asked for"
    FAILED = "the plan failed"
    FINISHED = "the plan finished"
    MADE_SAFE = "the station was made safe"


_ACTIVE = (State.RUNNING, State.HOLDING, State.HELD, State.WAITING)

TRANSITIONS: dict[tuple[State, Happening], State] = {
    (State.IDLE, Happening.STARTED): State.RUNNING,
    (State.SAFE, Happening.STARTED): State.RUNNING,
    (State.RUNNING, Happening.HOLD_ASKED): State.HOLDING,
    (State.WAITING, Happening.HOLD_ASKED): State.HOLDING,
    (State.HOLDING, Happening.HOLD_ASKED): State.HOLDING,
    (State.HELD, Happening.HOLD_ASKED): State.HELD,
    (State.RUNNING, Happening.HOLD_REACHED): State.RUNNING,  # lifted before the plan came to it
    (State.HOLDING, Happening.HOLD_REACHED): State.HELD,
    (State.HELD, Happening.HOLD_REACHED): State.HELD,
    (State.RUNNING, Happening.RESUMED): State.RUNNING,
    (State.WAITING, Happening.RESUMED): State.WAITING,
    (State.HOLDING, Happening.RESUMED): State.RUNNING,
    (State.HELD, Happening.RESUMED): State.RUNNING,
    (State.RUNNING, Happening.WAITING): State.WAITING,
    (State.WAITING, Happening.WAITING): State.WAITING,
    (State.HOLDING, Happening.WAITING): State.HOLDING,
    (State.RUNNING, Happening.WENT_ON): State.RUNNING,
    (State.WAITING, Happening.WENT_ON): State.RUNNING,
    (State.HOLDING, Happening.WENT_ON): State.HOLDING,
    **{(state, Happening.FINISHED): State.IDLE for state in _ACTIVE},
    **{(state, Happening.FAILED): State.ABORTING for state in (*_ACTIVE, State.ABORTING)},
    **{(state, Happening.ABORT_ASKED): State.ABORTING for state in (*_ACTIVE, State.ABORTING)},
    # While the station is being made safe the plan may still send its last messages.
    (State.ABORTING, Happening.HOLD_REACHED): State.ABORTING,
    (State.ABORTING, Happening.WAITING): State.ABORTING,
    (State.ABORTING, Happening.WENT_ON): State.ABORTING,
    (State.ABORTING, Happening.FINISHED): State.ABORTING,
    # Asked of a station that does nothing, these change nothing.
    **{
        (state, happening): state
        for state in (State.IDLE, State.SAFE, State.ABORTING)
        for happening in (Happening.HOLD_ASKED, Happening.RESUMED)
    },
    (State.IDLE, Happening.ABORT_ASKED): State.IDLE,
    (State.SAFE, Happening.ABORT_ASKED): State.SAFE,
    **{(s, Happening.MADE_SAFE): State.SAFE for s in (State.IDLE, State.ABORTING, State.SAFE)},
}


class ImpossibleTransition(Exception):
    """A bug of ours: this cannot happen to a station in that state."""


def next_state(state: State, happening: Happening) -> State:
    """Raises `ImpossibleTransition`."""
    try:
        return TRANSITIONS[state, happening]
    except KeyError:
        raise ImpossibleTransition(f"{happening}, but the station is {state}") from None


class Lifecycle:
    """The state of one station; told of happenings from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.state = State.IDLE

    def happened(self, happening: Happening) -> State:
        with self._lock:
            self.state = next_state(self.state, happening)
            return self.state
