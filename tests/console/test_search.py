"""Acting on the search by requests: every action of the table, by role, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.actions import ACTIONS
from orchestrator.campaign.lifecycle import Phase
from tests.service.nights import campaign
from tests.service.played import Lab

from .conftest import Answer, Browser, Served


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """With room for more than one film."""
    lab.spec = campaign(samples=4)
    return lab


def act(browser: Browser, action: str, key: str = "", reason: str = "", seen: int = 10**6, **fields: Any) -> Answer:
    body = {"fields": fields, "reason": reason, "seen": seen}
    return browser.post(f"/api/search/{action}", body, Idempotency_Key=key or uuid4().hex)


def entries(served: Served, kind: type) -> list[Any]:
    return [r.entry for r in served.lab.entries() if isinstance(r.entry, kind)]


def test_the_actions_are_those_of_the_table(served: Served) -> None:
    told = served.browser().get("/api/search").json
    assert [one["action"] for one in told["actions"]] == list(ACTIONS)
    assert told["queue"] == []


def test_an_own_sample_waits_in_the_queue_and_is_taken_out_again(served: Served) -> None:
    browser = served.browser().enter()
    done = act(browser, "sample", composition={"Fe": 60, "Co": 30, "Ni": 10}, reason="the corner")
    assert (done.status, done.json["changed"], done.json["number"]) == (200, True, 1), done.body
    (own,) = browser.get("/api/search").json["queue"]
    assert (own["composition"], own["by"], own["reason"]) == ({"Fe": 0.6, "Co": 0.3, "Ni": 0.1}, "otto", "the corner")
    assert act(browser, "withdraw", queued=1).status == 200
    assert browser.get("/api/search").json["queue"] == []
    assert [entry.by for entry in entries(served, e.OwnSampleQueued)] == ["otto"]


def test_a_request_that_comes_twice_is_done_once(served: Served) -> None:
    browser = served.browser().enter()
    twice = [act(browser, "note", key="the-same-key", sample=1, text="a scratch").json for _ in range(2)]
    assert [one["again"] for one in twice] == [False, True]
    assert len(entries(served, e.SampleNoted)) == 1


def test_a_rejected_value_no_longer_counts_and_its_row_says_so(served: Served) -> None:
    browser = served.browser().enter()
    finish_first_film(served)
    reject = act(browser, "reject", sample=1, reason="a fingerprint")
    assert reject.status == 200, reject.body
    (row,) = [row for row in browser.get("/api/samples").json["samples"] if row["number"] == 1]
    assert "a fingerprint" in row["rejected"]
    assert browser.get("/api/view").json["view"]["best"] is None
    assert act(browser, "accept", sample=1).status == 200
    assert browser.get("/api/view").json["view"]["best"]["sample"] == 1


def finish_first_film(served: Served) -> None:
    """Sample 1 is observed, and the next film is being made."""
    from tests.service.nights import DONE

    lab = served.lab
    lab.holds = {"deposit"}
    lab.stations["deposition"].end(DONE["deposit"])
    lab.until(lambda state: state.samples[1].phase is Phase.OBSERVED)
    lab.until(lambda state: any(step.intent.plan == "deposit" for step in state.open_steps.values()))


@pytest.fixture
def carried(tmp_path: Path, lab: Lab) -> Iterator[Served]:
    """The arm has the first sample: there is no film yet."""
    lab.holds = {"transfer"}
    lab.start()
    assert lab.begun.wait(20)
    served = Served(tmp_path, lab, login=False)
    served.open()
    yield served
    served.close()


def test_a_vetoed_sample_is_shown_as_that(carried: Served) -> None:
    browser = carried.browser().enter()
    assert "say why" in act(browser, "veto", sample=1).json["detail"]
    assert act(browser, "veto", sample=1, reason="made last week").status == 200
    rows = browser.get("/api/samples").json["samples"]
    assert [row["phase"] for row in rows if row["number"] == 1] == ["vetoed"]


@pytest.mark.parametrize(
    ("action", "fields", "status", "says"),
    [
        ("fly", {}, 404, "give one of sample"),
        ("note", {"sample": 1}, 422, "note: text"),
        ("note", {"sample": "one", "text": "x"}, 422, "note: sample"),
        ("note", {"sample": 99, "text": "x"}, 409, "there is no sample 99"),
        ("sample", {"composition": {"Fe": 60}}, 409, "100"),
        ("veto", {"sample": 1}, 409, "cannot veto"),
        ("weights", {"weights": {"coercivity": 2}}, 409, "one objective"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(
    served: Served, action: str, fields: dict[str, Any], status: int, says: str
) -> None:
    before = len(served.lab.entries())
    refused = act(served.browser().enter(), action, **fields)
    assert (refused.status, says in refused.json["detail"]) == (status, True), refused.body
    assert len(served.lab.entries()) == before


def test_a_viewer_sees_the_actions_and_does_nothing(guarded: Served) -> None:
    vera = guarded.browser().login("vera")
    assert vera.get("/api/search").status == 200
    assert (act(vera, "note", sample=1, text="x").status, entries(guarded, e.SampleNoted)) == (403, [])
    assert Browser(vera.port).get("/api/search").status == 401
    assert act(guarded.browser().login("olga"), "note", sample=1, text="x").status == 200
    assert [entry.by for entry in entries(guarded, e.SampleNoted)] == ["olga"]
