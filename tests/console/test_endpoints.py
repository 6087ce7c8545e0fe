"""Each endpoint, by who asks and how: against a real server beside a real daemon."""

from __future__ import annotations

import http.client
import json
import socket

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import Mode
from orchestrator.console.access import FROM_ADDRESS
from orchestrator.console.foresight import BASES
from orchestrator.console.guard import MOST_BODY
from orchestrator.console.shapes import Live, Map, SampleRow, View
from orchestrator.console.users import Role, User, Users

from .conftest import PASSWORDS, Browser, Served, finish_film

LOOKS = [
    "/api/view",
    "/api/samples",
    "/api/samples/1",
    "/api/journal",
    "/api/map",
    "/api/devices",
    "/api/session",
]
COMMANDS = ["hold", "resume", "stop", "abort", "recover"]
OPEN = ["/", "/static/index.html", "/vendor/plotly.min.js", "/api/health", "/api/openapi.json"]


def commands_in(served: Served) -> list[e.CommandGiven]:
    return [r.entry for r in served.lab.entries() if isinstance(r.entry, e.CommandGiven)]


# --- what is shown ----------------------------------------------------------------------------------------


def test_the_view_is_what_its_schema_says_and_what_the_journal_tells(served: Served) -> None:
    told = served.browser().get("/api/view").json
    view, live = View.model_validate(told["view"]), Live.model_validate(told["live"])
    state = served.lab.daemon.state
    assert (told["seq"], told["boot"]) == (state.version, served.console.boot if served.console else None)
    assert (view.campaign, view.mode, view.simulated) == ("night", "running", True)
    assert view.may == ["hold", "stop", "abort"]
    step = view.stations["deposition"].step
    assert step is not None
    assert (step.plan, step.sample, step.expected_basis) == ("deposit", 1, BASES["the plans"])
    assert step.expected_s < step.expected_late_s
    assert (view.best, view.model) == (None, None)
    assert view.finish is not None
    assert view.finish.low < view.finish.middle < view.finish.high
    assert view.next is not None
    assert view.next.sample == 1
    deposition = live.stations["deposition"]
    assert (deposition.fraction, deposition.devices["gun1"]["output"].value) == (0.5, "on")
    assert deposition.troubles == ["gun2: NoReply"]
    assert live.stations["robot"].heard_s is None


def test_samples_loops_and_the_map(served: Served) -> None:
    browser = served.browser()
    (row,) = browser.get("/api/samples").json["samples"]
    assert SampleRow.model_validate(row).phase == "depositing"
    assert browser.get("/api/samples/1/loop").code == "no_loop"
    assert browser.get("/api/samples/2").code == "no_sample"
    found = Map.model_validate(browser.get("/api/map").json["map"])
    (panel,) = found.panels
    assert (panel.kind, len(panel.mean)) == ("ternary", len(panel.compositions))
    assert browser.get("/api/map").status == 200
    assert len(served.charts) == 1, "the same model is asked once"


def test_after_its_film_a_sample_tells_all(served: Served) -> None:
    finish_film(served)
    browser = served.browser()
    told = browser.get("/api/samples/1").json
    assert (told["sample"]["phase"], told["sample"]["value"]) == ("observed", 1500.0)
    assert told["film"]["kind"] == "film_deposited"
    assert "saturation_magnetisation" in told["quantities"]
    loop = browser.get("/api/samples/1/loop").json
    assert loop["loop"]["field_mt"] == [-300.0, 300.0]
    view = browser.get("/api/view").json["view"]
    assert (view["end"], view["mode"], view["may"], view["last_loop"]) == ("done", "stopped", [], 1)
    assert view["best"]["value"] == 1500.0
    assert [point["sample"] for point in view["best_so_far"]] == [1]


def test_the_journal_by_pages_kinds_and_samples(served: Served) -> None:
    finish_film(served)
    browser = served.browser()
    every = browser.get("/api/journal?after=0&limit=1000").json
    assert [line["seq"] for line in every["entries"]] == list(range(1, every["seq"] + 1))
    assert [line["kind"] for line in every["entries"]] == served.lab.kinds()
    assert all(line["text"] for line in every["entries"])
    assert not every["more"]
    page = browser.get("/api/journal?limit=3").json
    assert page["entries"] == every["entries"][-3:]
    assert page["more"]
    assert browser.get("/api/journal?before=4&limit=2").json["entries"] == every["entries"][1:3]
    assert browser.get("/api/journal?after=2&limit=2").json["entries"] == every["entries"][2:4]
    kinds = browser.get("/api/journal?kind=step_intended&kind=step_ended").json["entries"]
    assert {line["kind"] for line in kinds} == {"step_intended", "step_ended"}
    about = browser.get("/api/journal?sample=1").json["entries"]
    assert {line["sample"] for line in about} == {1}
    observed = next(line for line in every["entries"] if line["kind"] == "observation_made")
    assert observed["entry"]["loop"] is None
    assert browser.get("/api/journal?after=100000").json["entries"] == []
    assert browser.get("/api/journal?limit=0").code == "invalid"


# --- commands ---------------------------------------------------------------------------------------------


def test_a_hold_is_answered_at_once_with_the_state_that_follows(served: Served) -> None:
    browser = served.browser().enter()
    answer = browser.command("hold", key="hold-once")
    assert answer.status == 200
    assert answer.json["mode"] in ("holding", "held")
    served.lab.until(lambda state: state.mode is Mode.HELD)
    (given,) = commands_in(served)
    assert (given.command, given.by, given.reason, given.key) == ("hold", "otto", "a test", "hold-once")
    again = browser.command("hold", key="hold-once")
    assert again.json["again"]
    assert len(commands_in(served)) == 1
    assert browser.command("resume").json["mode"] == "running"


def test_a_refusal_has_a_code_and_says_who_was_first(served: Served) -> None:
    browser = served.browser().enter()
    browser.command("hold")
    served.lab.until(lambda state: state.mode is Mode.HELD)
    refused = browser.command("resume", seen=0)
    assert (refused.status, refused.code) == (409, "refused")
    assert "hold by otto" in refused.json["detail"]


def test_a_key_that_was_anothers_is_refused(served: Served) -> None:
    browser = served.browser().enter()
    assert browser.command("hold", key="mine-alone").status == 200
    assert browser.command("abort", key="mine-alone").code == "refused"


@pytest.mark.parametrize("key", ["", "short", "x" * 129, "with space in it"])
def test_a_command_needs_a_key_of_its_own(served: Served, key: str) -> None:
    browser = served.browser().enter()
    headers = {"Idempotency_Key": key} if key else {}
    answer = browser.post("/api/commands/hold", {"reason": "", "seen": 1}, **headers)
    assert (answer.status, answer.code) == (400, "key")
    assert commands_in(served) == []


@pytest.mark.parametrize("body", [None, {}, {"seen": -1}, {"seen": "now"}, {"seen": 1, "more": 1}, [1]])
def test_a_body_that_makes_no_sense_is_refused(served: Served, body: object) -> None:
    browser = served.browser().enter()
    answer = browser.post("/api/commands/hold", body, Idempotency_Key="a-good-key")
    assert (answer.status, answer.code) == (422, "invalid")
    assert browser.post("/api/commands/explode", {"seen": 1}, Idempotency_Key="a-good-key").status == 422


# --- by whom ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LOOKS)
def test_nobody_looks_without_a_login(standing: Served, path: str) -> None:
    stranger = standing.browser()
    assert (stranger.get(path).status, stranger.get(path).code) == (401, "login")
    for name in PASSWORDS:
        assert standing.browser().login(name).get(path).status == 200


@pytest.mark.parametrize("path", OPEN)
def test_the_page_itself_is_for_all(standing: Served, path: str) -> None:
    assert standing.browser().get(path).status == 200


@pytest.mark.parametrize("command", COMMANDS)
def test_a_viewer_commands_nothing(standing: Served, command: str) -> None:
    answer = standing.browser().login("vera").command(command)
    assert (answer.status, answer.code) == (403, "role")
    stranger = standing.browser().command(command)
    assert (stranger.status, stranger.code) == (401, "login")
    assert commands_in(standing) == []


@pytest.mark.parametrize("name", ["olga", "ada"])
def test_an_operator_commands_by_name(guarded: Served, name: str) -> None:
    assert guarded.browser().login(name).command("hold").status == 200
    assert [given.by for given in commands_in(guarded)] == [name]


def test_a_command_without_the_second_secret_is_refused(standing: Served) -> None:
    browser = standing.browser().login("olga")
    other = standing.browser().login("ada")
    for wrong in ("", "0" * 64, other.csrf, "µ"):
        browser.csrf = wrong
        assert browser.command("abort").code == "csrf"
    assert commands_in(standing) == []


def test_a_session_ends_with_a_logout_and_with_the_password(guarded: Served) -> None:
    browser, elsewhere = guarded.browser().login("olga"), guarded.browser().login("olga")
    kept = browser.cookie
    assert browser.post("/api/logout", {}).status == 204
    browser.cookie = kept
    assert browser.get("/api/session").code == "login"
    assert elsewhere.get("/api/session").status == 200
    Users(guarded.config).put("olga", User.with_password(Role.OPERATOR, "another password"))
    assert elsewhere.get("/api/session").code == "login"


def test_a_session_outlives_the_daemon(guarded: Served) -> None:
    browser = guarded.browser().login("olga")
    guarded.close()
    again = guarded.open()
    again.cookie, again.csrf = browser.cookie, browser.csrf
    assert again.get("/api/session").json["name"] == "olga"
    assert again.command("hold").status == 200


def test_the_cookie_is_for_this_site_and_no_script(standing: Served) -> None:
    answer = standing.browser().post("/api/login", {"name": "olga", "password": PASSWORDS["olga"]})
    told = answer.headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=strict" in told


@pytest.mark.parametrize("cookie", ["nightshift=x", "nightshift=.", "nightshift=ÿ.00", "nightshift=" + "A" * 4000])
def test_a_forged_cookie_is_none(standing: Served, cookie: str) -> None:
    browser = standing.browser()
    browser.cookie = cookie
    assert browser.get("/api/session").code == "login"


def test_wrong_passwords_are_soon_refused_unseen_and_hold_is_not(guarded: Served) -> None:
    inside = guarded.browser().login("olga")
    browser = guarded.browser()
    codes = [browser.post("/api/login", {"name": f"n{i % 7}", "password": "a guess"}).code for i in range(200)]
    assert codes == ["wrong_password"] * FROM_ADDRESS + ["too_often"] * (200 - FROM_ADDRESS)
    late = browser.post("/api/login", {"name": "olga", "password": PASSWORDS["olga"]})
    assert (late.status, late.code) == (429, "too_often")
    assert 0 < int(late.headers["retry-after"]) <= 60
    assert inside.command("hold").status == 200


def test_where_nobody_logs_in_a_login_says_so(served: Served) -> None:
    assert served.browser().post("/api/login", {"name": "olga", "password": "x"}).code == "no_login"
    assert served.browser().get("/api/session").json == {
        "name": "otto",
        "role": "operator",
        "csrf": served.browser().enter().csrf,
        "login": False,
        "boot": served.console.boot if served.console else "",
    }


# --- from where -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", "", "[", "10.0.0.1"])
def test_another_name_of_this_machine_is_refused(standing: Served, host: str) -> None:
    for path in (*LOOKS, *OPEN):
        answer = standing.browser().get(path, Host=host)
        assert (answer.status, answer.code) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1234", "[::1]:8765", "LOCALHOST:99"])
def test_a_tunnel_to_loopback_is_known(served: Served, host: str) -> None:
    browser = served.browser()
    browser.host = host
    assert browser.enter().command("hold").status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost", "http://localhost"])
def test_a_page_of_another_site_is_refused(served: Served, origin: str) -> None:
    browser = served.browser().enter()
    answer = browser.post("/api/commands/abort", {"seen": 1}, Idempotency_Key="a-good-key", Origin=origin)
    assert (answer.status, answer.code) == (403, "wrong_origin")
    assert commands_in(served) == []


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
        "/static//etc/passwd",
        "/static/..\\server.py",
        "/vendor/../../etc/passwd",
        "/static/",
        "/journal.db",
    ],
)
def test_no_path_leads_out_of_the_pages_files(standing: Served, path: str) -> None:
    assert standing.browser().get(path).status in (404, 405)


def test_an_oversized_body_is_refused_before_it_is_read(served: Served) -> None:
    browser = served.browser().enter()
    answer = browser.post("/api/commands/hold", b" " * (MOST_BODY + 1), Idempotency_Key="a-good-key")
    assert (answer.status, answer.code) == (413, "too_large")


def test_an_oversized_body_in_chunks_is_refused(standing: Served) -> None:
    browser = standing.browser()
    connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=20)
    connection.putrequest("POST", "/api/commands/hold", skip_host=True)
    for name, value in {"Host": f"localhost:{browser.port}", "Transfer-Encoding": "chunked"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    chunk = b"%x\r\n%s\r\n" % (4096, b" " * 4096)
    for _ in range(MOST_BODY // 4096 + 1):
        connection.send(chunk)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, "too_large")
    connection.close()


def test_one_that_says_nothing_keeps_nobody_up(served: Served) -> None:
    browser = served.browser().enter()
    silent = [socket.create_connection(("127.0.0.1", browser.port)) for _ in range(20)]
    for each in silent:
        each.sendall(b"POST /api/commands/hold HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
    assert browser.command("hold").status == 200
    for each in silent:
        each.close()


def test_every_answer_forbids_other_sites_to_use_it(standing: Served) -> None:
    for path in (*LOOKS, *OPEN, "/nowhere"):
        headers = standing.browser().get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert standing.browser().get("/api/view").headers["cache-control"] == "no-store"


def test_the_plotting_library_comes_compressed(standing: Served) -> None:
    import gzip

    browser: Browser = standing.browser()
    plain = browser.get("/vendor/plotly.min.js")
    small = browser.get("/vendor/plotly.min.js", Accept_Encoding="gzip")
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(small.body) == plain.body
    assert "max-age" in small.headers["cache-control"]


def test_the_schema_has_every_refusal_and_no_endpoint_without_one(standing: Served) -> None:
    schema = standing.browser().get("/api/openapi.json").json
    for path, methods in schema["paths"].items():
        for method in methods.values():
            assert "401" in method["responses"], path
