"""What the page shows in each state, and that its buttons do what they say: on a daemon whose stations are played."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from orchestrator.campaign.commands import Request
from orchestrator.campaign.lifecycle import Command
from orchestrator.console.serve import Address
from tests.console.conftest import PASSWORDS, Served, finish_film

from .pages import DESK, PHONE, Pages, badge, violations

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def url(served: Served) -> str:
    assert served.console is not None
    return served.console.url


def give(served: Served, command: str, by: str = "olga", reason: str = "") -> dict[str, Any]:
    """A command of somebody else."""
    return served.lab.daemon.command(Request(Command(command), by, reason)).result(20)


def test_before_anything_is_known_there_are_dashes_and_no_zeros(served: Served, pages: Pages) -> None:
    context = pages.context(**DESK)
    context.route_web_socket("**/api/socket*", lambda socket: None)  # never answers
    page = pages.open(url(served), context, await_state=False)
    badge(page, "connecting")
    expect(page.locator("#film")).to_have_text("–")
    expect(page.locator("#why")).to_have_text("–")
    expect(page.locator("#hold")).to_be_disabled()
    expect(page.locator("#abort")).to_be_enabled()
    assert "0" not in page.locator("main").inner_text()


def test_a_film_under_way(served: Served, pages: Pages) -> None:
    page = pages.open(url(served))
    badge(page, "running")
    expect(page.locator("#campaign")).to_have_text("night")
    expect(page.locator("#kind")).to_have_text("SIMULATED")
    expect(page.locator("#who")).to_have_text("otto")
    expect(page.locator("#film")).to_contain_text("Film 1 of")
    expect(page.locator("[data-station=deposition].old .doing").first).to_contain_text("Deposit sample 1")
    expect(page.locator("#stations [data-station=deposition] .ill")).to_contain_text("gun2: NoReply")
    expect(page.locator("#facts")).to_have_text(re.compile(r"^done (\w+ )?\d\d:\d\d–(\w+ )?\d\d:\d\dbest none yet$"))
    expect(page.locator("#facts")).to_have_attribute("title", re.compile("from the plans' own figures"))
    expect(page.locator("#needs")).to_be_empty()
    expect(page.locator("tr[data-sample='1'] .value")).to_have_text("–")


def test_hold_and_resume_are_one_tap_each_and_seen_by_others(served: Served, pages: Pages) -> None:
    one, other = pages.open(url(served)), pages.open(url(served), **PHONE)
    one.locator("#hold").click()
    badge(one, "held")
    badge(other, "held")
    expect(other.locator("#hold")).to_have_text("Resume")
    expect(other.locator("#told")).to_contain_text("Held by otto.")
    other.locator("#hold").tap()
    badge(other, "running")
    badge(one, "running")
    given = [(one.command.value, one.by) for one in served.lab.daemon.state.commands]
    assert given == [("hold", "otto"), ("resume", "otto")]


def test_a_request_that_is_not_answered_is_sent_again_with_its_key_and_done_once(served: Served, pages: Pages) -> None:
    pages.allowed.append("Failed to load resource")
    page = pages.open(url(served))
    sent: list[str] = []

    def drop_the_first(route: Route) -> None:
        sent.append(route.request.headers["idempotency-key"])
        if len(sent) == 1:
            route.fetch()  # it arrives, and its answer is lost
            route.abort()
        else:
            route.continue_()

    page.route("**/api/commands/hold", drop_the_first)
    page.locator("#hold").click()
    badge(page, "held")
    expect(page.locator("#hold")).to_have_text("Resume")
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert len(served.lab.daemon.state.commands) == 1


def test_who_was_first_is_told(served: Served, pages: Pages) -> None:
    pages.allowed.append("409")
    context = pages.context(**DESK)
    silent: list[WebSocketRoute] = []
    context.route_web_socket("**/api/socket*", lambda socket: _forward(socket, silent))
    page = pages.open(url(served), context)
    give(served, "hold", by="vera", reason="gun 2 arcs")
    badge(page, "held")
    silent.append(silent[0])  # from now on it hears nothing
    give(served, "resume", by="ada")
    give(served, "hold", by="ada", reason="gun 3 arcs too")
    page.locator("#hold").click()
    refusal = page.locator("#told .refused")
    expect(refusal).to_contain_text("Not done.")
    expect(refusal).to_contain_text("hold by ada")
    expect(refusal).to_contain_text("gun 3 arcs too")


def _forward(socket: WebSocketRoute, silent: list[WebSocketRoute]) -> None:
    """Whatever the server says, until there are two in `silent`."""
    server = socket.connect_to_server()
    silent.append(server)
    server.on_message(lambda message: socket.send(message) if len(silent) == 1 else None)


def test_abort_asks_once_with_what_is_lost_and_sends_nothing_before_the_answer(served: Served, pages: Pages) -> None:
    page = pages.open(url(served), **PHONE)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.locator("#abort").tap()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("Sample 1 (")
    expect(dialog).to_contain_text("its film is broken off")
    expect(dialog).to_contain_text("not the emergency stop")
    expect(dialog.get_by_role("button", name="Go on")).to_be_focused()
    assert violations(page) == []
    pages.picture(page, "phone-abort")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.locator("#abort").tap()
    dialog.get_by_role("button", name="Go on").tap()
    expect(dialog).to_have_count(0)
    assert sent == []
    assert served.lab.daemon.state.commands == ()
    page.locator("#abort").tap()
    dialog.get_by_label("Why").fill("smoke")
    dialog.get_by_role("button", name="Abort now").tap()
    badge(page, "aborting")
    assert [(one.command.value, one.by, one.reason) for one in served.lab.daemon.state.commands] == [
        ("abort", "otto", "smoke")
    ]


def test_after_five_seconds_of_silence_the_badge_says_so_and_values_are_grey(served: Served, pages: Pages) -> None:
    context = pages.context(**PHONE)
    silent: list[WebSocketRoute] = []
    context.route_web_socket("**/api/socket*", lambda socket: _forward(socket, silent))
    page = context.new_page()
    page.clock.install()
    page.goto(url(served))
    badge(page, "running")
    ink = _ink(page)
    silent.append(silent[0])
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)
    words = []
    while not words or words[-1][0] != "no contact":
        page.clock.run_for(500)
        words.append((page.locator("#badge .word").inner_text().lower(), page.locator("#contact").inner_text()))
        assert len(words) < 50, words
    assert words[-1][1] == "heard 5 s ago"
    expect(page.locator("#silence")).to_contain_text("Nothing heard for 5 s: what is grey is as of")
    assert _ink(page) != ink
    page.clock.resume()
    assert violations(page) == []
    expect(page.locator("#abort")).to_be_enabled()
    pages.picture(page, "phone-no-contact")


def _ink(page: Page) -> str:
    return str(page.locator("#film").evaluate("element => getComputedStyle(element).color"))


def test_a_page_comes_back_by_itself_after_a_restart_of_the_daemon(served: Served, pages: Pages) -> None:
    pages.allowed += ["WebSocket", "net::ERR"]
    page = pages.open(url(served))
    badge(page, "running")
    first = page.locator("#journal-lines li").first
    expect(first).to_be_visible()
    port = served.browser().port
    served.close()
    badge(page, "no contact")
    expect(page.locator("#silence")).to_contain_text("The daemon has ended")
    served.address = Address("127.0.0.1", port, exact=True)
    give(served, "hold", by="vera", reason="in the meantime")
    served.open()
    badge(page, "held")
    expect(page.locator("#silence")).to_be_hidden()
    expect(page.locator("#journal-lines")).to_contain_text("Hold by vera: in the meantime")
    page.locator("#hold").click()
    badge(page, "running")


def test_what_people_and_instruments_say_is_text(served: Served, pages: Pages) -> None:
    page = pages.open(url(served))
    bad = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    give(served, "hold", by="<b>mallory</b>", reason=bad)
    expect(page.locator("#told")).to_contain_text(bad)
    expect(page.locator("#journal-lines")).to_contain_text(bad)
    assert page.locator("main img, main b:has-text('mallory')").count() == 0
    assert "owned" not in page.title()


def test_nothing_is_asked_of_another_host(served: Served, pages: Pages) -> None:
    asked: list[str] = []
    context = pages.context(**DESK)
    context.on("request", lambda request: asked.append(request.url))
    page = pages.open(url(served), context)
    finish_film(served)
    expect(page.locator("#figure-best .main-svg").first).to_be_visible()
    assert {one.partition("://")[2].partition("/")[0] for one in asked} == {url(served).partition("://")[2].rstrip("/")}
    assert any("plotly" in one for one in asked)


def test_the_figures_library_comes_after_the_state_and_the_page_is_whole_without_it(
    served: Served, pages: Pages
) -> None:
    pages.allowed.append("Failed to load resource")
    context = pages.context(**DESK)
    seen: list[str] = []

    def refuse(route: Route) -> None:
        seen.append(str(route.request.frame.page.locator("#badge .word").text_content()))
        route.abort()

    context.route("**/vendor/*", refuse)
    page = pages.open(url(served), context)
    finish_film(served)
    expect(page.locator("#figure-best .told")).to_contain_text("cannot be fetched")
    assert seen[0] in ("running", "ended")
    expect(page.locator("tr[data-sample='1'] .value")).to_contain_text("kA/m")
    expect(page.locator("#journal-lines li")).not_to_have_count(0)


def test_the_journal_has_a_filter(served: Served, pages: Pages) -> None:
    page = pages.open(url(served))
    lines = page.locator("#journal-lines li")
    expect(lines).not_to_have_count(0)
    give(served, "hold", by="vera", reason="a look")
    page.get_by_role("combobox", name="Show").select_option("What people did")
    expect(lines.first).to_contain_text("Hold by vera: a look")
    kinds = {text.split()[0] for text in page.locator("#journal-lines li > span").all_inner_texts()}
    assert kinds == {"Hold", "Campaign"}
    page.get_by_role("combobox", name="Show").select_option("All entries")
    page.get_by_label("Text").fill("DEPOSIT SAMPLE")
    expect(lines).to_have_count(1)


def test_all_that_is_known_of_a_sample(served: Served, pages: Pages) -> None:
    page = pages.open(url(served))
    finish_film(served)
    page.locator("tr[data-sample='1'] button.number").click()
    dialog = page.locator("dialog")
    expect(dialog.get_by_role("heading", name="Film 1")).to_be_visible()
    expect(dialog).to_contain_text("Achieved")
    expect(dialog).to_contain_text("Why it was chosen")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


# --- who ------------------------------------------------------------------------------------------------------------


def log_in(page: Page, name: str, password: str | None = None) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password or PASSWORDS[name])
    page.get_by_role("button", name="Log in").click()


def test_a_viewer_logs_in_and_cannot_act(guarded: Served, pages: Pages) -> None:
    pages.allowed += ["401", "WebSocket", "403"]
    page = pages.open(url(guarded), await_state=False, **PHONE)
    assert violations(page) == []
    log_in(page, "vera", "not her password")
    expect(page.locator("#login .trouble")).to_have_text("name or password is wrong.")
    pages.picture(page, "phone-login")
    log_in(page, "vera")
    badge(page, "running")
    expect(page.locator("#who")).to_have_text("vera, looks on")
    for name in ("hold", "stop", "abort"):
        expect(page.locator(f"#{name}")).to_be_disabled()
    expect(page.locator("#told")).to_contain_text("vera may look, but not command")
    refused = page.evaluate(
        """async () => {
            const {csrf} = await (await fetch("/api/session")).json();
            const headers = {"Content-Type": "application/json", "X-CSRF-Token": csrf, "Idempotency-Key": "12345678"};
            const body = JSON.stringify({reason: "", seen: 1});
            return (await fetch("/api/commands/hold", {method: "POST", headers, body})).status;
        }"""
    )
    assert refused == 403
    pages.picture(page, "phone-viewer")


def test_an_operator_logs_in_acts_and_logs_out(guarded: Served, pages: Pages) -> None:
    pages.allowed += ["401", "WebSocket"]
    page = pages.open(url(guarded), await_state=False)
    log_in(page, "olga")
    badge(page, "running")
    page.locator("#hold").click()
    badge(page, "held")
    assert guarded.lab.daemon.state.commands[-1].by == "olga"
    page.get_by_role("button", name="log out").click()
    expect(page.locator("#login")).to_be_visible()
    expect(page.locator("#badge .word")).to_have_text("connecting")


# --- needs you ------------------------------------------------------------------------------------------------------


def test_somebody_is_needed_and_says_that_it_is_seen_to(served: Served, pages: Pages) -> None:
    page = pages.open(url(served), color_scheme="dark", **PHONE)
    served.lab.turn("robot", "lost")
    served.lab.turn("robot", "given up")
    need = page.locator("#needs")
    expect(need).to_contain_text("Needs you: Station robot is lost")
    expect(need).to_have_attribute("aria-live", "assertive")
    expect(page).to_have_title("(!) running · night")
    expect(page.locator("#stations [data-station=robot] .doing")).to_have_text("Given up: needs you")
    assert violations(page) == []
    pages.picture(page, "phone-needs-you-dark")
    need.get_by_role("button", name="It is seen to").tap()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("back in its own cassette slot")
    dialog.get_by_label("What was done").fill("the arm is homed")
    dialog.get_by_role("button", name="go on").tap()
    expect(need).to_be_empty()
    given = served.lab.daemon.state.commands[-1]
    assert (given.command.value, given.by, given.reason) == ("recover", "otto", "the arm is homed")
