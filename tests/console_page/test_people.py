"""Who may log in, on the page: an admin lets somebody in, changes and removes them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Served

from .pages import DESK, Pages, badge, violations
from .test_states import log_in, url

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_an_admin_lets_somebody_in_changes_and_removes_them(guarded: Served, pages: Pages) -> None:
    pages.allowed += ["401", "403", "WebSocket"]
    page = pages.open(url(guarded), await_state=False, **DESK)
    log_in(page, "ada")
    badge(page, "running")
    people = page.locator("#people li")
    expect(people).to_have_count(3)
    expect(people.filter(has_text="ada")).to_contain_text("admin (you)")
    page.get_by_role("button", name="Add…").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Name").fill("nina")
    dialog.get_by_label("Role").select_option("operator")
    dialog.get_by_label("Password").fill("runs by night")
    assert violations(page) == []
    pages.picture(page, "desk-people")
    dialog.get_by_role("button", name="Add").click()
    expect(people.filter(has_text="nina")).to_contain_text("operator")

    theirs = pages.open(url(guarded), await_state=False, **DESK)
    log_in(theirs, "nina", "runs by night")
    badge(theirs, "running")
    expect(theirs.locator("#people")).to_be_hidden()

    page.get_by_role("button", name="Change nina").click()
    dialog.get_by_label("Role").select_option("viewer")
    dialog.get_by_role("button", name="Change").click()
    expect(people.filter(has_text="nina")).to_contain_text("viewer")
    page.get_by_role("button", name="Remove nina").click()
    dialog.get_by_role("button", name="Remove").click()
    expect(people).to_have_count(3)
    expect(theirs.locator("#login")).to_be_visible()
