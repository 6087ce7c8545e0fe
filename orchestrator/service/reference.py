"""What the reference specimen says of the magnetometer: pure."""

from __future__ import annotations

import math
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import Reference
from orchestrator.campaign.state import CampaignState


def measured(state: CampaignState, outcome: dict[str, Any]) -> e.ReferenceMeasured | str:
    """The verdict, or why the loop gives none.

    Raises `ValueError`, `LookupError` or `TypeError` if the outcome makes no sense.
    """
    assert state.started is not None
    known = Reference.model_validate(state.started.lab["reference"])
    if outcome.get("validity") != "valid":
        return str(outcome.get("reason") or "the loop is not valid, and nothing says why")
    (shown,) = dict(outcome["quantities"]).values()
    ratio = shown["value"] / known.value
    ratio_sigma = math.hypot(shown["sigma"], ratio * known.sigma) / abs(known.value)
    return e.ReferenceMeasured(
        value=shown["value"],
        sigma=shown["sigma"],
        unit=shown["unit"],
        expected=known.value,
        expected_sigma=known.sigma,
        ratio=ratio,
        ratio_sigma=ratio_sigma,
        verdict="good" if abs(ratio - 1) <= known.tolerance else "drifted",
        loop=outcome.get("loop"),
    )


def drifted(state: CampaignState, found: e.ReferenceMeasured) -> list[e.Entry]:
    """What follows from a drift that is beyond doubt: nothing observed since the last good reference counts."""
    told = f"the reference specimen shows {found.ratio:.3f} +- {found.ratio_sigma:.3f} of what it is known to have"
    withdrawn = [e.ObservationWithdrawn(sample=n, reason=f"the magnetometer drifted: {told}") for n in state.unchecked]
    since = f"; to be measured again: samples {', '.join(map(str, state.unchecked))}" if withdrawn else ""
    need = f"the magnetometer has drifted: {told}{since}: see to it (centring, phase, field, warming up), then recover"
    return [*withdrawn, e.OperatorNeeded(reason=need)]
