"""Campaign files: what is read, and what is said of a broken one."""

from __future__ import annotations

import importlib.util
import json
import math
import operator
import re
import tomllib
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.campaign import quantities
from orchestrator.campaign.elements import SYMBOLS
from orchestrator.campaign.labspec import LabSpec, check_fit, load_lab
from orchestrator.campaign.problems import SpecError
from orchestrator.campaign.space import Space
from orchestrator.campaign.spec import Campaign, load_campaign, parse_campaign
from orchestrator.campaign.table import Table, validated
from orchestrator.campaign.toml_source import MAX_BYTES, Source, key_lines
from tests.campaign.bad_input import CAMPAIGN, CASES, LAB, Case

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "campaigns").glob("*.toml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_broken_file_gets_its_message(case: Case) -> None:
    with pytest.raises(SpecError) as caught:
        case.read()
    assert caught.value.lines == case.message
    assert str(caught.value) == "\n".join(case.message)


def test_there_are_enough_broken_files() -> None:
    assert len(CASES) >= 40
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_fit_their_labs(path: Path) -> None:
    campaign = load_campaign(path)
    assert campaign.lab is not None
    check_fit(campaign, load_lab(path.parent / campaign.lab))


def test_examples_are_the_two_nights() -> None:
    demo, kerr = (load_campaign(ROOT / "campaigns" / f"{name}.toml") for name in ("fe-co-ni", "fe-co-ni-kerr"))
    assert (demo.budget.samples, demo.budget.lab_hours, demo.objective.quantity) == (24, 12, "saturation_magnetisation")
    assert (kerr.budget.samples, kerr.objective.quantity) == (40, "kerr_rotation")
    assert Space.of(demo).size() == math.comb(52, 2)
    assert Space.of(kerr).size() == math.comb(90, 2)


def test_what_is_read() -> None:
    campaign = parse_campaign(CAMPAIGN)
    assert list(campaign.elements) == ["Fe", "Co", "Ni"]
    assert campaign.elements["Fe"].step == 2
    assert campaign.constraints[0].coefficients == {"Ni": 1, "Co": -1}
    assert campaign.constraints[0].min is None
    assert campaign.film.temperature_c is None
    assert campaign.recovery.faults.robot.actions == ("retry", "skip")
    assert campaign.recovery.faults.robot.budget == Campaign.model_fields["recovery"].default.faults.robot.budget
    assert campaign.optimizer.max_pool == 200_000


def test_survives_json() -> None:
    campaign = parse_campaign(CAMPAIGN)
    again = Campaign.model_validate(json.loads(campaign.model_dump_json()))
    assert again == campaign
    assert again.source is None
    assert campaign.source is not None
    assert campaign != campaign.model_copy(update={"seed": 2})


def test_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse_campaign(CAMPAIGN).seed = 3  # type: ignore[misc]


def test_a_campaign_built_in_code_is_checked_too() -> None:
    tables = parse_campaign(CAMPAIGN).model_dump()
    tables["elements"]["Fe"]["min"] = 70
    tables["elements"]["Co"]["min"] = 70
    with pytest.raises(ValueError, match="least amounts sum to 140"):
        Campaign.model_validate(tables)


def test_every_problem_is_told_at_once() -> None:
    text = CAMPAIGN.replace("seed = 1", "seed = 1.5").replace("power_w = 100", "power_w = 1").replace("max = 50", "")
    with pytest.raises(SpecError) as caught:
        parse_campaign(text, "night.toml")
    assert [line.split(":")[1] for line in caught.value.lines] == ["2", "16"]  # cross-checks wait for the rest


def wide(elements: int, at_most: int) -> str:
    """The campaign over so many elements, in steps of 0.1 at.%."""
    ranges = "".join(f"{symbol} = {{ max = 50, step = 0.1 }}\n" for symbol in SYMBOLS[-elements:])
    head, _, rest = CAMPAIGN.partition("[elements]\n")
    tail = rest[rest.index("[film]") :]
    return head.replace("at_most = 3", f"at_most = {at_most}") + "[elements]\n" + ranges + tail


def test_a_space_too_large_to_count_is_refused() -> None:
    assert Space.of(parse_campaign(wide(elements=30, at_most=5))).size() > 10**13
    with pytest.raises(SpecError, match=r"elements: 100 elements in units of 0\.1 at\.% are too many to count; set"):
        parse_campaign(wide(elements=100, at_most=100))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes('name = "café"'.encode("latin-1"))
    long = tmp_path / "long.toml"
    long.write_bytes(b"#" * (MAX_BYTES + 1))
    deep = tmp_path / "deep.toml"
    deep.write_text("a = " + "[" * 20_000)
    digits = tmp_path / "digits.toml"
    digits.write_text("\nseed = " + "9" * 5000)
    for path, message in (
        (tmp_path, f"{tmp_path}: is a directory; give the path of a TOML file"),
        (tmp_path / "none.toml", f"{tmp_path}/none.toml: there is no such file; check the path"),
        (tmp_path / "a\0b", "cannot be read"),
        (latin, f"{latin}: is not UTF-8 text"),
        (long, f"{long}: has {MAX_BYTES + 1} bytes; a campaign or lab file has at most {MAX_BYTES}"),
        (deep, f"{deep}: is nested too deeply"),
        (digits, "is not TOML here"),
        (Path("/dev/null"), "/dev/null: is not a regular file"),
    ):
        with pytest.raises(SpecError) as caught:
            load_campaign(path)
        assert message in str(caught.value)


def test_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    path.write_bytes(b"\xef\xbb\xbf" + CAMPAIGN.replace("\n", "\r\n").encode())
    assert load_campaign(path) == parse_campaign(CAMPAIGN)


# --- units ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "canonical", "unit", "value"),
    [
        ("saturation_magnetisation", 1714, "T", 2.154),
        ("saturation_magnetisation", 1950, "T", 2.45),
        ("saturation_magnetisation", 484, "emu/cm3", 484),
        ("remanence", 800, "A/m", 800_000),
        ("coercivity", 4, "Oe", 40),
        ("coercivity", 10, "kA/m", 7.958),
        ("kerr_rotation", 17.4533, "deg", 1.0),
        ("squareness", 0.9, "1", 0.9),
    ],
)
def test_units(quantity: str, canonical: float, unit: str, value: float) -> None:
    assert quantities.to_unit(quantity, canonical, unit) == pytest.approx(value, rel=1e-3)
    assert quantities.from_unit(quantity, quantities.to_unit(quantity, canonical, unit), unit) == pytest.approx(
        canonical
    )


def test_canonical_units() -> None:
    units = {quantity: quantities.canonical_unit(quantity) for quantity in quantities.UNITS}
    assert units == {
        "saturation_magnetisation": "kA/m",
        "remanence": "kA/m",
        "coercivity": "mT",
        "kerr_rotation": "mrad",
        "squareness": "1",
        "anomalous_hall_resistivity": "uohm cm",
        "anomalous_hall_resistance": "ohm",
    }
    assert all(table[units[quantity]] == 1 for quantity, table in quantities.UNITS.items())


# --- lines ----------------------------------------------------------------------------------------------


def test_lines_of_keys() -> None:
    text = '''\
# a comment = 1
a = 1
"b c" = "x # = y"   # c = 3
d.e = { f = 1, 'g' = [1,
  2, { h = """
x = 1
""" }] }
[t.u]   # comment
k = \'\'\'
y = 2\'\'\'
[[many]]
n = 1
[many.sub]
n = 1979-05-27T07:32:00Z
[[many]]
n = [
  "a", # b
  ["c"],
]
'''
    lines = key_lines(text)
    assert lines[("a",)] == 2
    assert lines[("b c",)] == 3
    assert lines[("d",)] == lines[("d", "e")] == lines[("d", "e", "f")] == lines[("d", "e", "g")] == 4
    assert lines[("d", "e", "g", 0)] == 4
    assert lines[("d", "e", "g", 1)] == lines[("d", "e", "g", 2, "h")] == 5
    assert lines[("t", "u")] == 8
    assert lines[("t", "u", "k")] == 9
    assert lines[("many",)] == lines[("many", 0)] == 11
    assert lines[("many", 0, "n")] == 12
    assert lines[("many", 0, "sub", "n")] == 14
    assert lines[("many", 1)] == 15
    assert lines[("many", 1, "n", 1, 0)] == 18
    assert ("x",) not in lines
    assert ("y",) not in lines


VALUES = st.recursive(
    st.integers() | st.booleans() | st.floats(allow_nan=False) | st.text(alphabet="ab\"'#=[]{},\\ .é"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab .='", min_size=1), inner, max_size=3),
    max_leaves=8,
)


def write(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return "[" + ", ".join(map(write, value)) + "]"
        case dict():
            return "{ " + ", ".join(f"{json.dumps(key)} = {write(inner)}" for key, inner in value.items()) + " }"
        case _:
            return repr(value)


@given(st.dictionaries(st.text("abc .#", min_size=1), VALUES, max_size=6))
def test_every_key_of_any_file_has_its_line(tables: dict[str, object]) -> None:
    text = "".join(f"# note\n{json.dumps(key)} = {write(value)}\n" for key, value in tables.items())
    lines = key_lines(text)
    for number, key in enumerate(tables):
        assert lines[(key,)] == 2 * number + 2
    assert set(lines) == set(paths(tables))


def paths(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return ([at] if at else []) + [path for key, below in inner for path in paths(below, (*at, key))]


@given(st.sampled_from((CAMPAIGN, LAB)), st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_stands_there_is_read_or_refused_with_its_place(good: str, data: st.DataObject) -> None:
    tables = tomllib.loads(good)
    path = data.draw(st.sampled_from(sorted(paths(tables), key=str)))
    table = reduce(operator.getitem, path[:-1], tables)
    match data.draw(st.sampled_from(("replace", "remove", "add"))):
        case "replace":
            table[path[-1]] = data.draw(VALUES)
        case "remove":
            del table[path[-1]]
        case "add" if isinstance(table, dict):
            table[data.draw(st.text("ab. ="))] = data.draw(VALUES)
    source = Source("some.toml", tables, key_lines(good))
    lines = told(LabSpec if good is LAB else Campaign, source)
    assert all(re.match(r"some\.toml:\d+: \S", line) for line in lines)


def told(model: type[Table], source: Source) -> tuple[str, ...]:
    """What is said of `source`; nothing if it is right."""
    try:
        validated(model, source)
    except SpecError as error:
        return error.lines
    return ()


# --- the reference ----------------------------------------------------------------------------------------


def test_reference_pages_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("generate_reference", ROOT / "docs" / "generate_reference.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    for path, text in generator.pages().items():
        assert path.read_text("utf-8") == text, f"run python docs/generate_reference.py for {path.name}"
