"""A rehearsed night with two objectives: strong and soft films, from the campaign file to the morning report."""

from __future__ import annotations

import json

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import fold, observation_for_model
from orchestrator.optimizer import make_optimizer

from .conftest import ROOT, Night, nightshift

pytestmark = [pytest.mark.night, pytest.mark.timeout(400)]

FILMS = 4


@pytest.fixture(scope="module")
def soft(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("soft")
    text = (ROOT / "campaigns/fe-co-ni-soft.toml").read_text()
    text = text.replace("samples = 24", f"samples = {FILMS}").replace("labs/", f"{ROOT}/campaigns/labs/")
    text = text.replace("lab_hours = 12", "lab_hours = 100").replace("initial_samples = 6", "initial_samples = 2")
    path = folder / "campaign.toml"
    path.write_text(text)
    home = folder / "home"
    done = nightshift("dry-run", path, "--home", home, "--json", "--speed", "600", timeout=360)
    return Night(home, json.loads(done.stdout) if done.stdout else {}, done.stderr, done.returncode)


def test_every_film_has_every_quantity(soft: Night) -> None:
    assert soft.exit_code == 0, soft.stderr
    assert (soft.summary["end"], soft.summary["valid"], soft.summary["hazards"]) == ("done", FILMS, 0)
    state = fold(soft.journal)
    for seen in state.observations:
        assert set(seen.outcomes) == {"saturation_magnetisation", "coercivity", "squareness"}
        assert {told["validity"] for told in seen.outcomes.values()} == {"valid"}
        assert seen.value == seen.outcomes["saturation_magnetisation"]["value"]
    for one in state.front:
        assert not any(
            state.terms.dominates(state.terms.values(other), state.terms.values(one)) for other in state.observations
        )


def test_the_choices_are_those_of_the_journal_alone(soft: Night) -> None:
    state = fold(soft.journal)
    campaign = Campaign.model_validate(state.started.campaign)
    chosen = [r.entry for r in soft.journal if isinstance(r.entry, e.SampleSuggested) and r.entry.method == "gp"]
    assert chosen
    for entry in chosen:
        before = fold(r for r in soft.journal if r.version < version_of(soft, entry))
        told = [observation_for_model(before.samples[seen.sample]) for seen in before.observations]
        pending = [{"composition": before.samples[n].suggestion.composition} for n in entry.pending]
        again = make_optimizer(campaign, told).suggest(pending, entry.sample)
        assert again.composition == pytest.approx(entry.composition)
        assert set(entry.outcomes) == {"saturation_magnetisation", "coercivity", "squareness"}
        assert 0 <= entry.outcomes["squareness"]["probability"] <= 1


def version_of(night: Night, entry: e.Entry) -> int:
    return next(r.version for r in night.journal if r.entry == entry)


def test_status_samples_why_and_export_tell_of_both(soft: Night) -> None:
    status = json.loads(nightshift("status", "--home", soft.home, "--json").stdout)
    assert [film["sample"] for film in status["front"]] == [seen.sample for seen in fold(soft.journal).front]
    assert "coercivity (mT)" in nightshift("status", "--home", soft.home).stdout
    told = nightshift("why", str(FILMS), "--home", soft.home).stdout
    assert "coercivity" in told
    exported = nightshift("export", "--home", soft.home).stdout.splitlines()[0]
    assert "coercivity [mT]" in exported
    best = json.loads(nightshift("samples", "--home", soft.home, "--best", "1", "--json").stdout)["rows"]
    assert best[0]["sample"] == status["best"]["sample"]
    assert best[0]["standing"] == "front"


def test_the_report_shows_the_front(soft: Night) -> None:
    page = (soft.home / "report.html").read_text()
    assert "Trade-offs" in page
    assert "such that none is better" in page


def test_the_audit_finds_nothing_wrong(soft: Night) -> None:
    done = nightshift("audit", soft.home)
    assert done.returncode == 0, done.stdout + done.stderr
