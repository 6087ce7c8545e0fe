"""One search: shared first rows, results outstanding, noise, failures, and agents that go wrong."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.optimizer.search import Measurements, Mode, Plan, first_rows, search
from tests.benchmarks.optimizers import Scripted, a_pool

POOL = a_pool()  # rows 198 and 199 are good
SEED = 1  # whose first rows are bad ones
FIRST = first_rows(POOL, SEED, 3)
FREE = [row for row in range(100) if row not in FIRST]


def plan(budget: int = 10, **mode) -> Plan:
    return Plan(budget, 3, Mode(**mode))


def test_it_ends_with_the_first_good_row():
    agent = Scripted([*FREE[:4], 199, 7])
    found = search(agent, POOL, SEED, plan())
    assert found.experiments == 3 + 5
    assert found.rows == (*FIRST, *FREE[:4], 199)
    assert agent.told == [(row, POOL.y[row]) for row in [*FIRST, *FREE[:4]]]


def test_a_good_row_among_the_first_ends_it_without_a_decision():
    seed = next(seed for seed in range(1000) if POOL.good[first_rows(POOL, seed, 3)[1]])
    found = search(Scripted([]), POOL, seed, plan())
    assert (found.experiments, found.decisions) == (2, ())


def test_the_budget_ends_it():
    found = search(Scripted(FREE), POOL, SEED, plan(6))
    assert (found.experiments, len(found.rows)) == (None, 6)


def test_an_agent_with_its_own_start_is_told_nothing_before():
    agent = Scripted([5, 199])
    assert search(agent, POOL, SEED, plan(), own_start=True).experiments == 2
    assert agent.told == [(5, POOL.y[5])]


def test_good_may_be_a_number_of_rows():
    assert search(Scripted([198, 197, 199]), POOL, SEED, Plan(10, 3, best=1)).experiments == 6
    assert search(Scripted([195, 196]), POOL, SEED, Plan(10, 3, best=4)).experiments == 5


def test_a_decision_counts_what_it_was_told_since_the_last():
    found = search(Scripted([FREE[0], 199]), POOL, SEED, plan())
    assert [took.wall for took in found.decisions] == pytest.approx([1.3, 1.1])
    assert [took.cpu for took in found.decisions] == pytest.approx([0.53, 0.51])


def test_results_come_in_the_order_asked_for_and_that_many_are_outstanding():
    agent = Scripted([*FREE[:4], 199, *FREE[4:]])
    found = search(agent, POOL, SEED, plan(10, pending=2))
    assert agent.pending == [[], FREE[:1], FREE[:2], FREE[1:3], FREE[2:4], [FREE[3], 199], [199, FREE[4]]]
    assert [row for row, _ in agent.told] == [*FIRST, *FREE[:4]]
    assert found.experiments == 8
    assert len(found.rows) == 10


def test_at_the_end_of_the_budget_all_results_come_in():
    found = search(Scripted([*FREE[:3], 199]), POOL, SEED, plan(7, pending=3))
    assert found.experiments == 7


def test_failures_are_told_and_find_nothing():
    measure = Measurements(POOL, SEED, Mode(failures=0.5))
    fails = next(row for row in FREE if measure(row) is None)
    agent = Scripted([fails, 199, 199, 199, 199, 199, 199])
    found = search(agent, POOL, SEED, plan(failures=0.5))
    assert (fails, None) in agent.told
    assert found.rows.count(199) == 1 + [row for row, _ in agent.told].count(199)


def test_the_share_of_failures_is_the_one_asked_for():
    measure = Measurements(a_pool(2000), 0, Mode(failures=0.1))
    assert np.mean([measure(row) is None for row in range(2000)]) == pytest.approx(0.1, abs=0.02)


def test_noise_is_that_of_the_pool_and_the_same_for_every_agent():
    mode, pool = Mode(noise=True), a_pool(2000, 0.3)
    one, other = Measurements(pool, 4, mode), Measurements(pool, 4, mode)
    values = np.array([one(row) for row in range(2000)])
    assert [other(row) for row in reversed(range(2000))] == values[::-1].tolist()
    assert (values - pool.y).std() == pytest.approx(0.3, rel=0.06)
    assert one(7) != values[7]  # measured once more


def test_without_noise_it_shows_the_table():
    measure = Measurements(POOL, 4, Mode())
    assert [measure(row) for row in range(200)] == POOL.y.tolist()


@pytest.mark.parametrize("rows", [[FIRST[0]], [FREE[0], FREE[0]], [200], [-1]])
def test_rows_that_cannot_be_asked_for_end_the_search_with_an_error(rows):
    found = search(Scripted(rows), POOL, SEED, plan())
    assert found.experiments is None
    assert "row" in found.error


def test_with_noise_a_row_may_be_measured_again_but_not_while_it_is_pending():
    assert search(Scripted([5, 5, 199]), POOL, SEED, plan(noise=True)).experiments == 6
    assert "twice" in search(Scripted([5, 5]), POOL, SEED, plan(noise=True, pending=1)).error


def test_an_agent_that_fails_ends_its_search_with_its_words():
    found = search(Scripted(FREE, fails_after=2), POOL, SEED, plan())
    assert (found.experiments, len(found.rows)) == (None, 5)
    assert "singular" in found.error
