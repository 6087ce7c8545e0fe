"""Alerts on the page: what became of each, and a person who sees to them."""

from __future__ import annotations

from orchestrator.campaign import entries as e
from orchestrator.journal import SqliteJournal
from orchestrator.service.alerts.account import Delivery, account, unacknowledged
from orchestrator.service.alerts.alert import Alert
from orchestrator.service.alerts.outbox import Outbox, lines_of

from .conftest import Served, post_of

LOST = Alert("7", 1000.0, "warning", "Station x was lost.", "station x")
CALLED = Alert("1000", 1100.0, "critical", "The night cannot go on alone.")
BACK = Alert("9", 1200.0, "info", "Station x works again.", "station x")


def outbox(served: Served) -> Outbox:
    times = iter(range(100, 1000))
    return Outbox(post_of(served.path).outbox, lambda: float(next(times)))


def test_each_alert_and_what_became_of_it_at_each_channel(served: Served) -> None:
    told = outbox(served)
    told.raised(LOST)
    told.failed("1 ntfy", "no route to host")
    told.settle("1 ntfy", LOST, "delivered")
    told.raised(CALLED)
    waits = account(lines_of(told.path), ["1 ntfy"])
    assert [one.alert for one in waits] == [CALLED, LOST]
    assert waits[0].deliveries == (Delivery("1 ntfy", "waiting"),), "a failure before it says nothing of it"
    assert [delivery.state for delivery in waits[1].deliveries] == ["delivered"]
    told.failed("1 ntfy", "no route to host")
    (failed,) = account(lines_of(told.path), ["1 ntfy"])[0].deliveries
    assert (failed.state, failed.reason) == ("failed", "no route to host")
    told.settle("2 mailto", CALLED, "delivered")
    assert [one.channel for one in account(lines_of(told.path), ["1 ntfy"])[0].deliveries] == ["1 ntfy", "2 mailto"]


def test_what_nobody_has_seen_to(served: Served) -> None:
    told = outbox(served)
    for alert in (LOST, CALLED):
        told.raised(alert)
    seen = account(lines_of(told.path), [])
    assert {one.alert for one in unacknowledged(seen, 6, 0.0)} == {LOST, CALLED}
    assert [one.alert for one in unacknowledged(seen, 7, 0.0)] == [CALLED]
    told.raised(BACK)
    assert [one.alert for one in unacknowledged(account(lines_of(told.path), []), 0, 0.0)] == [CALLED], "it is back"
    named = Alert("dead 1", 1100.0, "critical", "x")
    told.raised(named)
    left = unacknowledged(account(lines_of(told.path), []), 2000, 1099.0)
    assert [one.alert for one in left] == [named]


def test_a_page_is_told_and_acknowledges_once_with_a_name(served: Served) -> None:
    browser = served.browser().enter()
    assert browser.get("/api/alerts").json["alerts"] == []
    told = outbox(served)
    told.raised(Alert("1", served.lab.daemon.state.time, "critical", "you are needed"))
    found = browser.get("/api/alerts").json
    assert (found["channels"], found["escalation"], found["unacknowledged"]) == (["1 ntfy"], ["2 mailto"], 1)
    assert b"secret" not in browser.get("/api/alerts").body
    assert found["alerts"][0]["deliveries"][0]["state"] == "waiting"
    body = {"reason": "on my way", "seen": found["seq"]}
    first = browser.post("/api/ack", body, Idempotency_Key="one-and-only")
    assert browser.post("/api/ack", body, Idempotency_Key="one-and-only").json == first.json
    journal = SqliteJournal(served.lab.path)
    acks = [r for r in journal.read() if isinstance(r.entry, e.AlertsAcknowledged)]
    journal.close()
    assert [(r.version, r.entry.by, r.entry.reason) for r in acks] == [(first.json["entry"], "otto", "on my way")]  # type: ignore[union-attr]
    after = browser.get("/api/alerts").json
    assert (after["unacknowledged"], after["alerts"][0]["unacknowledged"]) == (0, False)


def test_an_outbox_that_cannot_be_read_is_no_error_of_the_server(served: Served) -> None:
    post_of(served.path).outbox.write_text('{"raised": 1, "at": 1}\n')
    assert served.browser().get("/api/alerts").json["alerts"] == []
