"""Both lifecycles, cell by cell, written down a second time as grids."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate_states import TARGET, states_page
from orchestrator.campaign.lifecycle import (
    CAMPAIGN_TRANSITIONS,
    CAMPAIGN_TURNS,
    REFERENCE_TRANSITIONS,
    SAMPLE_TRANSITIONS,
    Command,
    CommandRefused,
    Happening,
    LifecycleError,
    Mode,
    Phase,
    Turn,
    next_mode,
    next_phase,
    turned,
)
from orchestrator.execution.lifecycle import TRANSITIONS as STATION_TRANSITIONS

SAMPLE = """
              dep.int.    not.begun  film       meas.int.  not.meas.  observed  given.up   set.aside    withdrawn    repeat     veto    ref.       back
suggested     depositing  -          -          -          -          -         discarded  quarantined  -            -          vetoed  -          -
depositing    -           suggested  deposited  -          -          -         -          quarantined  -            -          -       -          -
deposited     -           -          -          measuring  -          -         discarded  quarantined  -            -          -       -          -
measuring     -           -          -          -          deposited  observed  -          quarantined  -            -          -       -          -
observed      -           -          -          -          -          -         -          quarantined  deposited    deposited  -       -          -
discarded     -           -          -          -          -          -         -          quarantined  -            -          -       -          -
vetoed        -           -          -          -          -          -         -          quarantined  -            -          -       -          -
quarantined   -           -          -          -          -          -         -          -            quarantined  -          -       -          -
reference     -           -          -          -          -          -         -          -            -            -          -       -          -
"""  # noqa: E501

REFERENCE = """
              dep.int.    not.begun  film       meas.int.  not.meas.  observed  given.up   set.aside    withdrawn    repeat     veto    ref.       back
suggested     -           -          -          -          -          -         -          -            -            -          -       -          -
depositing    -           -          -          -          -          -         -          -            -            -          -       -          -
deposited     -           -          -          -          -          -         -          -            -            -          -       -          -
measuring     -           -          -          -          reference  -         -          quarantined  -            -          -       reference  -
observed      -           -          -          -          -          -         -          -            -            -          -       -          -
discarded     -           -          -          -          -          -         -          -            -            -          -       -          -
vetoed        -           -          -          -          -          -         -          -            -            -          -       -          -
quarantined   -           -          -          -          -          -         -          -            -            -          -       -          reference
reference     -           -          -          measuring  -          -         -          quarantined  -            -          -       -          -
"""  # noqa: E501

COMMANDS = """
                hold     resume   stop      abort     recover
running         holding  running  stopping  aborting  running
holding         holding  running  stopping  aborting  holding
held            held     running  stopping  aborting  held
stopping        holding  -        stopping  aborting  stopping
aborting        -        -        -         aborting  aborting
stopped         -        -        -         -         -
needs_operator  -        -        -         aborting  running
"""

TURNS = """
                at.rest  ended    operator
running         -        stopped  needs_operator
holding         held     -        needs_operator
held            -        -        needs_operator
stopping        -        stopped  needs_operator
aborting        -        stopped  needs_operator
stopped         -        -        -
needs_operator  -        -        -
"""


def cells(grid, rows, columns):
    """(row, column, word in the cell or None) of every cell; the grid must have all rows, in order."""
    lines = [line.split() for line in grid.strip("\n").splitlines()[1:]]
    assert [line[0].replace("_", " ") for line in lines] == [row.value for row in rows]
    return [
        pytest.param(row, column, None if word == "-" else word.replace("_", " "), id=f"{row.name}-{column.name}")
        for row, line in zip(rows, lines, strict=True)
        for column, word in zip(columns, line[1:], strict=True)
    ]


@pytest.mark.parametrize(("phase", "happening", "after"), cells(SAMPLE, list(Phase), list(Happening)))
def test_every_cell_of_the_samples_lifecycle(phase, happening, after):
    if after is None:
        with pytest.raises(LifecycleError, match=f"a sample that is {phase}: {happening}"):
            next_phase(phase, happening)
    else:
        assert next_phase(phase, happening) == after


@pytest.mark.parametrize(("phase", "happening", "after"), cells(REFERENCE, list(Phase), list(Happening)))
def test_every_cell_of_the_references_lifecycle(phase, happening, after):
    if after is None:
        with pytest.raises(LifecycleError, match=f"that is {phase}: {happening}"):
            next_phase(phase, happening, reference=True)
    else:
        assert next_phase(phase, happening, reference=True) == after


@pytest.mark.parametrize(("mode", "command", "after"), cells(COMMANDS, list(Mode), list(Command)))
def test_every_cell_of_the_campaigns_commands(mode, command, after):
    if after is not None:
        assert next_mode(mode, command) == after
        return
    with pytest.raises(CommandRefused, match=f"the campaign is {mode}: cannot {command}; it takes") as refused:
        next_mode(mode, command)
    allowed = str(refused.value).partition("it takes ")[2].split(", ")
    takes = [other.value for other in Command if (mode, other) in CAMPAIGN_TRANSITIONS]
    assert allowed == (takes or ["no more commands"])


@pytest.mark.parametrize(("mode", "turn", "after"), cells(TURNS, list(Mode), list(Turn)))
def test_every_cell_of_the_campaigns_turns(mode, turn, after):
    if after is None:
        with pytest.raises(LifecycleError, match=f"a campaign that is {mode}: {turn}"):
            turned(mode, turn)
    else:
        assert turned(mode, turn) == after


def test_a_film_once_deposited_can_never_be_deposited_upon():
    """From every phase after a film, no path leads back to one from which a deposit may be intended."""
    reached = {Phase.DEPOSITED}
    while more := {after for (phase, _), after in SAMPLE_TRANSITIONS.items() if phase in reached} - reached:
        reached |= more
    assert not any((phase, Happening.DEPOSIT_INTENDED) in SAMPLE_TRANSITIONS for phase in reached)


def test_every_phase_and_mode_can_be_reached():
    assert {*SAMPLE_TRANSITIONS.values(), Phase.SUGGESTED} == set(Phase) - {Phase.REFERENCE}
    assert {*REFERENCE_TRANSITIONS.values()} == {Phase.REFERENCE, Phase.MEASURING, Phase.QUARANTINED}
    assert {*CAMPAIGN_TRANSITIONS.values(), *CAMPAIGN_TURNS.values(), Mode.RUNNING} == set(Mode)


def test_a_campaign_under_way_can_always_be_aborted():
    for mode in Mode:
        if mode is not Mode.STOPPED:
            assert next_mode(mode, Command.ABORT) is Mode.ABORTING


@pytest.mark.parametrize("command", list(Command))
def test_a_command_given_twice_is_given_once(command):
    for mode in Mode:
        if (mode, command) in CAMPAIGN_TRANSITIONS:
            once = next_mode(mode, command)
            assert next_mode(once, command) is once


def test_the_documentation_shows_the_tables_as_they_are():
    assert Path(TARGET).read_text() == states_page(), "run `python -m docs.generate_states`"


def test_the_diagrams_have_every_transition():
    page = states_page()
    arrows = [line for line in page.splitlines() if " --> " in line and "[*]" not in line]
    drawn = [word for line in arrows for word in line.partition(": ")[2].split(", ")]
    tables = (
        SAMPLE_TRANSITIONS,
        REFERENCE_TRANSITIONS,
        CAMPAIGN_TRANSITIONS,
        CAMPAIGN_TURNS,
        STATION_TRANSITIONS,
    )
    table = [cell for table in tables for cell in table.items()]
    assert sorted(drawn) == sorted(why.value for (before, why), after in table if before is not after)
