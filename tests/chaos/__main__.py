"""``python -m tests.chaos``: run nights and kill their processes until so many kills have been survived."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import click

from tests.chaos import plan
from tests.chaos.harness import Night
from tests.chaos.plan import Options
from tests.chaos.results import OtherRun, Results
from tests.chaos.tally import BREACHES, totals

Say = Callable[[str], None]
Record = dict[str, Any]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--kills", default=20, show_default=True, help="Run nights until there have been so many.")
@click.option("--seed", default=1, show_default=True)
@click.option("--target", type=click.Choice(plan.TARGETS), help="Whom to hit; all: everything at once [default: any].")
@click.option("--fault", "faults", type=click.Choice([*plan.FAULTS, "all"]), multiple=True,
              help="What to do; may be given several times [default: kill].")  # fmt: skip
@click.option("--during", type=click.Choice(plan.PLANS), help="Only while such a step is under way.")
@click.option("--a-night", default=4, show_default=True, help="Faults in each night, at most.")
@click.option("--films", default=3, show_default=True, help="Films in each night.")
@click.option("--speed", default=200.0, show_default=True, help="Lab seconds per real second.")
@click.option("--night", type=int, help="Only this night, to replay it.")
@click.option("--nights", type=int, help="No more nights than this.")
@click.option("--at-once", default=1, show_default=True,
              help="Nights side by side: most of each is waiting, but times are then not to be trusted.")  # fmt: skip
@click.option("--emulated", is_flag=True, help="Emulate crashes in one process on a jumping clock instead.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep results and failed nights here, and resume.")
@click.option("--keep", is_flag=True, help="Keep the folders of good nights too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(kills: int, seed: int, target: str | None, faults: tuple[str, ...], during: str | None, a_night: int,
         films: int, speed: float, night: int | None, nights: int | None, at_once: int, emulated: bool,
         out: Path | None, keep: bool, as_json: bool) -> None:  # fmt: skip
    """Kill, hang and starve the processes of rehearsed nights, and see what became of the films.

    Exit code 1 if any film, measurement or safe state was lost.
    """
    if emulated:
        sys.exit(_emulated(kills, seed, out, as_json))
    chosen = tuple(plan.FAULTS) if "all" in faults else faults or ("kill",)
    options = Options(seed, chosen, target, during, a_night, films, speed)
    folder = out or Path(tempfile.mkdtemp(prefix="nightshift-chaos-"))
    say = _silent if as_json else click.echo
    try:
        results = Results(folder, options)
    except OtherRun as error:
        raise click.UsageError(str(error)) from error
    numbers = iter([night]) if night is not None else _numbers(results, kills, nights)
    for record in _side_by_side(options, numbers, folder, at_once):
        results.add(record)
        _tell(options, record, folder, results.kills, say, keep)
    found = {"seed": seed, **totals(results.nights), "out": str(folder)}
    if out is None and not found["failed_nights"]:
        shutil.rmtree(folder)
    click.echo(json.dumps(found) if as_json else _table(found))
    sys.exit(1 if found["failed_nights"] else 0)


def _numbers(results: Results, kills: int, nights: int | None) -> Iterator[int]:
    """Nights that have not been run, for as long as there are not enough kills."""
    ran = {record["night"] for record in results.nights}
    number = 0
    while results.kills < kills and (nights is None or number < nights):
        if number not in ran:
            yield number
        number += 1


def _side_by_side(options: Options, numbers: Iterator[int], folder: Path, at_once: int) -> Iterator[Record]:
    """The records of the nights `numbers`, as they end."""
    with ThreadPoolExecutor(at_once) as pool:
        running: set[Future[Record]] = set()
        while True:
            while len(running) < at_once and (number := next(numbers, None)) is not None:
                running.add(pool.submit(Night(options, number, _place(folder, number)).run))
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for night in ended:
                yield night.result()


def _tell(options: Options, record: Record, folder: Path, kills: int, say: Say, keep: bool) -> None:
    verdict, place = record["verdict"], _place(folder, record["night"])
    say(
        f"night {record['night']}: {record['kills']} kills, {verdict['films']} films, {len(verdict['unknown'])} "
        f"unknown, {verdict['end']}, {record['wall_s']:.0f} s ({kills} kills so far)"
    )
    if not record["clean"]:
        replay = f"python -m tests.chaos {options.arguments()} --night {record['night']}"
        for name in BREACHES:
            for breach in verdict[name]:
                click.echo(f"  {name}: {breach}", err=True)
        click.echo(f"  replay it: {replay}\n  its files: {place}", err=True)
    elif not keep and verdict["end"].startswith("done"):
        shutil.rmtree(place)


def _place(folder: Path, number: int) -> Path:
    return folder / f"night-{number:04}"


def _emulated(kills: int, seed: int, out: Path | None, as_json: bool) -> int:
    from tests.chaos.emulated.__main__ import run

    return int(run(kills=kills, seed=seed, out=out, as_json=as_json))


def _silent(_: str) -> None:
    """With --json, nothing but the result."""


def _table(found: dict[str, Any]) -> str:
    width = max(map(len, found))
    return "\n".join(f"{name:{width}}  {value if value not in ({}, []) else '-'}" for name, value in found.items())


if __name__ == "__main__":
    main()
