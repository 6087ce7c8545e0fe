"""What several entries come to: streaks, a budget that runs out, faults, another daemon."""

from __future__ import annotations

from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.entries import Recorded
from orchestrator.campaign.labspec import Alerts
from orchestrator.service.alerts.alert import Alert
from orchestrator.service.alerts.telling import Teller, standing
from tests.campaign.stories import command, ended, intended, observed, suggested

DAEMON = e.DaemonStarted(boot="boot")


def started(**budget: Any) -> e.CampaignStarted:
    return e.CampaignStarted(campaign={"name": "c", "budget": budget}, lab={"name": "l"}, by="tester")


def told(*entries: e.Entry, rules: Alerts | None = None, dt: float = 60.0) -> list[Alert]:
    teller = Teller(rules)
    recorded = [Recorded(version=n, time=dt * n, entry=entry) for n, entry in enumerate(entries, 1)]
    return [alert for one in recorded for alert in teller.tell(one)]


def failed(step: str, sample: int = 1, fault: Any = "vacuum") -> list[e.Entry]:
    return [intended(step, "deposit", sample, ["chamber"]), ended(step, "failed", "2e-2 Pa", fault)]


def test_a_fault_says_what_where_and_why() -> None:
    (alert,) = told(started(), DAEMON, *failed("d"))
    assert alert.severity == "warning"
    for word in ("deposit", "sample 1", "chamber", "vacuum", "2e-2 Pa", "recovery policy"):
        assert word in alert.text


def test_a_step_that_an_operator_ends_is_no_fault() -> None:
    assert told(started(), DAEMON, intended("d", "deposit", 1, ["chamber"]), ended("d", "aborted")) == []


def test_faults_of_a_class_replace_each_other_while_they_wait() -> None:
    entries = [started(), DAEMON, *failed("d1"), *failed("d2"), *failed("r", fault="robot")]
    alerts = standing(Recorded(version=n, time=1.0, entry=entry) for n, entry in enumerate(entries, 1))
    assert [alert.about for alert in alerts] == ["fault vacuum", "fault robot"]


def test_samples_that_come_to_nothing_in_a_row() -> None:
    rows = [observed(1, None, "failed"), e.SampleQuarantined(sample=2, reason="why")]
    alerts = told(started(), DAEMON, *rows)
    assert [alert.about for alert in alerts].count("failures") == 1
    assert "2 samples in a row came to nothing" in next(a.text for a in alerts if a.about == "failures")
    assert not [a for a in told(started(), rows[0], observed(3), rows[1]) if a.about == "failures"]
    assert not [a for a in told(started(), rows[0], command("recover"), rows[1]) if a.about == "failures"]


def test_a_sample_that_was_given_up_after_a_failure_counts_one_that_was_not_begun_does_not() -> None:
    one = Alerts.model_construct(**{**Alerts().model_dump(), "failures_in_a_row": 1})
    given_up = e.SampleDiscarded(sample=1, by="policy", reason="why")
    assert [a.about for a in told(started(), *failed("d"), given_up, rules=one)][1:] == ["failures"]
    assert told(started(), given_up, rules=one) == []


def test_measurements_in_a_row_that_are_not_valid() -> None:
    censored = [observed(n, 1.0, "censored") for n in (1, 2, 3)]
    (alert,) = told(started(), *censored)
    assert "3 measurements in a row are not valid" in alert.text
    assert told(started(), *censored[:2], observed(4), censored[2]) == []


def test_a_budget_that_is_mostly_spent_is_told_once() -> None:
    many = [suggested(n) for n in range(1, 11)]
    (alert,) = told(started(samples=10), *many)
    assert (alert.name, alert.severity) == ("budget samples", "info")
    assert alert.text.startswith("8 of 10 samples")
    (alert,) = told(started(lab_hours=1.0), *many, dt=300.0)
    assert alert.text.startswith("0.833 of 1 lab hours")
    assert told(started(samples=2), *many[:2]) == []


def test_another_daemon_is_told_the_first_is_not() -> None:
    (alert,) = told(started(), DAEMON, DAEMON)
    assert "started again" in alert.text
