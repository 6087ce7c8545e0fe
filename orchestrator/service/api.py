"""What an operator's programs may ask of a running daemon, from other processes."""

from __future__ import annotations

from concurrent.futures import TimeoutError as LateError
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.actions import SearchRequest, parsed
from orchestrator.campaign.commands import Request
from orchestrator.campaign.digest import sha256_of
from orchestrator.campaign.labspec import LabSpec, check_fit
from orchestrator.campaign.lifecycle import Command, CommandRefused
from orchestrator.campaign.spec import Campaign
from orchestrator.service.daemon import Daemon
from orchestrator.service.forecast import Forecast, forecast
from orchestrator.service.foresight import Foresight
from orchestrator.service.status import with_forecast

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
        self._foresight: Foresight[Forecast] = Foresight(forecast)
        self._campaigns: SimpleQueue[tuple[Campaign, str, e.ContractSigned]] = SimpleQueue()

    # --- for operators --------------------------------------------------------------------------------

    def start(self, campaign: dict[str, Any], by: str, contract: dict[str, Any] | None = None) -> None:
        """Begin `campaign` (a campaign file's content) in this lab, on a signed `contract` (that entry's content); one
        for each daemon.

        Raises `SpecError` if the lab cannot do it, `CommandRefused` without a contract of this very campaign and lab
        that is armed and has no red line.
        """
        spec = Campaign.model_validate(campaign)
        check_fit(spec, self._lab)
        signed = self._agreed(spec, contract)
        with self._lock:
            if self._taken:
                raise CommandRefused("a campaign is under way here; start another daemon in another home")
            self._taken = True
        self._campaigns.put((spec, by, signed))

    def status(self) -> dict[str, Any]:
        """Progress as of the last change or tick, with the end that is foreseen; {"mode": "idle"} before a campaign."""
        daemon = self._daemon
        if daemon is None:
            return {"mode": "idle"}
        progress = daemon.latest
        told = self._foresight.told(daemon.state, daemon.campaign, self._lab, progress.now)
        return with_forecast(progress, told).as_dict()

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

    def acknowledge(self, by: str, reason: str, key: str) -> int:
        """Somebody sees to what was alerted so far; the version of the entry that says so.

        Idempotent with the same `key`.  Raises `CommandRefused`, or `NotAnswered`: then ask again, with the same key.
        """
        if self._daemon is None:
            raise CommandRefused("no campaign is under way: there is nothing to acknowledge")
        if not key or not by:
            raise CommandRefused("an acknowledgement needs a key of its own, and the name of who gives it")
        try:
            return self._daemon.acknowledge(by, reason, key).result(REPLY_S)
        except LateError:
            raise NotAnswered(f"nothing is decided after {REPLY_S:g} s; ask again with key {key}") from None

    def _agreed(self, campaign: Campaign, contract: dict[str, Any] | None) -> e.ContractSigned:
        if contract is None:
            raise CommandRefused("nobody signed for it: start it with `nightshift run`, which checks and asks")
        signed = e.ContractSigned.model_validate(contract)
        if (signed.campaign_sha256, signed.lab_sha256) != (sha256_of(campaign), sha256_of(self._lab)):
            raise CommandRefused("what was signed is another campaign, or another lab file than this daemon serves")
        if not signed.armed:
            raise CommandRefused("it is not armed: start it with `nightshift run --arm`")
        if red := [str(line.get("subject")) for line in signed.lines if line.get("verdict") == "red"]:
            raise CommandRefused(f"its contract has red lines: {', '.join(red)}")
        return signed

    # --- for the process that serves ------------------------------------------------------------------

    def await_campaign(self, timeout_s: float | None = None) -> tuple[Campaign, str, e.ContractSigned] | None:
        """Block until an operator starts a campaign: it, who, and on what; None if that takes more than `timeout_s`."""
        try:
            return self._campaigns.get(timeout=timeout_s)
        except Empty:
            return None

    def serve(self, daemon: Daemon) -> None:
        """From now on, speak for `daemon`."""
        self._taken = True
        self._daemon = daemon
