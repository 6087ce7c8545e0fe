"""The operator's page of a whole night, in real processes: watched, held, resumed, stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.campaign.state import fold
from orchestrator.console.shapes import Live, Map, SampleRow, View
from orchestrator.journal import SqliteJournal
from tests.console.conftest import Browser, hear

from .conftest import WithPage, nightshift, small_campaign

pytestmark = [pytest.mark.night, pytest.mark.timeout(180)]
PATIENCE_S = 60.0


class Night(WithPage):
    def browser(self) -> Browser:
        return Browser(int(self.url.rstrip("/").rpartition(":")[2])).enter()


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    night = Night(tmp_path, films=4, speed=900, patience_s=PATIENCE_S)
    yield night
    night.close()


def test_a_night_by_its_page(night: Night) -> None:
    browser = night.browser()
    with browser.socket("?after=0") as page:
        hello = hear(page, "hello")
        lines, rows = list(hello["entries"]), {row["number"]: row for row in hello["samples"]}
        held = resumed = False
        view: dict[str, Any] = hello["view"] or {}
        charted: dict[str, Any] = {}
        while True:
            message = json.loads(page.recv(timeout=PATIENCE_S))
            if message["type"] == "bye":
                view = message["view"]
                break
            if message["type"] == "beat":
                assert message["live"] is None or Live.model_validate(message["live"])
                continue
            view = View.model_validate(message["view"]).model_dump()
            lines += message["entries"]
            rows |= {row["number"]: row for row in message["samples"]}
            seq = message["seq"]
            if not held and view["stations"]["deposition"]["state"] == "running":
                told = browser.command("hold", seen=seq).json
                assert told["mode"] == "holding"
                held = True
            if view["mode"] == "held" and not resumed:
                assert browser.command("resume", seen=seq).json["mode"] == "running"
                resumed = True
            if view["counts"]["valid"] >= 3 and view["model"]["observed"] >= 2 and not charted:
                charted = browser.get("/api/map").json["map"]
    stdout, stderr = night.process.communicate(timeout=PATIENCE_S)
    summary = json.loads(stdout)
    assert (summary["end"], summary["valid"], summary["hazards"]) == ("done", 4, 0), stderr
    assert resumed
    recorded = list(SqliteJournal(night.home / "journal.db").read())
    assert [(line["seq"], line["kind"]) for line in lines] == [(r.version, r.entry.kind) for r in recorded]
    assert (view["end"], view["simulated"], view["counts"]["valid"]) == ("done", True, 4)
    assert view["best"]["value"] == summary["best"]["value"]
    state = fold(recorded)
    for number, row in rows.items():
        told = SampleRow.model_validate(row)
        assert told.composition == state.samples[number].suggestion.composition
    found = Map.model_validate(charted)
    assert found.observed >= 2
    assert len(found.panels[0].mean) == 561
    assert not (night.home / "console.json").exists()


def test_a_console_that_cannot_be_served_is_told_before_the_lab_starts(tmp_path: Path) -> None:
    campaign = small_campaign(tmp_path, 1)
    refused = nightshift("dry-run", campaign, "--home", tmp_path / "home", "--console", "0.0.0.0:8765")
    assert refused.returncode == 2
    assert "--console-cert" in refused.stderr
