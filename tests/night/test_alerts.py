"""Alerts of whole nights, in real processes, over a real socket; and that no password is left anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.campaign import entries as e
from orchestrator.journal import SqliteJournal
from orchestrator.service.home import Home
from tests.alerts.receivers import HttpChannel

from .conftest import ROOT, nightshift, small_campaign
from .test_commands import doing, until
from .test_recovery import Lab

pytestmark = [pytest.mark.night, pytest.mark.timeout(180)]

SECRET = "s3cret-pass"
WORKER = "orchestrator.execution.worker"


@pytest.fixture
def channel() -> Iterator[HttpChannel]:
    with HttpChannel() as channel:
        yield channel


def lab_file(folder: Path, *urls: str) -> Path:
    """The example lab, whose alerts go to `urls`."""
    text = (ROOT / "campaigns/labs/vsm.toml").read_text()
    path = folder / "lab.toml"
    path.write_text(text.replace("channels = []", f"channels = {json.dumps(urls)}"))
    assert urls == tuple(json.loads(path.read_text().partition("channels = ")[2].partition(" #")[0].splitlines()[0]))
    return path


def campaign_in(folder: Path, channel: HttpChannel, films: int = 1) -> Path:
    """A short campaign in a lab whose alerts go to `channel`."""
    lab = lab_file(folder, channel.url(f"lab:{SECRET}"))
    return small_campaign(folder, films, **{f"{ROOT}/campaigns/labs/vsm.toml": str(lab)})


def everything_in(home: Home) -> bytes:
    """Whatever a night left behind, but for the file that is there to hold passwords."""
    files = [path for path in home.path.iterdir() if path.is_file() and path.name != "channels.json"]
    return b"".join(path.read_bytes() for path in files)


def worker_of(home: Home, station: str) -> int:
    return int((home.path / f"{station}.documents.lock").read_text())


def test_the_death_of_a_worker_reaches_a_person(tmp_path: Path, channel: HttpChannel) -> None:
    home = Home(tmp_path / "home")
    command = [sys.executable, "-m", "orchestrator.cli", "dry-run", str(campaign_in(tmp_path, channel)), "--alerts"]
    command += ["--json", "--home", str(home.path), "--speed", "400"]
    night = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(home, lambda s: doing(s, "deposition", "deposit"))
    os.kill(worker_of(home, "deposition"), signal.SIGKILL)
    first = channel.next()
    assert "Station deposition" in first.message
    assert str(home.path) in first.message
    assert "fe-co-ni in" in first.title
    stdout, stderr = night.communicate(timeout=120)
    assert json.loads(stdout)["end"] == "done", stderr
    assert "The campaign is done" in channel.got[-1].message
    left = everything_in(home) + stdout + stderr
    assert SECRET.encode() not in left
    assert b"Station deposition was lost" in left


def test_a_rehearsal_wakes_nobody_unless_it_is_told_to(tmp_path: Path, channel: HttpChannel) -> None:
    home = tmp_path / "home"
    done = nightshift("dry-run", campaign_in(tmp_path, channel), "--home", home, "--json", "--speed", "1000")
    assert json.loads(done.stdout)["end"] == "done", done.stderr
    assert channel.asked == 0
    assert "The campaign is done" in (home / "alerts.jsonl").read_text()
    refused = nightshift("watch", "--home", home)
    assert refused.returncode == 2
    assert "has no alert channels" in refused.stderr


def test_the_death_of_the_daemon_is_told_by_the_watch(tmp_path: Path, channel: HttpChannel) -> None:
    lab = Lab(tmp_path)
    try:
        lab.campaign = campaign_in(tmp_path, channel, films=1)
        night = lab.start()
        lab.until(lambda s: doing(s, "deposition", "deposit"))
        command = [sys.executable, "-m", "orchestrator.cli", "watch", "--home", str(lab.home.path), "--patience", "2"]
        watch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert watch.stdout is not None
        night.kill()
        night.communicate()
        assert "no daemon lives there" in watch.stdout.readline()
        assert "no daemon lives there" in channel.next().message
        lab.start()
        assert lab.summary()["end"] == "done"
        stdout, stderr = watch.communicate(timeout=60)
        assert watch.returncode == 0, stderr
        assert stdout.splitlines()[-1] == "done"
        told = "\n".join(got.message for got in channel.got)
        assert "lives and answers again" in told
        assert told.count("The campaign is done") == 1
        assert SECRET.encode() not in everything_in(lab.home)
    finally:
        lab.close()


def test_a_channel_that_hangs_holds_nobody_up_and_hears_it_in_the_end(tmp_path: Path, channel: HttpChannel) -> None:
    lab = Lab(tmp_path)
    try:
        lab.campaign = campaign_in(tmp_path, channel, films=1)
        channel.become("hangs")
        lab.start()
        lab.until(lambda s: doing(s, "deposition", "deposit"))
        os.kill(lab.worker("deposition"), signal.SIGKILL)
        assert lab.summary()["end"] == "done"
        assert channel.asked > 0
        assert channel.got == []
        channel.become("takes")
        watch = nightshift("watch", "--home", lab.home.path)
        assert (watch.returncode, watch.stdout.splitlines()[-1]) == (0, "done")
        told = "\n".join(got.message for got in channel.got)
        assert "Station deposition is safe and works again" in told
        assert "The campaign is done" in told
        assert len(lab.entries(e.StationLost)) == 1
    finally:
        lab.close()


def test_a_test_says_which_channel_works(tmp_path: Path, channel: HttpChannel) -> None:
    good = lab_file(tmp_path, channel.url(f"lab:{SECRET}"))
    worked = nightshift("alert-test", "--lab", good)
    assert (worked.returncode, worked.stdout) == (0, "channel 1 json: took it\n")
    assert "This is a test" in channel.next().message
    with HttpChannel() as other:
        other.become("fails")
        both = lab_file(tmp_path, channel.url(), other.url(f"lab:{SECRET}"))
        failed = nightshift("alert-test", "--lab", both, "--json")
    answers = json.loads(failed.stdout)["channels"]
    assert failed.returncode == 1
    assert answers["1 json"] == ""
    assert "500" in answers["2 json"]
    assert SECRET not in failed.stdout + failed.stderr


def test_without_channels_there_is_nothing_to_test(tmp_path: Path) -> None:
    refused = nightshift("alert-test", "--lab", lab_file(tmp_path))
    assert refused.returncode == 2
    assert "names no alert channel" in refused.stderr


def test_a_check_finds_a_channel_that_nobody_knows_and_asks_none(tmp_path: Path, channel: HttpChannel) -> None:
    lab = lab_file(tmp_path, channel.url(), f"nosuch://lab:{SECRET}@host")
    campaign = small_campaign(tmp_path, 1)
    refused = nightshift("check", campaign, "--lab", lab, "--offline")
    assert refused.returncode == 2
    assert "alerts.channels[2] = ***: is no channel that Apprise knows" in refused.stderr
    assert SECRET not in refused.stderr
    checked = nightshift("check", campaign, "--lab", lab_file(tmp_path, channel.url()), "--offline")
    assert checked.returncode == 1, "there was no dry run"
    assert "fe-co-ni fits bench-vsm: 1326 compositions, 1 samples" in checked.stdout
    assert channel.asked == 0


def test_the_journal_knows_no_password(tmp_path: Path, channel: HttpChannel) -> None:
    home = tmp_path / "home"
    campaign = campaign_in(tmp_path, channel)
    done = nightshift("dry-run", campaign, "--alerts", "--home", home, "--json", "--speed", "1000")
    assert json.loads(done.stdout)["end"] == "done", done.stderr
    started = next(r.entry for r in SqliteJournal(home / "journal.db").read())
    assert isinstance(started, e.CampaignStarted)
    assert "channels" not in json.dumps(started.lab["alerts"])
    assert nightshift("audit", home).returncode == 0
