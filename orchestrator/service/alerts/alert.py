"""What deserves an alert, and what it says: from one entry alone, and pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.campaign import entries as e

Severity = Literal["info", "warning", "critical"]
RANKS: dict[Severity, int] = {"info": 0, "warning": 1, "critical": 2}
HEADS: dict[Severity, str] = {"info": "news", "warning": "trouble", "critical": "you are needed"}


@dataclass(frozen=True)
class Alert:
    """What happened, where, and what to do.

    `name` tells it from every other alert of its home: the version of the entry that it follows from, or words.
    `time` is lab time.  `about` is what it tells of, if a later alert about the same replaces it.
    """

    name: str
    time: float
    severity: Severity
    text: str
    about: str = ""

    def replaces(self, earlier: Alert) -> bool:
        """Whether nobody need hear of `earlier` any more: this is the news of the same."""
        return self.about == earlier.about != ""


@dataclass(frozen=True)
class Message:
    """What a channel is handed: one or more alerts."""

    title: str
    body: str
    severity: Severity


def alert_of(recorded: e.Recorded) -> Alert | None:
    """The alert that an entry deserves."""
    told = _told(recorded.entry)
    if told is None:
        return None
    severity, text, about = told
    return Alert(str(recorded.version), recorded.time, severity, text, about)


def _told(entry: e.Entry) -> tuple[Severity, str, str] | None:
    match entry:
        case e.StationLost(for_good=False):
            text = f"Station {entry.station} was lost ({entry.reason}). A new worker is being started, which makes it "
            return "warning", text + "safe first; there is nothing to do yet.", f"station {entry.station}"
        case e.StationRestarted():
            text = f"Station {entry.station} is safe and works again; it had been lost ({entry.reason}). "
            return "info", text + "There is nothing to do.", f"station {entry.station}"
        case e.OptimizerLost(for_good=False):
            text = f"The optimizer was lost ({entry.reason}). It is being started again; there is nothing to do yet."
            return "warning", text, "optimizer"
        case e.OptimizerLost():
            text = f"The optimizer died too often ({entry.reason}) and is not started again. The night goes on with "
            return "warning", text + "space-filling compositions; stop it if that is not worth its films.", "optimizer"
        case e.OptimizerRestarted():
            text = f"The optimizer works again; it had been lost ({entry.reason}). There is nothing to do."
            return "info", text, "optimizer"
        case e.SampleQuarantined():
            text = f"Sample {entry.sample} is set aside, since nobody can say what became of it: {entry.reason}. "
            return "warning", text + "The night goes on without it where it can; look for it when you come.", ""
        case e.CommandGiven(command="hold", after_steps=True):  # nobody's hand
            text = f"The night finishes what is under way and holds: {entry.reason}. See to it, then give "
            return "critical", text + "`nightshift resume`.", "hold"
        case e.OperatorNeeded():  # also beside a station that is lost for good, and one that is not made safe
            text = f"The night cannot go on alone: {entry.reason}. See to it, then give `nightshift recover`."
            return "critical", text, ""
        case e.CampaignEnded():
            return _end(entry)
    return None


def _end(ended: e.CampaignEnded) -> tuple[Severity, str, str]:
    match ended.end:
        case "needs operator":
            text = f"The night has ended and needs you: {ended.reason}. See to it, then give `nightshift recover`."
            return "critical", text, ""
        case "aborted":
            return "warning", f"The campaign was aborted ({ended.reason}).", ""
    return "info", f"The campaign is {ended.end} ({ended.reason}), and every station is safe.", ""


def outdated(alert: Alert, later: e.Entry) -> bool:
    """Whether nobody need hear of `alert` any more, since `later` was appended after it."""
    match later:
        case e.CommandGiven(command="recover"):
            return True  # an operator's word that everything asked for is done
        case e.DaemonStarted():
            return alert.about == "optimizer" or alert.about.startswith("station ")  # its processes are new ones
        case e.CommandGiven(command="resume" | "stop" | "abort"):
            return alert.about == "hold"
    return False


def acknowledges(entry: e.Entry) -> bool:
    """Whether `entry` shows that a person is there: his acknowledgement, or any command or act of his."""
    return isinstance(entry, e.AlertsAcknowledged | e.Act) or (
        isinstance(entry, e.CommandGiven) and not entry.after_steps
    )


def subject_of(campaign: str, lab: str) -> str:
    """What alerts are about, in their title."""
    return f"{campaign} in {lab}"


def message(alerts: Sequence[Alert], subject: str, home: str, more: int = 0) -> Message:
    """`alerts`, at least one, as one message about the campaign `subject` in `home`; so many `more` follow."""
    worst = max((alert.severity for alert in alerts), key=RANKS.__getitem__)
    lines = [f"{_clock(alert.time)} {alert.text}" for alert in alerts]
    if more:
        lines.append(f"And {more} more, which follow: see `nightshift journal`.")
    return Message(f"Nightshift, {subject}: {HEADS[worst]}", "\n".join([*lines, f"Home: {home}"]), worst)


def _clock(time: float) -> str:
    """Lab time as this machine's clock shows it."""
    return f"{datetime.fromtimestamp(time).astimezone():%H:%M}"
