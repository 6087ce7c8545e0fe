"""What the recovery policy says to a failure: pure.

The faults of a step's attempts since it last succeeded are told in their order.  The nth of one class is answered by
the nth of that class's `actions`, however many of other classes came between; beyond the list, by its last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from orchestrator.campaign.faults import AIDS, Action, Aid, Fault
from orchestrator.campaign.spec import Recovery


def action(recovery: Recovery, faults: Sequence[Fault]) -> Action:
    """What is done about the last of `faults`."""
    actions = recovery.faults.of(faults[-1]).actions
    return actions[min(faults.count(faults[-1]), len(actions)) - 1]


def aid(recovery: Recovery, faults: Sequence[Fault]) -> Aid | Literal[""]:
    """What is added to the attempt that comes after `faults`; "" for a first one."""
    last = action(recovery, faults) if faults else ""
    return next((aid for aid in AIDS if aid == last), "")


def wait_s(recovery: Recovery, faults: Sequence[Fault]) -> float:
    """Lab time between the last of `faults` and the next attempt."""
    if not faults:
        return 0.0
    rule = recovery.faults.of(faults[-1])
    return min(rule.wait_s * 2.0 ** (faults.count(faults[-1]) - 1), rule.longest_wait_s)
