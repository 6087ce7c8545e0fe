"""Where the console is served, and that nothing of it ends a night."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import socket
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.cli import main
from orchestrator.console import serve as serve_module
from orchestrator.console.access import GUESSES, Access, Attempts, TooOften
from orchestrator.console.serve import Address, Console
from orchestrator.console.users import ConsoleError, Role, User, Users, signing_key

from .conftest import Browser, Served


def console(where: Path, **address: object) -> Console:
    return Console(Address(**{"port": 0, "exact": True, **address}), "otto", where)  # type: ignore[arg-type]


def certificate(folder: Path) -> dict[str, Path]:
    """A certificate of one's own for localhost."""
    files = {"certificate": folder / "cert.pem", "key": folder / "key.pem"}
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(files["key"]), "-out", str(files["certificate"]), "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run(command, check=True, capture_output=True)
    return files


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ("127.0.0.1", 8765, False)),
        ("localhost", ("localhost", 8765, False)),
        (":9000", ("127.0.0.1", 9000, True)),
        ("10.0.0.5:9000", ("10.0.0.5", 9000, True)),
        ("[::1]:9000", ("::1", 9000, True)),
        ("::1", ("::1", 8765, False)),
    ],
)
def test_an_address_as_people_write_it(text: str, told: tuple[str, int, bool]) -> None:
    address = Address.of(text)
    assert (address.host, address.port, address.exact) == told


@pytest.mark.parametrize("text", ["localhost:http", "localhost:99999", "localhost:-1"])
def test_an_address_that_is_none_says_what_one_is(text: str) -> None:
    with pytest.raises(ConsoleError, match="give HOST:PORT"):
        Address.of(text)


def test_before_a_campaign_there_is_nothing_to_show(tmp_path: Path) -> None:
    with console(tmp_path) as page:
        browser = Browser(int(page.url.rstrip("/").rpartition(":")[2])).enter()
        told = browser.get("/api/view").json
        assert (told["view"], told["seq"], told["live"]) == (None, 0, None)
        assert browser.get("/api/journal").json["entries"] == []
        assert browser.get("/api/samples/1").code == "no_campaign"
        assert browser.command("hold").code == "no_campaign"
        with browser.socket() as opened:
            assert json.loads(opened.recv())["view"] is None


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConsoleError, match="give another --console"):
            console(tmp_path, port=port).open()
        with console(tmp_path, port=port, exact=False) as page:
            assert f":{port}/" not in page.url


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "lab.example", "::"])
def test_what_others_can_reach_needs_a_certificate_and_an_operator(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConsoleError, match="--console-cert"):
        console(tmp_path, host=host).open()
    with pytest.raises(ConsoleError, match="nightshift user add"):
        console(tmp_path, host=host, **certificate(tmp_path)).open()
    Users(tmp_path).put("vera", User.with_password(Role.VIEWER, "only looks on"))
    with pytest.raises(ConsoleError, match="names no operator"):
        console(tmp_path, host=host, **certificate(tmp_path)).open()


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    with pytest.raises(ConsoleError, match="go together"):
        console(tmp_path, certificate=files["certificate"]).open()
    with pytest.raises(ConsoleError, match="no certificate and key"):
        console(tmp_path, certificate=files["key"], key=files["key"]).open()


def test_others_reach_it_by_tls_only_and_the_cookie_too(tmp_path: Path) -> None:
    import ssl

    Users(tmp_path).put("olga", User.with_password(Role.OPERATOR, "runs the night"))
    files = certificate(tmp_path)
    with console(tmp_path, host="0.0.0.0", **files) as page:
        assert page.url.startswith("https://")
        port = int(page.url.rstrip("/").rpartition(":")[2])
        with pytest.raises((http.client.HTTPException, OSError)):
            Browser(port).get("/api/health")
        trust = ssl.create_default_context(cafile=str(files["certificate"]))
        secure = http.client.HTTPSConnection("localhost", port, context=trust, timeout=20)
        told = json.dumps({"name": "olga", "password": "runs the night"})
        headers = {"Content-Type": "application/json", "Origin": f"https://localhost:{port}"}
        # localhost is no name of a server that others can reach; an address is
        secure.request("POST", "/api/login", told, {**headers, "Host": f"127.0.0.1:{port}"})
        assert secure.getresponse().status == 403
        secure = http.client.HTTPSConnection("localhost", port, context=trust, timeout=20)
        headers["Origin"] = f"https://127.0.0.1:{port}"
        secure.request("POST", "/api/login", told, {**headers, "Host": f"127.0.0.1:{port}"})
        answer = secure.getresponse()
        assert answer.status == 200, answer.read()
        assert "secure" in str(answer.getheader("set-cookie")).lower()
        secure.close()


def test_behind_a_proxy_people_log_in_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConsoleError, match="names no operator"):
        console(tmp_path, name="lab.example").open()
    Users(tmp_path).put("olga", User.with_password(Role.OPERATOR, "runs the night"))
    with console(tmp_path, name="lab.example") as page:
        browser = Browser(int(page.url.rstrip("/").rpartition(":")[2]), host="lab.example")
        told = {"name": "olga", "password": "runs the night"}
        proxied = {"X_Forwarded_Proto": "https", "X_Forwarded_For": "192.0.2.1", "Origin": "https://lab.example"}
        answer = browser.post("/api/login", told, **proxied)
        assert answer.status == 200, answer.body
        assert "secure" in answer.headers["set-cookie"].lower()
        assert browser.get("/api/session", **proxied).json["name"] == "olga"
        for origin in ("http://lab.example", "https://evil.example"):
            refused = browser.post("/api/login", told, **{**proxied, "Origin": origin})
            assert (refused.status, refused.code) == (403, "wrong_origin")
        browser.host = "evil.example"
        assert browser.get("/api/health").code == "wrong_host"
        browser.host = "lab.example"
        wrong = {"name": "olga", "password": "a guess"}
        codes = [browser.post("/api/login", wrong, **proxied).code for _ in range(GUESSES + 1)]
        assert codes[-1] == "too_often"
        elsewhere = {**proxied, "X_Forwarded_For": "192.0.2.2"}
        assert browser.post("/api/login", told, **elsewhere).status == 200, "each address by itself"


def test_where_nobody_proxies_nobody_is_believed_whence_he_comes(guarded: Served) -> None:
    browser = guarded.browser()
    wrong = {"name": "olga", "password": "a guess"}
    told = [browser.post("/api/login", wrong, X_Forwarded_For=f"192.0.2.{n}").code for n in range(GUESSES + 1)]
    assert told[-1] == "too_often"


@pytest.mark.parametrize("name", ["https://lab.example", "lab.example:443", "a b", "-", "x" * 300])
def test_a_proxys_name_that_is_none(name: str) -> None:
    with pytest.raises(ConsoleError, match="--console-name"):
        Address.of("", name=name)


def test_a_server_that_fails_is_started_again_and_the_daemon_goes_on(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(serve_module, "RETRY_S", 0.01)
    page = served.console
    assert page is not None
    browser = served.browser().enter()
    loop = page._loop
    assert loop is not None
    with caplog.at_level(logging.CRITICAL):
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        page_is_back = threading.Event()
        for _ in range(500):
            if page._loop not in (None, loop):
                break
            page_is_back.wait(0.02)
    assert browser.command("hold").status == 200
    with browser.socket() as opened:
        assert json.loads(opened.recv())["view"]["campaign"] == "night"


def test_closing_is_quick_and_may_be_done_twice(served: Served) -> None:
    page = served.console
    assert page is not None
    with served.browser().socket() as opened:
        opened.recv()
        page.close()
        page.close()
    assert not page._thread.is_alive()


def test_a_command_that_is_not_decided_in_time_is_asked_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import Future

    browser = served.browser().enter()
    late: Future[dict[str, object]] = Future()
    monkeypatch.setattr("orchestrator.console.desk.REPLY_S", 0.05)
    monkeypatch.setattr(served.lab.daemon, "command", lambda request: late)
    answer = browser.command("hold", key="same-key")
    assert (answer.status, answer.code) == (503, "not_answered")
    late.set_result({"mode": "holding", "changed": True, "again": False, "note": "", "first": None})  # nobody minds
    assert browser.command("hold", key="same-key").json["mode"] == "holding"


# --- who ----------------------------------------------------------------------------------------------------


def test_users_are_kept_for_their_owner_only_and_without_passwords(tmp_path: Path) -> None:
    users = Users(tmp_path / "new")
    assert not users.put("olga", User.with_password(Role.OPERATOR, "runs the night"))
    assert users.put("olga", User.with_password(Role.ADMIN, "runs the night"))
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600
    assert "runs" not in users.path.read_text()
    other = Users(tmp_path / "new")
    assert other.all()["olga"].role == "admin"
    assert other.all()["olga"].knows("runs the night")
    assert not other.all()["olga"].knows("runs the nigh")
    users.remove("olga")
    assert other.all() == {}
    with pytest.raises(ConsoleError, match="has no user"):
        users.remove("olga")


@pytest.mark.parametrize("name", ["", "-x", "a b", "a\nb", "ä", "x" * 65])
def test_a_name_that_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConsoleError, match="a user's name"):
        Users(tmp_path).put(name, User("viewer", "00", "00"))


@pytest.mark.parametrize("text", ["", "{}", '{"users": {"a": {}}}', '{"users": {"a": {"role": "god"}}}', "[1]"])
def test_a_users_file_that_is_none_lets_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / "users.json").write_text(text)
    with pytest.raises(ConsoleError, match=r"cannot be read"):
        Users(tmp_path).all()


def test_a_signing_key_is_made_once(tmp_path: Path) -> None:
    assert signing_key(tmp_path) == signing_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "console.key").stat().st_mode) == 0o600
    (tmp_path / "console.key").write_text("{}")
    with pytest.raises(ConsoleError, match="remove it"):
        signing_key(tmp_path)


def test_a_session_is_over_in_time(tmp_path: Path) -> None:
    now = [1000.0]
    users = Users(tmp_path)
    users.put("olga", User("operator", "00", "00"))
    access = Access(b"k" * 32, "otto", users, lambda: now[0])
    cookie = access.session("olga")
    assert access.person(cookie) is not None
    now[0] += 14 * 24 * 3600
    assert access.person(cookie) is None
    other = Access(b"other" * 8, "otto", users, lambda: 1000.0)
    assert other.person(cookie) is None


def test_wrong_passwords_are_forgotten_in_time_and_by_the_right_one() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(GUESSES):
        attempts.book("olga", "1.2.3.4")
    with pytest.raises(TooOften, match="60 s"):
        attempts.book("olga", "1.2.3.4")
    attempts.book("olga", "5.6.7.8")
    now[0] = 60.0
    attempts.book("olga", "1.2.3.4")
    attempts.right("olga", "1.2.3.4")
    for _ in range(GUESSES):
        attempts.book("olga", "1.2.3.4")


def test_users_by_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_CONFIG", str(tmp_path))
    run = CliRunner()
    added = run.invoke(main, ["user", "add", "olga", "--password-stdin"], input="runs the night\n")
    assert (added.exit_code, "olga added, operator" in added.output) == (0, True)
    asked = run.invoke(main, ["user", "add", "vera", "--role", "viewer"], input="only looks on\nonly looks on\n")
    assert asked.exit_code == 0, asked.output
    assert "only looks on" not in asked.output
    short = run.invoke(main, ["user", "add", "ada", "--password-stdin"], input="short\n")
    assert (short.exit_code, "at least 10 characters" in short.output) == (2, True)
    listed = run.invoke(main, ["user", "list", "--json"])
    assert json.loads(listed.output) == {"users": {"olga": "operator", "vera": "viewer"}}
    assert run.invoke(main, ["user", "remove", "vera"]).exit_code == 0
    assert run.invoke(main, ["user", "list"]).output == f"{'olga':20} operator\n"
