"""What emulated crashes are built on: a disk after a power cut, and time that jumps."""

from __future__ import annotations

import pytest

from orchestrator.execution.documents import StationFile
from tests.chaos.emulated.clock import Endless, Owner, Scheduler, Stuck
from tests.chaos.emulated.disk import Disk

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
