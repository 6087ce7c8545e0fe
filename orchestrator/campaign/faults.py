"""The classes of fault, and what can be done about them.

A worker tells the class of every failure by the type of what was raised (`orchestrator.execution.faults`); nothing
is ever read out of a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

Fault = Literal[
    "communication",
    "timeout",
    "instrument",
    "interlock",
    "vacuum",
    "calibration",
    "limit",
    "measurement",
    "robot",
    "storage",
    "protocol",
    "death",
]

Aid = Literal["retry", "reconnect", "recalibrate", "remeasure"]
"""What is done before, or as, a further attempt."""
End = Literal["skip", "hold", "wake"]
"""What is done instead of a further attempt."""
Action = Literal[Aid, End]

FAULTS: tuple[Fault, ...] = get_args(Fault)
AIDS: tuple[Aid, ...] = get_args(Aid)
ENDS: tuple[End, ...] = get_args(End)

AIDS_FOR: Mapping[Fault, tuple[Aid, ...]] = MappingProxyType(
    {
        **dict.fromkeys(FAULTS, ("retry",)),
        **dict.fromkeys(("communication", "timeout", "instrument", "interlock"), ("retry", "reconnect")),
        "calibration": ("retry", "recalibrate"),
        "measurement": ("remeasure",),
    }
)
"""Which further attempts make sense after which class."""
