"""What an operator may ask of alerts: channels checked and tried, and a daemon watched."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from orchestrator.campaign.entries import CampaignStarted
from orchestrator.campaign.labspec import Alerts, LabSpec
from orchestrator.campaign.problems import SECRET, Problem, SpecError
from orchestrator.campaign.table import located
from orchestrator.campaign.toml_source import Source
from orchestrator.journal import SqliteJournal
from orchestrator.service.alerts.alert import Message, subject_of
from orchestrator.service.alerts.alerting import Alerting
from orchestrator.service.alerts.courier import NotDelivered, hand_over, label, unknown
from orchestrator.service.alerts.outbox import Outbox
from orchestrator.service.alerts.watch import Watch
from orchestrator.service.home import Home, HomeError


def check_channels(lab: LabSpec) -> None:
    """Ask nobody but Apprise whether it can make sense of the alert channels of `lab`.  Raises `SpecError`."""
    source = lab.source or Source(lab.name, {}, {})
    groups = {"channels": lab.alerts.channels, "escalation": lab.alerts.escalation}
    named = [(group, place, url) for group, urls in groups.items() for place, url in enumerate(urls)]
    try:
        places = unknown([url for _, _, url in named])
    except NotDelivered as why:
        raise SpecError([f"{source.name}: alerts.channels: Apprise cannot be asked about them: {why}"]) from why
    problems = [
        Problem(("alerts", *named[n][:2]), SECRET, "is no channel that Apprise knows", "see its list of services")
        for n in places
    ]
    if problems:
        raise SpecError(located(source, problems))


def try_channels(channels: Sequence[str], subject: str) -> dict[str, str]:
    """Hand every one of `channels` a test message, all at once: by channel what went wrong, "" if nothing did."""
    text = "This is a test. If you read it, this channel works; there is nothing to do."
    told = Message(f"Nightshift, {subject}: a test", text, "info")

    def test(url: str) -> str:
        try:
            hand_over(url, told)
        except NotDelivered as why:
            return str(why)
        return ""

    with ThreadPoolExecutor(len(channels)) as pool:
        answers = list(pool.map(test, channels))
    return {label(number, url): answers[number - 1] for number, url in enumerate(channels, 1)}


def watch(home: Home, *, patience_s: float, say: Callable[[str], None]) -> str:
    """Alert the channels of `home` when its daemon dies, until its campaign has ended; how it ended.

    Raises `HomeError` if there is nobody to alert, or somebody watches already.
    """
    routes = home.routes
    if not routes.channels:
        raise HomeError(f"{home.path}: has no alert channels; give them in the lab file, under [alerts]")
    subject, rules = _campaign_of(home)

    def alerting(outbox: Outbox, journal: SqliteJournal | None) -> Alerting:
        return Alerting(
            routes.channels,
            outbox,
            journal,
            time.time,
            subject=subject,
            home=str(home.path),
            escalation=routes.escalation,
            rules=rules,
        )

    with home.watched(), alerting(Outbox(home.watch), None) as own:

        def theirs() -> Alerting:  # only when the daemon has gone, and has written down what it told
            return alerting(Outbox(home.alerts), SqliteJournal(home.journal))

        return Watch(home, own, theirs, say, patience_s=patience_s).run()


def _campaign_of(home: Home) -> tuple[str, Alerts]:
    """What alerts are about, and the rules of its lab."""
    if not home.begun:
        return home.path.name, Alerts()
    with closing(SqliteJournal(home.journal)) as journal:
        started = next(journal.read()).entry
    assert isinstance(started, CampaignStarted)
    rules = started.lab.get("alerts")
    subject = subject_of(str(started.campaign["name"]), str(started.lab["name"]))
    return subject, Alerts.model_validate(rules if isinstance(rules, dict) else {})
