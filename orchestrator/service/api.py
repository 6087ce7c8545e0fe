"""What an operator's programs may ask of a running daemon, from other processes."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Lock
from typing import Any

from orchestrator.campaign.labspec import LabSpec, check_fit
from orchestrator.campaign.lifecycle import Command, CommandRefused
from orchestrator.campaign.spec import Campaign
from orchestrator.service.daemon import Daemon

REPLY_S = 10.0


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

    def command(self, command: str, by: str, reason: str) -> str:
        """Give a command; the campaign's mode after it.

        Idempotent: a command that is true already changes nothing.
        """
        if self._daemon is None:
            raise CommandRefused("no campaign is under way: start one with `nightshift run`")
        return self._daemon.command(Command(command), by, reason).result(REPLY_S)

    # --- for the process that serves ------------------------------------------------------------------

    def await_campaign(self) -> tuple[Campaign, str]:
        """Block until an operator starts a campaign: it, and who."""
        return self._campaigns.get()

    def serve(self, daemon: Daemon) -> None:
        """From now on, speak for `daemon`."""
        self._taken = True
        self._daemon = daemon
