"""Write docs/reference/states.md from the lifecycle tables: ``python -m docs.generate_states``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from orchestrator.campaign.actions import ACTIONS
from orchestrator.campaign.lifecycle import (
    CAMPAIGN_TRANSITIONS,
    CAMPAIGN_TURNS,
    REFERENCE_TRANSITIONS,
    SAMPLE_TRANSITIONS,
    Command,
    Mode,
    Phase,
)
from orchestrator.execution.lifecycle import TRANSITIONS, Happening, State
from orchestrator.service.orders import wanted

TARGET = Path(__file__).parent / "reference" / "states.md"

Table = Mapping[tuple[StrEnum, StrEnum], StrEnum]

PAGE = """\
# States

<!-- Written by docs/generate_states.py from the lifecycle tables and orders of the orchestrator; edit those. -->

## A sample

How far a sample has come.  Where it *is* (its cassette slot, a station, on its way) stands apart.

{sample}

A sample that is observed, discarded or vetoed is brought back to its slot.  One that is quarantined stays where it
is until the operator has settled what became of it.  A deposit or a transfer that ended *unknown* leaves the
sample as it was; in the same breath it is quarantined.

## The reference specimen

{reference}

It has a cassette slot of its own, and no film is ever deposited on it.  Its measurement tells whether the
magnetometer has drifted; an observation that is withdrawn for that reason makes its sample *deposited* again.

## A campaign

{campaign}

A campaign that was told to stop, is held, and resumes, goes on stopping.

Commands, and what they lead to.  A dash: the command is refused, and the refusal says which are taken.
A command that is true already changes nothing.

{commands}

They are taken in every state of the program too: while a step runs, while a worker is being started again, and while
the next daemon settles what it found.  What was commanded is in the journal and holds for whoever comes next.  Before a
campaign has begun, and once it is over, there is nothing to command.  A campaign that needs its operator goes on
until the steps under way have ended, and then ends; `nightshift recover` takes it up again.

### Several operators, late ones, and requests that come twice

The daemon takes one command after the other.  Each has a name, a reason, a **key** of its own, and what its giver had
**seen**: the version of the journal's last entry, which `nightshift status` tells.

| | |
|---|---|
| the same command by another | changes nothing, and says who was first |
| the same request once more (its key is known) | is answered as it was, and nothing is done; also by the next daemon |
| *hold*, *abort* | always taken, whatever was seen |
| *resume* | refused if there is a hold that its giver had not seen; a second hold counts as one |
| *stop* | always taken; a hold that its giver had not seen stays, and the films are finished after a resume |
| *recover* | refused if the operator was needed again since |

A refusal says who was before, when and why.  One that was refused stays refused.  A daemon that comes later judges it
anew: a *resume* is stale for ever, the others lead to rest.

### What operators do about the search

In which modes of the campaign an action is taken, and in which phases of the sample that it is about; "–": not about a
sample.  A refusal says why, and what would be taken.  How each is given:
[Act on the search](../how-to/act-on-the-search.md).

{actions}

An action that is so already changes nothing, and says by whom it is so.  One with a key that is known is answered as it
was.  What another has changed since its giver looked (that sample, the queue, the budget) is not changed unseen: the
action is refused, and says who was first.  *Sample* and *note* take nothing back and are never refused for that.
*Veto* and *reject* are not taken without a reason.

## A station

What a station that carries out a step is told, again until it does it; a dash: nothing.

{orders}

{station}

A hold takes effect at the next gate: in a deposition at most a second later, with the substrate covered and the dose
booked.  `recovery.hold_plasma` says whether the plasma burns on; where it does not, or is held for longer than
`recovery.hold_limit_s`, the step ends there, and a film that was growing counts as broken off.  Before a film is
uncovered, also after a hold, the instruments are read anew: a resume with an interlock tripped opens nothing, and ends
the step.  A second abort changes nothing, and its reason is that of the first.
"""


def states_page() -> str:
    """The page's text."""
    return PAGE.format(
        sample=diagram(Phase.SUGGESTED, SAMPLE_TRANSITIONS),
        reference=diagram(Phase.REFERENCE, REFERENCE_TRANSITIONS),
        campaign=diagram(Mode.RUNNING, {**CAMPAIGN_TRANSITIONS, **CAMPAIGN_TURNS}),
        commands="\n".join(_command_table()),
        actions="\n".join(_action_table()),
        orders="\n".join(_order_table()),
        station=diagram(State.SAFE, TRANSITIONS),
    )


def diagram(first: StrEnum, table: Table) -> str:
    """A mermaid state diagram; what leaves a state unchanged is not drawn."""
    arrows: dict[tuple[StrEnum, StrEnum], list[str]] = {}
    for (before, happening), after in table.items():
        if before is not after:
            arrows.setdefault((before, after), []).append(happening.value)
    states = dict.fromkeys(state for arrow in arrows for state in arrow)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state.value}" as {_name(state)}' for state in states if " " in state.value]
    lines += [f"    [*] --> {_name(first)}"]
    lines += [f"    {_name(a)} --> {_name(b)}: {', '.join(why)}" for (a, b), why in arrows.items()]
    return "\n".join([*lines, "```"])


def _name(state: StrEnum) -> str:
    """mermaid takes no blank in a state's name."""
    return state.value.replace(" ", "_")


def _command_table() -> Iterator[str]:
    yield f"| | {' | '.join(Command)} |"
    yield "|---|" + "---|" * len(Command)
    for mode in Mode:
        after = [CAMPAIGN_TRANSITIONS.get((mode, command), "–") for command in Command]
        yield f"| **{mode}** | {' | '.join(after)} |"


def _action_table() -> Iterator[str]:
    modes = [mode for mode in Mode if any(mode in action.modes for action in ACTIONS.values())]
    yield f"| | {' | '.join(modes)} | the sample is |"
    yield "|---|" + "---|" * (len(modes) + 1)
    for action in ACTIONS.values():
        taken = ["yes" if mode in action.modes else "–" for mode in modes]
        phases = "anything" if len(action.phases) == len(Phase) - 1 else ", ".join(action.phases) or "–"
        yield f"| **{action.name}** | {' | '.join(taken)} | {phases} |"


def _order_table() -> Iterator[str]:
    active = [state for state in State if (state, Happening.FINISHED) in TRANSITIONS]
    yield f"| the campaign is | {' | '.join(f'it is {state}' for state in active)} |"
    yield "|---|" + "---|" * len(active)
    for mode in Mode:
        yield f"| **{mode}** | {' | '.join(wanted(mode, state) or '–' for state in active)} |"


def main() -> None:
    """Bring the page up to date."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(states_page())


if __name__ == "__main__":
    main()
