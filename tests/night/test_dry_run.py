"""A whole rehearsed night: every process, every wire, and the world log as the witness."""

from __future__ import annotations

import json
import sqlite3

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.digest import sha256_of
from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import candidate_of, fold, observation_for_model
from orchestrator.optimizer import make_optimizer
from orchestrator.service.contract.earlier import Rehearsal
from orchestrator.service.home import Home
from orchestrator.service.progress import Progress
from orchestrator.service.status import progress_of

from .conftest import FILMS, Night, nightshift

pytestmark = [pytest.mark.night, pytest.mark.timeout(180)]


def test_it_ends_by_its_budget(night: Night) -> None:
    assert night.exit_code == 0, night.stderr
    assert night.summary["end"] == "done"
    assert night.summary["samples"] == FILMS
    assert night.summary["valid"] == FILMS


def test_the_json_has_what_is_promised(night: Night) -> None:
    promised = {"campaign", "seed", "samples", "valid", "failed", "best", "lab_hours", "wall_s"}
    promised |= {"station_utilisation", "hazards", "lost", "doubled"}
    assert promised <= set(night.summary)
    assert {"composition", "value", "unit"} <= set(night.summary["best"])
    assert all(0 <= share <= 1 for share in night.summary["station_utilisation"].values())


def test_the_world_saw_no_hazard_and_every_film_once(night: Night) -> None:
    assert [event for event in night.world if event["event"] == "hazard"] == []
    begun = [event["substrate"] for event in night.world if event["event"] == "film_begun"]
    finished = [event["substrate"] for event in night.world if event["event"] == "film_finished"]
    measured = [event["substrate"] for event in night.world if event["event"] == "measured"]
    assert sorted(begun) == sorted(finished) == sorted(measured) == list(range(1, FILMS + 1))


def test_the_model_was_told_what_was_made(night: Night) -> None:
    truth = {event["substrate"]: event for event in night.world if event["event"] == "film_finished"}
    state = fold(night.journal)
    for sample in state.samples.values():
        assert sample.film is not None
        real = truth[sample.slot]
        for element, fraction in sample.film.composition.items():
            sigma = sample.film.composition_sigma[element]
            assert fraction == pytest.approx(real["composition"].get(element, 0.0), abs=5 * sigma + 0.003)
        error = 5 * sample.film.thickness_sigma_nm
        assert sample.film.thickness_nm == pytest.approx(real["thickness_nm"], abs=error)


def test_the_measured_values_are_the_true_ones_within_their_uncertainty(night: Night) -> None:
    truth = {event["substrate"]: event for event in night.world if event["event"] == "film_finished"}
    state = fold(night.journal)
    for sample in state.samples.values():
        assert sample.observation is not None
        assert sample.observation.value is not None
        assert sample.observation.sigma is not None
        real = truth[sample.slot]["true_properties"]["saturation_magnetisation_ka_m"]
        assert sample.observation.value == pytest.approx(real, abs=5 * sample.observation.sigma)


def test_every_sample_is_home_and_observed_once(night: Night) -> None:
    state = fold(night.journal)
    assert all(sample.at_home and sample.phase is Phase.OBSERVED for sample in state.samples.values())
    observed = [r.entry.sample for r in night.journal if isinstance(r.entry, e.ObservationMade)]
    assert sorted(observed) == list(range(1, FILMS + 1))
    assert not state.open_steps


def test_an_intent_stands_before_every_outcome(night: Night) -> None:
    intended: set[str] = set()
    for recorded in night.journal:
        match recorded.entry:
            case e.StepIntended() as intent:
                intended.add(intent.step)
            case e.StepEnded() as ended:
                assert ended.step in intended
                assert ended.run_uids


def test_deposition_and_measurement_overlap(night: Night) -> None:
    spans: dict[str, list[tuple[float, float]]] = {"deposit": [], "measure": []}
    since: dict[str, tuple[str, float]] = {}
    for recorded in night.journal:
        match recorded.entry:
            case e.StepIntended(plan="deposit" | "measure") as intent:
                since[intent.step] = (intent.plan, recorded.time)
            case e.StepEnded() as ended if ended.step in since:
                plan, start = since[ended.step]
                spans[plan].append((start, recorded.time))
    overlaps = [min(d[1], m[1]) - max(d[0], m[0]) for d in spans["deposit"] for m in spans["measure"]]
    assert sum(overlap > 60 for overlap in overlaps) >= FILMS - 1


def test_the_journal_decides_the_suggestions(night: Night) -> None:
    """Same seed, same observations: the same suggestions, from the journal alone."""
    started = night.journal[0].entry
    assert isinstance(started, e.CampaignStarted)
    optimizer = make_optimizer(Campaign.model_validate(started.campaign))
    for recorded in night.journal:
        match recorded.entry:
            case e.SampleSuggested() as said:
                before = fold(r for r in night.journal if r.version < recorded.version)
                pending = [candidate_of(before.samples[number]) for number in said.pending]
                again = optimizer.suggest(pending, said.sample)
                assert again.composition == said.composition
                assert again.method == said.method
            case e.ObservationMade() as observation:
                told = fold(r for r in night.journal if r.version <= recorded.version).samples[observation.sample]
                optimizer.observe(observation_for_model(told))


@pytest.mark.parametrize("station", ["deposition", "magnetometry", "robot"])
def test_documents_name_their_sample(night: Night, station: str) -> None:
    database = sqlite3.connect(night.home / f"{station}.documents.db")
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    database.close()
    assert tables


def test_the_report_is_there_and_marked_as_simulated(night: Night) -> None:
    page = (night.home / "report.html").read_text()
    assert "simulated" in page.lower()
    assert "<script" not in page


def test_how_it_ended_was_noted_as_the_journal_tells_it(night: Night) -> None:
    noted = Home(night.home).last
    assert noted is not None
    assert Progress.of(noted) == progress_of(night.home / "journal.db")
    told = json.loads(nightshift("status", "--home", night.home, "--json").stdout)
    assert told == noted | {"live": False, "note": ""}


def test_every_choice_is_explained_and_every_loop_is_exported(night: Night) -> None:
    for number in fold(night.journal).samples:
        told = json.loads(nightshift("why", str(number), "--home", night.home, "--json").stdout)
        assert told["sample"] == number
        assert told["words"]
    rows = nightshift("export", "--home", night.home, "--what", "loops").stdout.splitlines()
    points = sum(
        len(r.entry.loop["field_mt"]) for r in night.journal if isinstance(r.entry, e.ObservationMade) and r.entry.loop
    )
    assert len(rows) == 1 + points


def test_it_leaves_word_that_this_campaign_passed(night: Night) -> None:
    found = Rehearsal.of(Home(night.home))
    assert found is not None
    assert (found.passed, found.end) == (True, "done")
    started = night.journal[0].entry
    assert isinstance(started, e.CampaignStarted)
    assert found.campaign_sha256 == sha256_of(Campaign.model_validate(started.campaign))
