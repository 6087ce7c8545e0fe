"""Operators who give orders at a boundary of a night, each from a terminal of his own, until he is heard.

==========================  ===========================================================================
``hold-resume``             a hold, and a resume after some seconds
``hold-trip-resume``        the same, and meanwhile a plasma goes out by itself
``hold-stop``, ``hold-abort``  a hold that is ended so, after some seconds
``stop``, ``abort``         alone
``abort-abort``             the second right after the first
``two-holds``               two operators hold; the first, who knows nothing of the second, may not resume
``hold-against-abort``      both at once: the abort wins
``late-copy``               a hold, a resume, and a copy of the first request
==========================  ===========================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator import rpc
from orchestrator.campaign.commands import Request
from orchestrator.campaign.lifecycle import Command
from orchestrator.service.asking import give
from orchestrator.service.home import Home, HomeError
from tests.chaos.emulated.bench import SPEED, World
from tests.chaos.emulated.clock import scheduler
from tests.chaos.emulated.computer import Process

OPERATOR = "operator"
"""Who is hit by an order: nobody."""
AGAIN_S = 0.05
"""Virtual seconds between two attempts to be heard."""

Told = dict[str, Any]
Script = Generator[float, None, None]
"""What an operator does; he waits for as many lab seconds as he yields."""


@dataclass
class Operators:
    """Everything that was said in one night and answered, in `said`, and what went wrong with that."""

    home: Callable[[], Path]
    world: World
    said: list[dict[str, Any]] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def order(self, what: str, wait_s: float) -> None:
        """Let operators give the order `what`; in it they wait for `wait_s` lab seconds."""
        scripts = ORDERS[what]
        for number, script in enumerate(scripts):
            terminal = Process(OPERATOR)
            terminal.start(lambda script=script, number=number: self._play(script(Voice(self, number), wait_s)))

    def _play(self, script: Script) -> None:
        for wait_s in script:
            scheduler().park(wait_s / SPEED)


@dataclass
class Voice:
    """One operator at his terminal.  `seen` is the entry that he saw last."""

    operators: Operators
    number: int
    seen: int | None = None

    def say(self, word: str, key: str = "") -> Told:
        """Give a command; what he is told, with "refused" if he was."""
        request = Request(Command(word), f"operator {self.number}", "chaos", key or f"{self.number}-{word}", self.seen)
        told = self._heard(lambda: give(Home(self.operators.home()), request))
        self.operators.said.append({"command": word, "by": request.by, **told})
        return told

    def look(self) -> Told:
        """See how things stand."""
        status = self._heard(self._status)
        self.seen = status.get("version", 0)
        return status

    def has_heard(self, other: str) -> bool:
        """Whether `other` has given an order that was taken."""
        return any(word["by"] == other and "refused" not in word for word in self.operators.said)

    def expect(self, wanted: bool, what: str) -> None:
        if not wanted:
            self.operators.trouble.append(f"operator {self.number}: {what}; {self.operators.said}")

    def _status(self) -> Told:
        with Home(self.operators.home()).connect() as daemon:
            return dict(daemon.status())

    def _heard(self, ask: Callable[[], Told]) -> Told:
        """Ask until there is an answer: a daemon that starts, or is dead, has none."""
        while True:
            try:
                return ask()
            except rpc.RemoteError as error:
                if error.kind != "CommandRefused":
                    raise
                if "no campaign is under way" not in error.message:
                    return {"refused": error.message}
            except (HomeError, rpc.RpcError):
                """Nobody there, for now."""
            scheduler().park(AGAIN_S)


# --- what they do -----------------------------------------------------------------------------------------


def _hold_then(*words: str) -> Callable[[Voice, float], Script]:
    def script(voice: Voice, wait_s: float) -> Script:
        voice.say("hold")
        for word in words:
            yield wait_s
            if word == "trip":
                while voice.look()["mode"] == "holding":
                    yield AGAIN_S * SPEED
                _trip(voice.operators.world)
            else:
                voice.say(word)

    return script


def _once(*words: str) -> Callable[[Voice, float], Script]:
    def script(voice: Voice, wait_s: float) -> Script:
        yield 0.0
        for word in words:
            voice.say(word, f"{voice.number}-{word}-{len(voice.operators.said)}")

    return script


def _trip(world: World) -> None:
    """A plasma that burns goes out: its supply trips."""
    lit = [gun for gun in world.lab.chamber.guns.values() if gun.lit]
    if lit:
        lit[0].trip()


def _first_of_two(voice: Voice, wait_s: float) -> Script:
    """He holds, and later resumes with what he saw then, which is refused if another has held since."""
    voice.say("hold")
    voice.look()
    known = voice.has_heard("operator 1")
    yield wait_s + 1.0
    held_since = voice.has_heard("operator 1") and not known
    told = voice.say("resume")
    if "refused" in told:
        voice.expect("operator 1" in told["refused"], "was not told who had held")
    else:
        voice.expect(not held_since, "lifted a hold that he had not seen")


def _second_of_two(voice: Voice, wait_s: float) -> Script:
    yield wait_s / 2
    voice.say("hold")
    yield wait_s + 2.0
    voice.look()
    told = voice.say("resume", "1-resume-at-last")
    voice.expect("refused" not in told or "the campaign is " in told["refused"], "could not lift his own hold")


def _copied(voice: Voice, wait_s: float) -> Script:
    first = voice.say("hold", "the same")
    yield wait_s
    voice.say("resume")
    again = voice.say("hold", "the same")
    if "refused" in first:
        voice.expect(again == first, "was refused, and not again")
    else:
        voice.expect(again.get("again") is True, "was not known again")
        voice.expect(again.get("mode") == first["mode"], "was told something else")
    if again.get("changed") and not again.get("again"):
        voice.say("resume", "so that it ends")


ORDERS: dict[str, tuple[Callable[[Voice, float], Script], ...]] = {
    "hold-resume": (_hold_then("resume"),),
    "hold-trip-resume": (_hold_then("trip", "resume"),),
    "hold-stop": (_hold_then("stop"),),
    "hold-abort": (_hold_then("abort"),),
    "stop": (_once("stop"),),
    "abort": (_once("abort"),),
    "abort-abort": (_once("abort", "abort"),),
    "two-holds": (_first_of_two, _second_of_two),
    "hold-against-abort": (_once("hold"), _once("abort")),
    "late-copy": (_copied,),
}


def misled(said: list[dict[str, Any]], end: str) -> list[str]:
    """What is wrong with how a night ended, `end`, after all that was `said` and taken in it."""
    taken = {word["command"] for word in said if word.get("changed")}
    wanted = "aborted" if "abort" in taken else "stopped" if "stop" in taken else "done"
    allowed = {wanted, "needs operator"} | ({"done"} if wanted == "stopped" else set())
    return [] if end in allowed else [f"the night ended as {end!r} after {said}"]
