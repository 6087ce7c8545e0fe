"""Channels that listen on this machine, and can be made to refuse, hang and fail: HTTP and mail."""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import Any, Literal

Mood = Literal["takes", "refuses", "hangs", "fails"]


@dataclass(frozen=True)
class Got:
    """A message, and the real time (monotonic seconds) at which it had come whole."""

    title: str
    message: str
    at: float = field(default_factory=time.monotonic)


class HttpChannel:
    """Takes what Apprise posts to ``json://``.  Use it as a context."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.asked = 0
        self.mood: Mood = "takes"
        self._came: Queue[Got] = Queue()
        self._let_go = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._listen(0)

    @property
    def port(self) -> int:
        return self._port

    def url(self, secret: str = "") -> str:
        return f"json://{secret and f'{secret}@'}127.0.0.1:{self._port}/"

    def become(self, mood: Mood) -> None:
        """From now on treat whoever comes so."""
        self.mood = mood
        if mood == "refuses":
            self._stop()
        elif self._server is None:
            self._listen(self._port)
        if mood != "hangs":
            self._let_go.set()
            self._let_go = threading.Event()

    def next(self, timeout_s: float = 30.0) -> Got:
        """The next message, when it comes."""
        try:
            return self._came.get(timeout=timeout_s)
        except Empty:
            raise AssertionError(f"no message in {timeout_s:g} s") from None

    def close(self) -> None:
        self._let_go.set()
        self._stop()

    def __enter__(self) -> HttpChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        content: dict[str, Any] = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        self.asked += 1
        if self.mood == "hangs":
            self._let_go.wait()
            return
        if self.mood == "fails":
            request.send_error(500)
            return
        request.send_response(200)
        request.send_header("Content-Length", "0")
        request.end_headers()
        self.got.append(Got(content["title"], content["message"]))
        self._came.put(self.got[-1])

    def _listen(self, port: int) -> None:
        channel = self

        class Request(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                channel._take(self)

            def log_message(self, *_: object) -> None:
                """Nothing: the test says what came."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Request)
        self._server.daemon_threads = True
        self._port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class MailChannel:
    """A mail server as far as a plain SMTP client sees one; keeps each message as it came.  Use it as a context."""

    def __init__(self, refuse: bool = False) -> None:
        self.got: Queue[str] = Queue()
        self._refuse = refuse
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def url(self) -> str:
        port = self._listener.getsockname()[1]
        return f"mailto://127.0.0.1:{port}?smtp=127.0.0.1&from=lab@example.org&to=person@example.org"

    def __enter__(self) -> MailChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, client.makefile("rwb") as stream:
                self._talk(stream)

    def _talk(self, stream: Any) -> None:
        def say(text: bytes) -> None:
            stream.write(text + b"\r\n")
            stream.flush()

        say(b"220 here")
        for line in stream:
            match line.split()[0].upper():
                case b"EHLO" | b"HELO":
                    say(b"250 here")
                case b"RCPT" if self._refuse:
                    say(b"550 nobody of that name")
                case b"DATA":
                    say(b"354 go on")
                    body = b""
                    while (line := stream.readline()) != b".\r\n":
                        body += line
                    self.got.put(body.decode())
                    say(b"250 taken")
                case b"QUIT":
                    say(b"221 bye")
                    return
                case _:
                    say(b"250 ok")
