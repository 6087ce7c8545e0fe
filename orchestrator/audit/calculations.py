"""Checks of what virtual stations calculated: each between its intent and its end, and as the campaign allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orchestrator.audit.records import Fact, Records
from orchestrator.audit.ruling import Breach, Ruling, Unchecked, rule
from orchestrator.campaign import entries as e


def calculations_framed(records: Records) -> Iterator[Ruling]:
    """Every calculation is intended once, ends once after that, and has its process for itself; none outlives the
    campaign."""
    open_: dict[int, Fact[e.CalculationIntended]] = {}
    known: set[int] = set()
    for fact in records.facts:
        match fact.entry:
            case e.CalculationIntended() as intent:
                busy = [f.version for f in open_.values() if f.entry.lane == intent.lane]
                again = intent.calculation in known
                what = "is intended twice" if again else f"begins in {intent.lane}, where one is under way"
                wrong = Breach(f"calculation {intent.calculation} {what}", (*busy, fact.version), step=intent.step)
                yield rule(again or bool(busy), wrong)
                known.add(intent.calculation)
                open_[intent.calculation] = fact  # type: ignore[assignment]
            case e.CalculationEnded(calculation=number):
                what = "ends twice" if number in known else "ended, and was not intended before"
                yield rule(number not in open_, Breach(f"calculation {number} {what}", (fact.version,)))
                open_.pop(number, None)
    for number, begun in open_.items():
        if records.over is None:
            yield Unchecked(f"the campaign has not ended; calculation {number} is open")
        else:
            yield Breach(f"the campaign is over, and calculation {number} has no end", (begun.version,))


def calculations_allowed(records: Records) -> Iterator[Ruling]:
    """Calculations are by virtual stations of the lab that the campaign uses, no more of them than it allows, in the
    objective's unit, and never told as samples."""
    if records.started is None:
        return
    used, stations = (_table(told) for told in (records.started.campaign.get("virtual"), _stations(records)))
    objectives: Any = records.started.campaign.get("objectives") or [{}]
    unit = _table(objectives[0]).get("unit")
    interrupted = {f.entry.calculation for f in records.of(e.CalculationEnded) if f.entry.end == "interrupted"}
    made: Counter[str] = Counter()
    for fact in records.of(e.CalculationIntended):
        told = fact.entry
        made[told.station] += told.calculation not in interrupted
        wrong = ""
        if told.station not in used or _table(stations.get(told.station)).get("kind") != "virtual":
            wrong = f"by {told.station}, which is no virtual station of the campaign"
        elif made[told.station] > used[told.station].get("calculations", 0):
            wrong = f"one more than {told.station} may make"
        yield rule(bool(wrong), Breach(f"calculation {told.calculation}: {wrong}", (fact.version,), step=told.step))
    for end in records.of(e.CalculationEnded):
        other = f"calculation {end.entry.calculation} is in {end.entry.unit}, the objective in {unit}"
        yield rule(end.entry.unit != unit, Breach(other, (end.version,)))


def _stations(records: Records) -> Any:
    return records.started.lab.get("stations") if records.started else None


def _table(told: Any) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}
