"""The whole command on a small synthetic pool, its agents in real processes; and the versions kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.optimizer import speed
from benchmarks.optimizer.combo import success
from benchmarks.optimizer.process import AgentFailed, AgentGone, AgentProcess
from benchmarks.optimizer.roster import AGENTS, SCRIPTS, Agent, Entrant, UnknownAgent, entrants, version
from benchmarks.optimizer.run import main
from benchmarks.optimizer.search import Outcome, Plan
from benchmarks.optimizer.table import Findings, overall

POOLS = """
[[pool]]
name = "hill"
file = "hill.csv"
target = "y"
direction = "max"
features = ["A", "B", "C"]
composition = true

[[pool]]
name = "gone"
file = "gone.csv"
target = "y"
direction = "max"
features = ["A"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    X = np.array([(a, b, 20 - a - b) for a in range(21) for b in range(21 - a)]) / 20
    y = np.exp(-6 * ((X - [0.6, 0.3, 0.1]) ** 2).sum(axis=1))
    lines = ["A,B,C,y", *(",".join(map(str, [*x, v])) for x, v in zip(X, y, strict=True))]
    (tmp_path / "hill.csv").write_text("\n".join(lines))
    (tmp_path / "pools.toml").write_text(POOLS)
    return tmp_path


def run(folder: Path, *arguments: str) -> int:
    where = ["--pools", str(folder / "pools.toml"), "--data", str(folder), "--cache", str(folder / "cache"), "--here"]
    return main([*where, *arguments])


def test_a_comparison_grows_from_run_to_run(folder, capsys):
    agents = ("--agents", "nightshift,random,sklearn-gp", "--budget", "20", "--json")
    assert run(folder, *agents, "--seeds", "2", "--jobs", "2") == 0
    first, said = capsys.readouterr()
    assert "gone.csv is missing" in said
    assert "6/6" in said
    found = json.loads(first)["pools"]["hill"]["agents"]
    assert set(found) == {"nightshift", "random", "sklearn-gp"}
    assert all(len(of["experiments"]) == 2 for of in found.values())
    assert max(found["nightshift"]["experiments"]) <= 20
    assert 0 < found["nightshift"]["median_seconds_per_decision"] < 5

    assert run(folder, *agents, "--seeds", "3") == 0
    second, said = capsys.readouterr()
    assert "3/3" in said
    grown = json.loads(second)["pools"]["hill"]["agents"]
    assert all(grown[name]["experiments"][:2] == found[name]["experiments"] for name in grown)

    assert run(folder, *agents[:-1], "--seeds", "3", "--only-cached") == 0
    table, said = capsys.readouterr()
    assert "/3 " not in said
    assert "hill: 231 rows, 3 of them good, 3 inputs" in table
    assert "Worst pool: hill" in table


def test_it_goes_wrong_in_the_ways_asked_for(folder, capsys):
    ways = ("--noise", "--failures", "0.3", "--seeds", "1", "--budget", "15", "--json")
    agents = ("--agents", "nightshift,nightshift-own-start,random")
    assert run(folder, *agents, *ways) == 0
    assert json.loads(capsys.readouterr().out)["overall"]["against_sequential"] == {}
    assert run(folder, *agents, *ways, "--pending", "3") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["plan"]["mode"] == {"noise": True, "failures": 0.3, "pending": 3, "region": 0.0}
    assert set(found["overall"]["against_sequential"]) == {"nightshift", "nightshift-own-start", "random"}
    assert all(not of["errors"] for of in found["pools"]["hill"]["agents"].values())


def test_an_agent_that_cannot_be_installed_is_left_out_by_name(folder, capsys, monkeypatch):
    monkeypatch.setitem(AGENTS, "absent", Agent("absent", "at_random.py", ("no-such-package",)))
    assert run(folder, "--agents", "random,absent", "--seeds", "1") == 0
    assert "absent is left out: no-such-package" in capsys.readouterr().err
    assert run(folder, "--agents", "absent", "--seeds", "1") == 2


def test_unknown_agents_are_named(folder, capsys):
    assert run(folder, "--agents", "nightshift,skynet") == 2
    assert "no agent skynet" in capsys.readouterr().err
    with pytest.raises(UnknownAgent):
        entrants(["skynet"], None)


def test_a_version_changes_with_the_code_and_not_with_its_words(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.optimizer.roster.SCRIPTS", tmp_path)
    (tmp_path / "wire.py").write_text((SCRIPTS / "wire.py").read_text())
    script, agent, installed = tmp_path / "at_random.py", AGENTS["random"], {"numpy": "2.1"}
    script.write_text('"""One."""\nx = 1\n')
    before = version(agent, installed)
    script.write_text('"""Two."""\n# a remark\nx = 1\n')
    assert version(agent, installed) == before
    assert version(agent, {"numpy": "2.2"}) != before
    script.write_text("x = 2\n")
    assert version(agent, installed) != before


def an_agent(folder: Path, choose: str) -> Entrant:
    (folder / "agent.py").write_text(
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})\nimport os, signal, wire\n"
        f"class A(wire.Agent):\n    needs = 0\n    def choose(self, pending):\n        {choose}\n"
        "wire.serve(A)\n"
    )
    (random,), _ = entrants(["random"], None)
    return Entrant(random.agent, "1", (random.command[0], str(folder / "agent.py")))


@pytest.mark.parametrize(
    ("choose", "error", "words"),
    [
        ("raise ValueError('no such thing')", AgentFailed, "no such thing"),
        ("os.write(2, b'last words'); os._exit(3)", AgentGone, "ended with 3: last words"),
        ("signal.pause()", AgentFailed, "no answer within"),
    ],
)
def test_an_agent_that_goes_wrong_is_told_from_one_that_is_gone(tmp_path, choose, error, words):
    np.save(tmp_path / "x.npy", np.eye(4))
    with AgentProcess(an_agent(tmp_path, choose), answer_s=3.0) as process:
        process.begin(tmp_path / "x.npy", "abcd", [], 0, 10)
        with pytest.raises(error, match=words):
            process.ask([])


def test_what_libraries_print_is_no_answer(tmp_path):
    np.save(tmp_path / "x.npy", np.eye(4))
    with AgentProcess(an_agent(tmp_path, "print('noise'); os.system('echo more'); return 2")) as process:
        process.begin(tmp_path / "x.npy", "abcd", [], 0, 10)
        assert process.ask([])[0] == 2
        assert process.peak_bytes() > 2**20


def of(**found: int | None) -> dict[int, Outcome]:
    return {int(seed[1:]): Outcome(count, (), ()) for seed, count in found.items()}


def test_only_common_seeds_are_compared():
    pools: dict = {
        "a": {"ours": of(s0=5, s1=7, s2=50), "theirs": of(s0=10, s1=14)},
        "b": {"ours": of(s0=3), "theirs": of(s1=3)},
    }
    pools["a"]["ours, otherwise"] = of(s0=1)
    named = [Entrant(Agent(name, "", (), ours=name != "theirs"), "1", ()) for name in (*pools["a"],)]
    found = overall(Findings(named, [], Plan(60), 3, [], pools, {"a": {"ours": of(s1=14, s2=25)}}))
    assert found["against"]["theirs"]["ratio"] == pytest.approx(0.5)
    assert found["against"]["theirs"]["pairs"] == 2
    del found["figures"]["ours, otherwise"]
    assert found["figures"] == {
        "ours": {"figure": pytest.approx(np.sqrt(62 / 3 * 3)), "pools": 2, "searches": 4},
        "theirs": {"figure": pytest.approx(np.sqrt(12 * 3)), "pools": 2, "searches": 3},
    }
    assert found["against_sequential"]["ours"]["ratio"] == pytest.approx(57 / 39)
    assert "worst_pool" not in found


def test_the_worst_pool_is_judged_by_peers_with_all_of_our_seeds():
    pools = {
        "a": {"ours": of(s0=5, s1=7), "theirs": of(s0=10, s1=14), "few": of(s0=1)},
        "b": {"ours": of(s0=4), "theirs": of(s0=8), "few": of(s0=5)},
    }
    named = [Entrant(Agent(name, "", (), ours=name == "ours"), "1", ()) for name in pools["a"]]
    found = overall(Findings(named, [], Plan(60), 2, [], pools))
    assert found["worst_pool"] == {"pool": "b", "best_peer": "few", "ratio": pytest.approx(0.8)}


def test_the_success_curve_rises_where_searches_ended():
    outcomes = {0: Outcome(2, (), ()), 1: Outcome(None, (), ()), 2: Outcome(4, (), ()), 3: Outcome(4, (), ())}
    assert success(outcomes, 5) == [0.0, 0.25, 0.25, 0.75, 0.75]


def test_the_simplex_has_as_many_compositions_as_asked():
    for m in (10, 1000):
        X = speed.simplex(m)
        assert X.shape == (m, 6)
        assert len(np.unique(X, axis=0)) == m
        assert X.sum(axis=1) == pytest.approx(np.ones(m))
        assert X.min() >= 0


def test_speed_measures_cells_once(tmp_path, capsys):
    asked = ["--agents", "nightshift", "--cells", "8x200", "--large", "", "--decisions", "3", "--json"]
    kept = ["--results", str(tmp_path / "cells.jsonl"), "--plot", str(tmp_path / "growth.svg")]
    assert speed.main([*asked, *kept]) == 0
    first, said = capsys.readouterr()
    (cell,) = json.loads(first)
    assert (cell["n"], cell["m"], cell["decisions"], cell["error"]) == (8, 200, 3, None)
    assert 0 < cell["cpu"] <= cell["worst_cpu"] < 10
    assert "nightshift, n = 8" in said
    assert (tmp_path / "growth.svg").stat().st_size > 1000
    assert speed.main([*asked, *kept]) == 0
    second, said = capsys.readouterr()
    assert (second, said) == (first, "")
