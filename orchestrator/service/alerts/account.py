"""What became of each alert, as a person asks: from the outbox's lines, and pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.service.alerts.alert import Alert


@dataclass(frozen=True)
class Delivery:
    """How `channel` stands to an alert: a `Fate`, or waiting, or failed, with the last `reason`; `at` is civil time,
    None while it waits."""

    channel: str
    state: str
    at: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Told:
    """An alert, since when there is it by civil time, and what became of it at each channel."""

    alert: Alert
    at: float
    deliveries: tuple[Delivery, ...]


def account(lines: Iterable[Mapping[str, Any]], channels: Sequence[str]) -> list[Told]:
    """Every alert, the latest first.  `channels` are those that are told at once; others appear where they were told.

    A channel that failed last, after the alert was raised and with nothing delivered since, has failed it so far.
    """
    raised: dict[str, tuple[Alert, float]] = {}
    settled: dict[tuple[str, str], Delivery] = {}
    failing: dict[str, Delivery] = {}
    for line in lines:
        at = float(line["at"])
        if "raised" in line:
            alert = Alert(**line["raised"])
            raised[alert.name] = alert, at
        elif "fate" in line:
            settled[line["alert"], line["channel"]] = Delivery(line["channel"], line["fate"], at)
            if line["fate"] == "delivered":
                failing.pop(line["channel"], None)
        elif "failed" in line:
            failing[line["channel"]] = Delivery(line["channel"], "failed", at, line["failed"])

    def delivery(name: str, channel: str) -> Delivery:
        failed = failing.get(channel)
        since = raised[name][1]
        so_far = failed if failed is not None and failed.at is not None and failed.at >= since else None
        return settled.get((name, channel)) or so_far or Delivery(channel, "waiting")

    found = []
    for name, (alert, at) in raised.items():
        others = [told for (of, channel), told in settled.items() if of == name and channel not in channels]
        found.append(Told(alert, at, (*(delivery(name, channel) for channel in channels), *others)))
    return sorted(found, key=lambda told: told.at, reverse=True)


def unacknowledged(told: Sequence[Told], version: int, time: float) -> list[Told]:
    """Those of `told` that are no mere news, and that nobody has seen to who was last heard with entry `version`, at
    lab `time`; without those that a later alert about the same has replaced."""

    def seen(alert: Alert) -> bool:
        return int(alert.name) <= version if alert.name.isdigit() else alert.time <= time

    def replaced(one: Told) -> bool:
        return any(other.alert.replaces(one.alert) and other.at >= one.at for other in told if other is not one)

    return [one for one in told if one.alert.severity != "info" and not seen(one.alert) and not replaced(one)]
