"""Who is told when nobody answers."""

from __future__ import annotations

from orchestrator.service.alerts.alert import Alert, Severity
from orchestrator.service.alerts.escalation import Escalation


def alert(name: str, severity: Severity = "critical", about: str = "") -> Alert:
    return Alert(name, 0.0, severity, f"text {name}", about)


def test_after_its_time_and_once() -> None:
    waiting = Escalation(900.0)
    assert waiting.due_in(0.0) is None
    waiting.raised(alert("1"), 0.0)
    waiting.raised(alert("2"), 100.0)
    assert waiting.due_in(100.0) == 800.0
    assert waiting.take(899.0) == []
    (taken,) = waiting.take(900.0)
    assert taken.name == "1"
    assert taken.text == "Nobody has acknowledged this for 15 min: text 1"
    assert waiting.due_in(900.0) == 100.0
    assert waiting.take(900.0) == []


def test_only_what_is_critical() -> None:
    waiting = Escalation(1.0)
    waiting.raised(alert("1", "warning"), 0.0)
    assert not waiting.waiting


def test_time_that_passed_under_an_earlier_daemon_counts() -> None:
    waiting = Escalation(900.0)
    waiting.raised(alert("1"), 0.0, since_s=600.0)
    assert waiting.due_in(0.0) == 300.0
    waiting.raised(alert("2"), 0.0, since_s=6000.0)
    assert waiting.due_in(0.0) == 0.0


def test_news_of_the_same_takes_it_back() -> None:
    waiting = Escalation(900.0)
    waiting.raised(alert("1", about="disk"), 0.0)
    replaced = waiting.raised(alert("2", "info", about="disk"), 1.0)
    assert [each.name for each in replaced] == ["1"]
    assert not waiting.waiting


def test_what_is_pointless_is_dropped() -> None:
    waiting = Escalation(900.0)
    waiting.raised(alert("1"), 0.0)
    waiting.raised(alert("2"), 0.0)
    assert [each.name for each in waiting.drop(lambda each: each.name == "1")] == ["1"]
    assert [each.name for each in waiting.take(900.0)] == ["2"]
