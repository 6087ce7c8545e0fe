"""A campaign's folder: made once, found again, and who may read it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.journal import SqliteJournal
from orchestrator.service.home import Home, HomeError, newest


class Daemon:
    def status(self):
        return {"mode": "running"}


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "nights" / "first")
    home.make()
    return home


def test_a_new_home(home):
    assert home.path.is_dir()
    assert home.journal == home.path / "journal.db"
    assert home.report == home.path / "report.html"
    assert not home.served


def test_a_folder_that_is_there_will_do(home):
    home.make()


def test_a_folder_with_a_campaign_will_not(home):
    journal = SqliteJournal(home.journal)
    home.make()  # its daemon died before it began
    journal.append([e.CampaignHeld()], 0, 1.0)
    journal.close()
    with pytest.raises(HomeError, match=r"first: already holds a campaign; choose another --home"):
        home.make()


def test_one_daemon_at_a_time_lives_in_a_home(home):
    lives_here = pytest.raises(HomeError, match=rf"a daemon lives here \(process {os.getpid()}\)")
    with home.claimed(), lives_here, home.claimed():
        pass
    with home.claimed():
        pass


def test_a_dead_daemon_leaves_its_home_free(home):
    code = f"""
import os, pathlib
from orchestrator.service.home import Home
with Home(pathlib.Path({str(home.path)!r})).claimed():
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    with home.claimed():
        pass


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(HomeError, match=r"cannot be made .*choose another --home"):
            Home(path).make()


def test_a_home_without_a_journal(home, tmp_path):
    for nothing in (home, Home(tmp_path / "nowhere")):
        with pytest.raises(HomeError, match=r"holds no campaign .*name its folder with --home"):
            nothing.need_journal()
    home.journal.touch()
    assert home.need_journal() == home.journal


def test_the_newest_home(tmp_path):
    for age, name in enumerate(["b", "c", "a"]):
        (tmp_path / name).mkdir()
        journal = tmp_path / name / "journal.db"
        journal.touch()
        os.utime(journal, (1000 - age, 1000 - age))
    (tmp_path / "d").mkdir()
    assert newest(tmp_path).path == tmp_path / "b"


def test_no_newest_home(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(HomeError, match="holds no campaign"):
            newest(folder)


# --- where the daemon is --------------------------------------------------------------------------------


def test_the_daemon_can_be_reached_until_it_withdraws(home):
    with rpc.serve({"daemon": Daemon()}, "token") as server:
        home.announce(server.uris["daemon"], "token")
        assert home.served
        with home.connect() as daemon:
            assert daemon.status() == {"mode": "running"}
        home.withdraw()
    assert not home.served
    with pytest.raises(HomeError, match="no daemon runs here; start one"):
        home.connect()
    home.withdraw()


def test_only_the_owner_may_know_the_token(home):
    old = home.path / "daemon.json"
    old.write_text("{}")
    old.chmod(0o666)
    umask = os.umask(0)
    try:
        home.announce("PYRO:daemon@127.0.0.1:1", "token")
    finally:
        os.umask(umask)
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert json.loads(old.read_text()) == {"uri": "PYRO:daemon@127.0.0.1:1", "token": "token", "pid": os.getpid()}
    assert [path.name for path in home.path.iterdir()] == ["daemon.json"]


def test_what_an_interrupted_announcement_left_does_not_matter(home):
    (home.path / "daemon.new").write_text("half")
    home.announce("PYRO:daemon@127.0.0.1:1", "token")
    assert json.loads((home.path / "daemon.json").read_text())["token"] == "token"


def test_a_daemon_that_died_without_a_word(home):
    with rpc.serve({"daemon": Daemon()}, "token") as server:
        home.announce(server.uris["daemon"], "token")
    with pytest.raises(HomeError, match=r"its daemon does not answer .*it may have died"):
        home.connect()


def test_a_daemon_with_another_token(home):
    with rpc.serve({"daemon": Daemon()}, "token") as server:
        home.announce(server.uris["daemon"], "another")
        with pytest.raises(HomeError, match="refuses our token"):
            home.connect()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"uri": "x"}', '{"uri": 1, "token": 2}'])
def test_an_address_that_cannot_be_read(home, text):
    (home.path / "daemon.json").write_text(text)
    with pytest.raises(HomeError, match="daemon"):
        home.connect()


def test_an_address_that_is_no_text(home):
    (home.path / "daemon.json").write_bytes(b"\xff\xfe")
    with pytest.raises(HomeError, match=r"daemon\.json: cannot be read"):
        home.connect()


def test_only_the_owner_may_know_the_channels(home):
    assert home.channels == ()
    home.keep_channels(["json://lab:s3cret@host"])
    assert home.channels == ("json://lab:s3cret@host",)
    assert (home.path / "channels.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{", '{"channels": 5}', '{"urls": ["json://lab:s3cret@host"]}'])
def test_channels_that_cannot_be_read(home, text):
    (home.path / "channels.json").write_text(text)
    with pytest.raises(HomeError, match="cannot be read") as error:
        _ = home.channels
    assert "s3cret" not in str(error.value)


def test_channels_that_cannot_be_kept(tmp_path):
    with pytest.raises(HomeError, match="cannot be written"):
        Home(tmp_path / "nowhere").keep_channels([])


def test_who_lives_here(home):
    assert (home.daemon, home.announced) == (None, None)
    with home.claimed():
        assert (home.daemon, home.announced) == (os.getpid(), None)
        home.announce("PYRO:daemon@127.0.0.1:1", "token")
        assert home.announced == os.getpid()
    assert home.daemon is None


def test_one_watches_a_home(home):
    with home.watched(), pytest.raises(HomeError, match="is watched already"), home.watched():
        pass
