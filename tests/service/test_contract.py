"""The night contract, line by line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.digest import sha256_of
from orchestrator.campaign.labspec import LabSpec, load_lab
from orchestrator.campaign.spec import Budget, load_campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.journal import SqliteJournal
from orchestrator.service.contract import checks
from orchestrator.service.contract.earlier import EarlierNight, Rehearsal, homes_below, nights
from orchestrator.service.contract.lines import NOT_ASKED, Contract, Line, as_text, not_asked
from orchestrator.service.forecast import before
from orchestrator.service.history import History
from orchestrator.service.home import Home
from tests.campaign.stories import film
from tests.service.nights import START, campaign
from tests.service.test_forecast import steps_took

LAB = load_lab(Path(__file__).parents[2] / "campaigns/labs/vsm.toml")
SPEC = campaign(samples=10)
TOLD = before(SPEC, LAB, START)
GIB = 2.0**30
GREEN = Line("a", "green", "well")
AMBER = Line("b", "amber", "so so", "know it")
RED = Line("c", "red", "bad", "mend it")


def changed(lab: LabSpec = LAB, **tables: Any) -> LabSpec:
    """`lab` with other keys; a nested one is named ``table.key``."""
    content = lab.model_dump(mode="json")
    for name, value in tables.items():
        *way, last = name.split("__")
        table = content
        for part in way:
            table = table[part]
        table[last] = value
    return LabSpec.model_validate(content)


def night(**changes: Any) -> EarlierNight:
    """One earlier night in the lab, of two films."""
    state = CampaignState()
    state.started = e.CampaignStarted(campaign={}, lab=LAB.model_dump(mode="json"), by="tester")
    state._samples.films = 2
    return replace(EarlierNight(Home(Path("nights/one")), state, False, 2_000_000, None), **changes)


# --- lines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "verdict"), [((GREEN,), "green"), ((GREEN, AMBER), "amber"), ((RED, AMBER), "red"), ((), "green")]
)
def test_a_contract_is_as_good_as_its_worst_line(lines: tuple[Line, ...], verdict: str) -> None:
    contract = Contract(SPEC, LAB, "1", lines)
    assert contract.verdict == verdict
    assert contract.as_dict()["verdict"] == verdict
    assert (RED in contract.red) == (verdict == "red")


def test_what_is_signed_names_who_how_and_what_exactly() -> None:
    signed = Contract(SPEC, LAB, "1.2", (GREEN, AMBER)).signed("anna", "typed")
    assert (signed.by, signed.armed, signed.version) == ("anna", "typed", "1.2")
    assert (signed.campaign_sha256, signed.lab_sha256) == (sha256_of(SPEC), sha256_of(LAB))
    assert [line["subject"] for line in signed.lines] == ["a", "b"]
    assert e.from_json(e.to_json(signed)) == signed


def test_another_campaign_or_lab_has_another_digest_a_secret_does_not() -> None:
    assert sha256_of(campaign(samples=11)) != sha256_of(SPEC)
    assert sha256_of(campaign(samples=10)) == sha256_of(SPEC)
    content = LAB.model_dump(mode="json")
    told = LabSpec.model_validate({**content, "alerts": {"channels": ["json://lab:s3cret@host"]}})
    assert sha256_of(told) == sha256_of(LAB)
    assert "s3cret" not in json.dumps(told.model_dump(mode="json"))


def test_a_person_reads_what_to_do_below_each_line() -> None:
    text = as_text([GREEN, RED])
    assert text.splitlines() == ["green  a  well", "red    c  bad", "          -> mend it"]


def test_what_is_left_out_is_said_to_be() -> None:
    (line,) = not_asked("instruments")
    assert (line.verdict, line.found) == ("amber", NOT_ASKED)


# --- finish, supplies ---------------------------------------------------------------------------------


def test_the_finish_is_a_range_and_amber_where_nobody_has_measured_anything() -> None:
    line = checks.finish(TOLD, SPEC)
    assert line.verdict == "amber"
    assert "by the plans; 10 films" in line.found
    known = before(SPEC, LAB, START, steps_took(LAB, 1.0, 40))
    assert checks.finish(known, SPEC).verdict == "green"
    assert "by earlier nights" in checks.finish(known, SPEC).found
    ruled = campaign(samples=10, stopping={"target": 1.0})
    assert "may end it earlier" in checks.finish(before(ruled, LAB, START), ruled).found


@pytest.mark.parametrize(("filled", "substrates", "verdict"), [(9, None, "red"), (10, None, "amber"),
                                                               (12, None, "green"), (48, 10, "amber")])  # fmt: skip
def test_substrates(filled: int, substrates: int | None, verdict: str) -> None:
    lab = changed(cassette__filled=list(range(1, filled + 1)))
    spec = SPEC.model_copy(update={"budget": Budget(samples=10, lab_hours=9.0, substrates=substrates)})
    assert checks.substrates(spec, lab).verdict == verdict


@pytest.mark.parametrize(("left_kwh", "verdict"), [(0.01, "red"), (0.4, "amber"), (9.0, "green")])
def test_targets(left_kwh: float, verdict: str) -> None:
    need = 10 * 100 * TOLD.steps["deposit"].typical_s / 3.6e6
    assert 0.2 < need < 0.4, "or the cases above make no sense"
    lab = changed(targets__Fe__used_kwh=40 - left_kwh)
    found = {line.subject: line for line in checks.targets(SPEC, lab, TOLD, [])}
    assert found["target Fe"].verdict == verdict
    assert found["target Co"].verdict == "green"


def test_what_was_used_since_the_lab_file_was_written_counts() -> None:
    used = night()
    used.state.energy_kwh["Fe"] = 33.4
    (line, *_) = checks.targets(SPEC, LAB, TOLD, [used])
    assert line.verdict == "red"
    assert "33 used since" in line.found
    (line, *_) = checks.targets(SPEC, LAB, TOLD, [replace(used, rehearsed=True)])
    assert line.verdict == "green", "a rehearsal uses nothing up"
    (line, *_) = checks.targets(SPEC, changed(targets__Fe__used_kwh=7.0), TOLD, [used])
    assert line.verdict == "green", "the lab file was brought up to date"


@pytest.mark.parametrize(("left_l", "verdict"), [(None, "amber"), (0.1, "red"), (500.0, "green")])
def test_argon(left_l: float | None, verdict: str) -> None:
    lab = changed(stations__deposition__argon_left_l=left_l)
    line = checks.gas(SPEC, lab, TOLD)
    assert line.verdict == verdict
    assert "l" in line.found


@pytest.mark.parametrize(("free", "verdict"), [(10e6, "red"), (0.5 * GIB, "amber"), (50 * GIB, "green")])
def test_disk(free: float, verdict: str) -> None:
    assert checks.disk(SPEC, free, [], 1.0).verdict == verdict


def test_a_film_weighs_what_earlier_ones_did() -> None:
    heavy = night(size=2_000_000_000)
    line = checks.disk(SPEC, 9e9, [heavy], 1.0)
    assert line.verdict == "red"
    assert "measured on 1 earlier nights" in line.found


def test_limits_that_limit_nothing_are_amber() -> None:
    assert checks.limits(SPEC, LAB).verdict == "green"
    wide = changed(stations__deposition__devices__gun1__limits={"power": [0, 5000]})
    line = checks.limits(SPEC, wide)
    assert line.verdict == "amber"
    assert "gun1 power: 100 is asked for" in line.found


def test_a_calculator_whose_program_is_missing_is_amber_and_stops_nothing() -> None:
    lab = load_lab(Path(__file__).parents[2] / "campaigns/labs/moke-theory.toml")
    spec = load_campaign(Path(__file__).parents[2] / "campaigns/fe-co-ni-theory.toml")
    (line,) = checks.calculators(spec, lab, set())
    assert line.verdict == "green"
    assert "120 calculations by 2 processes" in line.found
    elk = lab.virtual["theory"].model_copy(update={"calculator": "elk"})
    lab = lab.model_copy(update={"stations": {**lab.stations, "theory": elk}})
    (line,) = checks.calculators(spec, lab, {"elk-lapw"})
    assert line.verdict == "amber"
    assert "no program elk-lapw" in line.found
    assert list(checks.calculators(SPEC, LAB, set())) == []


def test_interlocks_are_named() -> None:
    assert "hard-wired" in checks.interlocks(SPEC).found


# --- reference, dry run -------------------------------------------------------------------------------


def measured(days: float, verdict: Any = "good") -> EarlierNight:
    entry = e.ReferenceMeasured(
        value=1.0,
        sigma=0.0,
        unit="A m2",
        expected=1.0,
        expected_sigma=0.0,
        ratio=1.002,
        ratio_sigma=0.0,
        verdict=verdict,
    )
    return night(reference=(START - days * 86400, entry))


WITH_REFERENCE = changed(
    cassette__filled=list(range(1, 48)), reference={"slot": 48, "value": 2e-6, "sigma": 1e-8, "every_films": 4}
)


@pytest.mark.parametrize(
    ("earlier", "verdict"),
    [
        ([], "amber"),
        ([measured(2)], "green"),
        ([measured(40)], "amber"),
        ([measured(9), measured(1, "drifted")], "red"),
    ],
)
def test_reference(earlier: list[EarlierNight], verdict: str) -> None:
    assert checks.reference(WITH_REFERENCE, earlier, START).verdict == verdict
    assert checks.reference(LAB, earlier, START).verdict == "amber"


def rehearsed(**changes: Any) -> Rehearsal:
    return replace(Rehearsal(sha256_of(SPEC), sha256_of(LAB), "1", True, "done", START, "nights/r"), **changes)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([], "red"),
        ([rehearsed()], "green"),
        ([rehearsed(passed=False, end="aborted")], "red"),
        ([rehearsed(campaign_sha256="other")], "red"),
        ([rehearsed(lab_sha256="other")], "amber"),
        ([rehearsed(version="0")], "amber"),
        ([rehearsed(passed=False), rehearsed(lab_sha256="other"), rehearsed()], "green"),
    ],
)
def test_dry_run(found: list[Rehearsal], verdict: str) -> None:
    assert checks.rehearsal(SPEC, LAB, "1", found).verdict == verdict


# --- earlier homes ------------------------------------------------------------------------------------


def test_what_a_dry_run_leaves_is_read_again_and_what_is_no_such_thing_is_not(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert Rehearsal.of(home) is None
    rehearsed().write(home)
    assert Rehearsal.of(home) == rehearsed(home=str(tmp_path))
    home.rehearsal.write_text('{"passed": true}')
    assert Rehearsal.of(home) is None
    home.rehearsal.write_text("{")
    assert Rehearsal.of(home) is None


def test_earlier_nights_are_those_of_this_lab_that_can_be_read(tmp_path: Path) -> None:
    for name, lab in (("ours", LAB.name), ("theirs", "another")):
        (tmp_path / name).mkdir()
        journal = SqliteJournal(tmp_path / name / "journal.db")
        journal.append([e.CampaignStarted(campaign={}, lab={"name": lab}, by="tester")], 0, START)
        journal.close()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "journal.db").write_text("no journal at all" * 100)
    (tmp_path / "empty").mkdir()
    SqliteJournal(tmp_path / "empty" / "journal.db").close()
    found = nights(homes_below(tmp_path), LAB.name)
    assert [each.home.path.name for each in found] == ["ours"]
    assert found[0].size > 0
    assert not found[0].rehearsed
    assert History.of([(each.state, each.rehearsed) for each in found], LAB).nights == 1


def test_a_home_elsewhere_may_be_named_too(tmp_path: Path) -> None:
    assert [home.path for home in homes_below(tmp_path / "nights", tmp_path / "else")] == [tmp_path / "else"]


def test_an_earlier_night_counts_its_films() -> None:
    state = night().state
    assert night().films == state.films_made == 2
    assert film(1).finished
