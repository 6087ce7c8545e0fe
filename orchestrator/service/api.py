"""What an operator's programs may ask of a running daemon, from other processes."""

from __future__ import annotations

from concurrent.futures import TimeoutError as LateError
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from orchestrator.campaign.actions import SearchRequest, parsed
from orchestrator.campaign.commands import Request
from orchestrator.campaign.labspec import LabSpec, check_fit
from orchestrator.campaign.lifecycle import Command, CommandRefused
from orchestrator.campaign.spec import Campaign
from orchestrator.service.daemon import Daemon

REPLY_S = 10.0


class NotAnswered(Exception):
    """A command has not been decided yet; it will be.  Ask again, with the same key."""


class Api:
    """Methods take and return plain values; what makes no sense now raises `CommandRefused`."""

    def __init__(self, lab: LabSpec) -> None:
        self._lab = lab
        self._lock = Lock()
        self._taken = False
        self._daemon: Daemon | None = None
        self._campaigns: SimpleQueue[tuple[Campaign, str]] = SimpleQueue()

    # --- for operators --------------------------------------------------------------------------------

    def start(self, campaign: dict[str, Any], by: str) -> None:
        """Begin `campaign` (a campaign file's content) in this lab; one for each daemon.

        Raises `SpecError` if the lab cannot do it.
        """
        spec = Campaign.model_validate(campaign)
        check_fit(spec, self._lab)
        with self._lock:
            if self._taken:
                raise CommandRefused("a campaign is under way here; start another daemon in another home")
            self._taken = True
        self._campaigns.put((spec, by))

    def status(self) -> dict[str, Any]:
        """Progress as of the last change or tick; {"mode": "idle"} before a campaign."""
        return {"mode": "idle"} if self._daemon is None else self._daemon.latest.as_dict()

    def decided_s(self) -> float:
        """Real seconds since the daemon last looked what there is to do; 0 before a campaign."""
        return 0.0 if self._daemon is None else self._daemon.decided_s

    def command(self, command: str, by: str, reason: str, key: str, seen: int) -> dict[str, Any]:
        """Give a command: the campaign's "mode" after it, whether anything "changed", a "note" for its giver.

        Idempotent: a command that is true already changes nothing, and one that is said again with the same `key` is
        answered as it was.  `seen` is the "version" of the status that its giver looked at.  Raises `CommandRefused`,
        or `NotAnswered`: then ask again, with the same key.
        """
        if self._daemon is None:
            raise CommandRefused("no campaign is under way: start one with `nightshift run`")
        if not key or not by:
            raise CommandRefused("a command needs a key of its own, and the name of who gives it")
        request = Request(Command(command), by, reason, key, seen)
        try:
            return self._daemon.command(request).result(REPLY_S)
        except LateError:
            raise NotAnswered(f"{command} is not decided after {REPLY_S:g} s; ask again with key {key}") from None

    def act(self, action: str, fields: dict[str, Any], by: str, reason: str, key: str, seen: int) -> dict[str, Any]:
        """Do something about the search: `action` and `fields` as `orchestrator.campaign.actions.described` tells them.

        What its giver is told is `orchestrator.campaign.search.answer`; idempotent, and `seen`, as for `command`.
        Raises `SpecError` for fields that make no sense, `CommandRefused`, or `NotAnswered`: then ask again, with the
        same key.
        """
        if self._daemon is None:
            raise CommandRefused("no campaign is under way: start one with `nightshift run`")
        if not key or not by:
            raise CommandRefused("an action needs a key of its own, and the name of who gives it")
        request = SearchRequest(parsed(action, fields), by, reason, key, seen)
        try:
            return self._daemon.act(request).result(REPLY_S)
        except LateError:
            raise NotAnswered(f"{action} is not decided after {REPLY_S:g} s; ask again with key {key}") from None

    # --- for the process that serves ------------------------------------------------------------------

    def await_campaign(self, timeout_s: float | None = None) -> tuple[Campaign, str] | None:
        """Block until an operator starts a campaign: it, and who; None if that takes more than `timeout_s`."""
        try:
            return self._campaigns.get(timeout=timeout_s)
        except Empty:
            return None

    def serve(self, daemon: Daemon) -> None:
        """From now on, speak for `daemon`."""
        self._taken = True
        self._daemon = daemon
