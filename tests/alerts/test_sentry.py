"""Looking out and pinging beside the daemon, over a real socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

import pytest

from orchestrator.campaign.labspec import Alerts
from orchestrator.service.alerts.alert import Message
from orchestrator.service.alerts.alerting import Alerting
from orchestrator.service.alerts.lookout import Lookout
from orchestrator.service.alerts.outbox import Outbox
from orchestrator.service.alerts.sentry import WELL_S, Ping, Sentry
from tests.alerts.test_lookout import progress

WAIT_S = 20.0


@contextmanager
def dead_man_service(asked: Queue[str], code: int = 200) -> Iterator[str]:
    class Request(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.put(self.path)
            self.send_response(code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/s3cret-uuid"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_daemon_that_is_well_says_so_again_and_again(tmp_path: Path) -> None:
    asked: Queue[str] = Queue()
    with dead_man_service(asked) as url, Ping(url, 0.01, Outbox(tmp_path / "a"), lambda: 0.2):
        assert [asked.get(timeout=WAIT_S) for _ in range(3)] == ["/s3cret-uuid"] * 3


def test_one_that_decides_nothing_says_nothing(tmp_path: Path) -> None:
    asked: list[str] = []
    Ping("http://host/", 1.0, Outbox(tmp_path / "a"), lambda: WELL_S + 1, ask=asked.append).ping()
    Ping(None, 1.0, Outbox(tmp_path / "a"), lambda: 0.0, ask=asked.append).ping()
    assert asked == []


def test_a_service_that_fails_is_written_down_without_its_secret(tmp_path: Path) -> None:
    asked: Queue[str] = Queue()
    outbox = Outbox(tmp_path / "alerts.jsonl")
    with dead_man_service(asked, 500) as url:
        Ping(url, 60.0, outbox, lambda: 0.0).ping()
    Ping(url, 60.0, outbox, lambda: 0.0).ping()  # nobody there any more
    text = outbox.path.read_text()
    assert text.count('"channel": "dead man"') == 2
    assert "s3cret" not in text


@pytest.mark.parametrize("clock", ["12:00"])
def test_what_is_seen_is_told_once(tmp_path: Path, clock: str) -> None:
    came: Queue[Message] = Queue()
    outbox, rules = Outbox(tmp_path / "alerts.jsonl"), Alerts(digest_at=(clock,))
    with Alerting(
        ["json://host"], outbox, None, lambda: 1.7e9, subject="c", home="h", send=lambda _, told: came.put(told)
    ) as alerting:
        sentry = Sentry(
            Lookout(rules), alerting, tmp_path, civil_now=lambda: datetime(2026, 11, 29, 12, 1), look_s=0.01
        )
        sentry.look()
        with sentry:
            sentry.progressed(progress())
            assert "How it stands" in came.get(timeout=WAIT_S).body
    assert came.empty()
    assert outbox.path.read_text().count('"raised"') == 1


def test_a_disk_that_nobody_can_ask_is_no_reason_to_die(tmp_path: Path) -> None:
    with Alerting([], Outbox(tmp_path / "a"), None, lambda: 0.0, subject="c", home="h") as alerting:
        sentry = Sentry(Lookout(Alerts()), alerting, tmp_path / "nowhere")
        sentry.progressed(progress())
        sentry.look()
