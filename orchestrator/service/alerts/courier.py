"""Handing messages to a channel, by Apprise, in a process of their own that is ended when one takes too long.

``python -m orchestrator.service.alerts.courier`` reads JSON objects on standard input and answers each by a line.  A
channel that hangs, or a library that leaks or crashes, then costs the daemon nothing; and the daemon never imports it.
A channel's URL holds its password: it goes over standard input, and whatever Apprise has to say comes back without
any part of it.
"""

from __future__ import annotations

import json
import logging
import re
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

if TYPE_CHECKING:  # our process starts without it
    from orchestrator.service.alerts.alert import Message

ATTEMPT_S = 15.0
"""Real seconds for one attempt, by a process that is ready for it."""
START_S = 45.0
"""Real seconds until it is ready: half a second of a core, which a busy machine does not give at once."""
READY = b"ready"
MOST = 50
"""Messages by one process."""
KINDS = {"info": "info", "warning": "warning", "critical": "failure"}


class NotDelivered(Exception):
    """The channel did not take the message; why, without secrets."""


def label(number: int, url: str) -> str:
    """What channel `number`, from 1, is called wherever somebody may read it: ``2 mailto``."""
    return f"{number} {url.partition('://')[0]}"


class Courier:
    """Hands over one message after the other by a process that stays for the next ones, since most of an attempt is
    the start of a process and the import of Apprise, which on a busy machine take seconds.

    One that fails to answer in time is ended, and so is one that has taken `MOST` messages: what a library leaks is
    let go.  Its successor is started at once, and waits.
    """

    def __init__(self) -> None:
        self._helper: _Helper | None = None

    def prepare(self) -> None:
        """See that a process waits.  Without one, the next message starts it."""
        if self._helper is not None and not self._helper.lives:
            self.close()
        if self._helper is None:
            try:
                self._helper = _Helper()
            except OSError:  # told by the attempt that needs it
                self._helper = None

    def hand_over(self, url: str, message: Message, timeout_s: float = ATTEMPT_S) -> None:
        """Hand `message` to the channel at `url`.  Raises `NotDelivered`, after `timeout_s` at the latest."""
        self.prepare()
        helper, self._helper = self._helper, None
        answer = _asked_of(helper, _message(url, message), timeout_s)
        if helper is not None and helper.told < MOST:
            self._helper = helper
        elif helper is not None:
            helper.end()
        self.prepare()
        if not answer["ok"]:
            raise NotDelivered(answer["reason"])

    def close(self) -> None:
        """Let go of the process that waits; idempotent."""
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.end()


class _Helper:
    """A process that delivers messages, one at a time.  Raises `OSError` if it cannot be started."""

    def __init__(self) -> None:
        self.told = 0
        self._ready = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.service.alerts.courier"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback may quote the URL
            start_new_session=True,
            bufsize=0,
        )

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, asked: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Its answer.  Raises `NotDelivered`, `OSError`, `ValueError`."""
        assert self._process.stdin is not None
        if not self._ready:
            if self._line(START_S, "was not ready") != READY:
                raise NotDelivered(f"its process ended with exit code {self._process.wait()}")
            self._ready = True
        self.told += 1
        rest = memoryview(json.dumps(asked).encode() + b"\n")
        while rest:
            rest = rest[self._process.stdin.write(rest) :]
        line = self._line(timeout_s, "did not take the message")
        if not line:
            raise NotDelivered(f"its process ended with exit code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _line(self, timeout_s: float, otherwise: str) -> bytes:
        """What it says next; "" if it ends."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], timeout_s)[0]:
            raise NotDelivered(f"it {otherwise} within {timeout_s:g} s")
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        """Ended, and its pipes closed, whatever it was at."""
        if self.lives:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what it had not read is lost with it
                    pipe.close()
        self._process.wait()


def _message(url: str, message: Message) -> dict[str, Any]:
    return {"url": url, "title": message.title, "body": message.body, "kind": KINDS[message.severity]}


def hand_over(url: str, message: Message, timeout_s: float = ATTEMPT_S) -> None:
    """Hand one `message` to the channel at `url`.  Raises `NotDelivered`, after `timeout_s` at the latest."""
    courier = Courier()
    try:
        courier.hand_over(url, message, timeout_s)
    finally:
        courier.close()


def unknown(urls: Sequence[str]) -> list[int]:
    """The places in `urls` of those that Apprise cannot make sense of; asks nobody else."""
    return list(_ask({"check": list(urls)}, ATTEMPT_S)["unknown"]) if urls else []


def _asked_of(helper: _Helper | None, asked: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    """What `helper` answers; it is ended if it does not.  Raises `NotDelivered`."""
    if helper is None:
        raise NotDelivered("no process could be started for it")
    try:
        return helper.ask(asked, timeout_s)
    except NotDelivered:
        helper.end()
        raise
    except (OSError, ValueError):
        helper.end()
        raise NotDelivered("its process died") from None


def _ask(asked: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    """What a process of its own answers.  Raises `NotDelivered`."""
    try:
        helper = _Helper()
    except OSError as error:
        raise NotDelivered(f"no process could be started for it ({error.strerror})") from None
    answer = _asked_of(helper, asked, timeout_s)
    helper.end()
    return answer


def scrubbed(text: str, url: str) -> str:
    """`text` without any part of `url` but its scheme."""
    parts = {part for part in re.split(r"[/:@?&=,;#]+", url.partition("://")[2]) if part}
    parts |= {decoded for part in parts for decoded in (unquote(part), unquote_plus(part))}
    for part in sorted(parts, key=len, reverse=True):
        # What is short is taken for a part only where it stands alone: an "a" is in many words.
        pattern = re.escape(part) if len(part) > 3 else rf"(?<!\w){re.escape(part)}(?!\w)"
        text = re.sub(pattern, "***", text, flags=re.IGNORECASE)
    return text


# --- the process --------------------------------------------------------------------------------------


class _Words(logging.Handler):
    """Keeps what Apprise warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def _deliver(asked: dict[str, str]) -> dict[str, Any]:
    import apprise

    words = _Words()
    logging.getLogger("apprise").addHandler(words)
    asset = apprise.AppriseAsset(app_id="Nightshift", app_desc="Nightshift", app_url="", async_mode=False)
    channel = apprise.Apprise(asset=asset)
    try:
        ok = channel.add(asked["url"]) and channel.notify(
            title=asked["title"], body=asked["body"], notify_type=apprise.NotifyType(asked["kind"]), body_format="text"
        )
    except Exception as error:  # noqa: BLE001 - the edge of a process: whatever a plugin raises is the answer
        words.said.append(f"{type(error).__name__}: {error}")
        ok = False
    finally:
        logging.getLogger("apprise").removeHandler(words)
    reason = "; ".join(words.said) or "Apprise did not say why"
    return {"ok": bool(ok), "reason": scrubbed(reason, asked["url"])}


def _check(urls: Sequence[str]) -> dict[str, Any]:
    import apprise

    return {"unknown": [place for place, url in enumerate(urls) if apprise.Apprise.instantiate(url) is None]}


def main() -> None:
    import apprise

    apprise.Apprise.instantiate("json://localhost/")  # loads all it knows: before there is a message
    sys.stdout.write(READY.decode() + "\n")
    sys.stdout.flush()
    for line in sys.stdin:  # until whoever started us ends
        asked = json.loads(line)
        answer = _check(asked["check"]) if "check" in asked else _deliver(asked)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
