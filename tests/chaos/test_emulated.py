"""Crashes at the boundaries of emulated nights; and that the emulation does what it is trusted to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.execution.documents import StationFile

pytest.importorskip("greenlet")

from tests.chaos.emulated.clock import Endless, Owner, Scheduler, Stuck
from tests.chaos.emulated.disk import Disk

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


# --- the disk -----------------------------------------------------------------------------------------


@pytest.fixture
def station(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    file = StationFile(home / "station.db", "CREATE TABLE IF NOT EXISTS words (word TEXT) STRICT")
    yield file
    file.close()


def say(file, word, *, synced):
    file.write("INSERT INTO words VALUES (?)", (word,), synced=synced)


def left(folder):
    file = StationFile(folder / "station.db", "CREATE TABLE IF NOT EXISTS words (word TEXT) STRICT")
    words = [word for (word,) in file.rows("SELECT word FROM words")]
    file.close()
    return words


def test_a_power_cut_leaves_what_was_synced_and_a_kill_what_was_written(station, tmp_path):
    disk = Disk(station.path.parent)
    say(station, "one", synced=False)
    say(station, "two", synced=True)
    disk.synced(station.path)
    say(station, "three", synced=False)
    disk.image("power", tmp_path / "power")
    disk.image("kill", tmp_path / "kill")
    assert left(tmp_path / "power") == ["one", "two"]
    assert left(tmp_path / "kill") == ["one", "two", "three"]


def test_after_a_power_cut_the_next_start_finds_a_disk_on_which_everything_is_safe(station, tmp_path):
    disk = Disk(station.path.parent)
    say(station, "one", synced=True)
    disk.synced(station.path)
    disk.image("power", tmp_path / "first")
    Disk(tmp_path / "first").image("power", tmp_path / "second")
    assert left(tmp_path / "second") == ["one"]


def test_a_file_that_was_never_synced_is_gone(station, tmp_path):
    disk = Disk(tmp_path / "home")
    disk._synced.clear()
    disk.image("power", tmp_path / "power")
    assert not list((tmp_path / "power").iterdir())


# --- time ---------------------------------------------------------------------------------------------


def run(function, **options):
    scheduler = Scheduler(100.0, **options)
    return scheduler, scheduler.run(lambda: function(scheduler), Owner("test"))


def test_time_jumps_to_the_next_waking():
    def sleepers(scheduler):
        woke = []
        for seconds in (3.0, 1.0, 2.0):

            def sleep(seconds=seconds):
                scheduler.park(seconds)
                woke.append((seconds, scheduler.now))

            scheduler.spawn(sleep)
        scheduler.park(10.0)
        return woke

    scheduler, woke = run(sleepers)
    assert woke == [(1.0, 101.0), (2.0, 102.0), (3.0, 103.0)]
    assert scheduler.now == 110.0


def test_a_strand_that_is_woken_wakes_before_its_time():
    def woken(scheduler):
        me = scheduler.current()
        wait = me.wait
        scheduler.spawn(lambda: scheduler.wake(me, wait, "now"))
        return scheduler.park(50.0, "late"), scheduler.now

    assert run(woken)[1] == ("now", 100.0)


def test_the_dead_never_run_again():
    def killer(scheduler):
        victim, said = Owner("victim"), []
        scheduler.spawn(lambda: (scheduler.park(5.0), said.append("alive")), victim)
        scheduler.park(1.0)
        victim.dead = True
        scheduler.park(20.0)
        return said

    assert run(killer)[1] == []


def test_who_waits_for_nobody_is_told():
    with pytest.raises(Stuck):
        run(lambda scheduler: scheduler.park())


def test_who_goes_on_for_ever_is_told():
    def ticking(scheduler):
        while True:
            scheduler.park(1.0)

    with pytest.raises(Endless):
        run(ticking, limit=200.0)
