"""The night contract on the page: what was signed, and what is found again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from orchestrator import contract
from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import load_lab
from orchestrator.console import checking
from orchestrator.console.shapes import Checked
from orchestrator.console.view import contract_lines
from orchestrator.journal import SqliteJournal
from orchestrator.locks import FileLock
from orchestrator.service.contract.lines import Contract, NotChecked
from orchestrator.service.home import Home
from tests.service.nights import campaign

from .conftest import FOUND, PATIENCE_S, Served
from .test_view import shown, told

LAB = load_lab(Path(__file__).parents[2] / "campaigns/labs/vsm.toml")
SIGNED = Contract(campaign(), LAB, "1.0", tuple(FOUND)).signed("olga", "typed")


def test_the_last_contract_is_shown_and_counted() -> None:
    assert shown(*told()).contract is None
    again = SIGNED.model_copy(update={"by": "anna", "armed": ""})
    found = shown(*told(SIGNED, again)).contract
    assert found is not None
    assert (found.by, found.armed, found.green, found.amber, found.red) == ("anna", "", 1, 1, 0)
    assert found.time == 1000.0 + 3 * 60
    assert [(line.subject, line.do) for line in found.lines] == [("disk", ""), ("gas", FOUND[1].do)]


def test_a_line_that_nobody_knows_is_amber_and_breaks_no_page() -> None:
    (line,) = contract_lines([{"verdict": "blue", "more": 1}])
    assert (line.subject, line.verdict, line.found) == ("", "amber", "")


def test_a_check_is_done_once_for_a_key_and_shared_by_those_who_ask_meanwhile(served: Served) -> None:
    going = threading.Event()
    first = served.check

    def slow() -> dict[str, object]:
        assert going.wait(PATIENCE_S)
        return first()

    served.check = slow
    answers = []
    browsers = [served.browser().enter() for _ in range(2)]
    threads = [
        threading.Thread(
            target=lambda b=b, n=n: answers.append(b.post("/api/check", {}, Idempotency_Key=f"check-{n}-key"))
        )
        for n, b in enumerate(browsers)
    ]
    for thread in threads:
        thread.start()
    assert served.browser().get("/api/view").status == 200, "nobody else waits for it"
    served.lab.until(lambda _: served.checks == 1)
    going.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    found = Checked.model_validate(answers[0].json)
    assert (found.verdict, found.lines) == ("amber", contract_lines([line.as_dict() for line in FOUND]))
    done = served.checks
    browsers[0].post("/api/check", {}, Idempotency_Key="check-0-key")
    assert served.checks == done
    browsers[0].post("/api/check", {}, Idempotency_Key="check-new-key")
    assert served.checks == done + 1


def test_a_check_that_takes_long_is_asked_for_again_and_one_that_fails_says_why(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "REPLY_S", 0.05)
    going = threading.Event()

    def fails() -> dict[str, object]:
        assert going.wait(PATIENCE_S)
        raise NotChecked("it took longer than 60 s")

    served.check = fails
    browser = served.browser().enter()
    late = browser.post("/api/check", {}, Idempotency_Key="a-slow-check")
    assert (late.status, late.code) == (503, "not_answered")
    going.set()
    monkeypatch.setattr(checking, "REPLY_S", PATIENCE_S)
    failed = browser.post("/api/check", {}, Idempotency_Key="a-slow-check")
    assert (failed.status, failed.code) == (409, "not_checked")
    assert "longer than 60 s" in failed.json["detail"]
    assert served.checks == 1


# --- the process that does it -------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Of a campaign that is under way, below the folder of all homes."""
    found = Home(tmp_path / "nights" / "one")
    found.make()
    begun = e.CampaignStarted(campaign=campaign().model_dump(mode="json"), lab=LAB.model_dump(mode="json"), by="tester")
    journal = SqliteJournal(found.journal)
    journal.append([begun], 0, 1.7e9)
    journal.close()
    return found


def test_it_draws_up_what_the_check_offline_does_and_its_own_daemon_is_nobody_else(home: Home) -> None:
    home.keep_channels(["ntfy://topic"], ping="https://hc.example/1")
    with FileLock(home.path / "daemon.lock"):
        told = contract.under_way_apart(home, home.path.parent)
    lines = {line["subject"]: line for line in told["lines"]}
    beside = contract.draw_up(campaign(), LAB, home.path.parent, offline=True)
    assert set(lines) == {line.subject for line in beside.lines}
    assert lines["instruments"]["found"] == "not asked"
    assert lines["nobody else"]["verdict"] == "green"
    assert lines["dead man"]["verdict"] == "green", "the journal does not know the service, the home does"


def test_it_has_a_limit_and_says_what_went_wrong(home: Home, tmp_path: Path) -> None:
    with pytest.raises(NotChecked, match="holds no campaign"):
        contract.under_way_apart(Home(tmp_path / "nowhere"), tmp_path)
    with pytest.raises(NotChecked, match=r"longer than 0\.001 s"):
        contract.under_way_apart(home, home.path.parent, 0.001)
