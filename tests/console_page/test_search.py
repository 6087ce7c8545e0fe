"""Acting on the search from the page: the forms are those of the table of actions."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from orchestrator.campaign import entries as e
from tests.console.conftest import Served
from tests.console.test_search import carried, entries, finish_first_film, lab

from .pages import PHONE, Pages, violations
from .test_states import log_in, url

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
__all__ = ["carried", "lab"]


def test_a_sample_of_ones_own_is_queued_moved_and_taken_out(served: Served, pages: Pages) -> None:
    pages.allowed.append("409")
    page = pages.open(url(served), **PHONE)
    for iron, reason in ((60, "the corner"), (61, ""), (62, "between")):
        page.get_by_role("button", name="Own sample").tap()
        dialog = page.locator("dialog")
        dialog.get_by_label("Fe").fill(str(iron))
        dialog.get_by_label("Co").fill("30")
        dialog.get_by_label("Ni").fill(str(70 - iron))
        dialog.get_by_label("Why").fill(reason)
        dialog.get_by_role("button", name="Own sample").tap()
        if iron == 61:  # not on the campaign's steps
            expect(dialog.get_by_role("alert")).to_contain_text("Fe")
            assert violations(page) == []
            pages.picture(page, "phone-own-sample-refused")
            page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    queue = page.locator("#queue li")
    expect(queue).to_have_count(2)
    expect(queue.first).to_contain_text("Fe 60 Co 30 Ni 10 at.%, by otto: the corner")
    queue.last.get_by_role("button", name="Move").tap()
    page.locator("dialog").get_by_role("button", name="Move").tap()
    expect(queue.first).to_contain_text("between")
    queue.first.get_by_role("button", name="Take out").tap()
    page.locator("dialog").get_by_role("button", name="Take out").tap()
    expect(queue).to_have_count(1)
    assert len(entries(served, e.OwnSampleWithdrawn)) == 1


def test_the_next_sample_is_vetoed_with_a_reason_and_without_one_it_is_not(carried: Served, pages: Pages) -> None:
    page = pages.open(url(carried))
    page.locator("#next").get_by_role("button", name="Veto").click()
    dialog = page.locator("dialog")
    dialog.get_by_role("button", name="Veto").click()
    expect(dialog).to_be_visible()
    assert entries(carried, e.SuggestionVetoed) == []
    dialog.get_by_label("Why").fill("made last week")
    dialog.get_by_role("button", name="Veto").click()
    expect(page.locator("tr[data-sample='1'] .state")).to_contain_text("vetoed")
    assert [(one.sample, one.by, one.reason) for one in entries(carried, e.SuggestionVetoed)] == [
        (1, "otto", "made last week")
    ]


def test_a_value_is_rejected_noted_and_accepted_again(served: Served, pages: Pages) -> None:
    page = pages.open(url(served))
    finish_first_film(served)
    row = page.locator("tr[data-sample='1']")
    expect(row.locator(".tag")).to_have_text("best")
    row.get_by_role("button", name="Reject").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Why").fill("a fingerprint")
    dialog.get_by_role("button", name="Reject").click()
    expect(row.locator(".state")).to_contain_text("rejected")
    expect(row.locator(".state")).to_contain_text("a fingerprint")
    expect(page.locator("#facts")).to_contain_text("none yet")
    row.get_by_role("button", name="Accept again").click()
    dialog.get_by_role("button", name="Accept again").click()
    expect(row.locator(".tag")).to_have_text("best")
    row.get_by_role("button", name="Note").click()
    dialog.get_by_label("Text").fill("kept in box 7")
    dialog.get_by_role("button", name="Note").click()
    expect(page.locator("#journal-lines")).to_contain_text("kept in box 7")
    pages.picture(page, "desk-samples", full=True)


def test_a_viewer_sees_the_forms_and_cannot_open_them(guarded: Served, pages: Pages) -> None:
    pages.allowed += ["401", "WebSocket"]
    page = pages.open(url(guarded), await_state=False)
    log_in(page, "vera")
    expect(page.get_by_role("button", name="Own sample")).to_be_disabled()
