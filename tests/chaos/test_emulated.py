"""Crashes at the boundaries of emulated nights; and that the emulation is deterministic, and can convict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POINTS = 1000
KINDS = ("commit", "sync", "write", "wire", "gate", "call", "instant")


def python(*arguments: str | Path, code: int | None = 0) -> str:
    """Run Python in a process of its own, where threads may be replaced; its standard output."""
    ran = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert code is None or ran.returncode == code, ran.stderr
    return ran.stdout


def emulated(*arguments: str | Path, code: int | None = 0) -> dict:
    return json.loads(python("-m", "tests.chaos.emulated", "--json", *arguments, code=code))


# --- the promise --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found():
    return emulated("--points", str(POINTS), "--seed", "1", code=None)


@pytest.mark.timeout(900)
def test_whatever_dies_whenever_nothing_is_lost_or_doubled(found):
    told = [f"{failure['replay']}: {failure['breaches']}" for failure in found["failures"]]
    assert not told, "\n".join(told)


@pytest.mark.timeout(900)
def test_crashes_of_every_kind_hit_nights_that_made_films(found):
    assert found["points"] >= 0.98 * POINTS  # some find nobody left to hit
    assert set(found["hit"]) == set(KINDS)
    assert all(found["boundaries"][kind] > 0 for kind in KINDS)
    assert found["films"] >= found["points"]


@pytest.mark.timeout(900)
def test_a_night_with_a_reference_specimen_loses_nothing_either():
    found = emulated("--points", "150", "--seed", "3", code=None)
    told = [f"{failure['replay']}: {failure['breaches']}" for failure in found["failures"]]
    assert not told, "\n".join(told)
    assert found["points"] > 0


# --- what the emulation is trusted to do --------------------------------------------------------------


@pytest.mark.timeout(300)
def test_the_same_seed_is_the_same_to_the_last_boundary(tmp_path):
    records = []
    for name in ("one", "two"):
        emulated("--points", "12", "--seed", "3", "--out", tmp_path / name, code=None)
        lines = [json.loads(line) for line in (tmp_path / name).read_text().splitlines()]
        records.append(sorted(({**line, "wall_s": 0} for line in lines), key=lambda line: line["replay"]))
    assert records[0] == records[1]


@pytest.mark.timeout(300)
def test_a_run_is_resumed_where_it_was_left(tmp_path):
    out = tmp_path / "out"
    emulated("--points", "8", "--seed", "4", "--out", out, code=None)
    lines = out.read_text().splitlines()
    out.write_text("\n".join(lines[:5]) + "\n")
    found = emulated("--points", "8", "--seed", "4", "--out", out, code=None)
    assert found["resumed"] == 5
    assert sorted(json.loads(line)["replay"] for line in out.read_text().splitlines()) == sorted(
        json.loads(line)["replay"] for line in lines
    )


FORGETFUL = """
from tests.chaos.emulated import threads
threads.install()
import json, os
from tests.chaos.emulated.crash import Crash
from tests.chaos.emulated.disk import Disk
from tests.chaos.emulated.run import Night, prepare

prepare()
night = Night(1)
growing = [b.number for b in night.boundaries() if b.kind == "gate" and "depositing" in b.where]
image = Disk.image

def forgetful(disk, loss, target):
    image(disk, loss, target)
    for file in target.glob("deposition.*"):
        file.unlink()

Disk.image = forgetful
records = []
night.crashed({growing[8]: [[Crash(growing[8], "all", "kill", 20.0)]]}, records.append)
print(json.dumps(records), flush=True)
os._exit(0)
"""


@pytest.mark.timeout(300)
def test_a_station_that_forgets_its_film_is_convicted():
    (record,) = json.loads(python("-c", FORGETFUL))
    assert not record["clean"]
    assert record["verdict"]["doubled"] or record["verdict"]["misreported"]
