"""Is every alert delivered within 30 s while the channel flaps, none lost, and none doubled beyond the rule?

    python -m benchmarks.alerts [--faults 100] [--seed 1] [--emulated NIGHTS]

Faults are journaled at random moments.  The channel is an HTTP server on this machine that is well for 4 to 12 s and
then, for 2 to 8 s, closes every connection, hangs, answers with an error, or takes the message and loses its answer.
Alerts go the way they go in a night: journal, outbox, Apprise in a process of its own.  The rule is *at least once*: a
message whose answer was lost is told again, and nothing else is told twice.

With ``--emulated`` the same line, outbox and channel run on a clock that jumps, for many nights in seconds.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

from orchestrator.campaign import entries as e
from orchestrator.journal import SqliteJournal
from orchestrator.service.alerts.alert import Alert, Message, message
from orchestrator.service.alerts.alerting import Alerting, Channel
from orchestrator.service.alerts.courier import Courier, NotDelivered
from orchestrator.service.alerts.outbox import Outbox
from orchestrator.service.alerts.telling import Teller

BAR_S = 30.0
WELL_S, ILL_S = (4.0, 12.0), (2.0, 8.0)
ILLS = ("refuses", "hangs", "fails", "loses its answer")
EVERY_S = (0.5, 7.0)
"""Between one fault and the next."""
TAKES_S = {"takes": 0.6, "refuses": 0.3, "hangs": 4.5, "fails": 0.6, "loses its answer": 0.6}
"""An emulated attempt."""
MARK = re.compile(r"fault (\d+)\b")


@dataclass
class Outcome:
    """Fault -> seconds until it was delivered first; and how often each was."""

    after_s: dict[int, float] = field(default_factory=dict)
    times: Counter[int] = field(default_factory=Counter)
    faults: int = 0
    attempts_failed: Counter[int] = field(default_factory=Counter)

    @property
    def lost(self) -> list[int]:
        return [number for number in range(self.faults) if number not in self.after_s]

    @property
    def doubled(self) -> list[int]:
        """Told more often than once, and once more for each attempt that its sender saw fail."""
        return [number for number, times in self.times.items() if times > 1 + self.attempts_failed[number]]

    @property
    def in_time(self) -> int:
        return sum(seconds <= BAR_S for seconds in self.after_s.values())

    def took(self, body: str, at: float, faults: Sequence[float]) -> None:
        """The channel has a message, `at` seconds."""
        for number in _numbers(body):
            self.times[number] += 1
            self.after_s.setdefault(number, at - faults[number])

    def failed(self, body: str) -> None:
        """Its sender saw the attempt fail."""
        for number in _numbers(body):
            self.attempts_failed[number] += 1


def _numbers(body: str) -> set[int]:
    return {int(found) for found in MARK.findall(body)}


def fault(number: int) -> e.Entry:
    """One of those that a night may bring, with its number."""
    told = f"fault {number} of the benchmark"
    match number % 3:
        case 0:
            return e.StationLost(station=f"station{number}", reason=told)
        case 1:
            return e.SampleQuarantined(sample=number, reason=told)
        case _:
            return e.OperatorNeeded(reason=told)


def moods(rng: Random) -> Iterator[tuple[float, str]]:
    """From which second on the channel is how."""
    at = 0.0
    while True:
        yield at, "takes"
        at += rng.uniform(*WELL_S)
        yield at, rng.choice(ILLS)
        at += rng.uniform(*ILL_S)


def fault_times(faults: int, rng: Random) -> list[float]:
    times, at = [], 0.0
    for _ in range(faults):
        at += rng.uniform(*EVERY_S)
        times.append(at)
    return times


# --- on a clock that jumps ----------------------------------------------------------------------------


class Emulated:
    """One night: a `Channel` and its outbox, on a clock that goes where the next thing happens."""

    def __init__(self, faults: int, seed: int, folder: Path) -> None:
        rng = Random(seed)
        self.now = 0.0
        self.faults = fault_times(faults, rng)
        self.outcome = Outcome(faults=faults)
        self._moods, self._mood, self._next_mood = moods(rng), "takes", (0.0, "takes")
        self._coming = list(enumerate(self.faults))
        self._teller = Teller()
        self._channel = Channel(
            1, "json://host", Outbox(folder / f"{seed}.jsonl"), _render, lambda: 0.0, self._send, lambda: self.now
        )

    def run(self) -> Outcome:
        while self._coming or not self._channel.idle:
            due = self._channel.due_in()
            at = min([self.now + due] if due is not None else [], default=float("inf"))
            if self._coming and self._coming[0][1] <= at:
                self._advance(self._coming[0][1])
            else:
                self._advance(at)
                self._channel.step()
        return self.outcome

    def _advance(self, until: float) -> None:
        while self._coming and self._coming[0][1] <= until:
            number, self.now = self._coming.pop(0)
            recorded = e.Recorded(number + 1, self.now, fault(number))
            for alert in self._teller.tell(recorded):
                self._channel.put(alert)
        self.now = max(self.now, until)

    def _send(self, url: str, told: Message) -> None:
        while self._next_mood[0] <= self.now:
            self._mood = self._next_mood[1]
            self._next_mood = next(self._moods)
        mood = self._mood
        self._advance(self.now + TAKES_S[mood])
        if mood in ("takes", "loses its answer"):
            self.outcome.took(told.body, self.now, self.faults)
        if mood != "takes":
            self.outcome.failed(told.body)
            raise NotDelivered(mood)


def _render(alerts: Sequence[Alert], more: int) -> Message:
    return message(alerts, "campaign", "home", more)


# --- for real -----------------------------------------------------------------------------------------


class Flapping:
    """An HTTP server that is ill now and then."""

    def __init__(self, rng: Random, faults: Sequence[float], outcome: Outcome) -> None:
        self.began = time.monotonic()
        self._faults, self._outcome = faults, outcome
        self._lock = threading.Lock()
        self._moods, self._mood = moods(rng), "takes"
        self._next = next(self._moods)

    def mood(self) -> str:
        with self._lock:
            while self._next[0] <= time.monotonic() - self.began:
                self._mood = self._next[1]
                self._next = next(self._moods)
            return self._mood

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))["message"]
        mood = self.mood()
        if mood in ("takes", "loses its answer"):
            at = time.monotonic() - self.began
            with self._lock:
                self._outcome.took(body, at, self._faults)
        if mood == "hangs":
            time.sleep(6.0)
        if mood == "fails":
            request.send_error(500)
        elif mood == "takes":
            request.send_response(200)
            request.send_header("Content-Length", "0")
            request.end_headers()
        else:
            request.close_connection = True

    @contextmanager
    def served(self) -> Iterator[str]:
        flapping = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                flapping.take(self)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"json://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            server.server_close()


def real(faults: int, seed: int, folder: Path) -> Outcome:
    rng = Random(seed)
    times, outcome = fault_times(faults, rng), Outcome(faults=faults)
    journal = SqliteJournal(folder / "journal.db")
    flapping = Flapping(rng, times, outcome)

    courier = Courier()

    def send(url: str, told: Message) -> None:
        """As in a night; whoever saw an attempt fail may tell it again, whether it had been taken or not."""
        try:
            courier.hand_over(url, told)
        except NotDelivered:
            outcome.failed(told.body)
            raise

    courier.prepare()
    outbox = Outbox(folder / "alerts.jsonl")
    with (
        flapping.served() as url,
        Alerting([url], outbox, journal, time.time, subject="c", home="h", send=send) as alerting,
    ):
        for number, at in enumerate(times):
            time.sleep(max(0.0, at - (time.monotonic() - flapping.began)))
            entry = fault(number)
            version = journal.append([entry], number, time.time())
            alerting.recorded(e.Recorded(version, time.time(), entry))
            if number % 10 == 0:
                sys.stderr.write(f"{number} faults, {len(outcome.after_s)} told\n")
        deadline = time.monotonic() + 120.0
        while not alerting.idle and time.monotonic() < deadline:
            time.sleep(0.2)
    courier.close()
    journal.close()
    return outcome


def table(rows: Sequence[tuple[str, Outcome]]) -> None:
    print(
        "| | faults | within 30 s | median, 90 %, longest, s | lost | answers lost, so told again | doubled besides |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, outcome in rows:
        seconds = sorted(outcome.after_s.values()) or [float("nan")]
        at = [seconds[min(len(seconds) - 1, int(share * len(seconds)))] for share in (0.5, 0.9, 1.0)]
        again = sum(times > 1 for times in outcome.times.values())
        print(
            f"| {name} | {outcome.faults} | {outcome.in_time} | {', '.join(f'{value:.1f}' for value in at)} | "
            f"{len(outcome.lost)} | {again} | {len(outcome.doubled)} |"
        )


def merged(outcomes: Sequence[Outcome]) -> Outcome:
    """All of them as one, their faults numbered on."""
    total = Outcome()
    for outcome in outcomes:
        for number, seconds in outcome.after_s.items():
            total.after_s[total.faults + number] = seconds
        for number, times in outcome.times.items():
            total.times[total.faults + number] = times
            total.attempts_failed[total.faults + number] = outcome.attempts_failed[number]
        total.faults += outcome.faults
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--emulated", type=int, default=0, metavar="NIGHTS")
    args = parser.parse_args()
    logging.disable(logging.WARNING)  # that the channel is ill is what is meant
    with tempfile.TemporaryDirectory(prefix="nightshift-alerts-") as name:
        if args.emulated:
            nights = [Emulated(args.faults, args.seed + n, Path(name)).run() for n in range(args.emulated)]
            table([(f"{args.emulated} nights, emulated", merged(nights))])
        else:
            table([("one night, over HTTP", real(args.faults, args.seed, Path(name)))])


if __name__ == "__main__":
    main()
