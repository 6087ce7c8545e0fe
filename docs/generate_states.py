"""Write docs/reference/states.md from the lifecycle tables: ``python -m docs.generate_states``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from orchestrator.campaign.lifecycle import (
    CAMPAIGN_TRANSITIONS,
    CAMPAIGN_TURNS,
    SAMPLE_TRANSITIONS,
    Command,
    Mode,
    Phase,
)

TARGET = Path(__file__).parent / "reference" / "states.md"

Table = Mapping[tuple[StrEnum, StrEnum], StrEnum]

PAGE = """\
# States

<!-- Written by docs/generate_states.py from orchestrator/campaign/lifecycle.py; edit those. -->

## A sample

How far a sample has come.  Where it *is* (its cassette slot, a station, on its way) stands apart.

{sample}

A sample that is observed or discarded is brought back to its slot.  One that is quarantined stays where it
is until the operator has settled what became of it.  A deposit or a transfer that ended *unknown* leaves the
sample as it was; in the same breath it is quarantined.

## A campaign

{campaign}

A campaign that was told to stop, is held, and resumes, goes on stopping.

Commands, and what they lead to.  A dash: the command is refused, and the refusal says which are taken.
A command that is true already changes nothing.

{commands}
"""


def states_page() -> str:
    """The page's text."""
    return PAGE.format(
        sample=diagram(Phase.SUGGESTED, SAMPLE_TRANSITIONS),
        campaign=diagram(Mode.RUNNING, {**CAMPAIGN_TRANSITIONS, **CAMPAIGN_TURNS}),
        commands="\n".join(_command_table()),
    )


def diagram(first: StrEnum, table: Table) -> str:
    """A mermaid state diagram; what leaves a state unchanged is not drawn."""
    arrows: dict[tuple[StrEnum, StrEnum], list[str]] = {}
    for (before, happening), after in table.items():
        if before is not after:
            arrows.setdefault((before, after), []).append(happening.value)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {_name(first)}"]
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


def main() -> None:
    """Bring the page up to date."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(states_page())


if __name__ == "__main__":
    main()
