"""Result files: whole, once, or not at all; and what stands in them."""

from __future__ import annotations

import contextlib
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.results import multivu_dat, xrf
from drivers.results.folder import Incomplete, Refused, Taken, WatchedFolder
from drivers.roles import MagnetometryStation
from drivers.wire.errors import Malformed
from orchestrator.execution.analysis import of_measurement

DAT_HEAD = (
    "[Header]\r\nTITLE,sample 7\r\nFILEOPENTIME,1780000000.0,05/29/2026,10:00 AM\r\nINFO,VSM,APPNAME\r\n[Data]\r\n"
    "Comment,Time Stamp (sec),Temperature (K),Magnetic Field (Oe),Moment (emu),M. Std. Err. (emu)\r\n"
)


def dat(points: list[tuple[float, float]]) -> bytes:
    rows = [f",{100 + 2 * n},300.01,{field:.3f},{moment:.6E},1.0E-6" for n, (field, moment) in enumerate(points)]
    return (DAT_HEAD + "".join(row + "\r\n" for row in rows)).encode()


SMALL = dat([(3000.0, 4.3e-4), (0.0, 3.0e-4), (-3000.0, -4.3e-4)])
XRF = (
    b"Sample;X (mm);Y (mm);Fe (at%);Co (at%);Ta (at%);Error Fe;Thickness (nm)\r\n"
    b"7;1,5;-2,0;61,2;38,7;<LOD;0,4;49,8\r\n"
    b"8;0;0;50;49,9;0,1;0,4;50,1\r\n"
)


class Clock:
    def __init__(self) -> None:
        self.t = 0.0

    def now(self) -> float:
        return self.t


@pytest.fixture
def clock():
    return Clock()


def watch(folder, clock, read=multivu_dat.read, pattern="*.dat"):
    return WatchedFolder(folder, pattern, read, clock.now, still_s=5.0)


# --- the folder ---------------------------------------------------------------------------------------------


def test_a_file_is_taken_once_when_it_has_been_still(tmp_path, clock):
    folder = watch(tmp_path, clock)
    (tmp_path / "a.dat").write_bytes(SMALL)
    assert folder.look() == []
    clock.t = 4.9
    assert folder.look() == []
    clock.t = 5.0
    (taken,) = folder.look()
    assert isinstance(taken, Taken)
    assert (taken.name, taken.path) == ("a.dat", tmp_path / "taken" / "a.dat")
    assert taken.path.read_bytes() == SMALL
    assert not (tmp_path / "a.dat").exists()
    clock.t = 100.0
    assert folder.look() == []


def test_a_file_that_grows_is_never_read(tmp_path, clock):
    def forbidden(content):
        raise AssertionError("read while it was being written")

    folder = watch(tmp_path, clock, read=forbidden)
    with open(tmp_path / "a.dat", "wb") as file:
        for byte in SMALL:
            file.write(bytes([byte]))
            file.flush()
            clock.t += 4.9
            assert folder.look() == []


def test_a_pause_within_a_line_is_waited_out(tmp_path, clock):
    folder = watch(tmp_path, clock)
    (tmp_path / "a.dat").write_bytes(SMALL[:-3])
    for clock.t in (0.0, 50.0, 100.0):
        assert folder.look() == []
    (tmp_path / "a.dat").write_bytes(SMALL)
    for clock.t in (101.0, 107.0):
        found = folder.look()
    assert [one.name for one in found] == ["a.dat"]


def test_a_file_that_changes_while_it_is_read_is_left(tmp_path, clock):
    path = tmp_path / "a.dat"

    def read(content):
        with open(path, "ab") as file:
            file.write(b",999,300,1.0,1.0E-6,0\r\n")
        return multivu_dat.read(content)

    path.write_bytes(SMALL)
    folder = WatchedFolder(tmp_path, "*.dat", multivu_dat.read, clock.now, still_s=5.0)
    folder.look()
    clock.t = 10.0
    original = type(path).read_bytes

    def growing(self):
        content = original(self)
        with open(self, "ab") as file:
            file.write(b",999,300,1.0,1.0E-6,0\r\n")
        return content

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(path), "read_bytes", growing)
        assert folder.look() == []
    assert path.exists()


def test_two_watchers_never_take_the_same_file(tmp_path, clock):
    for number in range(40):
        (tmp_path / f"{number}.dat").write_bytes(SMALL)
    watchers = [watch(tmp_path, clock) for _ in range(4)]
    for watcher in watchers:
        watcher.look()
    clock.t = 10.0
    found: list[str] = []
    threads = [threading.Thread(target=lambda w=w: found.extend(one.name for one in w.look())) for w in watchers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"{number}.dat" for number in range(40))


def test_what_cannot_be_read_is_put_aside_with_the_reason(tmp_path, clock):
    folder = watch(tmp_path, clock)
    (tmp_path / "a.dat").write_bytes(b"hello\r\n")
    folder.look()
    clock.t = 10.0
    (refused,) = folder.look()
    assert isinstance(refused, Refused)
    assert "not a MultiVu data file" in refused.reason
    assert (tmp_path / "refused" / "a.dat.why.txt").read_text().strip() == refused.reason
    assert not (tmp_path / "a.dat").exists()


def test_nothing_that_was_taken_is_overwritten(tmp_path, clock):
    folder = watch(tmp_path, clock)
    paths = []
    for _ in range(3):
        (tmp_path / "a.dat").write_bytes(SMALL)
        folder.look()
        clock.t += 10.0
        paths += [one.path.name for one in folder.look()]
    assert paths == ["a.dat", "a-1.dat", "a-2.dat"]


def test_links_and_folders_are_no_results(tmp_path, clock):
    (tmp_path / "b.dat").mkdir()
    os.symlink(__file__, tmp_path / "c.dat")
    folder = watch(tmp_path, clock)
    for clock.t in (0.0, 10.0):
        assert folder.look() == []


def test_a_folder_must_be_there(tmp_path, clock):
    with pytest.raises(NotADirectoryError, match="give the one into which"):
        watch(tmp_path / "nowhere", clock)


# --- MultiVu's loops ----------------------------------------------------------------------------------------


def test_a_loop_in_our_units():
    loop = multivu_dat.read(SMALL)
    assert loop.title == "sample 7"
    assert loop.field_mt == pytest.approx((300.0, 0.0, -300.0))
    assert loop.moment_am2 == pytest.approx((4.3e-7, 3.0e-7, -4.3e-7))
    assert loop.sigma_am2 == pytest.approx((1e-9,) * 3)
    assert loop.temperature_k == pytest.approx((300.01,) * 3)


def test_a_vsm_file_goes_through_the_analysis_of_moments():
    falling = [3000.0 - 50.0 * n for n in range(121)]
    branch = [(b, 4.3e-4 * (1 if b > -50 else -1) - 1e-9 * b) for b in falling]
    back = [(b, 4.3e-4 * (-1 if b < 50 else 1) - 1e-9 * b) for b in reversed(falling)]
    loop = multivu_dat.read(dat(branch + back))
    station = MagnetometryStation(
        name="ppms",
        magnet=None,
        field_meter=None,
        signal=None,
        quantity="moment",
        scale=1.0,
        scale_sigma=0.01,
        field_per_ampere_mt=1.0,
        film_area_mm2=25.0,
    )
    found = of_measurement(loop.outcome(), station, {"thickness_nm": 10.0, "thickness_sigma_nm": 0.1})
    assert found["validity"] == "valid", found["reason"]
    assert found["quantities"]["saturation_magnetisation"]["value"] == pytest.approx(1720.0, rel=0.01)
    assert found["quantities"]["coercivity"]["value"] == pytest.approx(5.0, abs=2.5)


@given(st.integers(0, len(SMALL) - 1))
def test_cut_off_anywhere_it_is_incomplete_or_holds_what_it_held(end):
    whole = multivu_dat.read(SMALL)
    try:
        part = multivu_dat.read(SMALL[:end])
    except Incomplete:
        return
    except Malformed:
        assert end < 10  # it does not even begin like one
        return
    assert part.field_mt == whole.field_mt[: len(part.field_mt)]
    assert part.moment_am2 == whole.moment_am2[: len(part.field_mt)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SMALL.replace(b"Moment (emu)", b"Moment"), "no column 'Moment"),
        (SMALL.replace(b"3000.000,4.3", b"3000,0,4.3"), "a decimal comma"),
        (SMALL.replace(b"3000.000", b"3k"), "not a number"),
        (b"\x00" * 8 + b"\n", "zero bytes"),
    ],
)
def test_a_broken_loop_is_refused(content, words):
    with pytest.raises(Malformed, match=words):
        multivu_dat.read(content)


# --- XRF ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_compositions_whatever_the_program(encoding, separator):
    text = XRF.decode().replace(",", ".") if separator == "," else XRF.decode()
    first, second = xrf.read(text.replace(";", separator).encode(encoding))
    assert first.sample == "7"
    assert first.unit == "at"
    assert first.amounts == pytest.approx({"Fe": 61.2, "Co": 38.7, "Ta": 0.0})
    assert first.below == {"Ta"}
    assert (first.thickness_nm, first.place_mm, first.sigmas) == (49.8, (1.5, -2.0), {"Fe": 0.4})
    assert second.amounts["Ta"] == 0.1
    assert sum(first.fractions({}).values()) == pytest.approx(1.0)


def test_weights_become_atoms():
    (point,) = xrf.read(b"Name\tFe\tPt\r\n\twt.%\twt.%\r\nA\t22.26\t77.74\r\n")
    assert point.fractions({"Fe": 55.845, "Pt": 195.084}) == pytest.approx({"Fe": 0.5, "Pt": 0.5}, abs=1e-3)
    with pytest.raises(Malformed, match="no atomic mass of Pt"):
        point.fractions({"Fe": 55.845})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Sample;Fe (at%);Co (wt%)\n1;50;50\n", "export one of the two"),
        (b"Sample;Fe (at%);Co (at%)\n1;50;20\n", "sum to 70 %"),
        (b"Sample;Fe (at%);Co (at%)\n1;150;-50\n", "150 % of Fe"),
        (b"Sample;Fe (at%);Co (at%)\n1;fifty;50\n", "not a number"),
        (b"Fe (at%);Co (at%)\n50;50\n", "no column that names the sample"),
        (b"Sample;Fe;Co\n1;50;50\n", "no column of an element"),
        (b"hello\nworld\n", "not a table"),
        (b"Sample,Fe (at%),Co (at%)\n1,50,0,50,0\n", "a decimal comma between commas"),
        (b"Sample;Fe (at%);Co (at%)\n;50;50\n", "names no sample"),
    ],
)
def test_what_is_no_composition_is_refused(content, words):
    with pytest.raises(Malformed, match=words):
        xrf.read(content)


@given(st.integers(0, len(XRF) - 1))
def test_a_table_cut_off_anywhere_gives_no_wrong_amount(end):
    whole = xrf.read(XRF)
    with contextlib.suppress(Malformed):
        part = xrf.read(XRF[:end])
        assert part == whole[: len(part)]


@given(st.binary(max_size=200))
def test_garbage_is_malformed_and_nothing_else(garbage):
    for read in (multivu_dat.read, xrf.read):
        with contextlib.suppress(Malformed):
            read(garbage)
