"""A whole rehearsed night, in real processes over real wires, as those programs wrote it down."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.audit import audit
from orchestrator.audit.records import CLOCK_S
from tests.night.conftest import dry_run, small_campaign

from .doctor import Doctor, seen
from .mutations import put

pytestmark = [pytest.mark.night, pytest.mark.timeout(180)]

IDLE = {
    "acts-in-time",
    "acts-named",
    "acts-seen",
    "back-after-lost",
    "calculations-allowed",
    "calculations-framed",
    "commands-fresh",
    "given-up-by-name",
    "quarantine-alerts",
    "reference-bare",
    "reference-ruled",
    "rejections-ruled",
    "unknown-settled",
    "values-vouched-for",
    "vetoed-bare",
}
"""Checks with nothing to look at in a night where all goes well."""


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audited")
    night = dry_run(folder, small_campaign(folder, 2), "--speed", "1000")
    assert night.exit_code == 0, night.stderr
    return night.home


def test_it_is_clean(home: Path) -> None:
    report = audit(home)
    assert report.breaches == []
    assert report.end == "done"
    assert {finding.check.name for finding in report.findings if not finding.looked} == IDLE
    assert [finding.unchecked for finding in report.findings if finding.unchecked] == []


def test_a_film_begun_before_its_intent_is_caught(home: Path, tmp_path: Path) -> None:
    doctor = Doctor(home, tmp_path / "home")
    _, time, _ = doctor.find("step_intended", plan="deposit", sample=1)
    doctor.world(lambda events: seen(events, "film_begun", 1).update(t=time - 2 * CLOCK_S))
    assert "acts-within-steps" in {name for name, _ in audit(doctor.home).breaches}


@pytest.mark.parametrize(
    ("kind", "changes", "check"),
    [
        ("film_deposited", {"finished": False}, "film-as-recorded"),
        ("observation_made", {"value": 0.0}, "value-true"),
        ("sample_suggested", {"observed": 1}, "suggestions-informed"),
    ],
)
def test_what_is_doctored_is_caught(
    home: Path, tmp_path: Path, kind: str, changes: dict[str, object], check: str
) -> None:
    doctor = Doctor(home, tmp_path / "home")
    doctor.edit(kind, put(**changes), sample=1)
    assert check in {name for name, _ in audit(doctor.home).breaches}
