"""A night with a virtual station: calculations beside films, in real processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.entries import Recorded
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import calculation_for_model, candidate_of, fold, observation_for_model
from orchestrator.journal import SqliteJournal
from orchestrator.optimizer import make_optimizer

from .conftest import ROOT, nightshift

pytestmark = [pytest.mark.night, pytest.mark.timeout(240)]
FILMS, CALCULATIONS = 3, 24


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("theory")
    text = (ROOT / "campaigns/fe-co-ni-theory.toml").read_text()
    text = text.replace("samples = 16", f"samples = {FILMS}").replace("labs/", f"{ROOT}/campaigns/labs/")
    text = text.replace("calculations = 120", f"calculations = {CALCULATIONS}")
    (folder / "campaign.toml").write_text(text)
    ran = nightshift("dry-run", folder / "campaign.toml", "--home", folder / "home", "--json", timeout=200)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["valid"] == FILMS
    return folder / "home"


@pytest.fixture(scope="module")
def journal(home: Path) -> list[Recorded]:
    return list(SqliteJournal(home / "journal.db").read())


def test_calculations_are_made_before_and_beside_the_films(journal: list[Recorded]) -> None:
    results = [r for r in journal if isinstance(r.entry, e.CalculationEnded) and r.entry.end == "done"]
    assert len(results) == CALCULATIONS
    first_film = next(r.version for r in journal if isinstance(r.entry, e.SampleSuggested))
    assert sum(r.version < first_film for r in results) >= 16
    lanes = {r.entry.lane for r in journal if isinstance(r.entry, e.CalculationIntended)}
    assert lanes
    assert lanes <= {"theory.1", "theory.2"}  # one that answers at once leaves the other nothing to do


def test_they_are_no_films(journal: list[Recorded]) -> None:
    state = fold(journal)
    assert state.films_made == len(state.samples) == len(state.observations) == FILMS
    assert state.slots_used == set(range(1, FILMS + 1))


def test_every_film_is_chosen_again_from_the_journal(journal: list[Recorded]) -> None:
    state = fold(journal)
    assert state.started is not None
    campaign = Campaign.model_validate(state.started.campaign)
    for sample in state.samples.values():
        told = sample.suggestion
        hierarchy = (told.hyperparameters or {}).get("hierarchy")
        assert isinstance(hierarchy, dict)
        counts = hierarchy["calculations"]
        assert isinstance(counts, dict)
        calculated = [calculation_for_model(result) for result in state.calculations.results[: int(counts["theory"])]]
        films = [observation_for_model(state.samples[seen.sample]) for seen in state.observations[: told.observed]]
        chooser = make_optimizer(campaign, [*calculated, *films])
        again = chooser.suggest([candidate_of(state.samples[n]) for n in told.pending], told.sample)
        assert dict(again.composition) == told.composition
        assert again.mean == told.mean


def test_the_audit_is_clean_and_the_report_tells_of_them(home: Path) -> None:
    audited = nightshift("audit", home)
    assert audited.returncode == 0, audited.stdout
    assert ">Calculations</h2>" in (home / "report.html").read_text()
