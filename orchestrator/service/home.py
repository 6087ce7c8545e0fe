"""A campaign's home: the one folder that has everything of it.

::

    journal.db              what happened, in order
    STATION.documents.db    the Bluesky documents of each station
    daemon.lock             held by the daemon that lives here
    daemon.json             where a running daemon can be reached (readable by its owner only)
    console.json            where the operator's page is served
    channels.json           where alerts go, passwords included (readable by its owner only)
    alerts.jsonl            every alert, and what became of it
    watch.lock, watch.jsonl the same of a watch over the daemon
    *.log                   what each of our processes had to say
    rehearsal.json          which campaign was rehearsed here, and whether it passed
    simulators.log          the same of the simulated lab, in the home of a rehearsal
    last.json               how the night stood when its daemon ended, for who asks later
    report.html             the morning report
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import rpc
from orchestrator.locks import FileLock, Held, holder

log = logging.getLogger(__name__)

CLAIM_S = 0.3
"""Real seconds in which whoever only looks for a daemon has let go of its lock again."""


class HomeError(Exception):
    """The home folder is not what the command needs; the message says what to do."""


@dataclass(frozen=True)
class Routes:
    """Where alerts go, as URLs: at once, when nobody acknowledges, and the dead-man service."""

    channels: tuple[str, ...] = ()
    escalation: tuple[str, ...] = ()
    ping: str | None = None


class Home:
    """The folder at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def journal(self) -> Path:
        return self.path / "journal.db"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def simulators_log(self) -> Path:
        return self.path / "simulators.log"

    @property
    def rehearsal(self) -> Path:
        """What a dry run leaves, for whoever starts the same campaign on hardware."""
        return self.path / "rehearsal.json"

    @property
    def rehearsed(self) -> bool:
        """Whether the campaign here ran on a simulated lab."""
        return self.simulators_log.exists()

    @property
    def _daemon(self) -> Path:
        return self.path / "daemon.json"

    @property
    def _lock(self) -> Path:
        return self.path / "daemon.lock"

    def make(self) -> None:
        """Make the folder.  Raises `HomeError` if it cannot be made, or a campaign has begun there."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeError(f"{self.path}: cannot be made ({error.strerror}); choose another --home") from error
        if self.begun:
            raise HomeError(f"{self.path}: already holds a campaign; choose another --home")

    @property
    def begun(self) -> bool:
        """Whether the journal tells of a campaign; a daemon may have died before it wrote its first entry."""
        from orchestrator.journal import SqliteJournal  # whoever asks a daemon does not wait for all it can read

        if not self.journal.exists():
            return False
        journal = SqliteJournal(self.journal)
        try:
            return any(True for _ in journal.read())
        finally:
            journal.close()

    def need_journal(self) -> Path:
        """The journal's path.  Raises `HomeError` if there is none."""
        if not self.journal.is_file():
            raise HomeError(f"{self.path}: holds no campaign (no journal.db); name its folder with --home")
        return self.journal

    def keep_last(self, told: dict[str, Any]) -> None:
        """Note how the night stood when its daemon ended; told["version"] is the journal's last entry then."""
        try:
            self._write_private(self._last, told)
        except OSError as error:  # whoever asks reads the journal then
            log.warning("%s: cannot be written (%s)", self._last, error)

    @property
    def last(self) -> dict[str, Any] | None:
        """What `keep_last` noted; None if that was never, or the journal has gone on since."""
        try:
            told = json.loads(self._last.read_text())
            with closing(sqlite3.connect(f"{self.journal.absolute().as_uri()}?mode=ro", uri=True)) as db:
                (version,) = db.execute("SELECT max(version) FROM journal").fetchone()
        except (OSError, ValueError, sqlite3.Error):
            return None
        return told if isinstance(told, dict) and told.get("version") == version else None

    @property
    def _last(self) -> Path:
        return self.path / "last.json"

    @property
    def alerts(self) -> Path:
        return self.path / "alerts.jsonl"

    @property
    def _channels(self) -> Path:
        return self.path / "channels.json"

    @property
    def watch(self) -> Path:
        return self.path / "watch.jsonl"

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Nobody else watches this home.  Raises `HomeError` if somebody does, or nothing can be written here."""
        with self._held(self.path / "watch.lock", "is watched already"):
            yield

    def keep_channels(self, urls: Sequence[str], escalation: Sequence[str] = (), ping: str | None = None) -> None:
        """Note where alerts of this home go: the journal does not, since they hold passwords."""
        content = {"channels": list(urls), "escalation": list(escalation), "ping": ping}
        try:
            self._write_private(self._channels, content)
        except OSError as error:
            raise HomeError(f"{self._channels}: cannot be written ({error.strerror}); is its disk full?") from error

    @property
    def routes(self) -> Routes:
        """Where alerts of this home go.  Raises `HomeError` if that cannot be read."""
        try:
            told = json.loads(self._channels.read_text())
            ping = told.get("ping")
            first, second = (tuple(map(str, urls)) for urls in (told["channels"], told.get("escalation", [])))
            return Routes(first, second, None if ping is None else str(ping))
        except FileNotFoundError:
            return Routes()
        except (OSError, ValueError, LookupError, TypeError, AttributeError):  # whose message may quote a password
            raise HomeError(f'{self._channels}: cannot be read; it holds {{"channels": ["URL", ...]}}') from None

    @property
    def channels(self) -> tuple[str, ...]:
        """The first of those, as URLs.  Raises `HomeError` if that cannot be read."""
        return self.routes.channels

    @property
    def is_watched(self) -> bool:
        """Whether a watch over the daemon of this home lives."""
        return holder(self.path / "watch.lock") is not None

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """This home is ours alone, until we let it go or die.

        Raises `HomeError` if a daemon lives here, or nothing can be written here.
        """
        with self._held(self._lock, "a daemon lives here", CLAIM_S):
            yield

    def _held(self, path: Path, otherwise: str, patience_s: float = 0.0) -> FileLock:
        """The lock at `path`; `otherwise` says what it means that somebody else has it.  Raises `HomeError`."""
        try:
            return FileLock(path, patience_s)
        except Held as held:
            raise HomeError(f"{self.path}: {otherwise} (process {held.pid or '?'})") from None
        except OSError as error:
            raise HomeError(f"{self.path}: cannot be written to ({error.strerror}); is its disk full?") from error

    @property
    def daemon(self) -> int | None:
        """Process id of the daemon that lives here; None if none does."""
        return holder(self._lock)

    @property
    def announced(self) -> int | None:
        """Process id of the daemon that last said it can be reached here, and did not take that back."""
        try:
            return int(json.loads(self._daemon.read_text())["pid"])
        except (OSError, ValueError, LookupError, TypeError):
            return None

    @property
    def served(self) -> bool:
        """Whether a daemon has said that it can be reached here."""
        return self._daemon.exists()

    def announce(self, uri: str, token: str) -> None:
        """Say where the daemon of this home can be reached, to its owner only."""
        self._write_private(self._daemon, {"uri": uri, "token": token, "pid": os.getpid()})

    def show_at(self, url: str | None) -> None:
        """Note where this process serves the operator's page; None: no more."""
        if url is None:
            if self.shows_here:
                self._console.unlink(missing_ok=True)
        else:
            try:
                self._write_private(self._console, {"url": url, "pid": os.getpid()})
            except OSError as error:
                raise HomeError(f"{self._console}: cannot be written ({error.strerror}); is its disk full?") from error

    @property
    def shown_at(self) -> str | None:
        """Where the operator's page is said to be served; None: nowhere."""
        told = self._console_note()
        return str(told["url"]) if "url" in told else None

    @property
    def shows_here(self) -> bool:
        """Whether it is this process that serves the operator's page."""
        return self._console_note().get("pid") == os.getpid()

    def take_over_page(self) -> bool:
        """Let the page of a daemon that has ended go (see `serve`): whether there was one."""
        if self.daemon is not None or self.shown_at is None:
            return False
        self._console.unlink(missing_ok=True)
        return True

    @property
    def _console(self) -> Path:
        return self.path / "console.json"

    def _console_note(self) -> dict[str, Any]:
        try:
            told = json.loads(self._console.read_text())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _write_private(self, path: Path, content: dict[str, Any]) -> None:
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)  # whose permissions we do not know
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(content, file)
        new.replace(path)  # whoever looks sees all of it or nothing

    def withdraw(self) -> None:
        """No daemon can be reached here any more; idempotent."""
        self._daemon.unlink(missing_ok=True)

    def connect(self, timeout_s: float = 5.0) -> Any:
        """The running daemon's API.  Raises `HomeError` if there is none."""
        try:
            address = json.loads(self._daemon.read_text())
            return rpc.connect(address["uri"], address["token"], timeout_s=timeout_s)
        except FileNotFoundError:
            raise HomeError(f"{self.path}: no daemon runs here; start one with `nightshift run`") from None
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise HomeError(f"{self._daemon}: cannot be read ({error})") from error
        except rpc.RpcError as error:
            raise HomeError(f"{self.path}: its daemon does not answer ({error}); it may have died") from error


def newest(folder: Path) -> Home:
    """The home below `folder` that was last written to.  Raises `HomeError` if there is none."""
    journals = sorted(folder.glob("*/journal.db"), key=lambda path: path.stat().st_mtime)
    if not journals:
        raise HomeError(f"{folder}: holds no campaign; name its folder with --home")
    return Home(journals[-1].parent)
