"""Operators' commands: which are taken, which are refused, and what their givers are told: pure.

A request has a **key**, made by its client.  Said again with the same key it is the same request: it is answered as
it was, and nothing is done twice, also by the next daemon, since the key is in the journal.

A request also says what its client had **seen**: the version of the journal's last entry then.  That matters where a
command takes back what somebody has said since:

- *resume* is refused if there is a hold that its giver had not seen;
- *recover* is refused if the operator was needed again since;
- *stop* is taken, and leaves a hold that its giver had not seen in force: the films are finished after a resume.

*Hold* and *abort* are always taken, whatever was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.campaign.lifecycle import HOLDS, Command, CommandRefused, Mode, next_mode


@dataclass(frozen=True)
class Request:
    """What somebody asks for.  Without a `key` it cannot be told from another; without `seen` it knows of all."""

    command: Command
    by: str
    reason: str
    key: str = ""
    seen: int | None = None


@dataclass(frozen=True)
class Given:
    """A command that was taken: with entry `version`, at lab `time`; the campaign is `mode` since.  `changed`: it was
    not so already."""

    version: int
    time: float
    command: Command
    by: str
    reason: str
    key: str
    mode: Mode
    changed: bool

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.command} by {self.by} at {datetime.fromtimestamp(self.time):%H:%M:%S}{why}"

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("version", "time", "command", "by", "reason")}


Commands = Sequence[Given]
"""All that were taken in a campaign, in order."""


def asked_before(commands: Commands, request: Request) -> Given | None:
    """The command that this very request has been already.  Raises `CommandRefused` if its key was another's."""
    given = next((given for given in commands if request.key and given.key == request.key), None)
    if given is not None and given.command is not request.command:
        raise CommandRefused(f"the key {request.key!r} is that of another request: {given}")
    return given


def unseen_hold(commands: Commands, seen: int | None) -> Given | None:
    """The last hold, if it came after what was `seen`."""
    hold = next((given for given in reversed(commands) if given.command is Command.HOLD), None)
    return hold if hold is not None and seen is not None and hold.version > seen else None


def check(request: Request, mode: Mode, commands: Commands, needed_at: int) -> None:
    """Raises `CommandRefused` if `request` makes no sense in `mode`, or takes back what its giver has not seen.

    `needed_at` is the version of the entry that last called the operator.
    """
    try:
        next_mode(mode, request.command)
    except CommandRefused as refusal:
        first = next((given for given in reversed(commands) if given.changed), None)
        raise CommandRefused(f"{refusal}; before you came {first}" if first else str(refusal)) from None
    look = f"you had seen entry {request.seen}: look again with `nightshift status`, then {request.command}"
    if request.command is Command.RESUME and mode in HOLDS:
        if hold := unseen_hold(commands, request.seen):
            raise CommandRefused(f"the campaign stays {mode}: before you came {hold}, entry {hold.version}; {look}")
    elif request.command is Command.RECOVER and request.seen is not None and needed_at > request.seen:
        raise CommandRefused(f"you are needed for something else since, entry {needed_at}; {look}")


def answer(request: Request, mode: Mode, commands: Commands, *, changed: bool) -> dict[str, Any]:
    """What the giver of `request` is told, now that it is among `commands`: the campaign's mode, whether anything
    changed, and in `note` what another had said before, if that matters; `first` is that command."""
    others = [given for given in commands if not request.key or given.key != request.key]
    first, note = None, ""
    if not changed:
        first = next((g for g in reversed(others) if g.command is request.command and g.changed), None)
        note = f"it was so already: {first}" if first else "it was so already"
    elif request.command is Command.STOP:
        first = next((g for g in reversed(others) if g.command in (Command.HOLD, Command.RESUME)), None)
        first = first if first and first.command is Command.HOLD else None
        stays = mode in HOLDS
        note = "" if first is None else f"{'still in force' if stays else 'lifted by this'}: {first}"
    return {
        "mode": mode.value,
        "changed": changed,
        "again": False,
        "note": note,
        "first": None if first is None else first.as_dict(),
    }


def answer_again(given: Given) -> dict[str, Any]:
    """What the giver of a request that was taken already is told: the mode that it led to."""
    return {
        "mode": given.mode.value,
        "changed": given.changed,
        "again": True,
        "note": f"already done, entry {given.version}: {given}",
        "first": given.as_dict(),
    }
