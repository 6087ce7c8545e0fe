"""The plans that a station's worker can carry out, by name; what goes in and what is added to what comes out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drivers.clock import Clock
from drivers.roles import DepositionStation, MagnetometryStation, Station, TransferStation, devices
from orchestrator.execution import hall
from orchestrator.execution.documents import plain
from protocols.calibration import calibrate
from protocols.deposition import deposit
from protocols.gates import Plan
from protocols.magnetometry import measure
from protocols.transfer import retire, transfer


class BadStep(ValueError):
    """A step that cannot be begun: unknown plan, wrong station, wrong arguments."""


@dataclass(frozen=True)
class Procedure:
    """A plan, the kind of station it is for, and the analysis that completes its outcome."""

    plan: Callable[..., Plan]
    station: type
    analysis: Callable[[Mapping[str, Any], Any, Mapping[str, Any]], dict[str, Any]] | None = None


PROCEDURES = {
    "deposit": Procedure(deposit, DepositionStation),
    "calibrate": Procedure(calibrate, DepositionStation),
    "measure": Procedure(measure, MagnetometryStation, hall.of_measurement),
    "transfer": Procedure(transfer, TransferStation),
    "retire": Procedure(retire, TransferStation),
}


def check(step: Mapping[str, Any], station: Station) -> None:
    """Raises `BadStep`, saying what would be right, before anything is begun."""
    if not isinstance(step.get("uid"), str) or not step["uid"]:
        raise BadStep(f"a step needs a uid, not {step.get('uid')!r}")
    procedure = PROCEDURES.get(step.get("plan", ""))
    if procedure is None:
        raise BadStep(f"no plan is called {step.get('plan')!r}; there are {', '.join(PROCEDURES)}")
    if not isinstance(station, procedure.station):
        raise BadStep(f"station {station.name} cannot {step['plan']}; that takes a {procedure.station.__name__}")
    try:
        inspect.signature(procedure.plan).bind(station, None, **step.get("kwargs", {}))
    except TypeError as error:
        raise BadStep(f"step {step['uid']}, plan {step['plan']}: {error}") from error
    if bad := [key for key in step.get("metadata", {}) if "." in key or "/" in key]:
        raise BadStep(f"metadata keys may have no '.' or '/': {', '.join(bad)}")


def make(step: Mapping[str, Any], station: Station, clock: Clock) -> Plan:
    return PROCEDURES[step["plan"]].plan(station, clock, **step.get("kwargs", {}))


def metadata(step: Mapping[str, Any], station: Station, clock: Clock) -> dict[str, Any]:
    """For the start document.  Bluesky wants a sample to be a string or a dict."""
    given = dict(step.get("metadata", {}))
    if "sample" in given and not isinstance(given["sample"], str | dict):
        given["sample"] = str(given["sample"])
    return plain(
        {
            **given,
            "plan_name": step["plan"],
            "plan_args": step.get("kwargs", {}),
            "step": step["uid"],
            "station": station.name,
            "lab_time": clock.now(),
        }
    )


def conclude(step: Mapping[str, Any], station: Station, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The outcome, with what the plan's analysis makes of it."""
    procedure = PROCEDURES[step["plan"]]
    if procedure.analysis is None:
        return dict(outcome)
    return procedure.analysis(outcome, station, step.get("kwargs", {}))


SHOWN = {
    "output", "shutter", "actual_power", "actual_flow", "pressure", "substrate_shutter", "rate", "thickness",
    "actual_current", "field", "x", "resistance", "holding", "pose", "fault",
}  # fmt: skip
"""Signals that an operator looks at."""


def readings(station: Station) -> dict[str, dict[str, Any]]:
    """Name of each signal worth showing -> its last value and unit."""
    signals = (getattr(device, attr) for device in devices(station) for attr in device.component_names if attr in SHOWN)
    return {signal.name: {"value": signal.get(), "unit": signal.units} for signal in signals}
