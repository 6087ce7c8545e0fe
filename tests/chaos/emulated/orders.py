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
``own-sample``              a sample of his own; some seconds later, if it still waits, it is withdrawn
``veto``                    the sample that was suggested last, unless its film has been begun
``reject-accept``           the last value is rejected, and taken back after some seconds
``two-reject``              two operators; the second, who knows nothing of the first, may not take it back
``repeat``                  the last sample that was measured is measured again
``more-budget``             one film more, told twice
``own-against-stop``        a sample of one's own and a stop, both at once
==========================  ===========================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator import rpc
from orchestrator.campaign.actions import (
    Accept,
    ChangeBudget,
    OwnSample,
    Reject,
    Repeat,
    SearchAction,
    SearchRequest,
    Veto,
    Withdraw,
)
from orchestrator.campaign.commands import Request
from orchestrator.campaign.lifecycle import Command
from orchestrator.campaign.state import CampaignState, fold
from orchestrator.journal import SqliteJournal
from orchestrator.service.asking import give
from orchestrator.service.home import Home, HomeError
from tests.chaos.emulated.bench import SPEED, World
from tests.chaos.emulated.clock import scheduler
from tests.chaos.emulated.computer import Process

OPERATOR = "operator"
"""Who is hit by an order: nobody."""
AGAIN_S = 0.05
"""Virtual seconds between two attempts to be heard."""

OWN = OwnSample(composition={"Fe": 60.0, "Co": 40.0})

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

    def act(self, action: SearchAction, key: str = "") -> Told:
        """Do something about the search; what he is told, with "refused" if he was."""
        request = SearchRequest(
            action, f"operator {self.number}", "chaos", key or f"{self.number}-{action.name}", self.seen
        )
        told = self._heard(lambda: give(Home(self.operators.home()), request))
        self.operators.said.append({"command": action.name, "by": request.by, **told})
        return told

    def state(self) -> CampaignState:
        """What the journal tells, which may not be there yet."""
        if not Home(self.operators.home()).journal.is_file():
            return CampaignState()
        journal = SqliteJournal(Home(self.operators.home()).journal)
        try:
            return fold(journal.read())
        finally:
            journal.close()

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


def _own_sample(voice: Voice, wait_s: float) -> Script:
    voice.look()
    told = voice.act(OWN)
    again = voice.act(OWN)
    if "refused" not in told:
        voice.expect(again.get("number") == told["number"] and again.get("again"), "is queued twice")
        yield wait_s
        voice.look()
        voice.act(Withdraw(queued=told["number"]))


def _veto(voice: Voice, wait_s: float) -> Script:
    yield 0.0
    if samples := voice.state().samples:
        number = max(samples)
        voice.look()
        told = voice.act(Veto(sample=number))
        if "refused" not in told:
            yield wait_s
            voice.expect(voice.state().samples[number].film is None, "has a film, and was vetoed")


def _reject_accept(voice: Voice, wait_s: float) -> Script:
    yield 0.0
    if observations := voice.state().observations:
        number = observations[-1].sample
        voice.look()
        if "refused" not in voice.act(Reject(sample=number)):
            yield wait_s
            voice.look()
            voice.act(Accept(sample=number))


def _first_rejects(voice: Voice, wait_s: float) -> Script:
    yield wait_s / 2
    if observations := voice.state().observations:
        voice.look()
        voice.act(Reject(sample=observations[0].sample))


def _second_accepts(voice: Voice, wait_s: float) -> Script:
    """He has not seen that it was rejected."""
    voice.look()
    yield wait_s
    if observations := voice.state().observations:
        told = voice.act(Accept(sample=observations[0].sample))
        voice.expect("refused" in told or not told["changed"], "took back what he had not seen")


def _repeat(voice: Voice, wait_s: float) -> Script:
    yield 0.0
    if observations := voice.state().observations:
        voice.look()
        voice.act(Repeat(sample=observations[-1].sample))


def _more_budget(voice: Voice, wait_s: float) -> Script:
    yield 0.0
    samples = voice.look().get("samples_budget", 0)
    told = voice.act(ChangeBudget(samples=samples + 1))
    again = voice.act(ChangeBudget(samples=samples + 1))
    voice.expect(again.get("entry") == told.get("entry"), "was changed twice")


def _wants_his_own(voice: Voice, wait_s: float) -> Script:
    yield 0.0
    voice.act(OWN)


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
    "own-sample": (_own_sample,),
    "veto": (_veto,),
    "reject-accept": (_reject_accept,),
    "two-reject": (_first_rejects, _second_accepts),
    "repeat": (_repeat,),
    "more-budget": (_more_budget,),
    "own-against-stop": (_wants_his_own, _once("stop")),
}


def misled(said: list[dict[str, Any]], end: str) -> list[str]:
    """What is wrong with how a night ended, `end`, after all that was `said` and taken in it."""
    taken = {word["command"] for word in said if word.get("changed")}
    wanted = "aborted" if "abort" in taken else "stopped" if "stop" in taken else "done"
    allowed = {wanted, "needs operator"} | ({"done"} if wanted == "stopped" else set())
    return [] if end in allowed else [f"the night ended as {end!r} after {said}"]
