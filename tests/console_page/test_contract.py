"""The night contract and alerts on the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from orchestrator.service.alerts.alert import Alert
from orchestrator.service.alerts.outbox import Outbox
from tests.console.conftest import Served, post_of

from .pages import PHONE, Pages, violations
from .test_states import url

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_the_contract_is_checked_again_and_an_alert_seen_to(served: Served, pages: Pages) -> None:
    told = Outbox(post_of(served.path).outbox)
    told.raised(Alert("1", served.lab.daemon.state.time, "critical", "The night cannot go on alone."))
    told.failed("1 ntfy", "no route to host")
    page = pages.open(url(served), **PHONE)
    expect(page.locator("#contract-signed")).to_have_text("None was signed, as for a dry run.")
    page.get_by_role("button", name="Check now").tap()
    lines = page.locator("#contract-checked li")
    expect(lines).to_have_count(2)
    expect(lines.last).to_contain_text("argon for 9 films")
    expect(lines.last).to_contain_text("have another bottle at hand")
    alert = page.locator("#alerts li")
    expect(alert).to_contain_text("The night cannot go on alone.")
    expect(alert).to_contain_text("tried again: no route to host")
    assert violations(page) == []
    pages.picture(page, "phone-contract", full=True)
    page.get_by_role("button", name="I see to it").tap()
    dialog = page.locator("dialog")
    dialog.get_by_label("What you do").fill("on my way")
    dialog.get_by_role("button", name="I see to it").tap()
    expect(dialog).to_have_count(0)
    expect(page.locator("#ack")).to_be_hidden()
    expect(page.locator("#journal-lines")).to_contain_text("Alerts acknowledged by otto")
