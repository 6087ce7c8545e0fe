"""What became of alerts, over deaths and full disks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.service.alerts.alert import Alert
from orchestrator.service.alerts.outbox import Outbox

ONE = Alert("1", 1.7e9, "critical", "The night cannot go on alone.")
TWO = Alert("2", 1.7e9, "info", "All is well.")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_it_remembers_by_channel(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "alerts.jsonl")
    outbox.raised(ONE)
    outbox.settle("1 json", ONE, "delivered")
    outbox.failed("2 mailto", "it did not answer")
    for again in (outbox, Outbox(outbox.path)):
        assert again.settled("1 json", ONE)
        assert not again.settled("2 mailto", ONE)
        assert not again.settled("1 json", TWO)


def test_everything_can_be_read_in_it(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    Outbox(path, now=lambda: 5.0).raised(ONE)
    outbox = Outbox(path, now=lambda: 6.0)
    outbox.raised(ONE)
    outbox.settle("1 json", ONE, "too old")
    raised, settled = lines(path)
    assert raised["raised"] == {"name": "1", "time": 1.7e9, "severity": "critical", "text": ONE.text, "about": ""}
    assert settled == {"at": 6.0, "alert": "1", "channel": "1 json", "fate": "too old"}


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_line_that_a_death_tore_costs_that_line_only(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "alerts.jsonl"
    outbox = Outbox(path)
    outbox.settle("1 json", ONE, "delivered")
    outbox.settle("1 json", TWO, "delivered")
    path.write_bytes(path.read_bytes()[:-cut])
    after = Outbox(path)
    assert after.settled("1 json", ONE)
    assert after.settled("1 json", TWO) == (cut == 1)
    after.settle("2 mailto", ONE, "delivered")
    assert Outbox(path).settled("2 mailto", ONE)


def test_a_full_disk_costs_no_alert_and_nobody_an_exception(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "no such folder" / "alerts.jsonl")
    outbox.raised(ONE)
    outbox.settle("1 json", ONE, "delivered")
    assert outbox.settled("1 json", ONE)
