"""What no entry tells, and a person must hear: seen by looking again and again; pure.

An interlock that a station waits on, a step that takes far too long, a disk that fills up, and the digest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from orchestrator.campaign.labspec import Alerts
from orchestrator.campaign.lifecycle import Mode
from orchestrator.service.alerts.alert import Severity
from orchestrator.service.alerts.hours import digest_due
from orchestrator.service.status import Progress, StationStatus

GIB = 2.0**30
IDLE_S = 3600.0
"""Lab time in which a campaign that runs begins or ends something, or waits by its recovery policy, at the longest."""
REAL_S = 60.0
"""Real seconds without a change before anything is called stuck: in a rehearsal at speed, lab time passes while our own
processes get going."""
AGAIN = 1.5
"""A disk is well again with so many times the limit."""


@dataclass(frozen=True)
class Told:
    """As `Alerting.tell` takes it."""

    severity: Severity
    text: str
    about: str
    name: str


class Lookout:
    """Looks at one campaign; `rules` are those of the lab, `longest_wait_s` of its recovery policy."""

    def __init__(self, rules: Alerts, longest_wait_s: float = IDLE_S) -> None:
        self._rules = rules
        self._idle_s = 3 * max(IDLE_S, longest_wait_s)
        self._waiting: dict[str, str] = {}
        self._disk_low = 0
        self._is_low = False
        self._version, self._since = -1, 0.0
        self._changed = 0.0

    def look(self, progress: Progress, free_bytes: float | None, now: datetime, real: float) -> list[Told]:
        """What is new.  `free_bytes` of the home's disk, None if nobody knows; `now` is civil time, `real` seconds of a
        clock that never goes back."""
        if progress.version != self._version or progress.mode != Mode.RUNNING:
            self._version, self._since, self._changed = progress.version, progress.now, real
        told = [*self._interlocks(progress), *self._disk(free_bytes), *self._digest(progress, now)]
        if real - self._changed >= REAL_S:
            told += [*self._stuck(progress), *self._idle(progress)]
        return told

    def _interlocks(self, progress: Progress) -> Iterator[Told]:
        waiting = {name: station for name, station in progress.stations.items() if station.waiting_on}
        for name, station in waiting.items():
            if name not in self._waiting:
                text = f"Station {name} has paused the {station.step} of sample {station.sample}, shutters closed, for "
                text += f"an interlock: {station.waiting_on}. It goes on by itself if that clears in time; see to it."
                self._waiting[name] = f"interlock {name} {station.since} {progress.version}"
                yield Told("warning", text, f"interlock {name}", self._waiting[name])
        for name in [name for name in self._waiting if name not in waiting]:
            was = self._waiting.pop(name)
            text = f"The interlock that station {name} had paused for is clear, or its step has ended."
            yield Told("info", text, f"interlock {name}", f"{was} over")

    def _stuck(self, progress: Progress) -> Iterator[Told]:
        if progress.mode not in (Mode.RUNNING, Mode.STOPPING):
            return
        for name, station in _each_step_once(progress):
            limit_s = self._rules.stuck_factor * (station.late_s or float("inf"))
            took_s = progress.now - (station.since or progress.now) - station.held_s
            if took_s > limit_s:
                text = f"The {station.step} of sample {station.sample} in station {name} makes no progress: it takes "
                text += f"{took_s / 60:.0f} min, where nine of ten take {(station.late_s or 0) / 60:.0f} min. Look at "
                text += "the station; then hold, or abort."
                about = f"step {station.step} {station.sample}"
                yield Told("critical", text, about, f"stuck {station.step} {station.sample} {station.since}")

    def _idle(self, progress: Progress) -> Iterator[Told]:
        if progress.stations or progress.needs or progress.mode != Mode.RUNNING:
            return
        if progress.now - self._since > self._idle_s:
            text = f"Nothing has been begun for {(progress.now - self._since) / 60:.0f} min, and nothing is under way. "
            yield Told("critical", text + "See `nightshift status`.", "idle", f"idle after entry {progress.version}")

    def _disk(self, free_bytes: float | None) -> Iterator[Told]:
        if free_bytes is None:
            return
        free, limit = free_bytes / GIB, self._rules.disk_low_gib
        if free < limit and not self._is_low:
            self._is_low, self._disk_low = True, self._disk_low + 1
            text = f"The disk of the home has {free:.2f} GiB left (the limit is {limit:g}). When it is full the night "
            severity: Severity = "critical" if free < limit / 5 else "warning"
            yield Told(severity, text + "ends: make room.", "disk", f"disk low {self._disk_low} below {limit:g}")
        elif free > AGAIN * limit and self._is_low:
            self._is_low = False
            yield Told("info", f"The disk of the home has {free:.2f} GiB again.", "disk", f"disk well {self._disk_low}")

    def _digest(self, progress: Progress, now: datetime) -> Iterator[Told]:
        due = digest_due(self._rules.digest_at, now)
        if due is not None and not progress.end:
            yield Told("info", digest(progress), "digest", f"digest {due:%Y-%m-%d %H:%M}")


def _each_step_once(progress: Progress) -> Iterator[tuple[str, StationStatus]]:
    """A step claims several stations."""
    seen = set()
    for name, station in progress.stations.items():
        if (key := (station.step, station.sample, station.since)) not in seen:
            seen.add(key)
            yield name, station


def digest(progress: Progress) -> str:
    """How the night stands, in one line."""
    done = progress.valid + progress.censored + progress.failed
    parts = [f"How it stands: {progress.mode}, film {done} of {progress.samples_budget} measured"]
    if progress.best:
        parts.append(f"best {progress.best['value']:.4g} {progress.best['unit']} (sample {progress.best['sample']})")
    parts.append(f"{progress.failed} failed, {progress.censored} censored, {sum(progress.faults.values())} faults")
    if progress.predicted_finish:
        parts.append(f"done about {datetime.fromtimestamp(progress.predicted_finish):%H:%M}")
    if progress.needs:
        parts.append(f"needs you: {progress.needs}")
    return "; ".join(parts) + "."
