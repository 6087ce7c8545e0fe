"""Looking after a daemon from outside: it cannot say itself that it is dead.

`Vigil` decides, from what is seen again and again, and is pure.  `Watch` looks, and tells the same channels as the
daemon.  It only reads what the daemon writes, and holds nothing up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.campaign.state import CampaignState
from orchestrator.journal import JournalError, SqliteJournal
from orchestrator.service.alerts.alert import acknowledges
from orchestrator.service.alerts.alerting import Alerting
from orchestrator.service.home import Home, HomeError

LOOK_S = 1.0
CALL_S = 2.0
PATIENCE_S = 10.0
"""Real seconds without a daemon, or without an answer of it, after which somebody is alerted: one that is started
again at once needs about five."""
STARTING_S = 180.0
"""For how long a daemon may live without taking commands: it connects to instruments."""
STUCK_S = 240.0
"""For how long it may take commands and decide nothing: it waits for its journal, or makes stations safe."""

Trouble = Literal["", "dead", "silent", "starting", "stuck"]
WORDS: dict[Trouble, str] = {
    "dead": "no daemon lives there",
    "silent": "its daemon does not answer",
    "starting": "its daemon does not get as far as taking commands",
    "stuck": "its daemon answers, and decides nothing",
}


@dataclass(frozen=True)
class Sight:
    """What one look shows: the daemon's process, whether it takes commands, and by its own word how many seconds ago
    it last decided something (None: it does not answer)."""

    pid: int | None
    announced: bool = False
    decided_s: float | None = None


class Vigil:
    """From looks to troubles; `now` is real seconds."""

    def __init__(self, now: float, patience_s: float = PATIENCE_S) -> None:
        self._limits: dict[Trouble, float] = {
            "dead": patience_s,
            "silent": patience_s,
            "starting": max(patience_s, STARTING_S),
            "stuck": 0.0,
        }
        self._well_at = now

    def seen(self, sight: Sight, now: float) -> tuple[Trouble, bool]:
        """What is wrong now, and whether it has been for too long."""
        trouble = _trouble(sight)
        if not trouble:
            self._well_at = now
            return "", False
        return trouble, now - self._well_at >= self._limits[trouble]


def _trouble(sight: Sight) -> Trouble:
    if sight.pid is None:
        return "dead"
    if not sight.announced:
        return "starting"
    if sight.decided_s is None:
        return "silent"
    return "stuck" if sight.decided_s > STUCK_S else ""


class Watch:
    """Over the daemon of `home`.  `own` tells of the daemon; `theirs` tells what a daemon that has ended left untold.

    `say` takes each change in words.
    """

    def __init__(
        self,
        home: Home,
        own: Alerting,
        theirs: Callable[[], Alerting],
        say: Callable[[str], None],
        *,
        patience_s: float = PATIENCE_S,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._home, self._own, self._theirs, self._say = home, own, theirs, say
        self._now, self._pause = now, pause
        self._patience_s = patience_s
        self._vigil = Vigil(now(), patience_s)
        self._journal: SqliteJournal | None = None
        self._unread = ""
        self._state = CampaignState()
        self._last: e.Recorded | None = None
        self._remote: tuple[int, rpc.Remote] | None = None
        self._trouble: Trouble = ""
        self._alerted = False

    def run(self) -> str:
        """Watch until the campaign has ended, its daemon is gone, and everything is told and, if it must be,
        acknowledged; how it ended."""
        while True:
            while not self.look():
                self._pause(LOOK_S)
            if end := self._tell_left():
                assert self._journal is not None
                self._journal.close()
                return end

    def _tell_left(self) -> str:
        """See that what a daemon that has ended left untold is told; how the campaign ended, "" if somebody went on
        with it meanwhile."""
        assert self._last is not None
        with self._theirs() as left:
            left.recorded(self._last)
            while self._state.ended is not None and not (left.idle and self._own.idle):
                self._pause(LOOK_S)
                for recorded in self._read_on():
                    left.recorded(recorded)
        return self._state.ended.end if self._state.ended else ""

    def look(self) -> bool:
        """Look once; whether the campaign has ended and its daemon is gone."""
        self._read_on()
        sight = self._sight()
        if self._state.started is None or self._state.ended is not None:
            self._vigil = Vigil(self._now(), self._patience_s)
            return self._state.ended is not None and sight.pid is None
        trouble, too_long = self._vigil.seen(sight, self._now())
        if trouble != self._trouble:
            self._say(f"{self._home.path}: {WORDS[trouble] if trouble else 'its daemon is well'}")
            self._trouble = trouble
        if too_long and not self._alerted:
            self._alerted = True
            self._alert(trouble)
        elif not trouble and self._alerted:
            self._alerted = False
            self._own.tell("info", "The daemon lives and answers again.", "daemon")
        return False

    def _alert(self, trouble: Trouble) -> None:
        do = "Give" if trouble == "dead" else "See what it does, or end it and give"
        text = f"The campaign has not ended, and {WORDS[trouble]}. Its stations make themselves safe without it. "
        name = f"{trouble} after entry {self._state.version}"
        self._own.tell("critical", f"{text}{do} `nightshift recover`.", "daemon", name)

    def _read_on(self) -> list[e.Recorded]:
        """Take in what has been journaled since the last look; what cannot be read now is read later."""
        news: list[e.Recorded] = []
        if self._journal is None and not self._home.journal.is_file():
            return news
        try:
            self._journal = self._journal or SqliteJournal(self._home.journal)
            for recorded in self._journal.read(self._state.version):
                self._state.apply(recorded)
                self._last = recorded
                news.append(recorded)
            self._unread = ""
        except JournalError as error:
            if str(error) != self._unread:
                self._say(str(error))
            self._unread = str(error)
        if any(acknowledges(recorded.entry) for recorded in news):
            self._own.acknowledged()
        return news

    def _sight(self) -> Sight:
        pid = self._home.daemon
        announced = pid is not None and self._home.announced == pid
        return Sight(pid, announced, self._decided_s(pid) if pid is not None and announced else None)

    def _decided_s(self, pid: int) -> float | None:
        try:
            if self._remote is None or self._remote[0] != pid:
                self._remote = pid, self._home.connect(CALL_S)
            return float(self._remote[1].decided_s())
        except (HomeError, rpc.RpcError):
            self._remote = None
            return None
