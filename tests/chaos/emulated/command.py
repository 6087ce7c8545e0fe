"""The command: which crashes, in which nights; results as they come, and their sum."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import click

from tests.chaos import tally
from tests.chaos.emulated.boundaries import KINDS, Boundary
from tests.chaos.emulated.crash import DOWN_S, TARGETS, Crash
from tests.chaos.emulated.disk import LOSSES
from tests.chaos.emulated.orders import OPERATOR, ORDERS
from tests.chaos.emulated.run import Night, Record, prepare
from tests.chaos.tally import BREACHES

WEIGHTS = {"all": 14, "daemon": 2, "deposition": 1, "magnetometry": 1, "robot": 1, "optimizer": 1}
AGAIN = 0.2
"""Share of crashes in whose aftermath there is another, more often early in it, within `AGAIN_WITHIN` boundaries."""
AGAIN_WITHIN = 800
SHOWN = 20


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--points", default="1000", show_default=True,
              help="So many crashes; all: both losses at every boundary of one night.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, help="Of the first night; the next ones count up.")
@click.option("--target", type=click.Choice(TARGETS), help="Whom to hit [default: any].")
@click.option("--orders", type=click.Choice(["any", *ORDERS]),
              help="Instead, let operators give orders, a fifth of them soon after everything was killed.")  # fmt: skip
@click.option("--crash", "crashes", help="Only this, as a replay line has it.")
@click.option("--out", type=click.Path(path_type=Path), help="Write results here as they come, and resume.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--verbose", is_flag=True, help="Say what our processes log.")
def crash_nights(points: str, seed: int, target: str | None, orders: str | None, crashes: str | None,
                 out: Path | None, as_json: bool, verbose: bool) -> int:  # fmt: skip
    """Crash emulated nights at their boundaries.  Exit code 1 if anything was lost, doubled or left unsafe."""
    prepare()
    if verbose:
        logging.disable(logging.NOTSET)
        logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    began = time.perf_counter()
    results = Results(out, quiet=as_json)
    if crashes is not None:
        chosen = [Crash.parse(text) for text in crashes.split(",")]
        Night(seed).crashed({chosen[0].boundary: [chosen]}, results.add)
        click.echo(json.dumps(results.records[-1], indent=2))
        return 0 if results.records[-1]["clean"] else 1
    kinds: Counter[str] = Counter()
    planned = 0
    for number in _seeds(seed, points):
        night = Night(number)
        passed = night.boundaries()
        kinds.update(boundary.kind for boundary in passed)
        plan = _planned(passed, points, planned, Random(number), target, orders)
        planned += sum(map(len, plan.values()))
        results.say(f"seed {number}: {len(passed)} boundaries, {planned} crashes so far")
        night.crashed(results.left(number, plan), results.add)
        if points == "all" or planned >= int(points):
            break
    found = {"seed": seed, **summed(results.records), "boundaries": {kind: kinds[kind] for kind in KINDS}}
    found["resumed"] = results.resumed
    found["wall_s"] = round(time.perf_counter() - began, 1)
    found["points_per_minute"] = round(60 * results.new / max(found["wall_s"], 1e-3))
    click.echo(json.dumps(found) if as_json else _table(found))
    return 1 if found["failures"] else 0


class Results:
    """Records, kept in a file as they come; what is in it already is not done again."""

    def __init__(self, path: Path | None, *, quiet: bool) -> None:
        self._path, self._quiet = path, quiet
        self.records: list[Record] = []
        if path is not None and path.exists():
            self.records = [json.loads(line) for line in path.read_text().splitlines()]
        self.resumed = len(self.records)
        self._done = {(record["seed"], *record["crashes"]) for record in self.records}
        self.new = 0

    @property
    def points(self) -> int:
        return len(self.records)

    def left(self, seed: int, plan: dict[int, list[list[Crash]]]) -> dict[int, list[list[Crash]]]:
        """`plan` without what has been done."""
        return {
            number: [crashes for crashes in several if (seed, *map(str, crashes)) not in self._done]
            for number, several in plan.items()
        }

    def add(self, record: Record) -> None:
        self.records.append(record)
        self.new += 1
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.write(json.dumps(record) + "\n")
        if not record["clean"] and not self._quiet:
            for name, breach in breaches(record):
                click.echo(f"  {name}: {breach}", err=True)
            click.echo(f"  at {', then '.join(record['trail'])}\n  replay it: {record['replay']}", err=True)

    def say(self, text: str) -> None:
        if not self._quiet:
            click.echo(text, err=True)


# --- which ------------------------------------------------------------------------------------------------


def _seeds(first: int, points: str) -> Iterator[int]:
    yield first
    while points != "all":
        yield (first := first + 1)


def _planned(
    passed: list[Boundary], points: str, done: int, rng: Random, target: str | None, orders: str | None
) -> dict[int, list[list[Crash]]]:
    """By the number of its boundary, what is to happen in one night."""
    if points == "all":
        chosen = [(boundary, loss) for boundary in passed for loss in (LOSSES if orders is None else LOSSES[:1])]
    else:
        some = passed if int(points) - done >= len(passed) else spread(passed, int(points) - done, rng)
        chosen = [(boundary, rng.choice(LOSSES)) for boundary in some]
    planned: dict[int, list[list[Crash]]] = {}
    for boundary, loss in chosen:
        if orders is not None:
            planned.setdefault(boundary.number, []).append(_ordered(boundary.number, loss, orders, rng))
            continue
        crashes = [_drawn(boundary.number, loss, target, rng)]
        if rng.random() < AGAIN:
            again = int(AGAIN_WITHIN * rng.random() ** 2)
            crashes.append(_drawn(again, rng.choice(LOSSES), target, rng))
        planned.setdefault(boundary.number, []).append(crashes)
    return planned


def _drawn(boundary: int, loss: str, target: str | None, rng: Random) -> Crash:
    (hit,) = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
    hit = target or hit
    return Crash(boundary, hit, loss if hit == "all" else "kill", rng.choice(DOWN_S))


def _ordered(boundary: int, loss: str, orders: str, rng: Random) -> list[Crash]:
    """An order at a boundary; or a crash there, and the order soon after it."""
    what = rng.choice(list(ORDERS)) if orders == "any" else orders
    at, before = boundary, []
    if rng.random() < AGAIN:
        at, before = int(AGAIN_WITHIN * rng.random() ** 2), [_drawn(boundary, loss, "all", rng)]
    return [*before, Crash(at, OPERATOR, what, rng.choice(DOWN_S))]


def spread(passed: list[Boundary], points: int, rng: Random) -> list[Boundary]:
    """`points` boundaries, of each kind alike as far as there are any."""
    by_kind: dict[str, list[Boundary]] = {}
    for boundary in passed:
        by_kind.setdefault(boundary.kind, []).append(boundary)
    left, chosen = points, []
    for taken, kind in enumerate(sorted(by_kind, key=lambda kind: len(by_kind[kind]))):
        share = left // (len(by_kind) - taken)
        some = rng.sample(by_kind[kind], min(share, len(by_kind[kind])))
        chosen += some
        left -= len(some)
    return sorted(chosen, key=lambda boundary: boundary.number)


# --- the sum ----------------------------------------------------------------------------------------------


def breaches(record: Record) -> Iterator[tuple[str, str]]:
    for name in BREACHES:
        for breach in record["verdict"].get(name, []):
            yield name, breach


def summed(records: Iterable[Record]) -> dict[str, Any]:
    """The sum of many records."""
    records = [record for record in records if "missed" not in record]
    verdicts = [record["verdict"] for record in records]
    return {
        "points": len(records),
        "kills": sum(len(record["trail"]) for record in records),
        "nights": len({record["seed"] for record in records}),
        **tally.counted(verdicts),
        "started_again": sum(record.get("started_again", 0) for record in records),
        "hit": dict(Counter(record["trail"][0].split()[2] for record in records if record["trail"])),
        "orders": dict(Counter(c.split(":")[2] for r in records for c in r["crashes"] if OPERATOR in c)),
        "targets": dict(Counter(crash.split(":")[1] for record in records for crash in record["crashes"])),
        "ends": tally.ends(verdicts),
        "unknown_reasons": tally.reasons(verdicts, "unknown"),
        "failures": [
            {"replay": record["replay"], "trail": record["trail"], "breaches": list(breaches(record))}
            for record in records
            if not record["clean"]
        ],
    }


def _table(found: dict[str, Any]) -> str:
    shown = {**found, "failures": len(found["failures"])}
    lines = [f"{name:20} {value if value not in ({}, []) else '-'}" for name, value in shown.items()]
    lines += [f"  {failure['replay']}" for failure in found["failures"][:SHOWN]]
    return "\n".join(lines)
