"""The operator's page under load: how soon it shows, what it costs the daemon's process, how soon a click is seen.

    python -m benchmarks.console [--clients 0,5,25] [--seconds 20] [--clicks 20] [--browser /usr/bin/chromium]

The server is `benchmarks.console_publisher`: the daemon's books and the real console, with a campaign that is written
ten times a second; no instruments.  Clients are WebSockets that read everything; with `--browser` one more is a browser
(Playwright) that opens the page.  Memory and processor time are those of the server's process alone, its books
included: what they cost without a client is the first row.  A click is a command posted by one client, and seen when
another has the message that tells of it.  In the end the server is killed (SIGKILL) and started again.  Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from benchmarks.queueserver_processes import free_port

SETTLE_S = 3.0
AGAIN_S = 0.5
"""Between two tries of a page to come back."""
PATIENCE_S = 60.0
OPENED = 10
"""Times that the page is opened, for a median."""
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """The publisher's process, at one port also when it is started again."""

    def __init__(self, folder: Path, hz: float) -> None:
        self.folder, self.hz, self.port = folder, hz, free_port()
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "benchmarks.console_publisher", str(self.folder), str(self.port)]
        self.process = subprocess.Popen([*command, "--hz", str(self.hz)], stdout=subprocess.PIPE, text=True)

    def wait(self) -> None:
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise SystemExit("the publisher did not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def memory_mib(self) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def processor_s(self) -> float:
        told = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / TICKS

    def get(self, path: str) -> tuple[float, bytes]:
        """Real seconds until the answer is here, on a connection of its own; and the answer."""
        begun = time.perf_counter()
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        connection.request("GET", path)
        body = connection.getresponse().read()
        connection.close()
        return time.perf_counter() - begun, body

    def command(self, command: str, key: str, csrf: str) -> None:
        headers = {"Content-Type": "application/json", "X-CSRF-Token": csrf, "Idempotency-Key": key}
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        connection.request("POST", f"/api/commands/{command}", json.dumps({"seen": 2**50, "reason": key}), headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        connection.close()


@dataclass
class Page:
    """A client: what it has heard, and when."""

    heard: int = 0
    size: int = 0
    seq: int = 0
    missed: int = 0
    updates_at: list[float] = field(default_factory=list)
    keys: dict[str, float] = field(default_factory=dict)

    async def listen(self, socket: ClientConnection) -> None:
        async for text in socket:
            now = time.perf_counter()
            message = json.loads(text)
            self.heard += 1
            self.size += len(text)
            if message["type"] == "update":
                self.updates_at.append(now)
            for line in message.get("entries", ()):
                self.missed += line["seq"] != self.seq + 1
                self.seq = line["seq"]
                if line["kind"] == "command_given":
                    self.keys[line["entry"]["key"]] = now
            self.seq = max(self.seq, message["seq"]) if message["type"] == "hello" else self.seq


@dataclass
class Measured:
    """Real seconds, MiB, and share of one processor."""

    clients: int
    page_s: float
    snapshot_s: float
    live_s: float
    memory_mib: float
    processor: float
    updates_hz: float
    kib_s: float
    clicks_s: list[float]


def at(port: int, after: int | None = None) -> Any:
    query = "" if after is None else f"?after={after}"
    url = f"ws://localhost:{port}/api/socket{query}"
    return connect(
        url, origin=f"http://localhost:{port}", max_size=None, proxy=None, compression=None, ping_interval=None
    )  # type: ignore[arg-type]


@asynccontextmanager
async def watched(server: Server, clients: int) -> AsyncIterator[list[Page]]:
    """So many pages that listen."""
    pages, sockets, tasks = [Page() for _ in range(clients)], [], []
    for page in pages:
        socket = await at(server.port)
        sockets.append(socket)
        tasks.append(asyncio.create_task(page.listen(socket)))
    while not all(page.heard for page in pages):  # what comes before the first message is in it, and in no other
        await asyncio.sleep(0.01)
    try:
        yield pages
    finally:
        for socket in sockets:
            await socket.close()
        await asyncio.gather(*tasks, return_exceptions=True)


async def under_load(server: Server, clients: int, seconds: float, clicks: int) -> Measured:
    """What it costs, and how soon things show, with so many clients beside those that measure."""
    async with watched(server, clients) as pages:
        await asyncio.sleep(SETTLE_S)
        for page in pages:
            page.heard = page.size = 0
            page.updates_at.clear()
        begun, busy = time.perf_counter(), server.processor_s()
        await asyncio.sleep(seconds)
        took = time.perf_counter() - begun
        processor, memory = (server.processor_s() - busy) / took, server.memory_mib()
        updates = statistics.fmean(len(page.updates_at) for page in pages) / took if pages else 0.0
        size = statistics.fmean(page.size for page in pages) / took / 1024 if pages else 0.0
        opened = [await asyncio.to_thread(server.get, "/") for _ in range(OPENED)]
        snapshots = [await asyncio.to_thread(server.get, "/api/view") for _ in range(OPENED)]
        first = [await live(server.port) for _ in range(OPENED)]
        clicked = await click(server, pages, clicks)
        assert not sum(page.missed for page in pages), "a page missed an entry"
    return Measured(
        clients,
        statistics.median(took for took, _ in opened),
        statistics.median(took for took, _ in snapshots),
        statistics.median(first),
        memory,
        processor,
        updates,
        size,
        clicked,
    )


async def live(port: int) -> float:
    """Real seconds from opening a socket to the whole state being here."""
    begun = time.perf_counter()
    async with at(port) as socket:
        await socket.recv()
    return time.perf_counter() - begun


async def click(server: Server, pages: Sequence[Page], clicks: int) -> list[float]:
    """Real seconds from a command being posted to another client's knowing of it."""
    async with watched(server, 1) as (own,):
        other = pages[-1] if pages else own
        csrf = json.loads((await asyncio.to_thread(server.get, "/api/session"))[1])["csrf"]
        took = []
        for n in range(clicks):
            key = f"click-{n}-{time.time_ns()}"
            begun = time.perf_counter()
            await asyncio.to_thread(server.command, "hold" if n % 2 == 0 else "resume", key, csrf)
            while key not in other.keys:
                assert time.perf_counter() < begun + PATIENCE_S, f"click {n} was never seen: {other}"
                await asyncio.sleep(0.001)
            took.append(other.keys[key] - begun)
        return took


async def restarted(server: Server) -> tuple[float, float, int]:
    """Real seconds from the kill to the page being live again, and from the new process on; entries it had missed."""
    page = Page()
    socket = await at(server.port)
    with suppress(TimeoutError):
        await asyncio.wait_for(page.listen(socket), 2.0)
    killed = time.perf_counter()
    server.kill()
    server.start()
    begun = time.perf_counter()
    while True:
        try:
            async with at(server.port, page.seq) as socket:
                hello = json.loads(await socket.recv())
                break
        except (OSError, WebSocketException, InvalidHandshake, EOFError):
            await asyncio.sleep(AGAIN_S)
    back = time.perf_counter()
    server.wait()
    seqs = [line["seq"] for line in hello["entries"]]
    assert seqs == list(range(page.seq + 1, hello["seq"] + 1)), "a page missed an entry"
    return back - killed, back - begun, len(seqs)


def painted(port: int, browser: str) -> tuple[float, float]:
    """Real seconds from asking for the page to its first contents and to its first message, in `browser`: medians."""
    from playwright.sync_api import sync_playwright

    paints, messages = [], []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser)
        for _ in range(OPENED):
            context = chromium.new_context()
            page = context.new_page()
            came: list[float] = []
            page.on("websocket", lambda ws, came=came: ws.on("framereceived", lambda _: came.append(time.time())))
            page.goto(f"http://localhost:{port}/", wait_until="load")
            paint = "performance.getEntriesByType('paint').map(e => e.startTime)"
            page.wait_for_function(f"{paint}.length >= 2", timeout=20_000)
            paints.append(max(page.evaluate(paint)) / 1000)
            deadline = time.monotonic() + 10
            while not came and time.monotonic() < deadline:
                page.wait_for_timeout(20)
            if came:
                messages.append(came[0] - page.evaluate("performance.timeOrigin") / 1000)
            context.close()
        chromium.close()
    return statistics.median(paints), statistics.median(messages) if messages else float("nan")


# --- the table ----------------------------------------------------------------------------------------


def table(rows: Sequence[Measured]) -> str:
    """Markdown."""
    head = ["clients", "page", "state by GET", "live by socket", "click seen by another: median, longest"]
    head += ["memory", "processor", "updates to each", "sent to each"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        clicks = f"{1e3 * statistics.median(row.clicks_s):.0f}, {1e3 * max(row.clicks_s):.0f} ms"
        cells = [
            str(row.clients),
            *(f"{1e3 * took:.0f} ms" for took in (row.page_s, row.snapshot_s, row.live_s)),
            clicks,
        ]
        cells += [
            f"{row.memory_mib:.0f} MiB",
            f"{row.processor:.1%}",
            f"{row.updates_hz:.1f} Hz",
            f"{row.kib_s:.0f} KiB/s",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=lambda text: [int(n) for n in text.split(",")], default=[0, 5, 25])
    parser.add_argument("--seconds", type=float, default=20.0, help="for which each number of clients is watched")
    parser.add_argument("--clicks", type=int, default=20)
    parser.add_argument("--hz", type=float, default=10.0)
    parser.add_argument("--browser", help="a Chromium; needs the package playwright")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nightshift-console-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), args.hz)
        try:
            server.wait()
            rows = []
            for clients in args.clients:
                rows.append(asyncio.run(under_load(server, clients, args.seconds, args.clicks)))
                print(rows[-1], file=sys.stderr, flush=True)
            print(table(rows), flush=True)
            print(
                f"\nother programs on the machine: load {os.getloadavg()[0]:.0f} for {os.cpu_count()} processors",
                flush=True,
            )
            if args.browser:
                paint, message = painted(server.port, args.browser)
                print(f"\nin a browser: first contents after {paint:.2f} s, first message after {message:.2f} s")
            killed, begun, missed = asyncio.run(restarted(server))
            print(f"\nkilled and started again: live after {killed:.1f} s ({begun:.1f} s after its start), "
                  f"{missed} entries made up for, none missed")  # fmt: skip
        finally:
            server.kill()


if __name__ == "__main__":
    main()
