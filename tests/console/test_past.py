"""A campaign that is over, or that nobody runs: looked at, and not commanded."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.cli import main
from orchestrator.console import past as past_module
from orchestrator.console.past import Lookback, Modelling, followed, looking_at
from orchestrator.console.serve import Address, Console
from orchestrator.console.shapes import Live, View
from orchestrator.journal import JournalError, SqliteJournal
from orchestrator.service.home import Home
from orchestrator.service.suggestions import OnAnswer, Question
from tests.service.nights import DONE, campaign
from tests.service.played import Lab

from .conftest import PATIENCE_S, Browser, Served, finish_film, hear


@contextmanager
def looked_at(path: Path, config: Path) -> Iterator[Browser]:
    """The page of the journal at `path`, as `nightshift console` serves it."""
    journal = SqliteJournal(path)
    past = Lookback.of(journal, "nobody runs it")
    source = looking_at(past, SqliteJournal(path), simulated=True)
    with (
        Console(Address("127.0.0.1", 0, exact=True), "otto", config) as page,
        followed(past, journal),
        page.attached(source),
    ):
        yield Browser(int(page.url.rstrip("/").rpartition(":")[2])).enter()
    journal.close()


def test_a_page_that_stays_shows_the_end_and_refuses_in_words(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    page = served.console
    assert page is not None
    monkeypatch.setattr(page, "_stays", True)
    browser = served.browser().enter()
    with browser.socket() as opened:
        hear(opened, "hello")
        finish_film(served)
        served._attached.__exit__(None, None, None)  # the daemon has ended; its page has not
        while hear(opened, "update")["view"]["end"] is None:
            pass
        told = browser.get("/api/view").json
        view = View.model_validate(told["view"])
        assert (view.end, view.may, view.mode) == ("done", [], "stopped")
        assert view.read_only is not None
        live = Live.model_validate(told["live"])
        assert (live.decided_s, live.rate, live.lab_time) == (None, 0.0, served.lab.daemon.state.time)
        refused = browser.command("abort")
        assert (refused.status, refused.code) == (409, "read_only")
        assert "the campaign is over" in refused.json["detail"]
        assert browser.get("/api/samples/1/loop").json["loop"]["field_mt"] == [-300.0, 300.0]
        assert browser.get("/api/journal?limit=1000").json["seq"] == len(served.lab.entries())
        assert browser.get("/api/health").json["ok"]
        page.close()
        assert hear(opened, "bye")["view"]["end"] == "done"
    served.console = None


def test_a_page_does_not_stay_for_a_daemon_that_left_its_campaign(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.console, "_stays", True)
    page = served.console
    served.close()
    assert page is not None
    assert not page._thread.is_alive()


def test_a_finished_home_is_looked_at(tmp_path: Path, lab: Lab) -> None:
    lab.start()
    assert lab.ended().end == "done"
    with looked_at(lab.path, tmp_path) as browser:
        view = View.model_validate(browser.get("/api/view").json["view"])
        assert (view.end, view.read_only is not None, view.counts.valid) == ("done", True, 1)
        assert browser.command("stop").code == "read_only"
        with browser.socket("?after=0") as opened:
            lines = hear(opened, "hello")["entries"]
        assert [line["kind"] for line in lines] == lab.kinds()


def test_one_that_nobody_runs_is_followed_when_somebody_does(
    tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_module, "LOOK_S", 0.02)
    lab.holds = {"deposit"}
    lab.start()
    assert lab.begun.wait(PATIENCE_S)
    with looked_at(lab.path, tmp_path) as browser, browser.socket() as opened:
        view = View.model_validate(hear(opened, "hello")["view"])
        assert (view.mode, view.words, view.may) == ("running", "Nobody runs it.", [])
        assert not browser.get("/api/health").json["ok"]
        refused = browser.command("hold")
        assert (refused.status, refused.json["detail"]) == (409, "nobody runs it")
        lab.holds = set()
        lab.stations["deposition"].end(DONE["deposit"])
        while (told := hear(opened, "update"))["view"]["end"] is None:
            pass
        assert told["view"]["words"].startswith("Ended, done")


def test_a_model_is_made_of_what_was_observed(lab: Lab) -> None:
    lab.spec = campaign(samples=8)
    made = iter(range(1, 20))

    def ask(question: Question, on_answer: OnAnswer) -> None:
        share = 0.1 * next(made)
        told = {"composition": {"Fe": share, "Co": 1 - share}, "method": "gp", "seconds": 0.1}
        on_answer(question.number, told)

    lab.start(ask)
    assert lab.ended().end == "done"
    past = Lookback.of(SqliteJournal(lab.path), "")
    model = Modelling(past)
    candidates = [{"composition": {"Fe": share, "Co": 1 - share}, "settings": {}} for share in (0.25, 0.55)]
    chart = model.chart(candidates, [], 9)
    assert (chart["observed"], len(chart["mean"])) == (8, 2)
    first = model._optimizer
    assert model.chart(candidates, [], 9) == chart
    assert model._optimizer is first, "it is made once"


def test_a_journal_that_tells_of_no_campaign_is_no_home(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "journal.db").close()
    with pytest.raises(JournalError, match="nothing to show"):
        Lookback.of(SqliteJournal(tmp_path / "journal.db"), "")
    done = CliRunner().invoke(main, ["console", str(tmp_path)])
    assert (done.exit_code, "nothing to show" in done.output) == (2, True)
    assert CliRunner().invoke(main, ["console", str(tmp_path / "nowhere")]).exit_code == 2


def test_the_command_serves_a_home_until_it_is_told_to_end(tmp_path: Path, lab: Lab) -> None:
    lab.start()
    lab.ended()
    command = [sys.executable, "-m", "orchestrator.cli", "console", str(tmp_path), "--console", "127.0.0.1:0"]
    environment = {**os.environ, "NIGHTSHIFT_CONFIG": str(tmp_path / "config")}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    told = process.stderr.readline()
    found = re.search(r"Console: http://localhost:(\d+)/", told)
    assert found is not None, told
    browser = Browser(int(found[1])).enter()
    assert browser.get("/api/view").json["view"]["end"] == "done"
    assert browser.command("hold").code == "read_only"
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0, process.stderr.read()
    process.stderr.close()


def test_a_page_is_taken_over_only_from_a_daemon_that_has_ended(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert not home.take_over_page()
    home.show_at("http://localhost:1/")
    assert (home.shown_at, home.shows_here) == ("http://localhost:1/", True)
    with home.claimed():
        assert not home.take_over_page()
    assert home.take_over_page()
    assert home.shown_at is None
    (tmp_path / "console.json").write_text(json.dumps({"url": "http://localhost:2/", "pid": 1}))
    home.show_at(None)
    assert home.shown_at == "http://localhost:2/", "another's note is not ours to take away"
    (tmp_path / "console.json").write_text("[")
    assert home.shown_at is None
