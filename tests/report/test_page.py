"""The page as a whole: self-contained, safe, the same every time, and there for any journal."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from orchestrator.campaign import entries as e
from orchestrator.report import render, write_report
from tests.report.synthetic import LAB, START, Script, campaign, full_night, recorded

VOID = {"meta", "br", "link", "img", "hr", "input"}
EVIL = '<script>alert("1")</script>\'&$x$'


class Tags(HTMLParser):
    """Notes every element, and fails on a tag that closes another than the open one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1
        self.ids.update(value or "" for name, value in attrs if name == "id")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert tags.open == []
    return tags


def words(page: str) -> str:
    """The page's text, on one line."""
    text = re.sub(r"<!DOCTYPE[^>]*>|<style>.*?</style>|<title>.*?</title>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", text)).strip()


@pytest.fixture(scope="module")
def page(journal: list[e.Recorded]) -> str:
    return render(journal, simulated=True, hazards=[], note="Hidden truth: a formula.", zone=UTC)


def test_well_formed_with_unique_ids(page: str) -> None:
    tags = parsed(page)
    assert tags.seen["main"] == 1
    assert tags.seen["h2"] == 12
    assert [name for name, times in tags.ids.items() if times > 1] == []


def test_self_contained(page: str) -> None:
    tags = parsed(page)
    assert not tags.seen.keys() & {"script", "link", "img", "image", "iframe", "object"}
    assert re.findall(r"https?://|//\w+\.\w+|url\((?!#)|@import|@font-face|data:", page) == []


def test_small(page: str) -> None:
    assert len(page.encode()) < 400_000


def test_same_journal_same_page(journal: list[e.Recorded], page: str) -> None:
    assert render(journal, simulated=True, hazards=[], note="Hidden truth: a formula.", zone=UTC) == page


def test_no_colour_of_the_theme_is_left_unnamed(page: str) -> None:
    assert re.findall(r"#0[1-5]0a0[1-5]", page) == []
    assert "var(--ink)" in page
    assert "DejaVu" not in page


def test_follows_the_readers_light_or_dark(page: str) -> None:
    assert "prefers-color-scheme:dark" in page
    assert "@media print" in page
    assert 'name="viewport"' in page


def test_every_figure_has_words_for_those_who_do_not_see_it(page: str) -> None:
    figures = re.findall(r'<svg[^>]*role="img"[^>]*>(?:<title>[^<]+</title>)?', page)
    assert len(figures) > 5
    assert all("aria-label=" in figure or "<title>" in figure for figure in figures)


def test_simulated_is_unmistakable(journal: list[e.Recorded], page: str) -> None:
    assert words(page).startswith("SIMULATEDSIMULATED")
    assert "Hidden truth: a formula." in page
    assert "nothing was endangered" in page
    real = render(journal, simulated=False, zone=UTC)
    assert "SIMULATED" not in real
    assert "simulated" not in words(real)


def test_hazards_are_listed_and_need_a_person(journal: list[e.Recorded]) -> None:
    hazard = {"t": START + 60, "event": "hazard", "kind": "robot_collision", "detail": f"slot 3 {EVIL}"}
    page = render(journal, simulated=True, hazards=[hazard], zone=UTC)
    assert "robot collision" in page
    assert "19:01" in page
    assert "Needs a person: the simulated lab saw 1 hazard" in words(page)
    assert "<script" not in page


def test_hazards_that_were_not_read_are_not_said_to_be_none(journal: list[e.Recorded]) -> None:
    assert "was not read" in render(journal, simulated=True, zone=UTC)


def test_provenance(journal: list[e.Recorded], page: str) -> None:
    runs = {uid for r in journal if isinstance(r.entry, e.StepEnded) for uid in r.entry.run_uids}
    text = words(page)
    assert f"Bluesky runs{len(runs)}" in text
    assert f"journal{len(journal)} entries" in text
    for expected in ("seed1", "started byanna", "elements.Femin 0, max 100, step 2", "bluesky", "ophyd", "numpy"):
        assert expected in text


def test_times_are_in_the_zone_asked_for(page: str) -> None:
    assert "Mon 3 Feb 2025, 19:00 to Tue 06:57 (UTC), lab bench-1" in words(page)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 5, 7, 9, 12, 60, 111, 200, 333])
def test_any_unfinished_journal_renders(journal: list[e.Recorded], length: int) -> None:
    page = render(journal[:length], simulated=False, zone=UTC)
    parsed(page)
    expected = "No campaign has started in this journal." if length == 0 else "Not ended: running"
    assert expected in words(page)


def test_aborted_before_anything() -> None:
    script = Script(campaign())
    script.now += 5
    script.say(e.CommandGiven(command="abort", by="anna", reason=""), e.CampaignEnded(end="aborted", reason="abort"))
    assert "0 of 25 films in 0.0 lab hours. Aborted (abort)." in words(render(recorded(script.timed), simulated=False))


@pytest.mark.parametrize(
    "told", [{}, {"name": "x"}, {"elements": {}, "objectives": [], "stopping": None, "budget": None}]
)
def test_a_campaign_of_an_older_form(told: dict[str, Any]) -> None:
    started = e.CampaignStarted(campaign=told, lab={}, by="anna")
    parsed(render(recorded([(START, started)]), simulated=False))


def test_what_people_and_files_say_stays_text() -> None:
    told = campaign(name=EVIL, samples=1)
    told["objectives"][0] = {"quantity": EVIL, "direction": "max", "unit": EVIL}
    script = Script(told)
    script.suggest(1)
    uid = script.begin("deposit", 1, [EVIL, "deposition"])
    script.now += 60
    script.say(script.film(1, {"Fe": 1.0}))
    script.end(uid, "failed", EVIL)
    uid = script.measure(1)
    seen = script.observe(1).model_copy(
        update={"unit": EVIL, "reason": EVIL, "loop": {"field_mt": [1, 2], "signal": [1, 2], "unit": EVIL}}
    )
    script.say(seen)
    script.end(uid)
    script.say(e.CommandGiven(command="hold", by=EVIL, reason=EVIL), e.StationLost(station=EVIL, reason=EVIL))
    script.say(e.OperatorNeeded(reason=EVIL), e.CampaignEnded(end="needs operator", reason=EVIL))
    page = render(recorded(script.timed), simulated=True, hazards=[{"kind": EVIL, "detail": EVIL}], note=EVIL)
    parsed(page)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 10


@pytest.mark.parametrize("elements", [("Fe",), ("Fe", "Co"), ("Fe", "Co", "Ni", "Ir"), ("Fe", "Co", "Ni", "Ir", "Pt")])
def test_any_number_of_elements(elements: tuple[str, ...]) -> None:
    page = render(full_night(campaign(elements, samples=10)), simulated=False, zone=UTC)
    parsed(page)
    assert ("Each panel is a projection" in page) == (len(elements) > 3)


def test_a_quantity_without_a_unit_to_be_made_small() -> None:
    told = campaign(objectives=[{"quantity": "squareness", "direction": "min", "unit": "1"}], samples=6)
    assert "Lowest squareness:" in words(render(full_night(told), simulated=False, zone=UTC))


def test_writes_the_file(journal: list[e.Recorded], tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_report(iter(journal[:40]), target, simulated=False, zone=UTC)
    assert target.read_text(encoding="utf-8") == render(journal[:40], simulated=False, zone=UTC)


def test_the_lab_orders_the_rows(page: str) -> None:
    assert re.findall(r'class="station">(\w+)<', page) == [*LAB["stations"], "events"]
