"""The socket: what comes, in which order, and that nothing is missed or kept for whoever does not take it."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus

from orchestrator.campaign.lifecycle import Mode
from orchestrator.console import socket as socket_module
from orchestrator.console.hub import Hub
from orchestrator.console.sheet import Sheet
from orchestrator.console.socket import TOO_SLOW, attend

from .conftest import Served, finish_film, hear


def test_first_everything_then_what_is_new(served: Served) -> None:
    browser = served.browser().enter()
    with browser.socket() as page:
        hello = json.loads(page.recv())
        assert (hello["type"], hello["seq"]) == ("hello", served.lab.daemon.state.version)
        assert (hello["view"]["mode"], len(hello["samples"]), hello["entries"]) == ("running", 1, [])
        assert hello["live"]["stations"]["deposition"]["state"] == "running"
        browser.command("hold", reason="to look")
        update = hear(page, "update")
        assert update["seq"] == hello["seq"] + len(update["entries"])
        assert update["entries"][0]["text"] == "Hold by otto: to look."
        assert update["samples"] == []
        assert hear(page, "beat")["live"]["decided_s"] < 10


def test_two_pages_are_told_the_same(served: Served) -> None:
    browser = served.browser().enter()
    with browser.socket() as one, browser.socket() as other:
        first, second = hear(one, "hello"), hear(other, "hello")
        assert first["view"] == second["view"]
        browser.command("hold")
        assert hear(one, "update") == hear(other, "update")


def test_a_page_that_was_away_misses_nothing_also_over_a_restart(served: Served) -> None:
    browser = served.browser()
    with browser.socket() as page:
        seen = hear(page, "hello")
        boot = seen["boot"]
    finish_film(served)
    served.close()
    browser = served.open()
    with browser.socket(f"?after={seen['seq']}") as page:
        back = hear(page, "hello")
    assert back["boot"] != boot
    entries = served.lab.entries()
    assert [line["seq"] for line in back["entries"]] == list(range(seen["seq"] + 1, len(entries) + 1))
    assert [line["kind"] for line in back["entries"]] == [r.entry.kind for r in entries[seen["seq"] :]]
    assert back["view"]["end"] == "done"


def test_one_that_asks_for_what_is_not_there_yet_is_told_what_is(served: Served) -> None:
    with served.browser().socket("?after=99999") as page:
        hello = hear(page, "hello")
    assert (hello["seq"], hello["entries"]) == (served.lab.daemon.state.version, [])


def test_what_is_not_at_hand_any_more_is_read_from_the_journal(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.console.sheet.ENTRIES", 1)
    monkeypatch.setattr("orchestrator.console.hub.PAGE", 2)
    with served.browser().socket("?after=0") as page:
        told = [hear(page, "hello")]
        while told[-1]["seq"] < served.lab.daemon.state.version:
            told.append(hear(page, "update"))
    seqs = [line["seq"] for message in told for line in message["entries"]]
    assert seqs == list(range(1, served.lab.daemon.state.version + 1))
    assert len(told) > 1


def test_the_end_is_told_and_then_the_socket_closed(served: Served) -> None:
    with served.browser().socket() as page:
        hear(page, "hello")
        finish_film(served)
        served.close()
        bye = hear(page, "bye")
        assert (bye["view"]["end"], bye["seq"]) == ("done", len(served.lab.entries()))
        with pytest.raises(ConnectionClosed) as closed:
            page.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_a_page_of_another_site_gets_no_socket(served: Served, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused, served.browser().socket(**headers):
        pass
    assert refused.value.response.status_code == 403


def test_nobody_gets_a_socket_without_a_login(standing: Served) -> None:
    with pytest.raises(InvalidStatus) as refused, standing.browser().socket():
        pass
    assert refused.value.response.status_code == 403
    with standing.browser().login("vera").socket() as page:
        assert hear(page, "hello")["view"]["campaign"] == "night"


def test_a_hold_in_another_page_is_seen_by_all(served: Served) -> None:
    browser = served.browser().enter()
    with browser.socket() as page:
        hear(page, "hello")
        browser.command("hold")
        served.lab.until(lambda state: state.mode is Mode.HELD)
        while hear(page, "update")["view"]["mode"] != "held":
            pass


class Stuck:
    """A page that takes one message and no more."""

    application_state = None

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.closed: int | None = None

    async def accept(self) -> None: ...

    async def receive_text(self) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    async def send_text(self, message: str) -> None:
        if self.taken:
            await asyncio.Event().wait()
        self.taken.append(message)

    async def close(self, code: int) -> None:
        self.closed = code


def test_a_page_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Stuck()
    monkeypatch.setattr(socket_module, "_close", lambda socket, code: socket.close(code))
    monkeypatch.setattr("orchestrator.console.hub.BEAT_S", 0.0)

    async def night() -> None:
        async with Hub("boot", lambda: None) as hub:
            await asyncio.wait_for(attend(page, hub, None, lambda: True, slow_s=0.05), 20)  # type: ignore[arg-type]
            assert hub.watchers == 0

    asyncio.run(night())
    assert (page.closed, len(page.taken)) == (TOO_SLOW, 1)


def test_what_one_page_is_told_is_not_told_to_another_that_has_more_to_hear() -> None:
    """The sheet is written on a thread of its own, so that a page may come for its message at any moment."""

    async def told() -> tuple[str, int]:
        hub = Hub("boot", lambda: None)
        hub._scribe = SimpleNamespace(sheet=Sheet(6, "null", {}, ((6, "6"),)))  # type: ignore[assignment]
        await hub.update(5)
        hub._scribe.sheet = Sheet(7, "null", {}, ((6, "6"), (7, "7")))
        return await hub.update(5)

    message, seq = asyncio.run(told())
    assert (json.loads(message)["entries"], seq) == ([6, 7], 7)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 30)), max_size=8), st.integers(0, 30))
def test_rows_that_changed_since_are_told_and_no_others(changes: list[tuple[int, int]], seen: int) -> None:
    from orchestrator.console.sheet import Row

    rows = {number: Row(None, str(number), changed) for number, changed in changes}  # type: ignore[arg-type]
    told: list[Any] = json.loads(Sheet(30, "null", rows).rows_since(seen))
    assert told == [number for number, row in rows.items() if row.changed > seen]


def test_entries_at_hand_are_known_to_be_all_or_not() -> None:
    sheet = Sheet(7, "null", {}, ((5, "5"), (6, "6"), (7, "7")))
    assert sheet.entries_since(7) == "[]"
    assert sheet.entries_since(5) == "[6,7]"
    assert sheet.entries_since(4) == "[5,6,7]"
    assert sheet.entries_since(3) is None
    assert Sheet().entries_since(0) == "[]"
