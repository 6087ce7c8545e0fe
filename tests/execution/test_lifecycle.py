"""The station's states, cell by cell."""

from __future__ import annotations

import pytest

from orchestrator.execution.lifecycle import (
    TRANSITIONS,
    Happening,
    ImpossibleTransition,
    Lifecycle,
    State,
    next_state,
)

EXPECTED = """
                idle     running   holding   held      waiting   aborting  safe
STARTED         running  -         -         -         -         -         running
HOLD_ASKED      idle     holding   holding   held      holding   aborting  safe
HOLD_REACHED    -        running   held      held      -         aborting  -
RESUMED         idle     running   running   running   waiting   aborting  safe
WAITING         -        waiting   holding   -         waiting   aborting  -
WENT_ON         -        running   holding   -         running   aborting  -
ABORT_ASKED     idle     aborting  aborting  aborting  aborting  aborting  safe
FAILED          -        aborting  aborting  aborting  aborting  aborting  -
FINISHED        -        idle      idle      idle      idle      aborting  -
MADE_SAFE       safe     -         -         -         -         safe      safe
"""
HEAD, *ROWS = [line.split() for line in EXPECTED.strip().splitlines()]
CELLS = [(State(state), Happening[row[0]], cell) for row in ROWS for state, cell in zip(HEAD, row[1:], strict=True)]


def test_the_table_has_every_cell():
    assert len(CELLS) == len(State) * len(Happening)
    assert len(TRANSITIONS) == sum(cell != "-" for _, _, cell in CELLS)


@pytest.mark.parametrize(("state", "happening", "cell"), CELLS)
def test_cell(state, happening, cell):
    if cell == "-":
        with pytest.raises(ImpossibleTransition, match=f"the station is {state}"):
            next_state(state, happening)
    else:
        assert next_state(state, happening) is State(cell)


def test_a_lifecycle_keeps_its_state_through_an_impossible_happening():
    lifecycle = Lifecycle()
    with pytest.raises(ImpossibleTransition):
        lifecycle.happened(Happening.FINISHED)
    assert lifecycle.state is State.IDLE
    assert lifecycle.happened(Happening.STARTED) is State.RUNNING
