"""The chaos harness itself: what it draws, what it breaks, and that it convicts."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from drivers.clock import RealClock
from orchestrator.campaign import entries as e
from orchestrator.campaign.entries import Recorded
from orchestrator.execution.documents import DocumentLog
from orchestrator.execution.steps import StepLog
from orchestrator.journal import JournalError, SqliteJournal
from tests.chaos import aftermath, faults, plan, tally
from tests.chaos.family import VARIABLE, Family
from tests.chaos.plan import Options
from tests.chaos.results import OtherRun, Results

ALL = tuple(plan.FAULTS)
FRACTIONS = {"Fe": 0.5, "Co": 0.5}


# --- the plan -----------------------------------------------------------------------------------------


def test_the_seed_and_the_night_decide_what_is_done() -> None:
    assert plan.acts(Options(seed=3, faults=ALL), 5) == plan.acts(Options(seed=3, faults=ALL), 5)
    assert plan.acts(Options(seed=3, faults=ALL), 5) != plan.acts(Options(seed=3, faults=ALL), 6)
    assert plan.acts(Options(seed=3), 5) != plan.acts(Options(seed=4), 5)


def test_every_fault_and_target_is_drawn() -> None:
    drawn = [act for night in range(100) for act in plan.acts(Options(faults=ALL), night)]
    assert {act.fault for act in drawn} == set(ALL)
    assert {act.target for act in drawn if act.fault == "kill"} == set(plan.TARGETS)


def test_acts_are_spread_evenly_over_the_night() -> None:
    times = [act.at_s for night in range(200) for act in plan.acts(Options(), night)]
    late = sum(at > max(times) / 2 for at in times) / len(times)
    assert 0.45 < late < 0.55


def test_the_arguments_ask_for_the_same_again() -> None:
    options = Options(seed=7, faults=("hang", "torn"), target="worker", during="deposit")
    assert options.arguments() == (
        "--seed 7 --fault hang --fault torn --target worker --during deposit --a-night 4 --films 3 --speed 200"
    )


# --- the family ---------------------------------------------------------------------------------------

SLEEPER = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"


@pytest.fixture
def family() -> Iterator[Family]:
    """A process and the orphan that it leaves behind."""
    mark = f"test-{time.monotonic_ns()}"
    environment = {**os.environ, VARIABLE: mark}
    subprocess.run([sys.executable, "-c", SLEEPER], env=environment, check=True, timeout=30)
    found = Family(mark)
    yield found
    found.kill(found.members(), 0.5, everybody=True)


def test_an_orphan_still_belongs_to_the_family(family: Family) -> None:
    assert len(family.members()) == 1
    family.kill(family.choose("all", 0.0), 0.0, everybody=True)
    assert family.gone(5.0)


# --- the faults ---------------------------------------------------------------------------------------


def test_a_power_cut_takes_only_what_was_not_synced(tmp_path: Path) -> None:
    path = tmp_path / "deposition.documents.db"
    documents, steps = DocumentLog(path), StepLog(path)
    documents.append("start", {"uid": "run"})
    steps.begin({"uid": "step"}, 1.0)
    for number in range(20):
        documents.append("event", {"uid": f"event-{number}", "descriptor": "d"})
    copies = [tmp_path / str(seed) for seed in range(12)]
    for copy in copies:
        copy.mkdir()
        for file in tmp_path.glob("*.db*"):
            (copy / file.name).write_bytes(file.read_bytes())
    documents.close()
    steps.close()

    lost = [faults.power_cut(copy, Random(seed))[path.name] for seed, copy in enumerate(copies)]
    assert len(set(lost)) > 2
    for copy, frames in zip(copies, lost, strict=True):
        with closing(sqlite3.connect(copy / path.name)) as after:
            assert after.execute("SELECT uid FROM steps").fetchall() == [("step",)]
            names = [name for (name,) in after.execute("SELECT name FROM documents ORDER BY number")]
        assert names == ["start"] + ["event"] * (20 - frames)


def test_a_locked_journal_cannot_be_written_until_it_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    journal._db.execute("PRAGMA busy_timeout = 10")
    unlock = faults.lock(journal.path)
    lost = e.StationLost(station="robot", reason="test")
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append([lost], 0, 1.0)
    unlock()
    assert journal.append([lost], 0, 1.0) == 1
    journal.close()


def test_a_full_disk_has_room_again(tmp_path: Path) -> None:
    disk = faults.Disk(tmp_path / "home")
    if not disk.mounted:
        pytest.skip("no file system can be mounted here: the size of files is limited instead")
    try:
        free = disk.full(Family("nobody"))
        with pytest.raises(OSError, match="No space left"):
            (disk.folder / "file").write_bytes(bytes(10_000))
        free()
        (disk.folder / "file").write_bytes(bytes(10_000))
        write_again = disk.read_only()
        with pytest.raises(OSError, match="Read-only"):
            (disk.folder / "file").write_bytes(b"")
        write_again()
        (disk.folder / "file").write_bytes(b"")
    finally:
        disk.close(keep=tmp_path / "kept")
    assert (tmp_path / "kept/file").exists()


WRITER = """
import sys, time
while True:
    try:
        with open(sys.argv[1], "ab") as file:
            file.write(b"x")
        print("ok", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
    time.sleep(0.02)
"""


def test_without_a_mount_files_are_kept_from_growing(tmp_path: Path) -> None:
    mark = f"test-{time.monotonic_ns()}"
    command = [sys.executable, "-c", WRITER, str(tmp_path / "file")]
    environment = {**os.environ, VARIABLE: mark}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ok\n"
        undo = faults._writes_refused(Family(mark))
        assert "File too large\n" in (writer.stdout.readline() for _ in range(50))
        undo()
        assert "ok\n" in (writer.stdout.readline() for _ in range(50))
        writer.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("off_s", [-86400.0, 3600.0])
def test_the_machine_s_clock_may_jump_and_lab_time_does_not(monkeypatch: pytest.MonkeyPatch, off_s: float) -> None:
    """The one thing of a clock jump that needs no process: civil time is read once, when a clock is made."""
    clock = RealClock()
    before = clock.now()
    civil = time.time
    monkeypatch.setattr(time, "time", lambda: civil() + off_s)
    assert 0 <= clock.now() - before < 60


# --- the results --------------------------------------------------------------------------------------


def test_a_run_is_resumed_after_a_line_that_was_cut_off(tmp_path: Path) -> None:
    Results(tmp_path, Options()).add({"night": 0, "kills": 4})
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"night": 1, "ki')
    resumed = Results(tmp_path, Options())
    assert resumed.kills == 4
    resumed.add({"night": 1, "kills": 3})
    assert Results(tmp_path, Options()).kills == 7
    with pytest.raises(OtherRun):
        Results(tmp_path, Options(seed=2))


# --- the tally ----------------------------------------------------------------------------------------

BEGUN = {"event": "film_begun", "substrate": 1}
FINISHED = {"event": "film_finished", "substrate": 1, "composition": FRACTIONS, "thickness_nm": 30.0}
MEASURED = {"event": "measured", "substrate": 1}
WORLD = [BEGUN, FINISHED, MEASURED]

SUGGESTED = e.SampleSuggested(sample=1, slot=1, composition=FRACTIONS, method="gp", observed=0, pending=[], seconds=0.1)
FILM = e.FilmDeposited(
    sample=1,
    finished=True,
    composition=FRACTIONS,
    composition_sigma={"Fe": 0.005, "Co": 0.005},
    thickness_nm=30.0,
    thickness_sigma_nm=0.3,
    doses={},
    shutter_open_s=100.0,
)
OBSERVED = e.ObservationMade(
    sample=1,
    composition=FRACTIONS,
    composition_sigma={},
    value=1.0,
    sigma=0.1,
    unit="kA/m",
    validity="valid",
    quantities={},
)
AGAIN = e.MeasurementRequested(sample=1, by="anna", reason="once more")
QUARANTINED = e.SampleQuarantined(sample=1, reason="nobody knows")
DONE = e.CampaignEnded(end="done", reason="budget")
CALLED = e.CampaignEnded(end="needs operator", reason="a station is lost")


def told(*entries: Any) -> list[Recorded]:
    return [Recorded(version=n, time=float(n), entry=entry) for n, entry in enumerate(entries, 1)]


def test_a_good_night_is_clean() -> None:
    verdict = tally.judge(WORLD, told(SUGGESTED, FILM, OBSERVED, DONE))
    assert verdict.clean
    assert (verdict.films, verdict.measured, verdict.end) == (1, 1, "done: budget")


@pytest.mark.parametrize(
    ("world", "journal", "breaches"),
    [
        (WORLD, (SUGGESTED, FILM, DONE), {"lost", "orphans"}),
        (WORLD[:2], (SUGGESTED, FILM, DONE), {"orphans"}),
        (WORLD[:2], (SUGGESTED, DONE), {"orphans"}),
        (WORLD[:2], (), {"orphans"}),
        (WORLD[:2], (SUGGESTED, FILM, CALLED), set()),
        (WORLD, (SUGGESTED, FILM, CALLED), {"lost"}),
        (WORLD[:2], (SUGGESTED, QUARANTINED, DONE), set()),
        ([BEGUN, *WORLD], (SUGGESTED, FILM, OBSERVED, DONE), {"doubled"}),
        (WORLD, (SUGGESTED, FILM, OBSERVED, OBSERVED, DONE), {"double_observations"}),
        (WORLD, (SUGGESTED, FILM, OBSERVED, AGAIN, OBSERVED, DONE), set()),
        (WORLD, (SUGGESTED, FILM, OBSERVED, AGAIN, OBSERVED, OBSERVED, DONE), {"double_observations"}),
        ([*WORLD, {"event": "hazard", "kind": "magnet_slew", "detail": "fast"}],
         (SUGGESTED, FILM, OBSERVED, DONE), {"hazards"}),
        ([BEGUN, {**FINISHED, "thickness_nm": 90.0}, MEASURED], (SUGGESTED, FILM, OBSERVED, DONE), {"misreported"}),
        ([BEGUN, {**FINISHED, "composition": {"Fe": 0.6, "Co": 0.4}}, MEASURED],
         (SUGGESTED, FILM, OBSERVED, DONE), {"misreported"}),
        ([], (SUGGESTED, FILM, OBSERVED, DONE), {"misreported"}),
    ],
)  # fmt: skip
def test_every_breach_is_found(world: list[dict[str, Any]], journal: tuple[Any, ...], breaches: set[str]) -> None:
    verdict = tally.judge(world, told(*journal))
    assert {name for name in tally.BREACHES if getattr(verdict, name)} == breaches


def test_what_is_not_known_is_listed_and_counted() -> None:
    verdict = tally.judge(WORLD[:2], told(SUGGESTED, QUARANTINED, DONE))
    assert verdict.unknown == ["sample 1: nobody knows"]
    stranded = tally.judge(WORLD[:2], told(SUGGESTED, FILM, CALLED))
    assert stranded.stranded == ["sample 1: a station is lost"]


def test_the_spread_of_nothing_is_none() -> None:
    assert tally.spread([None]) == {"p50": None, "p99": None, "max": None, "n": 0}
    assert tally.spread([*range(100), None])["p99"] == 99


# --- what somebody should have been told --------------------------------------------------------------


def test_what_nobody_was_alerted_to_is_untold() -> None:
    entries: list[e.Entry] = [
        e.DaemonStarted(boot=""),
        e.StationLost(station="robot", reason="died"),
        e.StationRestarted(station="robot", reason="died"),
        e.SampleQuarantined(sample=2, reason="the gripper is empty"),
        e.CampaignEnded(end="needs operator", reason="quarantined: samples 2"),
    ]
    journal = [Recorded(version=n, time=float(n), entry=entry) for n, entry in enumerate(entries, 1)]
    told = ["Station robot works again (died).\nSample 2 is set aside: the gripper is empty.", "quarantined: samples 2"]
    assert aftermath.untold(journal, told) == []
    assert aftermath.untold(journal, told[:1]) == ["campaign_ended: quarantined: samples 2"]
    assert aftermath.untold(journal, []) == [
        "station robot",
        "sample 2 quarantined",
        "campaign_ended: quarantined: samples 2",
    ]
    another = Recorded(version=6, time=6.0, entry=e.DaemonStarted(boot=""))
    assert "station robot" not in aftermath.untold([*journal, another], [])
