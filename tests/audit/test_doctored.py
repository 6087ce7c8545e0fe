"""Every way in which a night can go wrong is found by the checks that are there for it, and by no others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from orchestrator.audit import audit
from orchestrator.audit.table import CHECKS

from .doctor import Doctor
from .mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_it_is_caught(mutation: Mutation, nights: dict[str, Path], tmp_path: Path) -> None:
    doctor = Doctor(nights[mutation.night], tmp_path / "home")
    mutation.treat(doctor)
    report = audit(doctor.home)
    assert {name for name, _ in report.breaches} == mutation.catches


def test_every_check_catches_something_that_no_other_does() -> None:
    alone = {next(iter(mutation.catches)) for mutation in MUTATIONS if len(mutation.catches) == 1}
    assert {check.name for check in CHECKS} - alone == set()


def test_mutations_are_told_apart_by_name() -> None:
    assert [name for name, times in Counter(m.name for m in MUTATIONS).items() if times > 1] == []


def test_a_breach_says_where_it_is(nights: dict[str, Path], tmp_path: Path) -> None:
    doctor = Doctor(nights["plain"], tmp_path / "home")
    version, _, film = doctor.find("film_deposited", sample=4)
    doctor.insert(version, film)
    ((name, breach),) = audit(doctor.home).breaches
    assert name == "film-once"
    assert breach.sample == 4
    assert breach.versions == (version, version + 1)


def test_a_breach_of_the_world_names_line_and_substrate(nights: dict[str, Path], tmp_path: Path) -> None:
    doctor = Doctor(nights["plain"], tmp_path / "home")
    doctor.world(lambda events: events.append({"t": events[-1]["t"], "event": "hazard", "kind": "robot_collision"}))
    ((_, breach),) = audit(doctor.home).breaches
    lines = len(doctor.world_log.read_text().splitlines())
    assert "robot_collision" in breach.message
    assert f"line {lines}" in breach.message
