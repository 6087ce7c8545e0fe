"""What is going to happen to a night: drawn from the seed and the night's number, and nothing else.

The same seed draws the same acts.  What they meet is not the same to the microsecond: real processes never
run twice alike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random
from typing import Any

TARGETS = ("daemon", "worker", "optimizer", "all")
"""Whom a fault hits; ``worker`` is one station's, ``all`` is the daemon with every process that it started."""
WEIGHTS = (3, 3, 1, 3)
PLANS = ("deposit", "transfer", "measure")

FAULTS = {
    "kill": "SIGKILL",
    "startup": "SIGKILL while the night is starting for the first time",
    "recovering": "SIGKILL, and again while the restarted night recovers",
    "hang": "SIGSTOP; a hung daemon is killed or let go on after a while",
    "disk-full": "no room for another byte, for a while",
    "read-only": "everything is killed, and the home cannot be written to when it is restarted",
    "locked": "somebody else locks the journal's database, for a while",
    "clock": "everything is killed, and the machine's clock is wrong when it is restarted",
    "alerts-down": "the alert channel refuses, hangs or fails for a while, in which a worker is killed",
    "torn": "power cut: everything is killed, and what was not synced is lost or torn",
}

TYPICAL_S = {"deposit": 400.0, "transfer": 25.0, "measure": 450.0}
"""Lab seconds that a step of the short night takes, more or less."""
START_S = 3.5
"""Real seconds that a start takes, more or less."""
FILM_S = 900.0
"""Lab seconds for each film of the short night, undisturbed."""
COST_S = 500.0
"""Lab seconds that a fault sets a night back, besides the restart."""
CLOCK_OFF_S = (-86400.0, -3600.0, -30.0, 1800.0)


@dataclass(frozen=True)
class Options:
    """What is wanted of every night of a run."""

    seed: int = 1
    faults: tuple[str, ...] = ("kill",)
    target: str | None = None
    during: str | None = None
    a_night: int = 4
    films: int = 3
    speed: float = 200.0

    def arguments(self) -> str:
        """The command line that asks for these, but for how many."""
        words = [f"--seed {self.seed}", *(f"--fault {fault}" for fault in self.faults)]
        words += [f"--target {self.target}"] if self.target else []
        words += [f"--during {self.during}"] if self.during else []
        return " ".join([*words, f"--a-night {self.a_night}", f"--films {self.films}", f"--speed {self.speed:g}"])


@dataclass(frozen=True)
class Act:
    """One fault.

    It comes `at_s` lab seconds after the night began; with `during` given, `into_s` lab seconds after a step
    of that plan was first seen under way from then on.  `pick` in [0, 1) chooses among several workers,
    `lasts_s` is real seconds for faults that pass, `wait_s` real seconds before a restart, `again_s` real
    seconds after each restart when everything is killed once more, `off_s` by how much the clock is then wrong.
    """

    fault: str
    target: str
    at_s: float
    during: str | None = None
    into_s: float = 0.0
    pick: float = 0.0
    wait_s: float = 0.0
    lasts_s: float = 0.0
    again_s: tuple[float, ...] = ()
    off_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def acts(options: Options, night: int) -> list[Act]:
    """The acts of `night`, in the order in which they come."""
    rng = Random(f"chaos/{options.seed}/{night}")
    span_s = options.films * FILM_S + options.a_night * (COST_S + START_S * options.speed)
    drawn = [_act(rng, options, rng.choice(options.faults), span_s) for _ in range(options.a_night)]
    return sorted(drawn, key=lambda act: act.at_s)


def campaign_seed(options: Options, night: int) -> int:
    return Random(f"campaign/{options.seed}/{night}").randrange(1, 2**31)


def _act(rng: Random, options: Options, fault: str, span_s: float) -> Act:
    target = options.target or rng.choices(TARGETS, WEIGHTS)[0]
    at_s, pick, into = rng.uniform(0, span_s), rng.random(), rng.random()
    wait_s = rng.choice((0.0, 0.0, rng.uniform(0, 3)))
    lasts_s, again = rng.uniform(0.5, 12.0), [rng.uniform(0, START_S) for _ in range(rng.randint(1, 3))]
    off_s = rng.choice(CLOCK_OFF_S)
    during = options.during
    match fault:
        case "startup":
            return Act(fault, target, rng.uniform(0, START_S * options.speed), pick=pick, wait_s=wait_s)
        case "recovering":
            target = target if target in ("daemon", "all") else "all"
            return Act(fault, target, at_s, during, _into(during, into), pick, wait_s, again_s=tuple(again))
        case "read-only" | "torn" | "clock":
            off_s = off_s if fault == "clock" else 0.0
            return Act(fault, "all", at_s, during, _into(during, into), pick, wait_s, lasts_s, off_s=off_s)
        case "disk-full" | "locked":
            return Act(fault, "disk", at_s, during, _into(during, into), pick, wait_s, lasts_s)
        case "alerts-down":
            target = "worker"
        case "hang":
            target = target if target != "all" else "daemon"
    return Act(fault, target, at_s, during, _into(during, into), pick, wait_s, lasts_s)


def _into(during: str | None, share: float) -> float:
    return 0.0 if during is None else share * TYPICAL_S[during]
