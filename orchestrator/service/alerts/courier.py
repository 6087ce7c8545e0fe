"""Handing one message to one channel, by Apprise, in a process of its own that is ended when it takes too long.

``python -m orchestrator.service.alerts.courier`` reads one JSON object on standard input and prints one line.  A
channel that hangs, or a library that leaks or crashes, then costs the daemon nothing; and the daemon never imports it.
A channel's URL holds its password: it goes over standard input, and whatever Apprise has to say comes back without
any part of it.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

if TYPE_CHECKING:  # our process starts without it
    from orchestrator.service.alerts.alert import Message

ATTEMPT_S = 15.0
"""Real seconds for one attempt, start of the process included."""
KINDS = {"info": "info", "warning": "warning", "critical": "failure"}


class NotDelivered(Exception):
    """The channel did not take the message; why, without secrets."""


def label(number: int, url: str) -> str:
    """What channel `number`, from 1, is called wherever somebody may read it: ``2 mailto``."""
    return f"{number} {url.partition('://')[0]}"


def hand_over(url: str, message: Message, timeout_s: float = ATTEMPT_S) -> None:
    """Hand `message` to the channel at `url`.  Raises `NotDelivered`, after `timeout_s` at the latest."""
    asked = {"url": url, "title": message.title, "body": message.body, "kind": KINDS[message.severity]}
    answer = _ask(asked, timeout_s)
    if not answer["ok"]:
        raise NotDelivered(answer["reason"])


def unknown(urls: Sequence[str]) -> list[int]:
    """The places in `urls` of those that Apprise cannot make sense of; asks nobody else."""
    return list(_ask({"check": list(urls)}, ATTEMPT_S)["unknown"]) if urls else []


def _ask(asked: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "orchestrator.service.alerts.courier"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(asked).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback may quote the URL
            timeout=timeout_s,
            check=False,
            start_new_session=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        raise NotDelivered(f"it did not take the message within {timeout_s:g} s") from None
    except OSError as error:
        raise NotDelivered(f"no process could be started for it ({error.strerror})") from None
    except (IndexError, ValueError):
        raise NotDelivered(f"its process ended with exit code {done.returncode}") from None
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
    reason = "; ".join(words.said) or "Apprise did not say why"
    return {"ok": bool(ok), "reason": scrubbed(reason, asked["url"])}


def _check(urls: Sequence[str]) -> dict[str, Any]:
    import apprise

    return {"unknown": [place for place, url in enumerate(urls) if apprise.Apprise.instantiate(url) is None]}


def main() -> None:
    asked = json.load(sys.stdin)
    answer = _check(asked["check"]) if "check" in asked else _deliver(asked)
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
