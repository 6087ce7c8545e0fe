"""How a mutation is entered, and pieces that several are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.audit.doctor import Doctor, Entry

Treatment = Callable[[Doctor], None]


@dataclass(frozen=True)
class Mutation:
    name: str
    night: str
    catches: frozenset[str]
    treat: Treatment


MUTATIONS: list[Mutation] = []


def caught_by(*checks: str, night: str = "plain") -> Callable[[Treatment], Treatment]:
    """Enter the decorated treatment."""

    def enter(treat: Treatment) -> Treatment:
        MUTATIONS.append(Mutation(treat.__name__, night, frozenset(checks), treat))
        return treat

    return enter


def put(**values: Any) -> Callable[[Entry], None]:
    return lambda entry: entry.update(values)


def retreat(sample: int, step: str = "another") -> Entry:
    """A step that has no result."""
    return {"kind": "step_intended", "step": step, "plan": "retire", "sample": sample, "attempt": 1,
            "station": "robot", "claims": ["robot"], "kwargs": {}}  # fmt: skip


def ended(step: str = "another", end: str = "failed") -> Entry:
    return {
        "kind": "step_ended",
        "step": step,
        "end": end,
        "fault": "protocol" if end == "failed" else "",
        "error": "",
        "run_uids": [],
    }


def failed_measurement(doctor: Doctor) -> str:
    """The uid of sample 2's first measurement."""
    return str(doctor.find("step_intended", plan="measure", sample=2)[2]["step"])
