"""The campaign's progress as a person reads it.  A module of its own, so that whoever only shows it imports no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class StationStatus:
    """`step` is "" when the station has nothing to do; `since` is lab time; `waiting_on` the interlock waited for.

    `expected_s` is what such a step takes, lab seconds, and `late_s` what nine of ten do not exceed; None where nobody
    can say.  `held_s` is for how much of its time a person's hold has stopped it.
    """

    step: str = ""
    sample: int | None = None
    since: float | None = None
    waiting_on: str = ""
    expected_s: float | None = None
    late_s: float | None = None
    held_s: float = 0.0


@dataclass(frozen=True)
class Progress:
    """Lab times in seconds since the epoch.  `earlier` counts the observations that the campaign began with; they are
    in no other number here.  `faults` counts those of each class, as their budgets do.  `version` is
    that of the journal's last entry; `concerns` are what the model's last assessment says a person should look at;
    `command` the last that was given: its version, time, command, by, reason.  `queue` has the operators' own samples
    that wait for their turn: number, composition, settings, by, reason.  Values that were `rejected` are in no other
    number.  `front`, with several objectives, are the films that no other is better than: sample, composition,
    settings, outcomes; `best` is then the best of them by the weights.  `limits` say in words what a film must have.
    `finish_early` and `finish_late` are one time in ten before and after the end, where that was asked for.
    """

    campaign: str
    mode: str
    now: float
    started_at: float
    samples_budget: int
    suggested: int
    deposited: int
    valid: int
    censored: int
    failed: int
    best: dict[str, Any] | None
    stations: dict[str, StationStatus] = field(default_factory=dict)
    predicted_finish: float | None = None
    finish_early: float | None = None
    finish_late: float | None = None
    needs: str = ""
    end: str = ""
    version: int = 0
    command: dict[str, Any] | None = None
    faults: dict[str, int] = field(default_factory=dict)
    earlier: int = 0
    concerns: tuple[str, ...] = ()
    lab_hours_budget: float | None = None
    rejected: int = 0
    vetoed: int = 0
    queue: tuple[dict[str, Any], ...] = ()
    front: tuple[dict[str, Any], ...] = ()
    limits: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Progress:
        """From what `as_dict` made, in this process or another.  Raises `TypeError` if another version made it."""
        stations = {name: StationStatus(**station) for name, station in told["stations"].items()}
        lists = {name: tuple(told[name]) for name in ("concerns", "queue", "front", "limits") if name in told}
        return cls(**{**told, "stations": stations, **lists})
