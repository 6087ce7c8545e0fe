"""Samples and loops as tables for other programs."""

from __future__ import annotations

import csv
import json
import sys

import pytest

from orchestrator.campaign.rows import loops, samples
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import fold
from orchestrator.exporting import ExportError, as_csv, as_json, write_parquet
from tests.report.synthetic import full_night


@pytest.fixture(scope="module")
def entries():
    return full_night()


@pytest.fixture(scope="module")
def table(entries):
    state = fold(entries)
    return samples(state, Campaign.model_validate(state.started.campaign))


def test_every_sample_has_a_row_with_what_the_journal_says(entries, table):
    state = fold(entries)
    assert [row["sample"] for row in table.as_dicts()] == list(state.samples)
    for row in table.as_dicts():
        sample = state.samples[row["sample"]]
        seen, film = sample.observation, sample.film
        assert row["state"] == sample.phase.value
        assert row["value"] == (seen.value if seen else None)
        assert row["validity"] == (seen.validity if seen else None)
        assert row["asked_Fe"] == pytest.approx(100 * sample.suggestion.composition["Fe"])
        assert (row["made_Fe"] is None) == (film is None)
        assert row["made_Fe"] is None or row["made_Fe"] == pytest.approx(100 * film.composition["Fe"])


def test_no_row_where_none_is_chosen(entries):
    state = fold(entries)
    assert samples(state, Campaign.model_validate(state.started.campaign), []).rows == ()


def test_csv_has_units_in_its_header_and_is_read_back(table):
    header, *rows = csv.reader(as_csv(table).splitlines())
    assert "value [kA/m]" in header
    assert "made_Fe [at.%]" in header
    assert "thickness [nm]" in header
    assert len(rows) == len(table.rows)
    at = header.index("value [kA/m]")
    assert [float(row[at]) if row[at] else None for row in rows] == [row["value"] for row in table.as_dicts()]


def test_json_has_units_beside_its_rows(table):
    told = json.loads(as_json(table))
    assert told["units"]["value"] == "kA/m"
    assert told["rows"] == table.as_dicts()


def test_parquet_has_units_in_its_metadata_and_is_read_back(table, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    write_parquet(table, tmp_path / "samples.parquet")
    read = pq.read_table(tmp_path / "samples.parquet")
    assert read.to_pylist() == table.as_dicts()
    assert read.schema.field("value").metadata == {b"unit": b"kA/m"}


def test_an_empty_table_is_a_table_too(entries, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    empty = loops(entries, chosen=set())
    write_parquet(empty, tmp_path / "loops.parquet")
    assert pq.read_table(tmp_path / "loops.parquet").num_rows == 0
    assert len(as_csv(empty).splitlines()) == 1


def test_without_pyarrow_it_says_what_to_install(table, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExportError, match=r'pip install "nightshift-lab\[parquet\]"'):
        write_parquet(table, tmp_path / "samples.parquet")
    assert not (tmp_path / "samples.parquet").exists()


def test_every_point_of_every_loop_has_a_row(entries):
    told = loops(entries).as_dicts()
    assert told
    for recorded in entries:
        loop = getattr(recorded.entry, "loop", None)
        if recorded.entry.kind == "observation_made" and loop:
            mine = [row for row in told if row["sample"] == recorded.entry.sample]
            assert [row["field"] for row in mine][-len(loop["field_mt"]) :] == loop["field_mt"]
            assert [row["signal"] for row in mine][-len(loop["signal"]) :] == loop["signal"]
            assert {row["signal_unit"] for row in mine} == {loop["unit"]}
