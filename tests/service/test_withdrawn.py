"""An optimizer is brought up to date also when what it knows was withdrawn since."""

from __future__ import annotations

import pytest

from orchestrator import rpc
from orchestrator.service.optimizing import OptimizerProcess
from orchestrator.service.suggestions import Question
from tests.service.nights import campaign


class Optimizer:
    """Remembers what it was told, as the one in the other process does."""

    def __init__(self):
        self.told = []

    def known(self):
        return len(self.told)

    def reset(self):
        self.told.clear()
        return 0

    def observe(self, observation, known):
        assert known == len(self.told)
        self.told.append(observation)
        return len(self.told)

    def suggest(self, pending, number, observed, vetoed, withheld):
        assert observed == len(self.told)
        return {"number": number}

    def diagnose(self, observed):
        assert observed == len(self.told)
        return {"concerns": []}


def asked(process, optimizer, *values):
    observations = [{"sample": number, "value": value} for number, value in enumerate(values, 1)]
    process._suggest(optimizer, Question(1, observations, [], []))
    assert optimizer.told == observations


@pytest.fixture
def process(tmp_path):
    process = OptimizerProcess(campaign(), tmp_path, "token")
    yield process
    process.close()


def test_it_forgets_what_was_withdrawn_even_if_as_much_has_come_since(process):
    optimizer = Optimizer()
    asked(process, optimizer, 1.0, 2.0, 3.0)
    asked(process, optimizer, 1.0, 2.5, 3.0)
    asked(process, optimizer, 1.0)
    asked(process, optimizer, 1.0, 2.0)


def test_one_that_was_started_again_is_told_everything(process):
    asked(process, Optimizer(), 1.0, 2.0)
    asked(process, Optimizer(), 1.0, 2.0, 3.0)


def test_weights_that_an_operator_gave_are_told_before_a_suggestion_is_asked_for(process):
    optimizer, told = Optimizer(), []
    optimizer.weigh = told.append
    process._suggest(optimizer, Question(1, [], [], []))
    assert told == []
    process._suggest(optimizer, Question(1, [], [], [], weights={"coercivity": 3.0}))
    assert told == [{"coercivity": 3.0}]


def test_a_model_that_cannot_be_assessed_suggests_all_the_same(process):
    optimizer = Optimizer()
    question = Question(1, [{"sample": 1, "value": 1.0}], [], [])
    assert process._suggest(optimizer, question) == {"number": 1, "assessment": {"concerns": []}}

    def fails(observed):
        raise rpc.Unreachable("too long")

    optimizer.diagnose = fails
    assert process._suggest(optimizer, question) == {"number": 1, "assessment": None}
