"""Outcomes are kept by everything they depend on, and shared between processes."""

from __future__ import annotations

from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from benchmarks.optimizer.cache import Cache, Key
from benchmarks.optimizer.process import Took
from benchmarks.optimizer.search import Mode, Outcome, Plan

KEY = Key("d1", "ours", "1.0", 3, Plan(60, 5, Mode(True, 0.1, 4)))
OUTCOME = Outcome(12, (4, 8, 1), (Took(0.25, 0.125), Took(2.0, 1.5)))


def test_what_is_put_is_found_by_another(tmp_path):
    Cache(tmp_path).put(KEY, OUTCOME)
    assert Cache(tmp_path).get(KEY) == OUTCOME


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, pool="d2"),
        replace(KEY, agent="theirs"),
        replace(KEY, version="1.1"),
        replace(KEY, seed=4),
        replace(KEY, plan=Plan(50, 5, KEY.plan.mode)),
        replace(KEY, plan=Plan(60, 5, KEY.plan.mode, best=30)),
        replace(KEY, plan=Plan(60, 5, Mode(True, 0.1, 3))),
    ],
)
def test_anything_else_is_another_search(tmp_path, other):
    cache = Cache(tmp_path)
    cache.put(KEY, OUTCOME)
    assert cache.get(other) is None


def test_it_sees_what_others_add_meanwhile(tmp_path):
    mine, theirs = Cache(tmp_path), Cache(tmp_path)
    assert mine.get(KEY) is None
    theirs.put(KEY, OUTCOME)
    assert mine.get(KEY) == OUTCOME


def test_errors_and_searches_without_success_are_kept(tmp_path):
    failed = Outcome(None, (1, 2), (), "singular matrix")
    Cache(tmp_path).put(KEY, failed)
    assert Cache(tmp_path).get(KEY) == failed


def test_a_torn_line_is_passed_over(tmp_path):
    Cache(tmp_path).put(KEY, OUTCOME)
    file = tmp_path / "ours.jsonl"
    file.write_bytes(file.read_bytes()[:40] + b"\n" + file.read_bytes() + b'{"key": {"po')
    cache = Cache(tmp_path)
    assert cache.get(KEY) == OUTCOME
    assert cache.get(replace(KEY, seed=4)) is None
    cache.put(replace(KEY, seed=4), OUTCOME)
    assert Cache(tmp_path).get(replace(KEY, seed=4)) == OUTCOME


def put_many(folder: Path, first: int) -> None:
    cache = Cache(folder)
    for seed in range(first, first + 50):
        cache.put(replace(KEY, seed=seed), replace(OUTCOME, rows=tuple(range(2000)), experiments=seed))


def test_several_processes_may_write_at_once(tmp_path):
    spawn = get_context("spawn")
    writers = [spawn.Process(target=put_many, args=(tmp_path, first)) for first in (0, 50)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    cache = Cache(tmp_path)
    assert [cache.get(replace(KEY, seed=seed)).experiments for seed in range(100)] == list(range(100))
