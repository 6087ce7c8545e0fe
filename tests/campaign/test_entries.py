"""What is journaled: round trips, what is refused, and the stored form."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from orchestrator.campaign import entries as e
from tests.campaign import stories

KINDS: dict[str, type] = {cls.model_fields["kind"].default: cls for cls in get_args(get_args(e.Entry)[0])}
GOLDEN = Path(__file__).with_name("entries.golden.jsonl")

finite = st.floats(allow_nan=False, allow_infinity=False)
text = st.text(max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def fractions(draw):
    parts = draw(st.lists(st.integers(0, 50), min_size=1, max_size=4).filter(any))
    return {f"E{n}": part / sum(parts) for n, part in enumerate(parts)}


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of the type that a field is declared with."""
    plain = {int: st.integers(), float: finite, str: text, bool: st.booleans(), type(None): st.none()}
    if annotation is JsonValue:
        return json_values
    if annotation in plain:
        return plain[annotation]
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return values(args[0])
    if origin is Literal:
        return st.sampled_from(args)
    if origin is list:
        return st.lists(values(args[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(text, values(args[1]), max_size=3)
    assert origin is Union or origin.__name__ == "UnionType", annotation
    return st.one_of([values(arg) for arg in args])


def fields(cls: type) -> dict[str, st.SearchStrategy[Any]]:
    hints = {name: field.annotation for name, field in cls.model_fields.items()}
    drawn = {name: values(hint) for name, hint in hints.items()}
    for name in cls.model_fields:
        if name == "composition":
            drawn[name] = fractions()
    if cls is e.ObservationMade:
        valued = st.fixed_dictionaries({"validity": st.sampled_from(["valid", "censored"]), "value": finite})
        failed = st.fixed_dictionaries({"validity": st.just("failed"), "reason": text})
        drawn["outcomes"] = st.dictionaries(text, valued | failed, max_size=3)
        drawn |= {"validity": st.just("valid"), "value": finite, "sigma": st.floats(0, 1e9), "bound": st.none()}
    if cls is e.CalculationEnded:
        drawn |= {"end": st.just("done"), "value": finite, "sigma": st.floats(0, 1e9)}
    return drawn


entries = st.one_of([st.builds(cls, **fields(cls)) for cls in KINDS.values()])


@settings(deadline=None)
@given(entries)
def test_every_kind_survives_the_journal(entry):
    text = e.to_json(entry)
    assert "\n" not in text
    assert e.from_json(text) == entry
    assert e.to_json(e.from_json(text)) == text


@settings(deadline=None)
@given(entries)
def test_any_json_reader_reads_the_same(entry):
    assert json.loads(e.to_json(entry)) == entry.model_dump(mode="json")


@settings(deadline=None)
@given(entries)
def test_entries_cannot_be_changed(entry):
    with pytest.raises(ValidationError, match="frozen"):
        entry.v = 1


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(data=st.data())
def test_unknown_keys_are_refused(kind, data):
    stored = data.draw(st.builds(KINDS[kind], **fields(KINDS[kind]))).model_dump(mode="json")
    with pytest.raises(ValidationError, match="Extra inputs"):
        e.from_json(json.dumps({**stored, "mood": "good"}))


@pytest.mark.parametrize("kind", KINDS)
def test_other_versions_are_refused(kind):
    line = next(line for line in golden() if json.loads(line)["kind"] == kind)
    for version in (0, KINDS[kind].model_fields["v"].default + 1, "1"):
        with pytest.raises(ValidationError, match="v"):
            e.from_json(json.dumps({**json.loads(line), "v": version}))


@pytest.mark.parametrize("kind", ["sample_suggested", "observation_made"])
def test_what_was_written_before_there_were_settings_is_still_read(kind):
    told = next(json.loads(line) for line in golden() if json.loads(line)["kind"] == kind)
    later = {"settings", "cut_short", "withheld", "cost", "feasibility", "outcomes"}
    old = {key: value for key, value in told.items() if key not in later} | {"v": 1}
    entry = e.from_json(json.dumps(old))
    assert entry.settings == {}
    without = {"withheld": [], "cost": None, "feasibility": None} if kind == "sample_suggested" else {}
    assert json.loads(e.to_json(entry)) == {**told, **old, **without, "settings": {}, "outcomes": {}}


def test_what_was_written_before_candidates_were_withheld_is_still_read():
    told = next(json.loads(line) for line in golden() if json.loads(line)["kind"] == "sample_suggested")
    old = {key: value for key, value in told.items() if key not in ("withheld", "cost", "feasibility")} | {"v": 2}
    entry = e.from_json(json.dumps(old))
    assert (entry.v, entry.withheld, entry.cost, entry.feasibility) == (2, [], None, None)


@pytest.mark.parametrize(("kind", "version"), [("sample_suggested", 3), ("observation_made", 2)])
def test_what_was_written_before_there_were_several_objectives_is_still_read(kind, version):
    told = next(json.loads(line) for line in golden() if json.loads(line)["kind"] == kind)
    old = {key: value for key, value in told.items() if key != "outcomes"} | {"v": version}
    entry = e.from_json(json.dumps(old))
    assert (entry.v, entry.outcomes) == (version, {})
    assert json.loads(e.to_json(entry)) == {**old, "outcomes": {}}


@pytest.mark.parametrize("told", [{"validity": "failed", "value": 1.0}, {"validity": "valid"}, {"value": None}])
def test_an_outcome_has_a_value_unless_it_failed(told):
    with pytest.raises(ValidationError, match="coercivity has a value unless it failed"):
        e.ObservationMade.model_validate({**stories.observed(1).model_dump(), "outcomes": {"coercivity": told}})


# --- what JSON cannot hold ------------------------------------------------------------------------------

NOT_FINITE = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("number", NOT_FINITE)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: {"value": x},
        lambda x: {"sigma": x},
        lambda x: {"composition": {"Fe": x}},
        lambda x: {"composition_sigma": {"Fe": x}},
        lambda x: {"quantities": {"coercivity": {"value": x}}},
        lambda x: {"loop": {"field_mt": [0.0, x]}},
    ],
)
def test_what_is_no_number_is_refused_at_any_depth(number, spoil):
    good = stories.observed(1).model_dump()
    with pytest.raises(ValidationError, match=r"finite|not negative|JSON compliant"):
        e.ObservationMade.model_validate({**good, **spoil(number)})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize(("field", "place"), [("value", "{}"), ("loop", '{{"field_mt": [{}]}}')])
def test_what_is_no_number_is_refused_from_the_file_too(number, field, place):
    stored = json.loads(e.to_json(stories.observed(1)))
    del stored[field]
    with pytest.raises(ValueError, match=r"finite|expected|invalid number|JSON compliant"):
        e.from_json(json.dumps(stored)[:-1] + f', "{field}": {place.format(number)}}}')


@pytest.mark.parametrize("number", ["NaN", "-1e999"])
@pytest.mark.parametrize("deep", ['["on", [{}]]', '[1, {"then": [null, {}]}]', "[1" + "0" * 400 + ", {}]", "[0.5, {}]"])
def test_however_deep_it_is(number, deep):
    stored = e.to_json(stories.observed(1).model_copy(update={"loop": {"field_mt": "HERE"}}))
    with pytest.raises(ValueError, match="finite"):
        e.from_json(stored.replace('"HERE"', deep.replace("{}", number)))


@pytest.mark.parametrize("words", ["NaN", "Infinity", "1e999"])
def test_words_are_not_numbers(words):
    entry = stories.intended("s", "transfer", 1, ["robot"], thing=[words, {words: 10**400}])
    assert e.from_json(e.to_json(entry)) == entry


@pytest.mark.parametrize("value", [(1, 2), {1: 2}, object(), b"x", {1, 2}])
def test_what_json_would_change_is_refused(value):
    with pytest.raises(ValidationError):
        stories.intended("s", "transfer", 1, ["robot"], thing=value)


@pytest.mark.parametrize(
    "spoiled", [{"sample": "7"}, {"sample": 7.0}, {"sample": True}, {"finished": 1}, {"thickness_nm": "50"}]
)
def test_nothing_is_taken_for_what_it_is_not(spoiled):
    with pytest.raises(ValidationError):
        e.FilmDeposited.model_validate({**stories.film(1).model_dump(), **spoiled})


# --- compositions and values ----------------------------------------------------------------------------


@pytest.mark.parametrize("composition", [{}, {"Fe": 0.9}, {"Fe": 1.1}, {"Fe": 1.2, "Co": -0.2}, {"Fe": 50, "Co": 50}])
def test_fractions_sum_to_1(composition):
    with pytest.raises(ValidationError, match="sum to 1"):
        e.FilmDeposited.model_validate({**stories.film(1).model_dump(), "composition": composition})


@pytest.mark.parametrize(
    ("validity", "value", "sigma"),
    [
        ("failed", 0.0, None),
        ("failed", 0.0, 0.0),
        ("failed", None, 1.0),
        ("valid", None, None),
        ("valid", 1.0, None),
        ("valid", 1.0, -1.0),
        ("censored", None, 1.0),
    ],
)
def test_a_failed_measurement_has_no_value_and_any_other_has_one(validity, value, sigma):
    good = stories.observed(1).model_dump()
    with pytest.raises(ValidationError, match=f"a {validity} observation has"):
        e.ObservationMade.model_validate({**good, "validity": validity, "value": value, "sigma": sigma})


@pytest.mark.parametrize(("validity", "bound"), [("censored", None), ("valid", "lower"), ("valid", "upper")])
def test_a_censored_measurement_and_no_other_is_a_bound(validity, bound):
    good = stories.observed(1).model_dump()
    with pytest.raises(ValidationError, match="is a lower or an upper bound"):
        e.ObservationMade.model_validate({**good, "validity": validity, "bound": bound})


# --- the stored form ------------------------------------------------------------------------------------


def test_a_line_of_the_journal_is_json():
    line = e.Recorded(version=3, time=1.7e9 + 0.1, entry=stories.observed(1)).to_json()
    told = {"version": 3, "time": 1.7e9 + 0.1, "entry": stories.observed(1).model_dump(mode="json")}
    assert json.loads(line) == told
    assert "\n" not in line


def golden() -> list[str]:
    return GOLDEN.read_text().splitlines()


def test_the_stored_form_of_every_kind_is_as_it_always_was():
    """Journals outlive programs: what this file has must be read, and written, for ever."""
    for line in golden():
        assert e.to_json(e.from_json(line)) == line
    assert [json.loads(line)["kind"] for line in golden()] == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stored_form_has_every_field(kind):
    line = next(line for line in golden() if json.loads(line)["kind"] == kind)
    assert list(json.loads(line)) == list(KINDS[kind].model_fields)
