"""Those who mean harm, or hang: on a real socket where it is about one."""

from __future__ import annotations

import base64
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.campaign import entries as e
from orchestrator.console import access, door
from orchestrator.console import socket as socket_module
from orchestrator.console.access import FOR_NAME, FROM_ADDRESS, GUESSES, REMEMBERED, WINDOW_S, Attempts, TooOften

from .conftest import PASSWORDS, PATIENCE_S, Browser, Served, hear

LARGE = "x" * 400_000
PAGES = 8
GUESSED = 300
"""At a server; the ten thousand are counted without one."""


def commands_in(served: Served) -> list[str]:
    return [r.entry.command for r in served.lab.entries() if isinstance(r.entry, e.CommandGiven)]


def until(true: Callable[[], bool]) -> None:
    over, deadline = threading.Event(), time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        over.wait(0.02)


@contextmanager
def raw(browser: Browser, *, takes: int = 4096) -> Iterator[socket.socket]:
    """A connection whose client takes no more than about `takes` bytes unread."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
        connection.settimeout(PATIENCE_S)
        connection.connect(("127.0.0.1", browser.port))
        yield connection


def watching(connection: socket.socket, browser: Browser) -> None:
    """Open the page's socket on it, and read no more than that it is open."""
    key = base64.b64encode(b"0123456789abcdef").decode()
    host = f"localhost:{browser.port}"
    lines = ["GET /api/socket HTTP/1.1", f"Host: {host}", f"Origin: http://{host}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
    connection.sendall("\r\n".join(lines).encode())
    assert connection.recv(12) == b"HTTP/1.1 101"


def closed(connection: socket.socket) -> bool:
    """The server ends it."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        return True
    return True


# --- who does not take, or does not say ---------------------------------------------------------------------


@pytest.fixture
def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each beat is large, and the next one follows at once; a client is soon known to take nothing."""
    monkeypatch.setattr("orchestrator.console.hub.BEAT_S", 0.0)
    monkeypatch.setattr(socket_module, "PACE_S", 0.0)
    monkeypatch.setattr(door, "TAKE_S", 1.0)
    told = Served.heard

    def heard(self: Served) -> dict[str, Any]:
        stations = told(self)
        stations["deposition"].status["progress"]["text"] = LARGE
        return stations

    monkeypatch.setattr(Served, "heard", heard)


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows with each connection that the server has done with."""
    gone: list[str] = []
    for kind in (door.Door, door.Line):

        def told(self: Any, exc: Exception | None, known: Any = kind.connection_lost) -> None:
            known(self, exc)
            gone.append(type(self).__name__)

        monkeypatch.setattr(kind, "connection_lost", told)
    return gone


def test_pages_that_read_nothing_are_dropped_and_cost_a_few_buffers(
    talkative: None, served: Served, lost: list[str]
) -> None:
    browser = served.browser().enter()
    with ExitStack() as stack:
        connections = [stack.enter_context(raw(browser)) for _ in range(PAGES)]
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        for connection in connections:
            watching(connection, browser)
        begun = time.monotonic()
        assert browser.command("hold").status == 200, "commands go on meanwhile"
        assert time.monotonic() - begun < PATIENCE_S / 2
        until(lambda: lost.count("Line") == PAGES)
        _, most = tracemalloc.get_traced_memory()
    assert most < PAGES * 4 * len(LARGE), "a message or two for each, never all of them"


def test_a_client_that_takes_nothing_of_a_large_answer_is_dropped(
    served: Served, lost: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "TAKE_S", 0.3)
    browser = served.browser()
    with raw(browser) as connection:
        line = f"GET /vendor/plotly.min.js HTTP/1.1\r\nHost: localhost:{browser.port}\r\n\r\n"
        connection.sendall(line.encode())
        until(lambda: bool(lost))
        taken = iter(lambda: connection.recv(1 << 16), b"")
        assert sum(map(len, taken)) < len(browser.get("/vendor/plotly.min.js").body)


@pytest.mark.parametrize(
    "said", [b"", b"GET /api/health HTTP/1.1\r\nHost: local", b"POST /api/login HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"]
)
def test_who_does_not_ask_to_the_end_is_dropped(served: Served, said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "ASK_S", 0.2)
    browser = served.browser()
    with raw(browser) as connection:
        connection.sendall(said.replace(b"HTTP/1.1\r\nContent", b"HTTP/1.1\r\nHost: localhost\r\nContent"))
        assert connection.recv(1000) == b""


def test_a_connection_that_is_kept_has_as_long_for_each_request(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "ASK_S", 0.2)
    browser = served.browser()
    asked = f"GET /api/health HTTP/1.1\r\nHost: localhost:{browser.port}\r\n\r\n".encode()
    with raw(browser) as connection:
        connection.sendall(asked)
        assert connection.recv(12) == b"HTTP/1.1 200"
        threading.Event().wait(0.3)  # longer than a request may take: none is begun
        until(lambda: b"}" in connection.recv(4096))
        connection.sendall(asked)
        assert connection.recv(12) == b"HTTP/1.1 200"
        until(lambda: b"}" in connection.recv(4096))
        connection.sendall(asked[:20])
        assert connection.recv(1000) == b""


def test_a_page_may_listen_for_longer_than_a_request_may_take(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "ASK_S", 0.2)
    monkeypatch.setattr("orchestrator.console.hub.BEAT_S", 0.1)
    with served.browser().socket() as opened:
        begun = time.monotonic()
        while time.monotonic() < begun + 0.6:
            hear(opened, "beat")


def test_more_connections_than_there_may_be_are_closed_at_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST", 10)
    browser = served.browser()
    idle = [socket.create_connection(("127.0.0.1", browser.port), PATIENCE_S) for _ in range(10)]
    with socket.create_connection(("127.0.0.1", browser.port), PATIENCE_S) as one_more:
        assert closed(one_more)
    for each in idle:
        each.close()
    until(lambda: _answers(browser))


def _answers(browser: Browser) -> bool:
    try:
        return browser.get("/api/health").status == 200
    except OSError:
        return False


# --- who asks again what was asked --------------------------------------------------------------------------


def test_a_request_that_was_overheard_does_nothing_again(guarded: Served) -> None:
    browser = guarded.browser().login("olga")
    first = browser.command("hold", key="overheard")
    assert (first.status, first.json["changed"]) == (200, True)
    assert browser.command("resume").status == 200
    for _ in range(3):
        again = browser.command("hold", key="overheard")
        assert (again.status, again.json["again"]) == (200, True)
    assert guarded.lab.daemon.state.mode.value == "running"
    assert browser.command("abort", key="overheard").status == 409
    assert commands_in(guarded) == ["hold", "resume"]


def test_what_was_overheard_is_worth_nothing_after_the_logout(guarded: Served) -> None:
    browser = guarded.browser().login("olga")
    cookie, csrf = browser.cookie, browser.csrf
    assert browser.post("/api/logout", {}).status == 204
    browser.cookie, browser.csrf = cookie, csrf
    assert browser.command("abort").status == 401
    newer = guarded.browser().login("olga")
    newer.csrf = csrf
    assert newer.command("abort").code == "csrf"
    assert commands_in(guarded) == []


# --- who guesses --------------------------------------------------------------------------------------------


def test_ten_thousand_guesses_at_one_name_are_refused_and_others_still_come_in() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    taken = refused = 0
    for guess in range(10_000):
        now[0] = guess * 0.01  # a hundred each second
        try:
            attempts.book("olga", "192.0.2.66")
        except TooOften:
            refused += 1
        else:
            taken += 1
        if guess % 1000 == 0:  # who shares the address, and she herself from elsewhere
            for name, address in (("ada", "192.0.2.66"), ("olga", "192.0.2.7")):
                attempts.book(name, address)
                attempts.right(name, address)
    assert taken <= GUESSES * (100 / WINDOW_S + 1) + GUESSES
    assert taken + refused == 10_000
    assert len(attempts) < 10


def test_ten_thousand_guesses_from_as_many_addresses_at_as_many_names_take_bounded_memory() -> None:
    attempts = Attempts(lambda: 0.0)
    for guess in range(10_000):
        attempts.book(f"name{guess}", f"2001:db8:{guess:x}::1")
    assert len(attempts) == REMEMBERED
    attempts.book("olga", "192.0.2.7")
    attempts.right("olga", "192.0.2.7")


def test_ten_thousand_addresses_guess_at_one_name_so_often_only() -> None:
    attempts = Attempts(lambda: 0.0)
    taken = 0
    for guess in range(10_000):
        try:
            attempts.book("olga", f"10.0.{guess // 256}.{guess % 256}")
        except TooOften:
            continue
        taken += 1
    assert taken == FOR_NAME


def test_an_ipv6_network_is_one_address() -> None:
    attempts = Attempts(lambda: 0.0)
    for guess in range(FROM_ADDRESS):
        attempts.book(f"n{guess}", f"2001:db8::{guess:x}")
    with pytest.raises(TooOften):
        attempts.book("other", "2001:db8::ffff:1")
    attempts.book("other", "2001:db8:0:1::1")


def test_wrong_logins_at_the_server_are_not_looked_at_and_the_right_one_of_another_is(
    guarded: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    monkeypatch.setattr(access.Access, "verify", lambda _, name, password: verified.append(name) or name == "ada")
    answers = _pipelined(guarded.browser(), {"name": "olga", "password": "a guess"}, GUESSED)
    assert answers.count(401) == GUESSES
    assert answers.count(429) == GUESSED - GUESSES
    assert verified == ["olga"] * GUESSES, "who is refused costs no hashing"
    assert guarded.browser().post("/api/login", {"name": "ada", "password": PASSWORDS["ada"]}).status == 200


def _pipelined(browser: Browser, body: dict[str, str], times: int) -> list[int]:
    """The statuses of `times` requests on one connection."""
    import http.client
    import json

    host, told = f"localhost:{browser.port}", json.dumps(body)
    headers = {"Host": host, "Origin": f"http://{host}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=PATIENCE_S)
    statuses = []
    for _ in range(times):
        connection.request("POST", "/api/login", told, headers)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    return statuses


# --- who looks for files ------------------------------------------------------------------------------------


def test_no_file_beside_the_pages_own_is_given_out(guarded: Served, tmp_path: Path) -> None:
    browser = guarded.browser().login("olga")
    secret = (guarded.config / "users.json").resolve()
    up = "../" * 12
    for tried in (str(secret), f"{up}{secret}".replace("//", "/"), f"..%2f{secret}", f"%2e%2e/{secret}", f"\\{secret}"):
        for before in ("/static/", "/vendor/", "/", "/api/samples/"):
            answer = browser.get(f"{before}{tried}".replace(" ", "%20"))
            assert answer.status in (400, 404, 405, 422), (before, tried)
            assert b"salt" not in answer.body
