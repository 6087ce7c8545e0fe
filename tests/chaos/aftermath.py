"""What is looked at from outside: a journal being written, a lab after the night, and how long things took."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drivers.clock import Clock
from orchestrator.audit import Unreadable
from orchestrator.audit import audit as examined
from orchestrator.campaign import entries as e
from orchestrator.campaign.entries import Recorded
from orchestrator.campaign.labspec import LabSpec
from orchestrator.lab import connect

FLOW_SCCM, CURRENT_A = 1.0, 0.2
"""Above these gas flows, and the magnet is on."""
ACTIONS = (e.StepIntended, e.SampleSuggested)


def plans_under_way(journal: Path) -> set[str]:
    """The plans of the steps that are intended and have not ended; reads, and leaves nothing behind."""
    if not journal.exists():
        return set()
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=0.2)) as db:
            entries = [json.loads(text) for (text,) in db.execute("SELECT entry FROM journal")]
    except sqlite3.Error:
        return set()
    open_ = {entry["step"]: entry["plan"] for entry in entries if entry["kind"] == "step_intended"}
    for entry in entries:
        if entry["kind"] == "step_ended":
            open_.pop(entry["step"], None)
    return set(open_.values())


def left_on(lab: LabSpec, addresses: dict[str, str], clock: Clock) -> list[str]:
    """Whatever is not in its safe state, by the instruments' own word."""
    found = []
    for station in lab.stations.values():
        for name, spec in station.devices.items():
            if spec.role in ("gun", "gas", "monitor", "magnet"):
                device: Any = connect(name, spec, addresses[name], clock)
                found += [f"{name}: {what}" for what in _on(device)]
                device.port.close()
    return found


def _on(device: Any) -> list[str]:
    match device.role:
        case "gun":
            watts = device.actual_power.get()
            return [f"output on, {watts:g} W"] if device.output.get() == "on" or watts > 0 else []
        case "gas":
            return [f"{device.actual_flow.get():.1f} sccm"] if device.actual_flow.get() > FLOW_SCCM else []
        case "monitor":
            return ["substrate shutter open"] if device.substrate_shutter.get() == "open" else []
        case "magnet":
            amperes = device.actual_current.get()
            return [f"{amperes:.2f} A"] if abs(amperes) > CURRENT_A else []
    return []


def untold(journal: list[Recorded], messages: list[str]) -> list[str]:
    """What the messages that came do not speak of, and should; nobody has recovered the campaign by hand.

    A station that a daemon lost is no news any more once there is another daemon.
    """
    told = "\n".join(messages)
    due: dict[str, tuple[str, ...]] = {}
    for recorded in journal:
        match recorded.entry:
            case e.DaemonStarted():
                due = {what: words for what, words in due.items() if not what.startswith("station")}
            case e.StationLost(for_good=False) | e.StationRestarted() as entry:
                due[f"station {entry.station}"] = (f"Station {entry.station} ", entry.reason)
            case e.SampleQuarantined() as entry:
                due[f"sample {entry.sample} quarantined"] = (f"Sample {entry.sample} ", entry.reason)
            case e.OperatorNeeded() | e.CampaignEnded() as entry:
                due[f"{entry.kind}: {entry.reason}"] = (entry.reason,)
    return [what for what, words in due.items() if not all(word in told for word in words)]


def audit(home: Path, world: Path) -> list[str]:
    """The breaches that the independent checker finds."""
    try:
        report = examined(home, world)
    except Unreadable as error:
        return [str(error)]
    return [f"{check}: {breach.message} {_where(breach)}" for check, breach in report.breaches]


def _where(breach: Any) -> str:
    known = {name: value for name, value in asdict(breach).items() if name != "message" and value not in (None, ())}
    return ", ".join(f"{name} {value}" for name, value in known.items())


def measure(
    journal: list[Recorded], clock: dict[str, float], boots: list[dict[str, Any]], acts: list[dict[str, Any]]
) -> None:
    """Add to each boot when it acted next, and to each act on a child when the journal first spoke of it."""

    def real(recorded: Recorded) -> float:
        return (recorded.time - clock["lab_epoch"]) / clock["speed"] + clock["monotonic_epoch"]

    for boot, following in zip(boots, [*boots[1:], None], strict=True):
        until = float("inf") if following is None else following["at"]
        for recorded in journal:
            if boot["at"] <= real(recorded) < until and isinstance(recorded.entry, ACTIONS):
                boot["action_s"] = real(recorded) - boot["at"]
                break
    for act in acts:
        if act["done"] and act["target"] == "worker" and act.get("accepting"):
            station = act["victims"][0].partition(" ")[2]
            if not station:
                continue  # it had not begun to serve one
            told = (real(r) for r in journal if _tells_of(r.entry, station) and real(r) >= act["at"])
            if (first := next(told, None)) is not None:
                act["detected_s"] = first - act["at"]


def _tells_of(entry: Any, station: str) -> bool:
    return isinstance(entry, e.StationLost) and entry.station == station
