"""Checks of what was done about failures: each has its class, and none is tried more often than its rule says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.audit.records import Records
from orchestrator.audit.ruling import Breach, Ruling, Unchecked, rule
from orchestrator.campaign import entries as e


def faults_told(records: Records) -> Iterator[Ruling]:
    """A step that failed says which class of fault it was; one that is done says none."""
    for step in records.steps.values():
        if step.end is None or step.ended_as not in ("done", "failed"):
            continue
        fault = step.end.entry.fault
        wrong = f"it is done, and has a fault of class {fault}" if fault else "it failed, and nobody knows as what"
        broken = (step.ended_as == "done") == bool(fault)
        yield rule(broken, Breach(wrong, step.versions, step.sample, step.uid))


def attempts_within_rules(records: Records) -> Iterator[Ruling]:
    """What its rule gave up is not begun again, before an operator says that everything may be tried again."""
    rules = _rules(records)
    if not rules:
        yield Unchecked("the campaign states no rules of recovery")
        return
    failed: dict[tuple[int, str], list[str]] = {}
    by_policy = False
    for fact in records.facts:
        match fact.entry:
            case e.CommandGiven(command="hold", after_steps=True):
                by_policy = True
            case e.CommandGiven(command="recover"):
                failed.clear()
            case e.CommandGiven(command=("resume" | "stop")) if by_policy:
                failed.clear()
                by_policy = False
            case e.StepEnded(step=uid, end="failed", fault=fault) if uid in records.steps:
                failed.setdefault(_of(records, uid), []).append(fault or "protocol")
            case e.StepEnded(step=uid, end="done") if uid in records.steps:
                failed.pop(_of(records, uid), None)
            case e.StepIntended() as intent:
                faults = failed.get((intent.sample, intent.plan), [])
                spent = [fault for fault in rules if faults.count(fault) >= rules[fault]]
                told = f"a {intent.plan} is tried again after {len(faults)} failures, against the rule for "
                breach = Breach(told + ", ".join(spent), (fact.version,), intent.sample, intent.step)
                yield rule(bool(spent), breach)


def _of(records: Records, uid: str) -> tuple[int, str]:
    step = records.steps[uid]
    return step.sample, step.plan


def _rules(records: Records) -> dict[str, int]:
    """Class of fault -> how many of a step's failures end its attempts."""
    campaign: dict[str, Any] = dict(records.started.campaign) if records.started else {}
    match campaign.get("recovery"):
        case {"faults": dict(faults)}:
            return {fault: len(told["actions"]) for fault, told in faults.items() if isinstance(told, dict)}
    return {}
