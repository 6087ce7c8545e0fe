from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orchestrator.locks import FileLock
from orchestrator.virtual import calculator as c
from orchestrator.virtual.elk import Elk
from orchestrator.virtual.elk_files import Mesh
from orchestrator.virtual.program import Program
from tests.virtual.published import SPECIES

FE_CO = {"Fe": 0.7, "Co": 0.3}


@pytest.fixture
def elk(tmp_path, monkeypatch):
    """Makes an Elk whose program is played."""
    monkeypatch.setenv("FAKE_ELK_LOG", str(tmp_path / "log.txt"))
    species = tmp_path / "species"
    species.mkdir()
    for name, text in SPECIES.items():
        (species / f"{name}.in").write_text(text)

    def make(behaviour="well", timeout_s=60.0, **other):
        played = Path(__file__).with_name("fake_elk.sh")
        program = Program(("sh", str(played), behaviour), timeout_s=timeout_s, cores=2)
        return Elk(tmp_path / "home", program, species=species, **other)

    make.log = lambda: (tmp_path / "log.txt").read_text().splitlines()
    make.scratch = tmp_path / "home" / "scratch"
    make.alive = tmp_path / "log.txt.alive"
    return make


def test_a_result_tells_moment_uncertainty_volume_and_what_was_calculated(elk):
    found = elk().calculate(FE_CO)
    assert found.moment == pytest.approx(2.2 + 0.3 / 20, abs=1e-3)
    assert found.moment_sigma >= 1e-3
    assert found.composition == pytest.approx(FE_CO)
    assert found.seconds > 0
    assert not found.remembered
    assert found.details["structure"] == "bcc"


def test_the_program_has_its_cores_and_is_nice(elk):
    elk().calculate(FE_CO)
    assert elk.log() == [f"task 0, threads 2, nice {min(19, os.nice(0) + 10)}"]


def test_the_same_input_is_calculated_once_by_whichever_process(elk):
    first = elk().calculate(FE_CO)
    again = elk().calculate({"Co": 0.3, "Fe": 0.7})
    assert again.remembered
    assert again.seconds == 0.0
    assert again.moment == first.moment
    assert len(elk.log()) == 1
    assert not elk(mesh=Mesh(k_spacing=0.2)).calculate(FE_CO).remembered  # another input


def test_two_that_ask_at_the_same_time_share_one_calculation(elk):
    found = []
    threads = [threading.Thread(target=lambda: found.append(elk().calculate(FE_CO))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 3
    assert len({result.moment for result in found}) == 1
    assert len(elk.log()) == 1


def test_a_result_that_is_damaged_on_disk_is_calculated_anew(elk, tmp_path):
    elk().calculate(FE_CO)
    (kept,) = (tmp_path / "home/results").glob("*.json")
    for damage in ("", "{}", '{"result": {"moment": 1}}', kept.read_text().replace("2.2", '"x2.2')):
        kept.write_text(damage)
        assert not elk().calculate(FE_CO).remembered
        assert elk().calculate(FE_CO).remembered


@pytest.mark.parametrize(
    ("behaviour", "kind", "words"),
    [
        ("crash", c.ProgramCrashed, "exit code 3.*all is lost"),
        ("killed", c.ProgramCrashed, "SIGKILL"),
        ("unconverged", c.NotConverged, "did not reach"),
        ("silent", c.UnreadableResult, "MOMENTM"),
        ("no number", c.UnreadableResult, "no number"),
    ],
)
def test_failures_are_classed(elk, behaviour, kind, words):
    with pytest.raises(kind, match=f"(?s){words}"):
        elk(behaviour).calculate(FE_CO)


def test_what_does_not_converge_is_not_tried_again_and_a_crash_is(elk):
    for _ in range(2):
        with pytest.raises(c.NotConverged):
            elk("unconverged").calculate(FE_CO)
    assert len(elk.log()) == 1
    with pytest.raises(c.ProgramCrashed):
        elk("crash").calculate({"Fe": 0.6, "Co": 0.4})
    assert elk().calculate({"Fe": 0.6, "Co": 0.4}).moment > 2


def test_a_calculation_that_takes_too_long_is_ended_with_all_its_children(elk):
    with pytest.raises(c.CalculationTimeout):
        elk("hangs", timeout_s=2.0).calculate(FE_CO)
    FileLock(elk.alive, patience_s=20.0).release()  # raises `Held` while anybody has it


def test_a_calculation_ends_with_the_process_that_asked_for_it(elk, tmp_path):
    code = (
        "import pathlib, sys; from orchestrator.virtual.program import Program;"
        "held = 'exec 9>> alive; flock 9; echo up; exec sleep 600';"
        "Program(('sh', '-c', held), 600.0).run(pathlib.Path(sys.argv[1]))"
    )
    asking = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    output = tmp_path / "stdout.txt"
    turn = threading.Event()
    while not (output.exists() and "up" in output.read_text()):
        assert asking.poll() is None
        turn.wait(0.05)
    asking.kill()
    asking.wait(10)
    FileLock(tmp_path / "alive", patience_s=20.0).release()


def test_one_that_was_cut_off_is_gone_on_with_and_one_that_crashed_is_not(elk):
    with pytest.raises(c.CalculationTimeout):
        elk("hangs", timeout_s=2.0).calculate(FE_CO)
    with pytest.raises(c.ProgramCrashed):
        elk("crash").calculate(FE_CO)  # perhaps for what it found there
    found = elk().calculate(FE_CO)
    assert [line.split(",")[0] for line in elk.log()] == ["task 0", "task 1", "task 0"]
    assert found.details["resumed"] is False


def test_scratch_is_empty_after_a_result(elk):
    elk().calculate(FE_CO)
    assert [path.suffix for path in elk.scratch.iterdir()] == [".lock"]


def test_a_program_that_is_not_there_is_missing(tmp_path, elk):
    with pytest.raises(c.ProgramMissing, match="install"):
        Elk(tmp_path, Program(("no-such-program",), 1.0), species=tmp_path / "species").calculate(FE_CO)
    with pytest.raises(c.ProgramMissing, match="species"):
        Elk(tmp_path, Program(("sh",), 1.0), species=tmp_path / "elsewhere").calculate(FE_CO)


def test_a_program_without_permission_is_missing(tmp_path, elk):
    program = tmp_path / "elk"
    program.write_text("#!/bin/sh\n")
    program.chmod(stat.S_IRUSR)
    with pytest.raises(c.ProgramMissing):
        Elk(tmp_path, Program((str(program),), 1.0), species=tmp_path / "species").calculate(FE_CO)


@pytest.mark.timeout(600)
@pytest.mark.skipif(shutil.which("elk-lapw") is None, reason="the program elk-lapw is not installed")
def test_the_real_program_finds_the_moment_of_iron(tmp_path):
    coarse = Mesh(k_spacing=0.55, rgkmax=6.0, width=0.01)
    found = Elk(tmp_path, Program(("elk-lapw",), timeout_s=500.0, niceness=0), coarse).calculate({"Fe": 1.0})
    assert found.moment == pytest.approx(2.2, abs=0.3)
    assert found.volume == pytest.approx(11.78, abs=0.01)
