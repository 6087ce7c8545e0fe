"""How the night stands, by its daemon's word or by the journal alone; and for how long nobody has been heard.

A daemon that answers is asked: that is quick, and imports little.  Without one the journal is read, which tells
everything but what the stations wait on and how late it is in the lab.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator import rpc
from orchestrator.service.home import Home, HomeError
from orchestrator.service.progress import Progress

CALL_S = 2.0
SILENT_S = 5.0
"""Real seconds without news after which what was last heard counts as old."""


@dataclass(frozen=True)
class Word:
    """What was learnt in one look.

    `progress` is None before a campaign.  `live`: a daemon said so now; `decided_s` is then how many real seconds ago
    it last decided something.  `note` says what a person should know of where this comes from, "" if nothing.
    """

    progress: Progress | None
    live: bool
    decided_s: float = 0.0
    note: str = ""


def ask(home: Home, timeout_s: float = CALL_S) -> Word:
    """What the daemon of `home` says.  Raises `HomeError` if there is none or it does not answer."""
    with home.connect(timeout_s) as daemon:
        try:
            told, decided_s = daemon.status(), float(daemon.decided_s())
        except rpc.RpcError as error:
            raise HomeError(f"its daemon does not answer ({error})") from error
    if told == {"mode": "idle"}:
        return Word(None, True, decided_s, "its daemon waits for a campaign: give it one with `nightshift run`")
    try:
        progress = Progress.of(told)
    except (TypeError, KeyError) as error:
        raise HomeError(f"its daemon is of another version ({error}); use the command of that one") from error
    return Word(progress, True, decided_s)


def read(home: Home, why: str = "") -> Word:
    """What the journal of `home` tells, and `why` its daemon was not asked.  Raises `HomeError` or `JournalError`."""
    progress = _noted(home) or _folded(home)
    if progress.end:
        return Word(progress, False)
    if home.daemon is None:
        why = "no daemon runs here, so this is how it was left; go on with `nightshift recover`"
    return Word(progress, False, note=why or "its daemon is starting or ending, so this is what its journal tells")


def _noted(home: Home) -> Progress | None:
    """What the last daemon noted when it ended, if nothing has happened since; by this version of the program."""
    try:
        return None if (told := home.last) is None else Progress.of(told)
    except (TypeError, KeyError):
        return None


def _folded(home: Home) -> Progress:
    from orchestrator.service.status import progress_of  # it imports the models of all entries

    return progress_of(home.need_journal())


def look(home: Home) -> Word:
    """What there is to learn now: by the daemon of `home`, else by its journal."""
    if not home.served:
        return read(home)
    try:
        return ask(home)
    except HomeError as error:
        return read(home, f"no contact with the daemon: {error}")


class Contact:
    """What was last heard from a daemon, and how old it is; `now` is real seconds."""

    def __init__(self, now: float) -> None:
        self.progress: Progress | None = None
        self.trouble = ""
        self._heard_at = now

    def heard(self, word: Word, now: float) -> None:
        """A daemon has answered, or what its journal tells is all that there will be."""
        self.progress, self.trouble = word.progress, word.note
        self._heard_at = now - word.decided_s
        if word.decided_s > SILENT_S:
            self.trouble = "its daemon answers, and decides nothing"

    def not_heard(self, why: str) -> None:
        """Nobody has answered."""
        self.trouble = why

    def silence_s(self, now: float) -> float:
        """How old what was last heard is."""
        return max(0.0, now - self._heard_at)

    def lost(self, now: float) -> bool:
        """Whether it has been silent for so long that what was last heard is not to be taken for what is so."""
        return self.silence_s(now) > SILENT_S
